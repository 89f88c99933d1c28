//! Reading a trace: total, and every error says where it is and what was expected.

use std::fmt;
use std::io::{self, BufRead};

use serde::Deserialize;

use super::{EndLine, FORMAT, Footer, Header, Line};
use crate::zab::Conduct;

/// A trace, read whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// The first line.
    pub header: Header,
    /// One per action, ascending by step.
    pub lines: Vec<Line>,
    /// Where stages ended, ascending by step.
    pub ends: Vec<EndLine>,
    /// The last line; missing if the process that wrote it died.
    pub footer: Option<Footer>,
}

/// Why something is no trace.
#[derive(Debug)]
pub enum TraceError {
    /// It could not be read.
    Io(io::Error),
    /// A line is not what it should be.
    Malformed {
        /// Which line, from 1.
        line: usize,
        /// At which byte, from 1.
        column: usize,
        /// What is wrong.
        what: String,
        /// What should be there.
        expected: String,
    },
}

const HEADER: &str = "a header, such as {\"format\":1,\"zabsim\":\"0.1.0\",\"scenario\":\"…\",\"seed\":42,…,\"setup\":{…},\"text\":\"…\"}";
const STEP: &str =
    "a step, such as {\"n\":1,\"t\":\"0.000123000s\",\"a\":{\"wake\":{\"node\":\"p1\"}},\"h\":\"a2f1c04b9d3e5f60\"}";
const END: &str = "the end of a stage, such as {\"end\":\"converge\",\"n\":1,\"converged\":true,\"core\":[\"p1\",\"p2\"],\"bound\":\"30s\",\"recovery\":\"10s\"}";
const FOOTER: &str = "a footer, such as {\"verdict\":\"held\",\"steps\":1,\"hash\":\"a2f1c04b9d3e5f60\"}";

impl Trace {
    /// Reads a trace.
    pub fn read(mut reader: impl BufRead) -> Result<Trace, TraceError> {
        let mut text = Vec::new();
        let mut number = 0;
        let mut header = None;
        let mut lines: Vec<Line> = Vec::new();
        let mut ends: Vec<EndLine> = Vec::new();
        let mut footer = None;
        loop {
            text.clear();
            if reader.read_until(b'\n', &mut text).map_err(TraceError::Io)? == 0 {
                break;
            }
            number += 1;
            let line = text.strip_suffix(b"\n").unwrap_or(&text);
            let at = At { line: number, cut_off: line.len() == text.len() };
            if header.is_none() {
                header = Some(at.header(line)?);
            } else if footer.is_some() {
                return Err(at.malformed(1, "the trace goes on after its footer", "the end of the file"));
            } else if line.starts_with(b"{\"verdict\"") {
                footer = Some(at.footer(line, lines.last())?);
            } else if line.starts_with(b"{\"end\"") {
                let end: EndLine = at.parse(line, END)?;
                let last = lines.last().map_or(0, |line| line.step);
                if end.step != last {
                    let what = format!("the end of a stage after step {} stands after step {last}", end.step);
                    return Err(at.malformed(1, &what, "it after its step"));
                }
                ends.push(end);
            } else {
                let line: Line = at.parse(line, STEP)?;
                at.assert_after(&line, lines.last())?;
                lines.push(line);
            }
        }
        let header = header.ok_or_else(|| At { line: 1, cut_off: false }.malformed(1, "the file is empty", HEADER))?;
        Ok(Trace { header, lines, ends, footer })
    }

    /// The number of its last step.
    pub fn last_step(&self) -> u64 {
        self.lines.last().map_or(0, |line| line.step)
    }
}

/// A line being read.
#[derive(Clone, Copy)]
struct At {
    line: usize,
    /// It does not end: the process that wrote it died in the middle.
    cut_off: bool,
}

impl At {
    fn header(self, line: &[u8]) -> Result<Header, TraceError> {
        /// Just enough to know whether the rest will be understood.
        #[derive(Deserialize)]
        struct Versioned {
            format: u32,
            zabsim: Option<String>,
        }
        let versioned: Versioned = self.parse(line, HEADER)?;
        if versioned.format != FORMAT {
            let by = versioned.zabsim.unwrap_or_else(|| "an unknown version".into());
            let what = format!("this trace has format {} (written by zabsim {by})", versioned.format);
            return Err(self.malformed(1, &what, &format!("format {FORMAT}, the one this zabsim reads")));
        }
        let mut header: Header = self.parse(line, HEADER)?;
        let mutant = match header.mutants.as_slice() {
            [] => None,
            [one] => Some(one.as_str()),
            _ => return Err(self.malformed(1, "it names several mutants", "one at most")),
        };
        let conduct = Conduct::of(mutant).map_err(|what| {
            let what = format!("it was recorded with a deliberate bug, and {what}");
            self.malformed(1, &what, "a trace of a core that this zabsim can be")
        })?;
        header.setup.conduct = conduct.with(header.habits.iter().map(|name| name.0).collect());
        header.setup.only = header.only.clone();
        Ok(header)
    }

    /// A footer that does not know the last step speaks of lines that are not there.
    fn footer(self, line: &[u8], last: Option<&Line>) -> Result<Footer, TraceError> {
        let footer: Footer = self.parse(line, FOOTER)?;
        // Of the step over which the core panicked no hash came, and the footer counts the steps before it.
        let last = last.map_or(0, |last| last.step);
        let counted = last - u64::from(footer.panic.is_some() && last > 0 && footer.steps < last);
        if footer.steps == counted {
            return Ok(footer);
        }
        let what = format!("the footer speaks of {} steps, the last step above it is {last}", footer.steps);
        Err(self.malformed(1, &what, "every step of the run: lines are missing"))
    }

