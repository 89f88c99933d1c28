//! The only place that prints. Standard output is data, standard error is messages; both are plain when they are not a
//! terminal or `NO_COLOR` is set, and a reader that went away ends the output, not the command.

mod batch;
mod diagnostic;
mod peers;
mod run;

use std::fmt::Display;
use std::io::{self, Write};

use anstream::AutoStream;
use anyhow::Context;
use console::Term;
use serde::Serialize;

pub(super) use batch::batch_text;
#[cfg(feature = "server")]
pub(super) use diagnostic::complaint;
pub(super) use diagnostic::scenario_error;
pub(super) use peers::peers_text;
pub(super) use run::{listed, run_text, violation_text, wrapped};

/// Where text is folded if nobody says otherwise.
pub(super) const WIDTH: usize = 100;

/// Narrower than this nothing is readable.
pub(super) const NARROWEST: u16 = 40;

/// Standard output and error.
pub(super) struct Screen {
    out: io::BufWriter<AutoStream<io::Stdout>>,
    /// As asked for, or that of the terminal.
    width: Option<usize>,
    /// Nobody reads standard output any more.
    closed: bool,
    /// The first error that is not that.
    failed: Option<io::Error>,
}

impl Screen {
    pub(super) fn new(width: Option<u16>) -> Screen {
        let terminal = || Term::stdout().size_checked().map(|(_, columns)| columns.max(NARROWEST));
        let width = width.or_else(terminal).map(usize::from);
        Screen { out: io::BufWriter::new(AutoStream::auto(io::stdout())), width, closed: false, failed: None }
    }

    /// How many columns a line may take, if somebody asked or a terminal shows it. In a file a line may be as long as it is.
    pub(super) fn width(&self) -> Option<usize> {
        self.width
    }

    /// Whether it makes sense to go on.
    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    pub(super) fn text(&mut self, text: &str) {
        self.write(|out| out.write_all(text.as_bytes()));
    }

    pub(super) fn line(&mut self, line: impl Display) {
        self.write(|out| writeln!(out, "{line}"));
    }

    pub(super) fn json(&mut self, value: &impl Serialize) {
        self.write(|out| {
            serde_json::to_writer_pretty(&mut *out, value).map_err(io::Error::from)?;
            out.write_all(b"\n")
        });
    }

    /// Shows what was written so far; before waiting for an answer.
    pub(super) fn flush(&mut self) {
        self.write(|out| out.flush());
    }

    /// To standard error, so that data stays data.
    pub(super) fn note(&mut self, note: impl Display) {
        let _ = writeln!(anstream::stderr(), "{note}");
    }

    /// To standard error. A diagnostic that brings its own look is printed as it is.
    pub(super) fn error(&mut self, error: &anyhow::Error) {
        match error.downcast_ref::<Rendered>() {
            Some(rendered) => self.note(rendered),
            None => self.note(format_args!("{}: {error:#}", red("error"))),
        }
    }

    /// Writes out the rest. Says so if that failed: a summary that is not there is not a success.
    pub(super) fn end(&mut self) -> anyhow::Result<()> {
        self.flush();
        self.failed.take().map_or(Ok(()), |error| Err(error).context("cannot write to standard output"))
    }

    fn write(&mut self, f: impl FnOnce(&mut io::BufWriter<AutoStream<io::Stdout>>) -> io::Result<()>) {
        if self.closed || self.failed.is_some() {
            return;
        }
        match f(&mut self.out) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => self.closed = true,
            Err(error) => self.failed = Some(error),
        }
    }
}

/// An error that is already a picture, such as a scenario error in rustc's look.
#[derive(Debug)]
pub(super) struct Rendered(pub String);

impl Display for Rendered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Rendered {}

/// Colours are always written; a stream that is no terminal takes them out again.
fn coloured(code: &str, text: impl Display) -> String {
    format!("\x1b[{code}m{text}\x1b[0m")
}

pub(super) fn bold(text: impl Display) -> String {
    coloured("1", text)
}

pub(super) fn dim(text: impl Display) -> String {
    coloured("2", text)
}

pub(super) fn red(text: impl Display) -> String {
    coloured("1;31", text)
}

pub(super) fn green(text: impl Display) -> String {
    coloured("1;32", text)
}

/// `183204` as `183,204`.
pub(super) fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 step`, `2 steps`.
pub(super) fn plural(n: u64, what: &str) -> String {
    format!("{} {what}{}", thousands(n), if n == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(thousands), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!((plural(1, "step"), plural(2_000, "run")), ("1 step".into(), "2,000 runs".into()));
    }
}
