//! What is wrong with a configuration file, where, and how to mend it.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// A file that was read, for errors to point into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Its name, as it was given.
    pub path: Arc<str>,
    /// Its text, and the settings.
    pub text: Arc<str>,
    /// Where in the text the settings begin that were given beside the file.
    settings: Option<usize>,
}

impl Source {
    /// The text of a file.
    pub fn new(path: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> Source {
        Source { path: path.into(), text: text.into(), settings: None }
    }

    /// The same with settings such as `tickTime=500`, each of which takes the place of the one in the file.
    pub fn with_settings(self, settings: &[String]) -> Source {
        // An empty line, lest the last one of the file goes on into the first setting.
        let file = format!("{}\n\n", self.text);
        Source { path: self.path, settings: Some(file.len()), text: (file + &settings.join("\n")).into() }
    }

    /// The same place with another text, byte for byte as long.
    pub(super) fn masked(self, text: String) -> Source {
        Source { text: text.into(), ..self }
    }

    /// Whether what begins there is a setting that was given beside the file.
    pub(super) fn is_setting(&self, start: usize) -> bool {
        self.settings.is_some_and(|settings| start >= settings)
    }

    /// Something is wrong in these bytes of it.
    pub(super) fn at(&self, span: Range<usize>, message: impl Into<String>) -> Complaint {
        let (source, from) = match self.settings {
            Some(from) if self.is_setting(span.start) => (Source::new("--set", &self.text[from..]), from),
            Some(end) => (Source::new(self.path.clone(), &self.text[..end]), 0),
            None => (self.clone(), 0),
        };
        Complaint { source, span: Some(span.start - from..span.end - from), message: message.into(), help: None }
    }

    /// Something is missing in it.
    pub(super) fn lacks(&self, message: impl Into<String>) -> Complaint {
        Complaint { source: self.clone(), span: None, message: message.into(), help: None }
    }
}

/// What is wrong with a configuration file, where, and what to write instead. An error or a warning: that depends on who gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// The file.
    pub source: Source,
    /// The bytes of its text that are wrong, on character boundaries; `None` if the fault is what is not there.
    pub span: Option<Range<usize>>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

impl Complaint {
    /// Adds what to do.
    pub(super) fn help(self, help: impl Into<String>) -> Complaint {
        Complaint { help: Some(help.into()), ..self }
    }

    /// Line and column, both from 1, the column in characters.
    pub fn place(&self) -> Option<(usize, usize)> {
        let before = self.source.text.get(..self.span.as_ref()?.start)?;
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Some((before.matches('\n').count() + 1, before[line_start..].chars().count() + 1))
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place() {
            Some((line, column)) => write!(f, "{}:{line}:{column}: {}", self.source.path, self.message)?,
            None => write!(f, "{}: {}", self.source.path, self.message)?,
        }
        self.help.iter().try_for_each(|help| write!(f, " ({help})"))
    }
}

impl std::error::Error for Complaint {}
