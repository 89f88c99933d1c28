//! What comes over the network.

use zabsim::zab::{Message, NOTIFICATION_VERSION, Payload};
use zabsim::zk::model::{OpCode, SessionId, TxnBody};
use zabsim::zk::wire::*;

use crate::generate::{self, samples, written};
use crate::{Decoder, kind_of, measured};

/// Hexadecimal digits as bytes.
pub fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    let digit = |byte: u8| (byte as char).to_digit(16).expect("only digits are left") as u8;
    digits.chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

/// What `decode` makes of the bytes; a value must come back when it is written and read again.
fn comes_back<T: PartialEq + std::fmt::Debug>(
    bytes: &[u8],
    decode: impl Fn(&[u8]) -> Result<T, WireError>,
    encode: impl Fn(&T, &mut Vec<u8>),
    kind: impl Fn(&T) -> String,
) -> String {
    match measured(bytes, || decode(bytes)) {
        Ok(value) => {
            let again = written(|out| encode(&value, out));
            assert_eq!(decode(&again).as_ref(), Ok(&value), "written and read again");
            format!("ok {}", kind(&value))
        }
        Err(error) => kind_of(error),
    }
}

fn nothing<T>(_: &T) -> String {
    String::new()
}

pub const CONNECT_REQUEST: Decoder = Decoder {
    name: "ConnectRequest",
    seeds: || {
        samples(generate::connect_requests(), 20)
            .iter()
            .map(|it| written(|out| encode_connect_request(it, out)))
            .collect()
    },
    check: |bytes| comes_back(bytes, decode_connect_request, encode_connect_request, nothing),
};

pub const CONNECT_RESPONSE: Decoder = Decoder {
    name: "ConnectResponse",
    seeds: || {
        samples(generate::connect_responses(), 20)
            .iter()
            .map(|it| written(|out| encode_connect_response(it, out)))
            .collect()
    },
    check: |bytes| comes_back(bytes, decode_connect_response, encode_connect_response, nothing),
};

/// A whole frame. A number that is no operation counts as one all the same: mutations should not end there.
pub const REQUEST: Decoder = Decoder {
    name: "request",
    seeds: || samples(generate::requests(), 300).iter().map(|it| written(|out| encode_request(7, it, out))).collect(),
    check: |bytes| {
        let (header, record) = match decode_header(bytes) {
            Ok(header) => header,
            Err(error) => return kind_of(error),
        };
        let op = operation(header.op);
        match measured(record, || decode_request(op, record)) {
            Ok(request) => {
                // A setWatches2 without anything persistent is a setWatches.
                let again = written(|out| encode_request_body(&request, out));
                assert_eq!(decode_request(request.op(), &again).as_ref(), Ok(&request));
                format!("ok {:?} {op:?}", request.op())
            }
            Err(error) => format!("{} {op:?}", kind_of(error)),
        }
    },
};

fn operation(code: i32) -> OpCode {
    OpCode::from_code(code).unwrap_or(OpCode::ALL[code.unsigned_abs() as usize % OpCode::ALL.len()])
}

/// The operation that is answered, and the reply.
pub const REPLY: Decoder = Decoder {
    name: "reply",
    seeds: || {
        let replies = samples(generate::replies(), 300);
        let frame = |(op, reply)| [vec![index(op)], written(|out| encode_reply(&reply, out))].concat();
        replies.into_iter().map(frame).collect()
    },
    check: |bytes| {
        let Some((&first, frame)) = bytes.split_first() else { return String::new() };
        let op = OpCode::ALL[usize::from(first) % OpCode::ALL.len()];
        let kind = |reply: &zabsim::zk::model::Reply| format!("{}", reply.error == 0);
        format!("{} {op:?}", comes_back(frame, |frame| decode_reply(op, frame), encode_reply, kind))
    },
};

fn index(op: OpCode) -> u8 {
    OpCode::ALL.iter().position(|one| *one == op).expect("all of them are there") as u8
}

pub const WATCH_EVENT: Decoder = Decoder {
    name: "WatcherEvent",
    seeds: || {
        let events = samples(generate::watch_events(), 20);
        events.iter().map(|it| written(|out| encode_watch_event(it, 5, Dialect::V39, out))[16..].to_vec()).collect()
    },
    check: |bytes| {
        let encode = |event: &_, out: &mut Vec<u8>| {
            *out = written(|out| encode_watch_event(event, 5, Dialect::V39, out))[16..].to_vec();
        };
        comes_back(bytes, decode_watch_event, encode, |event| format!("{:?}", event.kind))
    },
};

