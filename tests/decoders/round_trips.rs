//! What is written is read back as it was; what is canonical, byte for byte.

use proptest::prelude::*;
use zabsim::zab::Message;
use zabsim::zk::model::{RequestHeader, TxnRecord};
use zabsim::zk::service::tree::Tree;
use zabsim::zk::wire::*;

use crate::generate::{self, written};

fn decode_all(sender: Sender, bytes: &[u8], piece: usize) -> Result<Vec<Message>, WireError> {
    let mut decoder = LinkDecoder::new(sender);
    let mut messages = Vec::new();
    for part in bytes.chunks(piece) {
        decoder.feed(part);
        while let Some(message) = decoder.next_message()? {
            messages.push(message);
        }
    }
    Ok(messages)
}

fn on_a_link(messages: &[Message]) -> Vec<u8> {
    written(|out| messages.iter().for_each(|message| encode_message(message, "version=0", &SyncOf::default(), out)))
}

proptest! {
    #[test]
    fn connect_requests_come_back(request in generate::connect_requests()) {
        let bytes = written(|out| encode_connect_request(&request, out));
        prop_assert_eq!(decode_connect_request(&bytes), Ok(request));
    }

    #[test]
    fn connect_responses_come_back(response in generate::connect_responses()) {
        let bytes = written(|out| encode_connect_response(&response, out));
        prop_assert_eq!(decode_connect_response(&bytes), Ok(response));
    }

    #[test]
    fn requests_come_back(request in generate::requests(), xid: i32) {
        let bytes = written(|out| encode_request(xid, &request, out));
        let (header, record) = decode_header(&bytes).unwrap();
        prop_assert_eq!(header, RequestHeader { xid, op: request.op().code() });
        prop_assert_eq!(decode_request(request.op(), record), Ok(request));
    }

    #[test]
    fn replies_come_back((op, reply) in generate::replies()) {
        let bytes = written(|out| encode_reply(&reply, out));
        prop_assert_eq!(decode_reply(op, &bytes), Ok(reply));
    }

    #[test]
    fn watch_events_come_back(event in generate::watch_events(), zxid: i64) {
        let bytes = written(|out| encode_watch_event(&event, zxid, Dialect::V39, out));
        prop_assert_eq!(bytes[4..12].to_vec(), zxid.to_be_bytes());
        prop_assert_eq!(decode_watch_event(&bytes[16..]), Ok(event));
    }

    #[test]
    fn txns_come_back(txn in generate::txns()) {
        let bytes = written(|out| encode_txn(&txn, out));
        prop_assert_eq!(header_of(&bytes), Ok(txn.header));
        prop_assert_eq!(decode_txn(&bytes), Ok(txn));
    }

    #[test]
    fn forwarded_writes_come_back(payload in generate::forwarded()) {
        let request = Forwarded::read(payload.as_bytes()).unwrap();
        prop_assert_eq!(request.to_payload(), payload);
    }

    #[test]
    fn hellos_come_back(hello in generate::hellos()) {
        let bytes = written(|out| hello.encode(out));
        prop_assert_eq!(Hello::decode(&bytes), Ok(hello));
        for cut in 0..bytes.len() {
            let Err(Missing::Bytes(missing)) = Hello::decode(&bytes[..cut]) else { panic!("{cut} bytes are too few") };
            prop_assert!(missing > 0 && cut + missing <= bytes.len());
        }
    }

    #[test]
    fn notifications_come_back((notification, config) in generate::notifications()) {
        let bytes = written(|out| encode_notification(&notification, &config, out));
        prop_assert_eq!(&bytes[..4], &(bytes.len() as u32 - 4).to_be_bytes());
        prop_assert_eq!(decode_notification(&bytes[4..], 0), Ok(notification));
    }

    #[test]
    fn packets_of_a_leader_come_back(messages in generate::leader_messages()) {
        let bytes = on_a_link(&messages);
        prop_assert_eq!(decode_all(Sender::Leader, &bytes, bytes.len().max(1)), Ok(messages));
    }

    #[test]
    fn packets_of_a_learner_come_back(
        messages in proptest::collection::vec(generate::learner_messages(), 0..4),
        piece in 1usize..50,
    ) {
        prop_assert_eq!(decode_all(Sender::Learner, &on_a_link(&messages), piece), Ok(messages));
    }

    #[test]
    fn snapshots_come_back(body in generate::snapshots(), behind in proptest::collection::vec(any::<u8>(), 0..9)) {
        let (tree, length) = Tree::restore(&[body.clone(), behind.clone()].concat()).unwrap();
        prop_assert_eq!(length, body.len());
        let mut scan = SnapshotScan::new();
        prop_assert_eq!(scan.feed(&[body, behind].concat()), Ok(length));
        prop_assert!(scan.is_done());
        let image: Vec<u8> = tree.freeze().into_iter().flat_map(|piece| piece.as_bytes().to_vec()).collect();
        let (again, _) = Tree::restore(&image).unwrap();
        prop_assert_eq!(again.freeze().digest(), tree.freeze().digest());
        // ACLs that no node has are gone; from then on nothing changes.
        prop_assert_eq!(again.freeze().into_iter().flat_map(|piece| piece.as_bytes().to_vec()).collect::<Vec<u8>>(), image);
    }
}

/// What real servers wrote is written by us as the same bytes.
#[test]
fn captured_txns_are_canonical() {
    for line in include_str!("../captures/proposals.txt").lines() {
        let bytes = crate::wire::hex(line);
        let txn: TxnRecord = decode_txn(&bytes).unwrap();
        assert_eq!(written(|out| encode_txn(&txn, out)), bytes);
    }
}
