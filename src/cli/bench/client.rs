//! A client that keeps its window full, and measures how long answers take.

use std::collections::VecDeque;
use std::time::Instant;

use anyhow::{Context, Result, anyhow, bail};
use bytes::{Buf, BytesMut};
use hdrhistogram::Histogram;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::zk::model::{ConnectRequest, ErrorCode, Request, SessionId};
use crate::zk::wire;

use super::requests::Requests;

/// What a session outlives, in milliseconds.
const SESSION_TIMEOUT: i32 = 30_000;

/// What came of it; latencies in nanoseconds.
#[derive(Clone, Debug)]
pub(super) struct Measured {
    pub writes: Histogram<u64>,
    pub reads: Histogram<u64>,
    pub errors: u64,
}

impl Measured {
    pub(super) fn new() -> Result<Measured> {
        // To a thousandth, up to an hour.
        let empty = || Histogram::new_with_bounds(1, 3_600_000_000_000, 3).context("cannot measure");
        Ok(Measured { writes: empty()?, reads: empty()?, errors: 0 })
    }

    pub(super) fn add(&mut self, other: &Measured) -> Result<()> {
        self.writes.add(&other.writes).and_then(|()| self.reads.add(&other.reads)).context("cannot add up")?;
        self.errors += other.errors;
        Ok(())
    }
}

/// One session on one server.
pub(super) struct Client {
    host: String,
    stream: TcpStream,
    input: BytesMut,
    xid: i32,
}

/// The head of a reply.
struct Answer {
    xid: i32,
    error: i32,
}

impl Client {
    pub(super) async fn connect(host: &str) -> Result<Client> {
        let stream = TcpStream::connect(host).await.with_context(|| format!("cannot connect to {host}"))?;
        stream.set_nodelay(true).with_context(|| format!("cannot talk to {host}"))?;
        let mut client = Client { host: host.to_owned(), stream, input: BytesMut::with_capacity(1 << 16), xid: 0 };
        let request = ConnectRequest {
            protocol_version: 0,
            last_zxid_seen: 0,
            timeout: SESSION_TIMEOUT,
            session: SessionId(0),
            password: vec![0; 16],
            read_only: Some(false),
        };
        client.send(&framed(|bytes| wire::encode_connect_request(&request, bytes))).await?;
        let frame = client.frame().await.with_context(|| format!("{host} does not serve (yet)"))?;
        let response = wire::decode_connect_response(&frame).map_err(|error| client.strange(&error))?;
        if response.timeout == 0 {
            bail!("{host} gives no session");
        }
        Ok(client)
    }

    /// Requests one after the other, whose answers may be one of these errors.
    pub(super) async fn call(
        &mut self,
        requests: impl IntoIterator<Item = Request>,
        accepted: &[ErrorCode],
    ) -> Result<()> {
        for request in requests {
            self.xid = self.xid.wrapping_add(1).max(1);
            self.send(&framed(|bytes| wire::encode_request(self.xid, &request, bytes))).await?;
            let frame = self.frame().await?;
            let error = self.answer(&frame)?.error;
            if error != 0 && !accepted.iter().any(|code| code.code() == error) {
                bail!("{} refuses to prepare or to clear up: error {error}", self.host);
            }
        }
        Ok(())
    }

    /// Keeps so many requests under way until there are no more and everything is answered.
    pub(super) async fn work(&mut self, window: usize, requests: &mut impl Requests) -> Result<Measured> {
        let mut measured = Measured::new()?;
        let mut under_way = VecDeque::with_capacity(window);
        let mut output = Vec::new();
        loop {
            let now = Instant::now();
            while under_way.len() < window {
                let Some(request) = requests.next(now) else { break };
                self.xid = self.xid.wrapping_add(1).max(1);
                frame_into(&mut output, |bytes| wire::encode_request(self.xid, request, bytes));
                under_way.push_back((self.xid, request.op().is_write(), now));
            }
            if under_way.is_empty() {
                return Ok(measured);
            }
            self.send(&output).await?;
            output.clear();
            let mut frame = Some(self.frame().await?);
            let now = Instant::now();
            while let Some(bytes) = frame {
                let answer = self.answer(&bytes)?;
                let Some((_, is_write, since)) = under_way.pop_front().filter(|(xid, ..)| *xid == answer.xid) else {
                    bail!("{} answers {}, which is not the oldest request", self.host, answer.xid);
                };
                if answer.error != 0 {
                    measured.errors += 1;
                } else if requests.counts(now) {
                    let histogram = if is_write { &mut measured.writes } else { &mut measured.reads };
                    histogram.saturating_record(u64::try_from((now - since).as_nanos()).unwrap_or(u64::MAX));
                }
                frame = self.buffered()?;
            }
        }
    }

    fn answer(&self, frame: &[u8]) -> Result<Answer> {
        let mut reader = wire::Reader::new(frame, frame.len());
        let mut read = || -> Result<Answer, wire::WireError> {
            let xid = reader.i32("xid")?;
            reader.i64("zxid")?;
            Ok(Answer { xid, error: reader.i32("err")? })
        };
        read().map_err(|error| self.strange(&error))
    }

    fn strange(&self, error: &wire::WireError) -> anyhow::Error {
        anyhow!("{} does not speak ZooKeeper's protocol: {error}", self.host)
    }

    async fn send(&mut self, bytes: &[u8]) -> Result<()> {
        self.stream.write_all(bytes).await.with_context(|| format!("the connection to {} broke", self.host))
    }

    /// The next frame.
    async fn frame(&mut self) -> Result<BytesMut> {
        loop {
            if let Some(frame) = self.buffered()? {
                return Ok(frame);
            }
            let read = self.stream.read_buf(&mut self.input).await;
            if read.with_context(|| format!("the connection to {} broke", self.host))? == 0 {
                bail!("{} closed the connection", self.host);
            }
        }
    }

    /// A frame that is there already.
    fn buffered(&mut self) -> Result<Option<BytesMut>> {
        let Some((length, _)) = self.input.split_first_chunk::<4>() else { return Ok(None) };
        let length = usize::try_from(i32::from_be_bytes(*length)).ok();
        let length = length.with_context(|| format!("{} sends a frame of negative length", self.host))?;
        if self.input.len() - 4 < length {
            self.input.reserve(length + 4 - self.input.len());
            return Ok(None);
        }
        self.input.advance(4);
        Ok(Some(self.input.split_to(length)))
    }
}

fn framed(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut bytes = Vec::new();
    frame_into(&mut bytes, write);
    bytes
}

/// Appends a frame with its length.
fn frame_into(bytes: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let start = bytes.len();
    bytes.extend([0; 4]);
    write(bytes);
    let length = u32::try_from(bytes.len() - start - 4).expect("a request is below 4 GiB");
    bytes[start..start + 4].copy_from_slice(&length.to_be_bytes());
}
