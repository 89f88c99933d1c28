//! Requests, the txns they become, and the digests that Apache's server wrote for the same (appendix F.5 of the
//! reference).

use super::*;
use crate::zab::Payload;
use crate::zk::model::{Acl, Create, CreateKind, CreateTxn, MultiOp};
use crate::zk::service::acl;
use crate::zk::service::tree::apply::Outcome;
use crate::zk::service::tree::owner::Owner;
use crate::zk::wire::{decode_txn, encode_txn};

/// A leader that applies at once, or lets txns wait.
struct Leader {
    tree: Tree,
    prepare: Prepare,
    zxid: i64,
    time: i64,
    session: SessionId,
    ids: Vec<Id>,
    checked: Result<(), ErrorCode>,
}

impl Leader {
    fn new(rules: Rules) -> Leader {
        let prepare = Prepare::new(rules);
        let (zxid, session) = (0x1_0000_0000, SessionId(0x300001157d30000));
        Leader { tree: Tree::new(), prepare, zxid, time: 1000, session, ids: Vec::new(), checked: Ok(()) }
    }

    fn propose(&mut self, request: &Request) -> TxnRecord {
        self.zxid += 1;
        let Leader { time, session, checked, .. } = *self;
        let context = Context { zxid: Zxid(self.zxid), time, session, cxid: 7, ids: &self.ids, checked };
        self.prepare.prepare(&self.tree, &context, request)
    }

    fn commit(&mut self, txn: &TxnRecord) -> Outcome {
        let applied = self.tree.apply(txn);
        self.prepare.applied(txn.header.zxid);
        assert_eq!(self.tree.digest_mismatches(), 0, "{txn:?}");
        applied.outcome
    }

    fn run(&mut self, request: &Request) -> Outcome {
        let txn = self.propose(request);
        self.commit(&txn)
    }

    /// Why a request is refused; 0 if it is not.
    fn error(&mut self, request: &Request) -> i32 {
        match self.propose(request).body {
            TxnBody::Error(error) => error,
            _ => 0,
        }
    }
}

fn make(kind: CreateKind, path: &str, data: Option<&[u8]>, flags: i32) -> Create {
    let acl = Some(vec![Acl::open()]);
    Create { kind, path: path.into(), data: data.map(Payload::new), acl, flags, ttl: 0 }
}

fn create(path: &str) -> Request {
    Request::Create(make(CreateKind::Create, path, Some(b""), 0))
}

fn set(path: &str, data: &[u8], version: i32) -> Request {
    Request::SetData { path: path.into(), data: Some(Payload::new(data)), version }
}

fn set_acl(path: &str, acl: Vec<Acl>) -> Request {
    Request::SetAcl { path: path.into(), acl: Some(acl), version: -1 }
}

fn delete(path: &str) -> Request {
    Request::Delete { path: path.into(), version: -1 }
}

fn bob() -> Acl {
    let id = Id { scheme: "digest".into(), id: "bob:ikIaKsbtGweaHnb/jKn7OHqbunM=".into() };
    Acl { perms: acl::ALL, id }
}

