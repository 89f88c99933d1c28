//! `Recorder`: writes a trace while the run is under way.
//!
//! A run takes millions of steps a second, hence the actions it is made of (deliveries, wake-ups, syncs) are written digit
//! by digit into one reused buffer; the rare ones go through serde. Both ways give the same bytes, which a test demands.

use std::io::{self, Write};

use super::{EndLine, Footer, Header, Trace};
use crate::sim::{Action, LinkKey, Node, Op};
use crate::zab::Instant;

/// How much is gathered before it is handed to the writer.
const BUFFER: usize = 64 * 1024;

/// Writes a trace, line by line. A write error is kept and reported by [`finish`](Recorder::finish).
#[derive(Debug)]
pub struct Recorder<W: Write> {
    writer: W,
    buffer: Vec<u8>,
    failed: Option<io::Error>,
}

impl<W: Write> Recorder<W> {
    /// Begins a trace with its header.
    pub fn new(writer: W, header: &Header) -> io::Result<Recorder<W>> {
        let mut buffer = Vec::with_capacity(BUFFER + 1024);
        serde_json::to_writer(&mut buffer, header)?;
        buffer.push(b'\n');
        Ok(Recorder { writer, buffer, failed: None })
    }

    /// Adds a step.
    pub fn step(&mut self, step: u64, at: Instant, action: &Action, hash: u64) {
        let out = &mut self.buffer;
        out.extend_from_slice(b"{\"n\":");
        number(out, step);
        out.extend_from_slice(b",\"t\":\"");
        number(out, at.0 / 1_000_000_000);
        out.push(b'.');
        nine_digits(out, (at.0 % 1_000_000_000) as u32);
        out.extend_from_slice(b"s\",\"a\":");
        write_action(out, action);
        out.extend_from_slice(b",\"h\":\"");
        hexadecimal(out, hash);
        out.extend_from_slice(b"\"}\n");
        if out.len() >= BUFFER {
            self.flush();
        }
    }

    /// Adds the end of a stage.
    pub fn stage_ended(&mut self, end: &EndLine) {
        serde_json::to_writer(&mut self.buffer, end).expect("plain data, and a Vec takes every byte");
        self.buffer.push(b'\n');
    }

    /// Ends the trace and gives the writer back, or the first error that a write met.
    pub fn finish(mut self, footer: Option<&Footer>) -> io::Result<W> {
        if let Some(footer) = footer {
            serde_json::to_writer(&mut self.buffer, footer)?;
            self.buffer.push(b'\n');
        }
        self.flush();
        match self.failed {
            Some(error) => Err(error),
            None => self.writer.flush().map(|()| self.writer),
        }
    }

    fn flush(&mut self) {
        if self.failed.is_none() {
            self.failed = self.writer.write_all(&self.buffer).err();
        }
        self.buffer.clear();
    }
}

impl Trace {
    /// Writes it whole, and gives the writer back.
    pub fn write<W: Write>(&self, writer: W) -> io::Result<W> {
        let mut recorder = Recorder::new(writer, &self.header)?;
        let mut ends = self.ends.iter().peekable();
        for line in &self.lines {
            recorder.step(line.step, line.at, &line.action, line.hash.0);
            while let Some(end) = ends.next_if(|end| end.step <= line.step) {
                recorder.stage_ended(end);
            }
        }
        recorder.finish(self.footer.as_ref())
    }
}

fn write_action(out: &mut Vec<u8>, action: &Action) {
    match *action {
        Action::Deliver { link, to, skip } => {
            out.extend_from_slice(b"{\"deliver\":{\"link\":");
            write_link(out, link);
            out.extend_from_slice(b",\"to\":");
            write_node(out, to);
            out.extend_from_slice(b",\"skip\":");
            number(out, skip.into());
            out.extend_from_slice(b"}}");
        }
        Action::Notify { from, to } => {
            out.extend_from_slice(b"{\"notify\":{\"from\":");
            write_node(out, from);
            out.extend_from_slice(b",\"to\":");
            write_node(out, to);
            out.extend_from_slice(b"}}");
        }
        Action::Wake { node } => write_at(out, b"wake", node),
        Action::SyncDone { node } => write_at(out, b"sync_done", node),
        Action::ReadDone { node } => write_at(out, b"read_done", node),
        Action::Invoke { client, server, op } => {
            out.extend_from_slice(b"{\"invoke\":{\"client\":");
            number(out, client.into());
            out.extend_from_slice(b",\"server\":");
            write_node(out, server);
            out.extend_from_slice(match op {
                Op::Write => b",\"op\":\"write\"}}".as_slice(),
                Op::Read => b",\"op\":\"read\"}}",
                Op::Sync => b",\"op\":\"sync\"}}",
            });
        }
        rare => serde_json::to_writer(out, &rare).expect("an action is plain data and a Vec takes every byte"),
    }
}

fn write_at(out: &mut Vec<u8>, name: &[u8], node: Node) {
    out.extend_from_slice(b"{\"");
    out.extend_from_slice(name);
    out.extend_from_slice(b"\":{\"node\":");
    write_node(out, node);
    out.extend_from_slice(b"}}");
}