pub const TXN: Decoder = Decoder {
    name: "txn",
    seeds: || {
        let captured = include_str!("../captures/proposals.txt").lines().map(hex);
        let drawn = samples(generate::txns(), 200);
        captured.chain(drawn.iter().map(|it| written(|out| encode_txn(it, out)))).collect()
    },
    check: |bytes| {
        let kind = |txn: &zabsim::zk::model::TxnRecord| {
            let parts = if let TxnBody::Multi(parts) = &txn.body { parts.len().min(4) } else { 0 };
            format!("{:?} {parts} {}", txn.header.kind, txn.digest.is_some())
        };
        let outcome = comes_back(bytes, decode_txn, encode_txn, kind);
        if let Ok(txn) = decode_txn(bytes) {
            assert_eq!(header_of(bytes), Ok(txn.header));
        }
        outcome
    },
};

pub const FORWARDED: Decoder = Decoder {
    name: "forwarded write",
    seeds: || samples(generate::forwarded(), 50).iter().map(|payload| payload.as_bytes().to_vec()).collect(),
    check: |bytes| match measured(bytes, || Forwarded::read(bytes)) {
        Ok(request) => {
            let again = request.to_payload();
            assert_eq!(Forwarded::read(again.as_bytes()), Ok(request));
            "ok".into()
        }
        Err(error) => kind_of(error),
    },
};

/// What a learner's answer to a PING carries.
pub const SESSIONS: Decoder = Decoder {
    name: "sessions",
    seeds: || {
        (0..9).map(|count| written(|out| encode_sessions(SESSIONS_OF_A_LEARNER.into_iter().take(count), out))).collect()
    },
    check: |bytes| {
        let encode = |it: &Vec<(SessionId, i32)>, out: &mut Vec<u8>| encode_sessions(it.iter().copied(), out);
        comes_back(bytes, decode_sessions, encode, |it| it.len().min(9).to_string())
    },
};

const SESSIONS_OF_A_LEARNER: [(SessionId, i32); 9] = [(SessionId(0x0100_0028_e171_0000), 10_000); 9];

/// The question and the answer.
pub const REVALIDATE: Decoder = Decoder {
    name: "REVALIDATE",
    seeds: || {
        let (session, timeout) = SESSIONS_OF_A_LEARNER[0];
        let asked = written(|out| encode_sessions([(session, timeout)], out));
        vec![asked, written(|out| encode_revalidated(session, false, out))]
    },
    check: |bytes| {
        let asked = comes_back(bytes, decode_revalidate, |it, out| encode_sessions([*it], out), nothing);
        let answered = comes_back(bytes, decode_revalidated, |it, out| encode_revalidated(it.0, it.1, out), nothing);
        format!("{answered}, {asked}")
    },
};

/// A hello ends where it ends, however little of it has come yet.
pub const HELLO: Decoder = Decoder {
    name: "hello",
    seeds: || samples(generate::hellos(), 30).iter().map(|it| written(|out| it.encode(out))).collect(),
    check: |bytes| {
        let mut known = 0;
        loop {
            match measured(bytes, || Hello::decode(&bytes[..known])) {
                Ok(hello) => {
                    let again = written(|out| hello.encode(out));
                    assert_eq!(Hello::decode(&again).as_ref(), Ok(&hello));
                    return format!("ok {}", hello.address.is_some());
                }
                Err(Missing::Bytes(missing)) => {
                    assert!(missing > 0 && known + missing <= 8 + 8 + 4 + 2048);
                    if known + missing > bytes.len() {
                        return "too short".into();
                    }
                    known += missing;
                }
                Err(Missing::Wrong(error)) => return kind_of(error),
            }
        }
    },
};

/// All the lengths that a notification has had: 28, 40, and from 44 on.
pub const NOTIFICATION: Decoder = Decoder {
    name: "notification",
    seeds: || {
        let whole =
            |(notification, config): &(_, String)| written(|out| encode_notification(notification, config, out));
        let whole: Vec<Vec<u8>> =
            samples(generate::notifications(), 30).iter().map(|it| whole(it)[4..].to_vec()).collect();
        let old = whole.iter().take(5).flat_map(|it| [it[..28].to_vec(), it[..40].to_vec()]);
        old.collect::<Vec<_>>().into_iter().chain(whole.clone()).collect()
    },
    check: |bytes| match measured(bytes, || decode_notification(bytes, 9)) {
        Ok(notification) => {
            let config = format!("version={:x}", notification.config_version);
            let again = written(|out| encode_notification(&notification, &config, out));
            let ours = zabsim::zab::Notification { version: NOTIFICATION_VERSION, ..notification };
            assert_eq!(decode_notification(&again[4..], 0), Ok(ours));
            format!("ok {:?} {} {}", notification.state, notification.version.min(3), notification.config_version == 9)
        }
        Err(error) => kind_of(error),
    },
};