/// What the client of F.5 asked for, with the last byte of the leader's clock and the digest in Apache's txn.
fn conversation() -> Vec<(Request, i64, Option<u64>)> {
    use CreateKind::{Container, Create, Create2};
    let on = |kind, path, data, flags| Request::Create(make(kind, path, data, flags));
    let op = |kind, path, data, flags| MultiOp::Create(make(kind, path, data, flags));
    let set_op = |path: &str| MultiOp::SetData { path: path.into(), data: Some(Payload::new(b"2")), version: 0 };
    let good = vec![
        op(Create, "/m", Some(b"1".as_slice()), 0),
        MultiOp::Check { path: "/a".into(), version: 1 },
        set_op("/m"),
        op(Create, "/m2", Some(b"".as_slice()), 1),
    ];
    let bad = vec![
        op(Create, "/m3", Some(b"1".as_slice()), 0),
        MultiOp::Delete { path: "/nope".into(), version: -1 },
        set_op("/m"),
    ];
    let empty = Some(b"".as_slice());
    let reconfig = Request::Reconfig { joining: None, leaving: None, members: None, config_id: -1 };
    vec![
        (Request::CreateSession { timeout: 10_000 }, 0x2a, Some(1371985504)),
        (on(Create, "/a", Some(b"hi".as_slice()), 0), 0x3a, Some(5291326382)),
        (on(Create2, "/a/n-", empty, 2), 0x44, Some(7927146802)),
        (on(Create2, "/a/n-", None, 2), 0x46, Some(10646826492)),
        (on(Create, "/e", empty, 1), 0x48, Some(10349348772)),
        (set("/a", b"yo", 0), 0x4d, Some(7440497141)),
        (set("/a", b"no", 7), 0x4f, None),
        (set_acl("/a", vec![Acl::open()]), 0x55, Some(7823812022)),
        (on(Container, "/c", empty, 4), 0x58, Some(6801584938)),
        (delete("/a/n-0000000000"), 0x5b, Some(6133126342)),
        (Request::Multi(good), 0x5f, Some(12979555690)),
        (Request::Multi(bad), 0x62, Some(12979555690)),
        (set("/a", b"w", -1), 0x6e, Some(11890516541)),
        (create("/zz"), 0x72, Some(11068174731)),
        (set_acl("/zz", vec![bob()]), 0x76, Some(11382285774)),
        (reconfig, 0x7a, None),
        (Request::CloseSession, 0x7c, Some(10287383726)),
    ]
}

fn at(byte: i64) -> i64 {
    0x1a1_fa9d_9200 + byte
}

#[test]
fn the_digests_are_those_of_apache() {
    let mut leader = Leader::new(Rules::default());
    assert_eq!(leader.tree.digest(), 1371985504, "the empty tree");
    for (request, byte, digest) in conversation() {
        leader.time = at(byte);
        let txn = leader.propose(&request);
        assert_eq!(txn.digest.map(|digest| digest.tree), digest, "{request:?}");
        leader.commit(&txn);
        assert!(digest.is_none_or(|digest| digest == leader.tree.digest()), "{request:?}");
    }
}

