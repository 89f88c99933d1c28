//! Captured bytes, and bytes that nobody should send. What comes back as it went, and any bytes at all: `tests/decoders`.

use super::*;
use crate::zab::{self, Epoch, Message, Notification, Payload, PeerState, Sid, Vote, Zxid};
use crate::zk::model::*;

/// The 138 bytes of configuration of the captures.
const CFG: &str = "server.1=127.0.0.1:39281:39381:participant\nserver.2=127.0.0.1:39282:39382:participant\n\
                   server.3=127.0.0.1:39283:39383:participant\nversion=0";

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    let digit = |byte: u8| (byte as char).to_digit(16).unwrap() as u8;
    digits.chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

fn bytes_of(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(&mut bytes);
    bytes
}

#[test]
fn a_hello_is_as_captured() {
    let captured = hex("ffffffffffff0000 0000000000000001 0000000f 3132372e302e302e313a3339333831");
    let hello = Hello { sid: Sid(1), address: Some("127.0.0.1:39381".into()) };
    assert_eq!(bytes_of(|bytes| hello.encode(bytes)), captured);
    assert_eq!(Hello::decode(&captured), Ok(hello));
    for cut in 0..captured.len() {
        let Err(Missing::Bytes(missing)) = Hello::decode(&captured[..cut]) else { panic!("{cut} bytes are too few") };
        assert!(missing > 0 && cut + missing <= captured.len());
    }
    assert_eq!(Hello::decode(&hex("0000000000000007")), Ok(Hello { sid: Sid(7), address: None }));
    assert!(matches!(Hello::decode(&hex("fffffffffffffffe")), Err(Missing::Wrong(_))));
}

#[test]
fn a_notification_is_as_captured() {
    let head = "000000b6000000000000000000000001000000000000000000000000000000010000000000000000000000020000008a";
    let captured = [hex(head), CFG.as_bytes().to_vec()].concat();
    let vote = Vote { leader: Sid(1), zxid: Zxid(0), peer_epoch: Epoch(0) };
    let notification = Notification { state: PeerState::Looking, vote, round: 1, version: 2, config_version: 0 };
    assert_eq!(bytes_of(|bytes| encode_notification(&notification, CFG, bytes)), captured);
    assert_eq!(decode_notification(&captured[4..], 9), Ok(notification));
    let old = Notification { version: 0, config_version: 9, ..notification };
    assert_eq!(decode_notification(&captured[4..32], 9), Ok(old));
    assert_eq!(decode_notification(&captured[4..44], 9), Ok(old), "of 40 bytes the version is not read");
    assert!(decode_notification(&captured[4..40], 9).is_err(), "36 bytes are none");
}

/// Every packet of the captures, with the message it is.
fn packets() -> Vec<(Sender, Message, &'static str)> {
    let zero = Zxid(0);
    let request = Forwarded {
        session: SessionId(0x0100_0028_e171_0000),
        cxid: 0,
        op: OpCode::CreateSession.code(),
        record: &10000i32.to_be_bytes(),
        auth: Vec::new(),
    };
    vec![
        (
            Sender::Learner,
            Message::FollowerInfo { sid: Sid(1), accepted_epoch: Epoch(0), config_version: 0 },
            "0000000b 0000000000000000 00000014 0000000000000001 00010000 0000000000000000 ffffffff",
        ),
        (
            Sender::Leader,
            Message::LeaderInfo { epoch: Epoch(1) },
            "00000011 0000000100000000 00000004 00010000 ffffffff",
        ),
        (
            Sender::Learner,
            Message::AckEpoch { last_zxid: zero, current_epoch: Some(Epoch(0)) },
            "00000012 0000000000000000 00000004 00000000 ffffffff",
        ),
        (Sender::Leader, Message::Diff { zxid: zero }, "0000000d 0000000000000000 ffffffff ffffffff"),
        (Sender::Leader, Message::UpToDate, "0000000c ffffffffffffffff ffffffff ffffffff"),
        (
            Sender::Learner,
            Message::Request(zab::Request::Write(request.to_payload())),
            "00000001 ffffffffffffffff 00000014 01000028e1710000 00000000 fffffff6 00002710 ffffffff",
        ),
        (
            Sender::Learner,
            Message::Revalidate(Payload::new(&hex("01000028e1710000 00002710"))),
            "00000006 ffffffffffffffff 0000000c 01000028e1710000 00002710 ffffffff",
        ),
    ]
}