    fn parse<'t, T: Deserialize<'t>>(self, line: &'t [u8], expected: &str) -> Result<T, TraceError> {
        serde_json::from_slice(line).map_err(|error| {
            if self.cut_off && error.is_eof() {
                let expected = format!("{expected}; delete it to replay what comes before");
                return self.malformed(line.len() + 1, "the last line is cut off", &expected);
            }
            // Each line is parsed alone: "at line 1" would mislead.
            let what = error.to_string();
            let what = what.split_once(" at line ").map_or(what.as_str(), |(what, _)| what);
            self.malformed(error.column().max(1), what, expected)
        })
    }

    fn assert_after(self, line: &Line, last: Option<&Line>) -> Result<(), TraceError> {
        match last {
            Some(last) if line.step <= last.step => {
                let what = format!("step {} stands after step {}", line.step, last.step);
                Err(self.malformed(6, &what, "steps that ascend"))
            }
            Some(last) if line.at < last.at => {
                let what = format!("time {} is before {}, the time of step {}", line.at, last.at, last.step);
                Err(self.malformed(1, &what, "a time that does not go back"))
            }
            _ => Ok(()),
        }
    }

    fn malformed(self, column: usize, what: &str, expected: &str) -> TraceError {
        TraceError::Malformed { line: self.line, column, what: what.into(), expected: expected.into() }
    }
}

/// `12:7: unknown variant …; expected a step, such as …`: the path goes in front.
impl fmt::Display for TraceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TraceError::Io(error) => write!(f, "{error}"),
            TraceError::Malformed { line, column, what, expected } => {
                write!(f, "{line}:{column}: {what}\n  expected {expected}")
            }
        }
    }
}

impl std::error::Error for TraceError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::Verdict;

    const HEAD: &str = concat!(
        r#"{"format":1,"zabsim":"0.1.0","scenario":"a","seed":1,"stream":1,"mutants":[],"violates":[],"#,
        r#""setup":{"nodes":[{"node":"p1","role":"participant","starts":true,"drift":[1,1]}],"#,
        r#""clients":1,"fifo":true,"snapshot_chunk":64,"limits":{}},"text":""}"#,
    );
    const STEP_1: &str = r#"{"n":1,"t":"0.5s","a":{"wake":{"node":"p1"}},"h":"00000000000000ff"}"#;

    fn error(text: &str) -> String {
        Trace::read(text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn a_trace_with_a_footer_is_read() {
        let stage = r#"{"end":"converge","n":1,"converged":true,"core":["p1"],"bound":"30s","recovery":"10s"}"#;
        let end = r#"{"verdict":"held","steps":1,"hash":"00000000000000ff"}"#;
        let trace = Trace::read(format!("{HEAD}\n{STEP_1}\n{stage}\n{end}\n").as_bytes()).unwrap();
        assert_eq!((trace.lines.len(), trace.last_step(), trace.lines[0].hash.0), (1, 1, 255));
        assert_eq!(trace.footer.unwrap().verdict, Verdict::Held);
        assert_eq!((trace.ends.len(), trace.ends[0].stage_end().core.len()), (1, 1));
    }

    #[test]
    fn the_step_over_which_the_core_panicked_is_not_counted() {
        let end = r#"{"verdict":"panic","steps":0,"hash":"0000000000000000","panic":"an ack for nothing"}"#;
        let trace = Trace::read(format!("{HEAD}\n{STEP_1}\n{end}\n").as_bytes()).unwrap();
        assert_eq!((trace.footer.unwrap().steps, trace.lines.len()), (0, 1));
    }

    #[test]
    fn errors_say_where_and_what_was_expected() {
        assert!(error("").starts_with("1:1: the file is empty\n  expected a header"), "{}", error(""));
        assert!(error("not json\n").starts_with("1:2: expected ident"), "{}", error("not json\n"));
        let unknown = format!("{HEAD}\n{}\n", STEP_1.replace("wake", "wakes"));
        assert!(error(&unknown).starts_with("2:30: unknown variant `wakes`"), "{}", error(&unknown));
        let node = format!("{HEAD}\n{}\n", STEP_1.replace("p1", "p65"));
        assert!(error(&node).contains("expected a server, \"p1\" to \"p64\", not \"p65\""), "{}", error(&node));
        let hash = format!("{HEAD}\n{}\n", STEP_1.replace("ff", "fg"));
        assert!(error(&hash).contains("a hash is 16 hexadecimal digits"), "{}", error(&hash));
        let mutant = HEAD.replace(r#""mutants":[]"#, r#""mutants":["ack-early"]"#);
        assert!(error(&mutant).contains("no mutant `ack-early`"), "{}", error(&mutant));
        let twice = format!("{HEAD}\n{STEP_1}\n{STEP_1}\n");
        assert!(error(&twice).starts_with("3:6: step 1 stands after step 1"), "{}", error(&twice));
        let cut = format!("{HEAD}\n{}", &STEP_1[..40]);
        assert!(error(&cut).starts_with("2:41: the last line is cut off"), "{}", error(&cut));
        let end = r#"{"verdict":"held","steps":2,"hash":"00000000000000ff"}"#;
        let short = format!("{HEAD}\n{STEP_1}\n{end}\n");
        assert!(error(&short).starts_with("3:1: the footer speaks of 2 steps, the last step above it is 1"));
        let strange = short.replace("held", "hold").replace("\"steps\":2", "\"steps\":1");
        assert!(error(&strange).contains("unknown variant `hold`"), "{}", error(&strange));
        let later = HEAD.replace(":1,\"zabsim\":\"0.1.0\"", ":9,\"zabsim\":\"7.0.0\"");
        assert!(
            error(&later).starts_with("1:1: this trace has format 9 (written by zabsim 7.0.0)"),
            "{}",
            error(&later)
        );
    }
}