/// The same requests, and what Apache's leader proposed for them.
#[test]
fn the_txns_are_those_of_apache() {
    let captured = include_str!("../../../../tests/captures/proposals.txt");
    let mut leader = Leader::new(Rules::default());
    for (hex, (request, _, _)) in captured.lines().zip(conversation()) {
        let bytes: Vec<u8> =
            (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect();
        let theirs = decode_txn(&bytes).unwrap();
        let TxnHeader { session, cxid, zxid, time, .. } = theirs.header;
        let context = Context { zxid, time, session, cxid, ids: &[], checked: Ok(()) };
        let mut ours = leader.prepare.prepare(&leader.tree, &context, &request);
        leader.commit(&ours);
        if let TxnBody::CloseSession { paths: Some(paths) } = &mut ours.body {
            // Theirs is in the order of a hash table, and another at each server.
            assert_eq!(paths[..], ["/e", "/m2"]);
            paths.reverse();
        }
        let mut written = Vec::new();
        encode_txn(&ours, &mut written);
        assert_eq!(written, bytes, "{theirs:?}");
    }
    assert_eq!(captured.lines().count(), conversation().len());
}

#[test]
fn the_digests_are_the_same_when_nothing_is_applied_in_between() {
    let mut leader = Leader::new(Rules::default());
    let mut txns = Vec::new();
    for (request, byte, digest) in conversation() {
        leader.time = at(byte);
        let txn = leader.propose(&request);
        assert_eq!(txn.digest.map(|digest| digest.tree), digest, "{request:?}");
        txns.push(txn);
    }
    txns.iter().for_each(|txn| {
        leader.commit(txn);
    });
    assert_eq!(leader.tree.digest(), 10287383726);
}

#[test]
fn a_failed_multi_says_what_failed_and_keeps_what_came_before() {
    let mut leader = Leader::new(Rules::default());
    leader.run(&create("/m"));
    let ops = vec![
        MultiOp::Create(make(CreateKind::Create, "/m3", Some(b"1"), 0)),
        MultiOp::Delete { path: "/nope".into(), version: -1 },
        MultiOp::SetData { path: "/m".into(), data: None, version: -1 },
    ];
    let txn = leader.propose(&Request::Multi(ops));
    let TxnBody::Multi(parts) = &txn.body else { panic!("{txn:?}") };
    assert!(matches!(&parts[0], TxnBody::Create(CreateTxn { path, .. }) if path == "/m3"));
    assert_eq!(parts[1..], [TxnBody::Error(-101), TxnBody::Error(-2)]);
    assert_eq!(leader.error(&create("/m3/x")), -101, "what the multi would have created is not outstanding");
    assert_eq!(leader.commit(&txn), Outcome::Multi([0, -101, -2].map(Outcome::Error).into()));
    assert!(leader.tree.find("/m3").is_none());
}

#[test]
fn requests_see_what_is_proposed_and_not_applied() {
    let mut leader = Leader::new(Rules::default());
    let sequential = |path: &str| Request::Create(make(CreateKind::Create, path, None, 2));
    let path = |txn: TxnRecord| match txn.body {
        TxnBody::Create(create) => create.path,
        other => panic!("{other:?}"),
    };
    let first = leader.propose(&create("/a"));
    assert_eq!(path(leader.propose(&sequential("/a/n"))), "/a/n0000000000");
    assert_eq!(path(leader.propose(&sequential("/a/"))), "/a/0000000001");
    assert_eq!(leader.error(&create("/a")), -110);
    assert_eq!(leader.error(&delete("/a")), -111);
    assert_eq!(leader.error(&delete("/a/n0000000000")), 0);
    assert_eq!(path(leader.propose(&sequential("/a/n"))), "/a/n0000000002", "deletions do not count");
    leader.commit(&first);
    assert_eq!(leader.error(&create("/a/0000000001")), -110, "later changes are still outstanding");
    leader.prepare.forget();
    assert_eq!(leader.error(&create("/a/0000000001")), 0, "another leader took over");
}

#[test]
fn an_acl_counts_as_soon_as_it_is_proposed() {
    let mut leader = Leader::new(Rules::default());
    leader.run(&create("/a"));
    assert_eq!(leader.error(&set_acl("/a", vec![bob()])), 0);
    assert_eq!(leader.error(&set("/a", b"", -1)), -102);
}

#[test]
fn a_session_takes_its_nodes_with_it() {
    let mut leader = Leader::new(Rules::default());
    let ephemeral = |path: &str| Request::Create(make(CreateKind::Create, path, None, 1));
    for path in ["/p", "/q"] {
        leader.run(&create(path));
    }
    leader.run(&ephemeral("/p/applied"));
    leader.run(&ephemeral("/deleted"));
    let pending = [ephemeral("/q/pending"), delete("/deleted"), Request::CloseSession, delete("/p"), delete("/q")];
    let txns: Vec<TxnRecord> = pending.iter().map(|request| leader.propose(request)).collect();
    let paths = Some(vec!["/p/applied".to_owned(), "/q/pending".to_owned()]);
    assert_eq!(txns[2].body, TxnBody::CloseSession { paths });
    for txn in &txns {
        leader.commit(txn);
    }
    assert_eq!((leader.tree.node_count(), leader.tree.ephemeral_count()), (4, 0));
}

/// ZOOKEEPER-4306: a txn that names too many nodes is taken by no link and no log. Who applies one without names deletes what the
/// session owns.
#[test]
fn a_session_of_more_nodes_than_a_txn_can_name_ends_without_naming_them() {
    let mut leader = Leader::new(Rules { max_buffer: 200, ..Rules::default() });
    let ephemeral =
        |number: u32| Request::Create(make(CreateKind::Create, &format!("/p/ephemeral-{number:07}"), None, 1));
    leader.run(&create("/p"));
    (0..10).for_each(|number| drop(leader.run(&ephemeral(number))));
    let mut pending = vec![leader.propose(&delete("/p/ephemeral-0000000")), leader.propose(&ephemeral(10))];
    let mut written = Vec::new();
    pending.push(leader.propose(&Request::CloseSession));
    encode_txn(&pending[2], &mut written);
    assert_eq!(pending[2].body, TxnBody::CloseSession { paths: None });
    assert_eq!(pending[2].digest, None, "who looks for paths would take it for some");
    assert_eq!(decode_txn(&written).as_ref(), Ok(&pending[2]));
    leader.session = SessionId(8);
    // All of them are gone for who comes next, and what is there then stays.
    pending.push(leader.propose(&ephemeral(1)));
    pending.push(leader.propose(&delete("/p/ephemeral-0000001")));
    pending.push(leader.propose(&delete("/p")));
    pending.push(leader.propose(&create("/p")));
    pending.push(leader.propose(&ephemeral(2)));
    assert!(pending.iter().all(|txn| txn.header.kind != OpCode::Error), "{pending:?}");
    pending.iter().for_each(|txn| drop(leader.commit(txn)));
    assert_eq!((leader.tree.node_count(), leader.tree.ephemeral_count()), (6, 1));
    let TxnBody::CloseSession { paths } = leader.propose(&Request::CloseSession).body else { panic!() };
    assert_eq!(paths, Some(vec!["/p/ephemeral-0000002".to_owned()]), "a few are named");
}

/// No leader proposes such nodes, but a history may have them.
#[test]
fn a_session_that_owns_what_is_below_anothers_node_ends_like_any_other() {
    let mut leader = Leader::new(Rules::default());
    let mut ephemeral = |session: i64, path: &str| {
        let request = make(CreateKind::Create, path, None, 0);
        let create = CreateTxn {
            kind: request.kind,
            path: request.path,
            data: None,
            acl: vec![Acl::open()],
            ephemeral: true,
            parent_cversion: None,
            ttl: -1,
        };
        let header = TxnHeader { session: SessionId(session), cxid: 0, zxid: Zxid(1), time: 0, kind: OpCode::Create };
        leader.tree.apply(&TxnRecord { header, body: TxnBody::Create(create), digest: None });
    };
    ephemeral(1, "/e");
    ephemeral(2, "/e/x");
    ephemeral(1, "/e/y");
    for session in [1, 2] {
        leader.session = SessionId(session);
        let txn = leader.propose(&Request::CloseSession);
        assert_eq!(txn.header.kind, OpCode::CloseSession);
    }
}

/// A few bytes of a request stand for each id of who asks.
#[test]
fn a_txn_does_not_outgrow_its_request_without_end() {
    let mut leader = Leader::new(Rules { max_buffer: 1000, ..Rules::default() });
    leader.ids = (0..4).map(|number| Id { scheme: "digest".into(), id: format!("bob{number}:{:080}", 0) }).collect();
    let own = |perms| Acl { perms, id: Id { scheme: "auth".into(), id: String::new() } };
    assert_eq!(leader.error(&set_acl("/", vec![own(31)])), 0);
    assert_eq!(leader.error(&set_acl("/", vec![own(31), own(1)])), -114);
    let create =
        |path: &str| MultiOp::Create(Create { acl: Some(vec![own(31)]), ..make(CreateKind::Create, path, None, 0) });
    let multi = leader.propose(&Request::Multi(vec![create("/a"), create("/b")]));
    let TxnBody::Multi(parts) = multi.body else { panic!("{multi:?}") };
    assert_eq!(parts[1], TxnBody::Error(-114), "all of its ACLs count together");
}

/// Bytes that are no text become text of three times their length, and that is what a txn holds.
#[test]
fn an_acl_does_not_grow_by_what_is_no_text() {
    let mut leader = Leader::new(Rules { max_buffer: 1000, ..Rules::default() });
    let entry = |length: usize| {
        let id = format!("{}:hash", "\u{fffd}".repeat(length));
        Acl { id: Id { scheme: "digest".into(), id }, ..bob() }
    };
    assert_eq!(leader.error(&set_acl("/", vec![entry(250)])), 0);
    assert_eq!(leader.error(&set_acl("/", vec![entry(251)])), -114);
}

/// Each request fails for one more reason than the one before; the first in ZooKeeper's order is named.
#[test]
fn a_create_is_checked_in_this_order() {
    let mut leader = Leader::new(Rules { ttl: Ttl::Enabled, quotas: Quotas::Enforced, ..Rules::default() });
    leader.run(&Request::Create(make(CreateKind::Create, "/e", None, 1)));
    leader.run(&create("/e2"));
    leader.run(&create("/closed"));
    leader.run(&set_acl("/closed", vec![bob()]));
    leader.run(&create("/zookeeper/quota/e"));
    let limits = b"countHardLimit=1".as_slice();
    leader.run(&Request::Create(make(CreateKind::Create, "/zookeeper/quota/e/zookeeper_limits", Some(limits), 0)));
    leader.run(&create("/zookeeper/quota/e/zookeeper_stats"));

    let refused = |leader: &mut Leader, change: &dyn Fn(&mut Create)| {
        let mut request = make(CreateKind::Create, "/e/x", None, 0);
        change(&mut request);
        leader.error(&Request::Create(request))
    };
    assert_eq!(refused(&mut leader, &|_| ()), -108, "the parent is ephemeral; its quota is looked at after that");
    assert_eq!(refused(&mut leader, &|c| c.path = "/e".into()), -110);
    assert_eq!(refused(&mut leader, &|c| c.path = "/e/./x".into()), -101, "the parent comes before the whole path");
    assert_eq!(refused(&mut leader, &|c| c.path = "/e/..".into()), -8);
    assert_eq!(refused(&mut leader, &|c| c.path = "/closed/..".into()), -102);
    assert_eq!(refused(&mut leader, &|c| c.path = "/no/..".into()), -101);
    let no_acl = |c: &mut Create| (c.path, c.acl) = ("/no/..".into(), None);
    assert_eq!(refused(&mut leader, &no_acl), -114);
    let no_slash = |c: &mut Create| (c.path, c.acl) = ("no".into(), None);
    assert_eq!(refused(&mut leader, &no_slash), -8);
    leader.checked = Err(ErrorCode::SessionMoved);
    assert_eq!(refused(&mut leader, &no_slash), -118);
    let bad_ttl = |c: &mut Create| (c.kind, c.flags, c.ttl) = (CreateKind::Ttl, 5, 0);
    assert_eq!(refused(&mut leader, &bad_ttl), -8);
    let no_mode = |c: &mut Create| (c.kind, c.flags) = (CreateKind::Ttl, 7);
    assert_eq!(refused(&mut leader, &no_mode), -8);
    leader.checked = Ok(());
    leader.run(&delete("/e"));
    leader.run(&create("/e"));
    assert_eq!(refused(&mut leader, &|_| ()), -125, "the counter has /e itself");
    leader.prepare.rules.quotas = Quotas::Counted;
    assert_eq!(refused(&mut leader, &|_| ()), 0);
    leader.prepare.rules.ttl = Ttl::Unimplemented;
    assert_eq!(refused(&mut leader, &bad_ttl), -6);
}

#[test]
fn a_delete_is_checked_in_this_order() {
    let mut leader = Leader::new(Rules::default());
    for path in ["/p", "/p/c", "/p/c/x", "/closed"] {
        leader.run(&create(path));
    }
    leader.run(&set_acl("/closed", vec![bob()]));
    let refused =
        |leader: &mut Leader, path: &str, version| leader.error(&Request::Delete { path: path.into(), version });
    assert_eq!(refused(&mut leader, "/p/c/x", 0), 0);
    assert_eq!(refused(&mut leader, "/p", -1), -111);
    assert_eq!(refused(&mut leader, "/p", 5), -103);
    assert_eq!(refused(&mut leader, "/p/no", 5), -101);
    assert_eq!(refused(&mut leader, "/closed/no", 5), -102);
    assert_eq!(refused(&mut leader, "/no/no", 5), -101);
    for special in ["/", "/zookeeper", "/zookeeper/quota", "/zookeeper/config", "no"] {
        assert_eq!(refused(&mut leader, special, 5), -8);
    }
    leader.checked = Err(ErrorCode::SessionExpired);
    assert_eq!(refused(&mut leader, "no", 5), -112);
}

#[test]
fn data_acls_and_checks_are_checked_in_this_order() {
    let mut leader = Leader::new(Rules::default());
    leader.run(&create("/a"));
    leader.run(&create("/closed"));
    leader.run(&set_acl("/closed", vec![bob()]));
    let check = |path: &str| Request::Multi(vec![MultiOp::Check { path: path.into(), version: 5 }]);
    let in_multi = |txn: TxnRecord| match txn.body {
        TxnBody::Multi(parts) => parts[0].clone(),
        other => panic!("{other:?}"),
    };
    let acl = |path: &str, acl: Option<Vec<Acl>>| Request::SetAcl { path: path.into(), acl, version: 5 };
    let open = Some(vec![Acl::open()]);
    for (path, error) in [("/a", -103), ("/closed", -102), ("/no", -101), ("/no/", -8)] {
        assert_eq!(leader.error(&set(path, b"", 5)), error, "setData {path}");
        assert_eq!(leader.error(&acl(path, open.clone())), error, "setACL {path}");
        assert_eq!(in_multi(leader.propose(&check(path))), TxnBody::Error(error), "check {path}");
    }
    assert_eq!((leader.error(&acl("/no", None)), leader.error(&acl("/no/", None))), (-114, -8));
    leader.checked = Err(ErrorCode::SessionMoved);
    assert_eq!((leader.error(&set("/no/", b"", 5)), leader.error(&acl("/no/", None))), (-118, -118));
    assert_eq!(in_multi(leader.propose(&check("/no/"))), TxnBody::Error(-118));
    assert_eq!(leader.error(&Request::Check { path: "/a".into(), version: 0 }), -6, "only in a multi");
    let reconfig = Request::Reconfig { joining: None, leaving: None, members: None, config_id: 0 };
    assert_eq!(leader.error(&reconfig), -123);
}

#[test]
fn only_what_waits_for_it_is_swept() {
    let mut leader = Leader::new(Rules { ttl: Ttl::Enabled, ..Rules::default() });
    let sweep = |path: &str| Request::DeleteContainer { path: path.into() };
    leader.run(&Request::Create(make(CreateKind::Container, "/c", None, 4)));
    let ttl = Create { ttl: 10, ..make(CreateKind::Ttl, "/t", None, 5) };
    leader.run(&Request::Create(ttl));
    leader.run(&Request::Create(make(CreateKind::Create, "/e", None, 1)));
    leader.run(&create("/c/x"));
    leader.run(&create("/p"));
    for (path, error) in [("/c", -111), ("/e", -103), ("/p", -103), ("/no", -101), ("/", -8), ("/t", 0), ("/t", -101)] {
        assert_eq!(leader.error(&sweep(path)), error, "{path}");
    }
}

#[test]
fn where_flags_contradict_the_operation_it_decides() {
    let mut leader = Leader::new(Rules { ttl: Ttl::Enabled, ..Rules::default() });
    for (kind, flags, error) in [
        (CreateKind::Create, 4, 0),
        (CreateKind::Create2, 5, -8),
        (CreateKind::Container, 5, -8),
        (CreateKind::Ttl, 0, -8),
        (CreateKind::Create, -1, -8),
        (CreateKind::Ttl, 6, 0),
    ] {
        let request = Create { ttl: Owner::MAX_TTL, ..make(kind, "/x", None, flags) };
        assert_eq!(leader.error(&Request::Create(request.clone())), error, "{kind:?} {flags}");
        if kind == CreateKind::Ttl {
            let too_long = Create { ttl: Owner::MAX_TTL + 1, ..request };
            assert_eq!(leader.error(&Request::Create(too_long)), -8);
        }
    }
}