fn decode_all(sender: Sender, bytes: &[u8], piece: usize) -> Result<Vec<Message>, WireError> {
    let mut decoder = LinkDecoder::new(sender);
    let mut messages = Vec::new();
    for part in bytes.chunks(piece.max(1)) {
        decoder.feed(part);
        while let Some(message) = decoder.next_message()? {
            messages.push(message);
        }
    }
    Ok(messages)
}

#[test]
fn packets_are_as_captured_however_they_arrive() {
    for (sender, message, text) in packets() {
        let captured = hex(text);
        let sync = SyncOf::default();
        assert_eq!(bytes_of(|bytes| encode_message(&message, CFG, &sync, bytes)), captured, "{message}");
        let twice = [captured.clone(), captured].concat();
        for piece in [1, 7, 1000] {
            assert_eq!(decode_all(sender, &twice, piece), Ok(vec![message.clone(), message.clone()]), "{piece}");
        }
    }
}

#[test]
fn a_forwarded_sync_says_whose_it_is() {
    let captured = "00000001 ffffffffffffffff 00000016 01000028e1710000 00000007 00000009 00000002 2f61 ffffffff";
    let sync = SyncOf { session: SessionId(0x0100_0028_e171_0000), cxid: 7, path: "/a".into() };
    let message = Message::Request(zab::Request::Sync);
    assert_eq!(bytes_of(|bytes| encode_message(&message, "", &sync, bytes)), hex(captured));
    assert_eq!(decode_all(Sender::Learner, &hex(captured), 9), Ok(vec![message]));
}

#[test]
fn a_forwarded_write_keeps_the_ids_of_its_client() {
    let auth = vec![Id { scheme: "ip".into(), id: "127.0.0.1".into() }];
    let request = Forwarded { session: SessionId(5), cxid: 3, op: OpCode::Delete.code(), record: b"abc", auth };
    let payload = request.to_payload();
    assert_eq!(Forwarded::read(payload.as_bytes()), Ok(request));
    let message = Message::Request(zab::Request::Write(payload));
    let bytes = bytes_of(|bytes| encode_message(&message, "", &SyncOf::default(), bytes));
    assert_eq!(decode_all(Sender::Learner, &bytes, 5), Ok(vec![message]));
}

/// A raw snapshot: one session, one ACL, a root and a node.
fn snapshot() -> Vec<u8> {
    let node = "0000000000000000 0000000000000000 0000000000000000 0000000000000000 00000000 00000000 00000000 \
                0000000000000000 0000000000000000";
    let acl = "0000000000000001 00000001 0000001f 00000005 776f726c64 00000006 616e796f6e65";
    let text = format!(
        "00000001 0100000000000000 00002710 00000001 {acl} 00000000 00000000 0000000000000001 {node} \
         00000002 2f61 ffffffff ffffffffffffffff {node} 00000001 2f"
    );
    hex(&text)
}

#[test]
fn a_snapshot_on_a_link_ends_where_it_ends() {
    let body = snapshot();
    let zxid = Zxid::new(Epoch(1), 5);
    let mut bytes = bytes_of(|bytes| encode_message(&Message::Snap { zxid }, "", &SyncOf::default(), bytes));
    bytes.extend(&body);
    for message in [Message::SnapDone, Message::Commit { zxid }] {
        encode_message(&message, "", &SyncOf::default(), &mut bytes);
    }
    for piece in [1, 3, 50, 10_000] {
        let messages = decode_all(Sender::Leader, &bytes, piece).unwrap();
        let chunks = messages.iter().filter_map(|message| match message {
            Message::SnapChunk { chunk } => Some(chunk.as_bytes()),
            _ => None,
        });
        assert_eq!(chunks.collect::<Vec<_>>().concat(), body, "in pieces of {piece}");
        assert_eq!(messages.first(), Some(&Message::Snap { zxid }));
        assert_eq!(messages[messages.len() - 2..], [Message::SnapDone, Message::Commit { zxid }]);
    }
}