/// All messages of a link that gets its bytes in pieces of this size, chunks put together; and how many there are.
fn messages(sender: Sender, bytes: &[u8], piece: usize) -> Result<Vec<Message>, WireError> {
    let mut decoder = LinkDecoder::new(sender);
    let mut messages = Vec::new();
    for part in bytes.chunks(piece) {
        decoder.feed(part);
        while let Some(message) = decoder.next_message()? {
            match (messages.last_mut(), message) {
                (Some(Message::SnapChunk { chunk }), Message::SnapChunk { chunk: more }) => {
                    *chunk = Payload::new(&[chunk.as_bytes(), more.as_bytes()].concat());
                }
                (_, message) => messages.push(message),
            }
        }
    }
    Ok(messages)
}

const CONFIG: &str = "server.1=host:1:2:participant\nversion=0";

/// Who sends, in pieces of which size, and the bytes.
pub const LINK: Decoder = Decoder {
    name: "quorum link",
    seeds: || {
        let link = |sender: u8, messages: &[Message]| {
            let bytes =
                written(|out| messages.iter().for_each(|it| encode_message(it, CONFIG, &SyncOf::default(), out)));
            [vec![sender, bytes.len() as u8], bytes].concat()
        };
        let leaders = samples(generate::leader_messages(), 100).into_iter().map(|messages| link(0, &messages));
        let learners = samples(generate::learner_messages(), 100).into_iter().map(|message| link(1, &[message]));
        leaders.chain(learners).collect()
    },
    check: |bytes| {
        let Some((&[sender, piece], bytes)) = bytes.split_first_chunk() else { return "too short".into() };
        let sender = if sender % 2 == 0 { Sender::Leader } else { Sender::Learner };
        let whole = measured(bytes, || messages(sender, bytes, bytes.len().max(1)));
        let pieces = measured(bytes, || messages(sender, bytes, usize::from(piece).max(1)));
        match (whole, pieces) {
            (Ok(whole), Ok(pieces)) => {
                assert_eq!(whole, pieces, "in pieces of {piece}");
                let again =
                    written(|out| whole.iter().for_each(|it| encode_message(it, CONFIG, &SyncOf::default(), out)));
                assert_eq!(messages(sender, &again, again.len().max(1)), Ok(whole.clone()));
                let names: Vec<_> = whole.iter().map(Message::name).take(2).collect();
                format!("ok {names:?} {}", whole.len().min(4))
            }
            (Err(error), Err(other)) => {
                assert_eq!(kind_of(&error), kind_of(other));
                format!("{} {sender:?}", kind_of(error))
            }
            (whole, pieces) => panic!("whole: {whole:?}, in pieces of {piece}: {pieces:?}"),
        }
    },
};

fn ends_at(bytes: &[u8], piece: usize) -> Result<Option<usize>, WireError> {
    let mut scan = SnapshotScan::new();
    let mut at = 0;
    for part in bytes.chunks(piece) {
        at += scan.feed(part)?;
        if scan.is_done() {
            return Ok(Some(at));
        }
    }
    Ok(None)
}

/// The size of the pieces, and the bytes.
pub const SNAPSHOT_SCAN: Decoder = Decoder {
    name: "end of a snapshot",
    seeds: || {
        samples(generate::snapshots(), 60).into_iter().map(|body| [vec![body.len() as u8], body].concat()).collect()
    },
    check: |bytes| {
        let Some((&piece, bytes)) = bytes.split_first() else { return "too short".into() };
        let whole = measured(bytes, || ends_at(bytes, bytes.len().max(1)));
        let pieces = measured(bytes, || ends_at(bytes, usize::from(piece).max(1)));
        assert_eq!(whole.as_ref().map_err(kind_of), pieces.as_ref().map_err(kind_of), "in pieces of {piece}");
        match whole {
            Ok(Some(end)) => {
                assert_eq!(ends_at(&bytes[..end - 1], 1000), Ok(None), "it ends there and not before");
                format!("ok {}", end == bytes.len())
            }
            Ok(None) => "too short".into(),
            Err(error) => kind_of(error),
        }
    },
};
