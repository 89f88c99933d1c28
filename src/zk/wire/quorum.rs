//! Quorum links: packets one after the other without a frame (`QuorumPacket`), and snapshots between them.

use super::records::{read_ids, skip_ids, write_id};
use super::{JUTE_MAXBUFFER, Reader, SnapshotScan, WireError, Writer};
use crate::zab::{Epoch, Message, Payload, Request, Sid, Txn, Zxid};
use crate::zk::model::{Id, OpCode, SessionId};

const PROTOCOL_VERSION: i32 = 0x10000;
const SIGNATURE: &[u8] = b"\0\0\0\x0aBenWasHere";

/// Declares the numbers of packets.
macro_rules! packets {
    ($($name:ident = $code:literal,)+) => { $(const $name: i32 = $code;)+ };
}

packets! {
    REQUEST = 1, PROPOSAL = 2, ACK = 3, COMMIT = 4, PING = 5, REVALIDATE = 6, SYNC = 7, INFORM = 8, COMMITANDACTIVATE = 9,
    NEWLEADER = 10, FOLLOWERINFO = 11, UPTODATE = 12, DIFF = 13, TRUNC = 14, SNAP = 15, OBSERVERINFO = 16, LEADERINFO = 17,
    ACKEPOCH = 18, INFORMANDACTIVATE = 19,
}

/// A client's write as a learner forwards it. Its bytes, as [`Payload`], are those of a REQUEST behind the zxid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forwarded<'a> {
    /// Whose.
    pub session: SessionId,
    /// The client's number of it.
    pub cxid: i32,
    /// The operation.
    pub op: i32,
    /// Its record.
    pub record: &'a [u8],
    /// Who the client is.
    pub auth: Vec<Id>,
}

impl<'a> Forwarded<'a> {
    /// As the core carries it.
    pub fn to_payload(&self) -> Payload {
        let mut bytes = Vec::with_capacity(self.record.len() + 64);
        let mut writer = Writer::new(&mut bytes);
        writer.nested(|w| {
            w.i64(self.session.0);
            w.i32(self.cxid);
            w.i32(self.op);
            w.raw(self.record);
        });
        match self.auth.as_slice() {
            // Requests of the server itself come from nobody.
            [] => writer.i32(-1),
            auth => writer.vector(auth, write_id),
        }
        Payload::new(&bytes)
    }

    /// Reads it.
    pub fn read(bytes: &'a [u8]) -> Result<Forwarded<'a>, WireError> {
        let mut reader = Reader::whole(bytes);
        let data = reader.buffer("a request")?.unwrap_or_default();
        let auth = read_ids(&mut reader)?.unwrap_or_default();
        let mut reader = Reader::whole(data);
        let session = SessionId(reader.i64("sessionId")?);
        Ok(Forwarded { session, cxid: reader.i32("cxid")?, op: reader.i32("type")?, record: reader.rest(), auth })
    }
}

/// Whose `sync` a learner forwards: the core does not carry it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SyncOf {
    /// Whose.
    pub session: SessionId,
    /// The client's number of it.
    pub cxid: i32,
    /// Of which path.
    pub path: String,
}

/// Appends a message as it stands on a link. `config` is the text of the configuration, for NEWLEADER; `sync` says whose
/// `sync` is forwarded.
pub fn encode_message(message: &Message, config: &str, sync: &SyncOf, bytes: &mut Vec<u8>) {
    let mut writer = Writer::new(bytes);
    let w = &mut writer;
    let zxid = message.zxid().0;
    match message {
        Message::SnapChunk { chunk } => w.raw(chunk.as_bytes()),
        Message::SnapDone => w.raw(SIGNATURE),
        Message::FollowerInfo { sid, config_version, .. } => learner_info(w, FOLLOWERINFO, zxid, *sid, *config_version),
        Message::ObserverInfo { sid, config_version, .. } => learner_info(w, OBSERVERINFO, zxid, *sid, *config_version),
        Message::LeaderInfo { .. } => packet(w, LEADERINFO, zxid, Some(&PROTOCOL_VERSION.to_be_bytes())),
        Message::AckEpoch { current_epoch, .. } => {
            let epoch = current_epoch.map_or(-1, |epoch| epoch.0 as i32);
            packet(w, ACKEPOCH, zxid, Some(&epoch.to_be_bytes()));
        }
        Message::Diff { .. } => packet(w, DIFF, zxid, None),
        Message::Trunc { .. } => packet(w, TRUNC, zxid, None),
        Message::Snap { .. } => packet(w, SNAP, zxid, None),
        Message::NewLeader { .. } => packet(w, NEWLEADER, zxid, Some(config.as_bytes())),
        Message::UpToDate => packet(w, UPTODATE, -1, None),
        Message::Request(Request::Write(payload)) => {
            w.i32(REQUEST);
            w.i64(-1);
            w.raw(payload.as_bytes());
        }
        Message::Request(Request::Sync) => {
            w.i32(REQUEST);
            w.i64(-1);
            w.nested(|w| {
                w.i64(sync.session.0);
                w.i32(sync.cxid);
                w.i32(OpCode::Sync.code());
                w.text(&sync.path);
            });
            w.i32(-1);
        }
        Message::Proposal { txn } => packet(w, PROPOSAL, zxid, Some(txn.payload.as_bytes())),
        Message::Ack { .. } => packet(w, ACK, zxid, None),
        Message::Commit { .. } => packet(w, COMMIT, zxid, None),
        Message::Inform { txn } => packet(w, INFORM, zxid, Some(txn.payload.as_bytes())),
        // A leader fails over null here, and a learner does not look.
        Message::Ping { sessions, .. } => packet(w, PING, zxid, Some(sessions.as_bytes())),
        Message::Revalidate(what) => packet(w, REVALIDATE, -1, Some(what.as_bytes())),
        Message::Sync => packet(w, SYNC, 0, None),
    }
}

