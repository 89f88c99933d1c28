//! What is wrong with a scenario file, and where.

use std::fmt;
use std::ops::Range;

use super::servers;
use crate::sim::Node;

/// What is wrong with a scenario file, where, and what may have been meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScenarioError {
    /// The file, as it was named.
    pub path: String,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// The bytes of the text that are wrong; on character boundaries, maybe empty.
    pub span: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.path, self.line, self.column, self.message)?;
        self.help.iter().try_for_each(|help| write!(f, " ({help})"))
    }
}

impl std::error::Error for ScenarioError {}

impl ScenarioError {
    pub(super) fn with_help(self, help: &str) -> ScenarioError {
        ScenarioError { help: Some(help.to_owned()), ..self }
    }
}

/// The text of a file, in which errors have places.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source<'a> {
    pub path: &'a str,
    pub text: &'a str,
}

impl Source<'_> {
    /// An error of the parser, or of a type.
    pub fn syntax(&self, error: &toml::de::Error) -> ScenarioError {
        let (message, help) = advise(error.message());
        let span = error.span().unwrap_or(0..0);
        let named = message.strip_prefix("unknown field `").and_then(|rest| rest.split('`').next());
        let within = |name| self.text.get(span.clone()).and(self.find_word(name, span.clone()));
        let span = named.and_then(within).unwrap_or(span);
        ScenarioError { help, ..self.error(span, message) }
    }

    /// An error at `needle` within the section `[section]`.
    pub fn at(&self, section: &str, needle: &str, message: String) -> ScenarioError {
        let header = format!("[{section}]");
        let span = match self.find_line(&header, 0) {
            Some(start) => {
                self.find_word(needle, start..self.section_end(start)).unwrap_or(start..start + header.len())
            }
            None => self.find_word(needle, 0..self.text.len()).unwrap_or(0..0),
        };
        self.error(span, message)
    }

    /// An error at `needle` within the fault of that number, from 0.
    pub fn in_fault(&self, index: usize, needle: &str, message: String) -> ScenarioError {
        const HEADER: &str = "[[fault]]";
        let mut start = None;
        let mut from = 0;
        for _ in 0..=index {
            start = self.find_line(HEADER, from);
            from = start.map_or(self.text.len(), |start| start + HEADER.len());
        }
        let span = match start {
            Some(start) => {
                self.find_word(needle, start..self.section_end(start)).unwrap_or(start..start + HEADER.len())
            }
            None => self.find_word(needle, 0..self.text.len()).unwrap_or(0..0),
        };
        self.error(span, message)
    }

    /// A server is named that does not exist.
    pub fn stranger(&self, section: &str, node: Node, total: usize) -> ScenarioError {
        self.at(section, &node.to_string(), format!("there is no {node}: {}", servers(total)))
    }

    fn error(&self, span: Range<usize>, message: String) -> ScenarioError {
        let clamp = |at: usize| (0..=at.min(self.text.len())).rev().find(|&at| self.text.is_char_boundary(at));
        let start = clamp(span.start).unwrap_or(0);
        let end = clamp(span.end).unwrap_or(0).max(start);
        let before = &self.text[..start];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        ScenarioError {
            path: self.path.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            span: start..end,
            message,
            help: None,
        }
    }

    /// Where a line that starts with `header` begins, at or after `from`.
    fn find_line(&self, header: &str, from: usize) -> Option<usize> {
        let mut at = from;
        while let Some(found) = self.text.get(at..)?.find(header) {
            let start = at + found;
            let line = self.text[..start].rfind('\n').map_or(0, |newline| newline + 1);
            if self.text[line..start].trim().is_empty() {
                return Some(start);
            }
            at = start + header.len();
        }
        None
    }

    /// Where the section that starts at `start` ends.
    fn section_end(&self, start: usize) -> usize {
        let next = self.text[start..].find("\n[").map(|newline| start + newline + 1);
        next.unwrap_or(self.text.len())
    }

    /// Where `word` stands as a word of its own.
    fn find_word(&self, word: &str, within: Range<usize>) -> Option<Range<usize>> {
        let text = &self.text[within.clone()];
        let inside = |c: char| c.is_alphanumeric() || c == '_';
        let hits = text.match_indices(word).filter(|&(at, _)| {
            let before = text[..at].chars().next_back().is_some_and(inside);
            let after = text[at + word.len()..].chars().next().is_some_and(inside);
            !(before || after)
        });
        hits.map(|(at, _)| within.start + at..within.start + at + word.len()).next()
    }
}

/// From what serde says (``unknown field `x`, expected one of `a`, `b` ``) to what is wrong and what may have been meant.
fn advise(said: &str) -> (String, Option<String>) {
    if let Some((given, available)) =
        said.strip_prefix("unexpected keys in table: ").and_then(|rest| rest.split_once(", available keys: "))
    {
        let names: Vec<String> = available.split(", ").map(|name| format!("`{name}`")).collect();
        let given = given.split(", ").next().unwrap_or_default();
        return advise(&format!("unknown field `{given}`, expected one of {}", names.join(", ")));
    }
    let Some((wrong, expected)) = said.split_once(", expected ").filter(|_| said.starts_with("unknown ")) else {
        return (said.to_owned(), None);
    };
    let quoted = |text: &str| text.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    let (given, names) = (quoted(wrong), quoted(expected));
    let help = given
        .first()
        .and_then(|given| nearest(given, &names))
        .map_or_else(|| format!("expected {expected}"), |name| format!("did you mean `{name}`?"));
    (wrong.to_owned(), Some(help))
}

/// The name that was probably meant.
pub(super) fn nearest<'a>(given: &str, names: &'a [String]) -> Option<&'a String> {
    let distance = |name: &String| strsim::damerau_levenshtein(given, name);
    names.iter().min_by_key(|name| distance(name)).filter(|name| distance(name) <= (name.len() / 3).max(1) + 1)
}