fn write_node(out: &mut Vec<u8>, node: Node) {
    out.extend_from_slice(b"\"p");
    number(out, node.index() as u64 + 1);
    out.push(b'"');
}

fn write_link(out: &mut Vec<u8>, link: LinkKey) {
    out.extend_from_slice(b"\"p");
    number(out, link.dialer.index() as u64 + 1);
    out.extend_from_slice(b">p");
    number(out, link.acceptor.index() as u64 + 1);
    out.push(b'#');
    number(out, link.generation.into());
    out.push(b'"');
}

fn number(out: &mut Vec<u8>, mut n: u64) {
    let mut digits = [0; 20];
    let mut first = digits.len();
    loop {
        first -= 1;
        digits[first] = b'0' + (n % 10) as u8;
        n /= 10;
        if n == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[first..]);
}

fn nine_digits(out: &mut Vec<u8>, mut n: u32) {
    let mut digits = [0; 9];
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (n % 10) as u8;
        n /= 10;
    }
    out.extend_from_slice(&digits);
}

fn hexadecimal(out: &mut Vec<u8>, n: u64) {
    let mut digits = [0; 16];
    for (i, digit) in digits.iter_mut().enumerate() {
        *digit = b"0123456789abcdef"[(n >> (60 - 4 * i)) as usize & 0xf];
    }
    out.extend_from_slice(&digits);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{HexHash, Line};
    use super::*;
    use crate::scenario::Scenario;
    use crate::sim::{DiskMode, Loss, Stage};

    fn header(text: &str, seed: u64) -> Header {
        Header::new("a", &Scenario::parse("a.toml", text).unwrap(), seed)
    }

    fn any_action() -> impl Strategy<Value = Action> {
        let node = || (0usize..64).prop_map(Node::at);
        let link = || {
            (node(), node(), any::<u16>()).prop_map(|(dialer, acceptor, generation)| LinkKey {
                dialer,
                acceptor,
                generation,
            })
        };
        let loss = prop_oneof![
            Just(Loss::Process),
            (any::<u16>(), any::<bool>()).prop_map(|(kept, torn)| Loss::Power { kept, torn })
        ];
        prop_oneof![
            (link(), node(), any::<u16>()).prop_map(|(link, to, skip)| Action::Deliver { link, to, skip }),
            (node(), node()).prop_map(|(from, to)| Action::Notify { from, to }),
            node().prop_map(|node| Action::Wake { node }),
            node().prop_map(|node| Action::SyncDone { node }),
            node().prop_map(|node| Action::ReadDone { node }),
            (any::<u8>(), node(), prop_oneof![Just(Op::Write), Just(Op::Read), Just(Op::Sync)])
                .prop_map(|(client, server, op)| Action::Invoke { client, server, op }),
            (link(), any::<u16>(), any::<u16>()).prop_map(|(link, lose_up, lose_down)| Action::Reset {
                link,
                lose_up,
                lose_down
            }),
            (node(), loss, any::<u8>()).prop_map(|(node, loss, after)| Action::CrashInside { node, after, loss }),
            (node(), any::<u32>()).prop_map(|(node, millis)| Action::ClockJump { node, millis }),
            node().prop_map(|node| Action::Disk { node, mode: DiskMode::Lying }),
            Just(Action::Enter { stage: Stage::Epilogue }),
        ]
    }

    proptest! {
        #[test]
        fn what_is_written_by_hand_is_what_serde_writes_and_reads(
            mut steps in prop::collection::vec((any::<u64>(), any_action(), any::<u64>()), 0..20),
        ) {
            steps.sort_by_key(|&(at, ..)| at);
            let header = header("# say \"hi\"\n", u64::MAX);
            let mut recorder = Recorder::new(Vec::new(), &header).unwrap();
            let mut expected = format!("{}\n", serde_json::to_string(&header).unwrap());
            let mut lines = Vec::new();
            for (i, (at, action, hash)) in steps.iter().enumerate() {
                let line = Line { step: i as u64 + 1, at: Instant(*at), action: *action, hash: HexHash(*hash) };
                recorder.step(line.step, line.at, &line.action, *hash);
                expected += &format!("{}\n", serde_json::to_string(&line).unwrap());
                lines.push(line);
            }
            let text = String::from_utf8(recorder.finish(None).unwrap()).unwrap();
            prop_assert_eq!(&text, &expected);
            let trace = Trace::read(text.as_bytes()).unwrap();
            prop_assert_eq!((trace.header, trace.lines, trace.ends, trace.footer), (header, lines, vec![], None));
        }
    }

    #[test]
    fn a_full_disk_is_reported_at_the_end() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::StorageFull.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut recorder = Recorder::new(Full, &header("", 1)).unwrap();
        for step in 1..10_000 {
            recorder.step(step, Instant(step), &Action::Wake { node: Node::at(0) }, 1);
        }
        assert_eq!(recorder.finish(None).err().unwrap().kind(), io::ErrorKind::StorageFull);
    }
}