fn packet(w: &mut Writer<'_>, kind: i32, zxid: i64, data: Option<&[u8]>) {
    w.i32(kind);
    w.i64(zxid);
    w.buffer_or_null(data);
    w.i32(-1);
}

fn learner_info(w: &mut Writer<'_>, kind: i32, zxid: i64, sid: Sid, config_version: u64) {
    let mut info = Vec::with_capacity(20);
    let mut writer = Writer::new(&mut info);
    writer.i64(sid.0);
    writer.i32(PROTOCOL_VERSION);
    writer.i64(config_version as i64);
    packet(w, kind, zxid, Some(&info));
}

/// Whose packets are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender {
    /// Those of a leader.
    Leader,
    /// Those of a learner.
    Learner,
}

/// Reads the messages of a link from bytes as they arrive.
#[derive(Clone, Debug)]
pub struct LinkDecoder {
    sender: Sender,
    buffer: Vec<u8>,
    /// How much of the buffer has been read.
    at: usize,
    /// A snapshot that is under way.
    snapshot: Option<SnapshotScan>,
    /// No string or buffer is longer; no packet is longer than two of these.
    limit: usize,
}

impl LinkDecoder {
    /// For the packets of `sender`, with the default `jute.maxbuffer`.
    pub fn new(sender: Sender) -> LinkDecoder {
        LinkDecoder::with_max_buffer(sender, JUTE_MAXBUFFER)
    }

    /// For the packets of `sender`: strings and buffers may be twice as long as `max_buffer`, as in ZooKeeper. One below the default
    /// binds clients only: what servers say to each other grows with the number of sessions, not with what a client sends.
    pub fn with_max_buffer(sender: Sender, max_buffer: usize) -> LinkDecoder {
        LinkDecoder { sender, buffer: Vec::new(), at: 0, snapshot: None, limit: 2 * max_buffer.max(JUTE_MAXBUFFER) }
    }

    /// Takes what arrived.
    pub fn feed(&mut self, bytes: &[u8]) {
        if self.at > 0 {
            self.buffer.drain(..self.at);
            self.at = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// The next message, if it is there whole. After an error the link is of no use.
    pub fn next_message(&mut self) -> Result<Option<Message>, WireError> {
        if self.snapshot.is_some() {
            return self.next_of_snapshot();
        }
        let mut reader = Reader::new(&self.buffer[self.at..], self.limit);
        let most = 2 * self.limit;
        match delimit(&mut reader) {
            Ok(packet) => {
                let message = interpret(self.sender, packet)?;
                self.at += reader.position();
                if matches!(message, Message::Snap { .. }) {
                    self.snapshot = Some(SnapshotScan::with_limit(self.limit));
                }
                Ok(Some(message))
            }
            Err(WireError::End { .. }) if self.buffer.len() - self.at <= most => Ok(None),
            Err(WireError::End { at, what }) => {
                Err(WireError::Length { at, what, length: (self.buffer.len() - self.at) as i64, limit: most })
            }
            Err(error) => Err(error),
        }
    }

    fn next_of_snapshot(&mut self) -> Result<Option<Message>, WireError> {
        let Some(scan) = &mut self.snapshot else { return Ok(None) };
        if !scan.is_done() {
            let bytes = &self.buffer[self.at..];
            if bytes.is_empty() {
                return Ok(None);
            }
            let taken = scan.feed(bytes)?;
            let chunk = Payload::new(&bytes[..taken]);
            self.at += taken;
            return Ok(Some(Message::SnapChunk { chunk }));
        }
        let bytes = &self.buffer[self.at..];
        let known = bytes.len().min(SIGNATURE.len());
        if bytes[..known] != SIGNATURE[..known] {
            return Err(WireError::Signature);
        }
        if known < SIGNATURE.len() {
            return Ok(None);
        }
        self.at += SIGNATURE.len();
        self.snapshot = None;
        Ok(Some(Message::SnapDone))
    }
}

/// A packet whose bytes are all there.
struct Packet<'a> {
    kind: i32,
    zxid: Zxid,
    data: &'a [u8],
    /// Data and ids, as they stand there.
    tail: &'a [u8],
}

fn delimit<'a>(r: &mut Reader<'a>) -> Result<Packet<'a>, WireError> {
    let (kind, zxid) = (r.i32("type")?, Zxid(r.i64("zxid")?));
    let before = *r;
    let data = r.buffer("data")?.unwrap_or_default();
    skip_ids(r)?;
    Ok(Packet { kind, zxid, data, tail: &before.rest()[..before.remaining() - r.remaining()] })
}

