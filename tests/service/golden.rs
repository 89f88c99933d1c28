//! Exchanges that a real client and a real ZooKeeper 3.8.0 had, byte for byte but for times and ids.

use zabsim::zab::Sid;
use zabsim::zk::model::SessionId;
use zabsim::zk::service::config::ServiceConfig;
use zabsim::zk::service::{Answer, Call, ConnId};
use zabsim::zk::wire::Dialect;

use crate::cluster::Cluster;

const ONE: Sid = Sid(1);

/// Bytes of hexadecimal text; blanks do not count.
fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

struct Talk {
    cluster: Cluster,
    conn: ConnId,
}

impl Talk {
    fn new() -> Talk {
        let options = |config| ServiceConfig {
            // The captured session's id tells when its server started, in milliseconds.
            wall_clock_base: 0x28e171,
            dialect: Dialect::V38,
            ..config
        };
        let mut cluster = Cluster::with(1, options);
        let conn = cluster.connect(ONE);
        Talk { cluster, conn }
    }

    /// Sends a frame, and compares all that comes back.
    #[track_caller]
    fn exchange(&mut self, request: &str, expected: &[&str]) {
        self.cluster.call(ONE, Call::Frame { conn: self.conn, bytes: bytes(request) });
        let expected: Vec<String> = expected.iter().map(|frame| hex(&bytes(frame))).collect();
        assert_eq!(self.rest(), expected);
    }

    fn rest(&mut self) -> Vec<String> {
        let answers = std::iter::from_fn(|| self.cluster.answer(self.conn));
        answers
            .map(|answer| match answer {
                Answer::Frame { bytes, .. } => hex(&bytes),
                Answer::Close { .. } => "close".to_owned(),
            })
            .collect()
    }
}