#[test]
fn a_peer_cannot_make_a_link_hold_back_more_than_a_packet() {
    let endless = |head: &str, sender| {
        let mut decoder = LinkDecoder::new(sender);
        decoder.feed(&hex(head));
        for _ in 0..6 {
            decoder.feed(&[0; 1 << 20]);
            match decoder.next_message() {
                Ok(None) => {}
                other => return other,
            }
        }
        Ok(None)
    };
    let ids = endless("00000003 0000000000000001 ffffffff 7fffffff", Sender::Learner);
    assert!(matches!(ids, Err(WireError::Length { .. })), "{ids:?}");
    // Two of the longest buffers, the second of which never ends: path and data of a node.
    let mut scan = SnapshotScan::new();
    assert_eq!(scan.feed(&hex("00000000 00000000 001ffffe")), Ok(12));
    assert_eq!(scan.feed(&vec![0; 0x1f_fffe]), Ok(0x1f_fffe));
    assert!(matches!(scan.feed(&hex("001fffff")), Err(WireError::Length { length: 0x1f_ffff, .. })));
    // However many entries an ACL has, none of them is held back.
    let mut scan = SnapshotScan::new();
    assert_eq!(scan.feed(&hex("00000000 00000001 0000000000000001 7fffffff")), Ok(20));
    let held = allocation_counter::measure(|| {
        assert_eq!((0..70).map(|_| scan.feed(&[0; 1 << 20])).sum::<Result<usize, _>>(), Ok(70 << 20))
    });
    assert!(held.bytes_max < 2 << 20, "{held:?}");
}

#[test]
fn txns_of_a_real_leader_are_read_and_written_alike() {
    let txns = include_str!("../../../tests/captures/proposals.txt");
    let mut count = 0;
    for line in txns.lines() {
        let bytes = hex(line);
        let txn = decode_txn(&bytes).unwrap();
        assert_eq!(bytes_of(|out| encode_txn(&txn, out)), bytes);
        assert_eq!(txn.header.kind, txn.body.kind());
        assert_eq!(txn.digest.is_none(), matches!(txn.body, TxnBody::Error(_)));
        count += 1;
    }
    assert_eq!(count, 17);
}

/// A create as servers before 3.4 logged it says nothing of its parent. It is written again as it was, alone or in a multi; with a
/// digest behind it, which no server of that time knew, it would be taken for another.
#[test]
fn a_create_of_the_oldest_kind_comes_back_as_it_was() {
    let create = |parent_cversion| {
        let (kind, path, acl) = (CreateKind::Create, "/a".into(), vec![Acl::open()]);
        TxnBody::Create(CreateTxn { kind, path, data: None, acl, ephemeral: true, parent_cversion, ttl: -1 })
    };
    let txn = |body: TxnBody, digest| TxnRecord {
        header: TxnHeader { session: SessionId(1), cxid: 2, zxid: Zxid(3), time: 4, kind: body.kind() },
        body,
        digest,
    };
    let encoded = |txn: &TxnRecord| bytes_of(|bytes| encode_txn(txn, bytes));
    let (v0, v1) = (txn(create(None), None), txn(create(Some(-1)), None));
    assert_eq!(encoded(&v1), [encoded(&v0), vec![0xff; 4]].concat());
    for txn in [v0, v1, txn(TxnBody::Multi(vec![create(None), create(Some(7))]), None)] {
        assert_eq!(decode_txn(&encoded(&txn)), Ok(txn));
    }
    let digest = Some(TxnDigest { version: 2, tree: 9 });
    assert_eq!(decode_txn(&encoded(&txn(create(None), digest))), Ok(txn(create(Some(-1)), digest)));
}

/// Nothing says whether a closeSession has paths: what is behind it must end where a record can end.
#[test]
fn a_session_closed_without_paths_is_no_guess() {
    let header = "0000000000000001 00000002 0000000000000003 0000000000000004 fffffff5";
    let decode = |rest: &str| decode_txn(&hex(&[header, rest].concat())).map(|txn| (txn.body, txn.digest.is_some()));
    let closed = |paths: Option<&[&str]>| TxnBody::CloseSession {
        paths: paths.map(|it| it.iter().map(|it| (*it).into()).collect()),
    };
    assert_eq!(decode(""), Ok((closed(None), false)));
    assert_eq!(decode("00000002 0000000051c6d660"), Ok((closed(None), true)), "a digest and no paths");
    assert_eq!(decode("00000001 00000002 2f61 00000002 0000000051c6d660"), Ok((closed(Some(&["/a"])), true)));
    assert!(decode("00000002 00000000 00000000 01020304 05").is_err(), "neither ends here");
}

