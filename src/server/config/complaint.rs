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
    parts: Option<Arc<Parts>>,
}

/// What the text was put together from.
#[derive(Debug, PartialEq, Eq)]
struct Parts {
    file: Arc<str>,
    settings: Arc<str>,
}

impl Source {
    /// The text of a file.
    pub fn new(path: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> Source {
        Source { path: path.into(), text: text.into(), parts: None }
    }

    /// The same with settings such as `tickTime=500`, each of which takes the place of the one in the file.
    pub fn with_settings(self, settings: &[String]) -> Source {
        if settings.is_empty() {
            return self;
        }
        // An empty line, lest the last one of the file goes on into the first setting.
        Source::joined(self.path, &format!("{}\n\n", self.text), &settings.join("\n"))
    }

    fn joined(path: Arc<str>, file: &str, settings: &str) -> Source {
        let parts = Parts { file: file.into(), settings: settings.into() };
        Source { path, text: [file, settings].concat().into(), parts: Some(Arc::new(parts)) }
    }

    /// The same place with another text, byte for byte as long.
    pub(super) fn masked(self, text: String) -> Source {
        match &self.parts {
            Some(parts) => Source::joined(self.path, &text[..parts.file.len()], &text[parts.file.len()..]),
            None => Source { text: text.into(), ..self },
        }
    }

    /// Whether what begins there is a setting that was given beside the file.
    pub(super) fn is_setting(&self, start: usize) -> bool {
        self.parts.as_ref().is_some_and(|parts| start >= parts.file.len())
    }

    /// Something is wrong in these bytes of it.
    pub(super) fn at(&self, span: Range<usize>, message: impl Into<String>) -> Complaint {
        let part = |path: Arc<str>, text: &Arc<str>| Source { path, text: text.clone(), parts: None };
        let (source, from) = match &self.parts {
            Some(parts) if self.is_setting(span.start) => (part("--set".into(), &parts.settings), parts.file.len()),
            Some(parts) => (part(self.path.clone(), &parts.file), 0),
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