fn interpret(sender: Sender, packet: Packet<'_>) -> Result<Message, WireError> {
    let Packet { kind, zxid, data: bytes, tail } = packet;
    let epoch = epoch_of(zxid);
    let payload = || Payload::new(bytes);
    Ok(match (sender, kind) {
        (Sender::Learner, FOLLOWERINFO) => {
            let (sid, config_version) = read_learner_info(bytes)?;
            Message::FollowerInfo { sid, accepted_epoch: epoch?, config_version }
        }
        (Sender::Learner, OBSERVERINFO) => {
            let (sid, config_version) = read_learner_info(bytes)?;
            Message::ObserverInfo { sid, accepted_epoch: epoch?, config_version }
        }
        (Sender::Learner, ACKEPOCH) => {
            let current = Reader::whole(bytes).i32("currentEpoch")?;
            Message::AckEpoch { last_zxid: zxid, current_epoch: (current != -1).then_some(Epoch(current as u32)) }
        }
        (Sender::Learner, ACK) => Message::Ack { zxid },
        (Sender::Learner, REQUEST) => {
            let mut request = Reader::whole(bytes);
            request.i64("sessionId")?;
            request.i32("cxid")?;
            if request.i32("type")? == OpCode::Sync.code() {
                Message::Request(Request::Sync)
            } else {
                Message::Request(Request::Write(Payload::new(tail)))
            }
        }
        (Sender::Leader, LEADERINFO) => Message::LeaderInfo { epoch: epoch? },
        (Sender::Leader, DIFF) => Message::Diff { zxid },
        (Sender::Leader, TRUNC) => Message::Trunc { zxid },
        (Sender::Leader, SNAP) => Message::Snap { zxid },
        (Sender::Leader, NEWLEADER) => Message::NewLeader { epoch: epoch? },
        (Sender::Leader, UPTODATE) => Message::UpToDate,
        (Sender::Leader, PROPOSAL) => Message::Proposal { txn: Txn { zxid, payload: payload() } },
        (Sender::Leader, COMMIT) => Message::Commit { zxid },
        (Sender::Leader, INFORM) => Message::Inform { txn: Txn { zxid, payload: payload() } },
        (Sender::Leader, SYNC) => Message::Sync,
        (_, PING) => Message::Ping { zxid, sessions: payload() },
        (_, REVALIDATE) => Message::Revalidate(payload()),
        (_, COMMITANDACTIVATE | INFORMANDACTIVATE) => return Err(WireError::Unsupported("reconfiguration")),
        (Sender::Leader, kind) => return Err(WireError::Unknown { what: "packet of a leader", value: kind.into() }),
        (Sender::Learner, kind) => return Err(WireError::Unknown { what: "packet of a learner", value: kind.into() }),
    })
}

fn epoch_of(zxid: Zxid) -> Result<Epoch, WireError> {
    if zxid.0 < 0 { Err(WireError::Unknown { what: "epoch", value: zxid.0 }) } else { Ok(zxid.epoch()) }
}

/// Older learners say less.
fn read_learner_info(bytes: &[u8]) -> Result<(Sid, u64), WireError> {
    let mut reader = Reader::whole(bytes);
    let sid = Sid(reader.i64("serverid")?);
    if bytes.len() < 20 {
        return Ok((sid, 0));
    }
    reader.i32("protocolVersion")?;
    Ok((sid, reader.i64("configVersion")? as u64))
}