#[test]
fn a_session_is_opened_used_and_closed_as_on_the_wire() {
    let mut talk = Talk::new();
    talk.exchange(
        "00000000 0000000000000000 00002710 0000000000000000 00000010 00000000000000000000000000000000 00",
        &["00000000 00002710 01000028e1710000 00000010 f5ab3ae9de86eacc5bacaf75576d2c54 00"],
    );
    assert_eq!(talk.cluster.service(ONE).connections().next().unwrap().session, SessionId(0x0100_0028_e171_0000));
    talk.exchange(
        "00000001 00000001 00000002 2f61 00000002 6869 00000001 0000001f 00000005 776f726c64 00000006 616e796f6e65 00000000",
        &["00000001 0000000100000002 00000000 00000002 2f61"],
    );
    // A watch, and a change that fires it: the event is before the reply, with a zxid of −1.
    talk.cluster.call(ONE, Call::Frame { conn: talk.conn, bytes: bytes("00000005 00000004 00000002 2f61 01") });
    let read = talk.rest().remove(0);
    let expected = hex(&bytes("00000005 0000000100000002 00000000 00000002 6869 0000000100000002 0000000100000002"));
    assert!(read.starts_with(&expected), "{read}");
    talk.cluster.call(
        ONE,
        Call::Frame { conn: talk.conn, bytes: bytes("00000006 00000005 00000002 2f61 00000002 796f ffffffff") },
    );
    let set = talk.rest();
    assert_eq!(set[0], hex(&bytes("ffffffff ffffffffffffffff 00000000 00000003 00000003 00000002 2f61")));
    assert!(set[1].starts_with(&hex(&bytes("00000006 0000000100000003 00000000"))), "{set:?}");
    // A bad version.
    talk.exchange("00000007 00000005 00000002 2f61 00000002 796f 00000009", &["00000007 0000000100000004 ffffff99"]);
    talk.exchange("fffffffe 0000000b", &["fffffffe 0000000100000004 00000000"]);
    talk.exchange(
        "fffffffc 00000064 00000000 00000006 646967657374 00000006 626f623a7077",
        &["fffffffc 0000000000000000 00000000"],
    );
    // create /m3, delete /nope, setData /m: all refused, the second for a reason of its own.
    talk.exchange(
        "0000000d 0000000e
         00000001 00 ffffffff 00000003 2f6d33 00000001 31 00000001 0000001f 00000005 776f726c64 00000006 616e796f6e65 00000000
         00000002 00 ffffffff 00000005 2f6e6f7065 ffffffff
         00000005 00 ffffffff 00000002 2f6d 00000001 32 ffffffff
         ffffffff 01 ffffffff",
        &["0000000d 0000000100000005 00000000 ffffffff 00 00000000 00000000 ffffffff 00 ffffff9b ffffff9b
           ffffffff 00 fffffffe fffffffe ffffffff 01 ffffffff"],
    );
    talk.cluster.call(ONE, Call::Frame { conn: talk.conn, bytes: bytes("0000001d fffffff5") });
    assert_eq!(talk.rest(), [hex(&bytes("0000001d 0000000100000006 00000000")), "close".to_owned()]);
}

#[test]
fn a_session_that_is_over_is_refused_with_zeros() {
    let mut talk = Talk::new();
    talk.cluster.call(
        ONE,
        Call::Frame {
            conn: talk.conn,
            bytes: bytes(
                "00000000 0000000000000000 00002710 01000028e1710000 00000010 f5ab3ae9de86eacc5bacaf75576d2c54 00",
            ),
        },
    );
    let refused = hex(&bytes("00000000 00000000 0000000000000000 00000010 00000000000000000000000000000000 00"));
    assert_eq!(talk.rest(), [refused, "close".to_owned()]);
}

#[test]
fn an_operation_that_is_none_ends_the_connection() {
    for op in ["0000000a", "0000000d", "fffffff6", "00000000", "000003e7"] {
        let mut talk = Talk::new();
        let hello = "00000000 0000000000000000 00002710 0000000000000000 00000010 00000000000000000000000000000000 00";
        talk.cluster.call(ONE, Call::Frame { conn: talk.conn, bytes: bytes(hello) });
        talk.rest();
        talk.cluster.call(ONE, Call::Frame { conn: talk.conn, bytes: bytes(&format!("00000001 {op}")) });
        assert_eq!(talk.rest(), [hex(&bytes("00000001 ffffffffffffffff fffffffa")), "close".to_owned()], "{op}");
    }
}

#[test]
fn what_cannot_be_read_is_an_error_and_a_wrong_password_the_end() {
    let mut talk = Talk::new();
    let hello = "00000000 0000000000000000 00002710 0000000000000000 00000010 00000000000000000000000000000000 00";
    talk.cluster.call(ONE, Call::Frame { conn: talk.conn, bytes: bytes(hello) });
    talk.rest();
    talk.exchange("00000001 00000004 00000009 2f61", &["00000001 0000000100000001 fffffffb"]);
    talk.exchange("00000002 00000001 00000009 2f61", &["00000002 0000000100000002 fffffffb"]);
    talk.exchange("00000003 00000014 00000002 2f61", &["00000003 0000000100000002 fffffff8"]);
    // A path that is no text is one that no node has, or can have.
    talk.exchange("00000004 00000003 00000002 2fff 00", &["00000004 0000000100000002 ffffff9b"]);
    let create =
        "00000005 00000001 00000002 2fff 00000000 00000001 0000001f 00000005 776f726c64 00000006 616e796f6e65 00000000";
    talk.exchange(create, &["00000005 0000000100000003 fffffff8"]);
    talk.cluster.call(
        ONE,
        Call::Frame {
            conn: talk.conn,
            bytes: bytes("fffffffc 00000064 00000000 00000003 666f6f 00000006 626f623a7077"),
        },
    );
    assert_eq!(talk.rest(), [hex(&bytes("fffffffc 0000000000000000 ffffff8d")), "close".to_owned()]);
}