#[test]
fn client_frames_are_as_captured() {
    let connect = ConnectRequest {
        protocol_version: 0,
        last_zxid_seen: 0,
        timeout: 10000,
        session: SessionId(0),
        password: vec![0; 16],
        read_only: Some(false),
    };
    let captured = format!("00000000 0000000000000000 00002710 0000000000000000 00000010 {} 00", "00".repeat(16));
    assert_eq!(bytes_of(|bytes| encode_connect_request(&connect, bytes)), hex(&captured));
    assert_eq!(decode_connect_request(&hex(&captured)), Ok(connect.clone()));
    let short = hex(&captured);
    let old = ConnectRequest { read_only: None, ..connect };
    assert_eq!(decode_connect_request(&short[..short.len() - 1]), Ok(old));

    let create = Request::Create(Create {
        kind: CreateKind::Create,
        path: "/a".into(),
        data: Some(Payload::new(b"hi")),
        acl: Some(vec![Acl::open()]),
        flags: 0,
        ttl: -1,
    });
    let captured = "00000001 00000001 00000002 2f61 00000002 6869 00000001 0000001f 00000005 776f726c64 00000006 \
                    616e796f6e65 00000000";
    assert_eq!(bytes_of(|bytes| encode_request(1, &create, bytes)), hex(captured));
    let frame = hex(captured);
    let (header, record) = decode_header(&frame).unwrap();
    assert_eq!((header.xid, header.op), (1, 1));
    assert_eq!(decode_request(OpCode::Create, record), Ok(create));

    let failed = Reply {
        xid: 13,
        zxid: 0x1_0000_000c,
        error: 0,
        response: Some(Response::Multi([0, -101, -2].map(MultiResult::Error).to_vec())),
    };
    let captured = "0000000d 000000010000000c 00000000 ffffffff 00 00000000 00000000 ffffffff 00 ffffff9b ffffff9b \
                    ffffffff 00 fffffffe fffffffe ffffffff 01 ffffffff";
    assert_eq!(bytes_of(|bytes| encode_reply(&failed, bytes)), hex(captured));
    assert_eq!(decode_reply(OpCode::Multi, &hex(captured)), Ok(failed));

    let event = WatchEvent { kind: EventType::NodeDataChanged, path: "/a".into() };
    let captured = "ffffffff ffffffffffffffff 00000000 00000003 00000003 00000002 2f61";
    assert_eq!(bytes_of(|bytes| encode_watch_event(&event, 7, Dialect::V38, bytes)), hex(captured));
    assert_eq!(decode_watch_event(&hex(captured)[16..]), Ok(event));
}

#[test]
fn surrogates_written_one_by_one_are_put_together() {
    let text = hex("00000007 61 eda0bd edb880");
    assert_eq!(Reader::new(&text, 100).text("a text"), Ok("a\u{1f600}".into()));
    assert_eq!(java_text("eda0bd"), "\u{fffd}", "one that is alone");
    assert_eq!(java_text("eda0bd edb8"), "\u{fffd}\u{fffd}", "the second is cut off");
}

fn java_text(text: &str) -> String {
    let bytes = hex(text);
    let framed = bytes_of(|framed| Writer::new(framed).buffer(&bytes));
    Reader::new(&framed, 100).text("a text").unwrap()
}

/// `new String(bytes, UTF_8)`.
#[test]
fn what_is_no_text_is_replaced() {
    assert_eq!(java_text("2f ff"), "/\u{fffd}");
    assert_eq!(java_text("ff fe 61 c3"), "\u{fffd}\u{fffd}a\u{fffd}");
    assert_eq!(java_text("e282 61 f09f98 eda0bdedb880"), "\u{fffd}a\u{fffd}\u{1f600}", "what belongs together, once");
}

#[test]
fn a_count_that_cannot_be_allocates_nothing() {
    let bytes = hex("7fffffff 000000");
    let read = Reader::new(&bytes, 100).vector("numbers", 1, |reader| reader.boolean("a number"));
    assert!(matches!(read, Err(WireError::End { .. })));
    assert!(matches!(Reader::new(&hex("fffffffe"), 9).buffer("a buffer"), Err(WireError::Length { length: -2, .. })));
    assert!(matches!(Reader::new(&hex("0000000a"), 9).buffer("a buffer"), Err(WireError::Length { length: 10, .. })));
}
