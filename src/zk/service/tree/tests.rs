//! The tree against a slow and obvious one; snapshots taken while it changes; Apache's bytes.

mod model;

use proptest::prelude::*;

use super::apply::{Applied, Change, ChangeKind, Outcome};
use super::due::Sweep;
use super::image::Image;
use super::*;
use crate::zab::Payload;
use crate::zk::model::{CreateKind, CreateTxn, OpCode, TxnBody, TxnHeader, TxnRecord};
use crate::zk::wire::WireError;
use model::{Model, Op, Run, ops};

/// A txn of no digest.
fn txn(zxid: i64, session: i64, body: TxnBody) -> TxnRecord {
    let header = TxnHeader {
        session: SessionId(session),
        cxid: 0,
        zxid: Zxid(zxid),
        time: zxid.saturating_add(1000),
        kind: body.kind(),
    };
    TxnRecord { header, body, digest: None }
}

fn create(path: &str, kind: CreateKind, ephemeral: bool, parent_cversion: i32) -> TxnBody {
    let acl = vec![Acl::open()];
    let (path, data) = (path.to_owned(), Some(Payload::new(b"d")));
    TxnBody::Create(CreateTxn { kind, path, data, acl, ephemeral, parent_cversion: Some(parent_cversion), ttl: 50 })
}

fn delete(path: &str) -> TxnBody {
    TxnBody::Delete { path: path.to_owned() }
}

fn set(path: &str, data: &[u8]) -> TxnBody {
    TxnBody::SetData { path: path.to_owned(), data: Some(Payload::new(data)), version: 1 }
}

fn apply_all(tree: &mut Tree, bodies: impl IntoIterator<Item = TxnBody>) -> Vec<Applied> {
    let first = tree.last_processed().0 + 1;
    bodies.into_iter().zip(first..).map(|(body, zxid)| tree.apply(&txn(zxid, 7, body))).collect()
}

/// Everything that servers must agree on.
fn content(tree: &Tree) -> impl PartialEq + std::fmt::Debug {
    let mut nodes: Vec<_> = tree
        .nodes
        .below(Pages::ROOT)
        .map(|slot| Znode { tree, slot })
        .map(|node| {
            (
                node.body().path().to_owned(),
                node.data().map(<[u8]>::to_vec),
                node.stat(),
                *node.stat_persisted(),
                node.acl().to_vec(),
                node.children(),
            )
        })
        .collect();
    nodes.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    let ephemerals: Vec<_> = tree.owners().map(|session| (session, tree.ephemerals(session, ""))).collect();
    let paths = |slots: &BTreeSet<Slot>| {
        slots.iter().map(|slot| tree.nodes.node(*slot).body.path().to_owned()).collect::<BTreeSet<String>>()
    };
    let kinds = (paths(&tree.containers), paths(&tree.ttls), tree.quotas.clone(), tree.acls.iter().len());
    (nodes, tree.sessions.clone(), ephemerals, kinds, tree.digest(), tree.data_size(), tree.node_count())
}

/// The digest by its definition: no part of it is remembered.
fn digest_from_scratch(tree: &Tree) -> u64 {
    let nodes = tree.nodes.below(Pages::ROOT).map(|slot| tree.nodes.node(slot));
    let counted = nodes.filter(|node| !node.body.path().starts_with("/zookeeper/"));
    counted.fold(0, |sum: u64, node| {
        let path = if node.body.path() == "/" { "" } else { node.body.path() };
        let mut bytes = [path.as_bytes(), node.body.data().unwrap_or_default()].concat();
        let s = node.stat;
        [s.czxid, s.mzxid, s.pzxid, s.ctime, s.mtime].iter().for_each(|long| bytes.extend(long.to_be_bytes()));
        [s.version, s.cversion, s.aversion].iter().for_each(|int| bytes.extend(int.to_be_bytes()));
        bytes.extend(s.ephemeral_owner.to_be_bytes());
        sum.wrapping_add(crc32fast::hash(&bytes).into())
    })
}

fn body_of(tree: &Tree) -> Vec<u8> {
    bytes_of(tree.freeze())
}

fn bytes_of(image: Image) -> Vec<u8> {
    image.into_iter().flat_map(|chunk| chunk.as_bytes().to_vec()).collect()
}

#[test]
fn changes_come_in_the_order_of_watches() {
    let mut tree = Tree::new();
    let bodies = [create("/a", CreateKind::Create, false, 1), create("/a/b", CreateKind::Create2, true, 1)];
    let applied = apply_all(&mut tree, bodies.into_iter().chain([set("/a", b"x"), delete("/a/b")]));
    let told = |applied: &Applied| {
        applied.changes.iter().map(|Change { kind, path, .. }| (*kind, path.clone())).collect::<Vec<_>>()
    };
    use ChangeKind::*;
    let change = |kind, path: &str| (kind, path.to_owned());
    assert_eq!(told(&applied[0]), [change(Created, "/a"), change(ChildrenChanged, "/")]);
    assert_eq!(told(&applied[1]), [change(Created, "/a/b"), change(ChildrenChanged, "/a")]);
    assert_eq!(told(&applied[2]), [change(DataChanged, "/a")]);
    assert_eq!(told(&applied[3]), [change(Deleted, "/a/b"), change(ChildrenChanged, "/a")]);
}

#[test]
fn a_close_deletes_what_it_lists_and_what_is_left() {
    let mut tree = Tree::new();
    let ephemeral = |path| create(path, CreateKind::Create, true, 1);
    let close = TxnBody::CloseSession { paths: Some(vec!["/b".to_owned(), "/gone".to_owned()]) };
    let session = TxnBody::CreateSession { timeout: 5000 };
    let applied = apply_all(&mut tree, [session, ephemeral("/a"), ephemeral("/b"), close]);
    let deleted: Vec<&str> =
        applied[3].changes.iter().filter(|c| c.kind == ChangeKind::Deleted).map(|c| c.path.as_str()).collect();
    assert_eq!(deleted, ["/b", "/a"]);
    assert_eq!((tree.node_count(), tree.sessions().len(), tree.digest()), (4, 0, digest_from_scratch(&tree)));
}

/// What a snapshot can hold that is written while sessions close: the parent from before, the child from after.
#[test]
fn a_create_that_is_there_already_makes_up_for_its_parent() {
    let mut tree = Tree::new();
    apply_all(&mut tree, [create("/p", CreateKind::Create, false, 1), create("/p/x", CreateKind::Create, true, 1)]);
    let again = create("/p/x", CreateKind::Create, false, 5);
    assert_eq!(tree.apply(&txn(9, 8, again)).outcome, Outcome::Error(-110));
    let parent = tree.find("/p").unwrap().stat_persisted();
    assert_eq!((parent.cversion, parent.pzxid), (5, 9));
    tree.apply(&txn(10, 8, create("/p/x", CreateKind::Create, false, 3)));
    assert_eq!(tree.find("/p").unwrap().stat_persisted().pzxid, 9, "it never falls");
    assert_eq!(tree.digest(), digest_from_scratch(&tree));
}

/// What a snapshot can hold of a path that was deleted and created again: the node that is to be deleted has children
/// already.
#[test]
fn a_delete_takes_along_what_is_of_a_later_node() {
    let mut tree = Tree::new();
    let plain = |path| create(path, CreateKind::Create, false, -1);
    apply_all(&mut tree, [plain("/p"), plain("/p/x"), create("/p/x/e", CreateKind::Create, true, -1), plain("/q")]);
    apply_all(&mut tree, [delete("/p")]);
    assert_eq!((tree.node_count(), tree.ephemeral_count(), tree.digest()), (5, 0, digest_from_scratch(&tree)));
    assert!(tree.find("/p/x").is_none());
}

#[test]
fn a_delete_that_is_part_of_the_state_does_not_set_its_parent_back() {
    let mut tree = Tree::new();
    let plain = |path| create(path, CreateKind::Create, false, -1);
    apply_all(&mut tree, [plain("/p"), plain("/p/x"), plain("/p/y")]);
    let pzxid = |tree: &Tree| tree.find("/p").unwrap().stat().pzxid;
    assert_eq!(tree.apply(&txn(2, 7, delete("/p/gone"))).outcome, Outcome::Error(-101));
    assert_eq!(pzxid(&tree), 3);
    tree.apply(&txn(4, 7, delete("/p/gone")));
    assert_eq!((pzxid(&tree), tree.digest()), (4, digest_from_scratch(&tree)), "but it may be what the snapshot lacks");
}

#[test]
fn a_wrong_digest_is_counted() {
    let mut tree = Tree::new();
    let mut wrong = txn(1, 7, create("/a", CreateKind::Create, false, 1));
    wrong.digest = Some(crate::zk::model::TxnDigest { version: digest::VERSION, tree: 5 });
    tree.apply(&wrong);
    assert_eq!(tree.digest_mismatches(), 1);
    let mut new = Tree::new();
    new.expect_digest(Zxid::ZERO, 0);
    assert_eq!(new.digest_mismatches(), 0, "the snapshot of a new server of ZooKeeper has none");
    tree.expect_digest(Zxid(3), 5);
    wrong.header.zxid = Zxid(2);
    tree.apply(&wrong);
    assert_eq!(tree.digest_mismatches(), 1, "the snapshot was older in one place than in another");
    wrong.header.zxid = Zxid(3);
    tree.apply(&wrong);
    assert_eq!(tree.digest_mismatches(), 2, "now it is compared with what the snapshot says");
    tree.expect_digest(Zxid(2), 5);
    tree.expect_digest(Zxid(4), 5);
    wrong.header.zxid = Zxid(5);
    tree.apply(&wrong);
    assert_eq!(
        tree.digest_mismatches(),
        2,
        "neither one of an older state, nor one of a txn that never came, says anything"
    );
    wrong.header.zxid = Zxid(6);
    tree.apply(&wrong);
    assert_eq!(tree.digest_mismatches(), 3, "and txns are compared again");
}

#[test]
fn quotas_are_counted() {
    let mut tree = Tree::new();
    let plain = |path| create(path, CreateKind::Create, false, -1);
    apply_all(&mut tree, ["/a", "/a/b", "/ab", "/zookeeper/quota/a"].map(plain));
    apply_all(&mut tree, ["/zookeeper/quota/a/zookeeper_limits", "/zookeeper/quota/a/zookeeper_stats"].map(plain));
    let counted = |tree: &Tree| {
        let data = tree.find("/zookeeper/quota/a/zookeeper_stats").and_then(Znode::data).map(<[u8]>::to_vec);
        String::from_utf8(data.unwrap()).unwrap()
    };
    assert_eq!(counted(&tree), "count=2,bytes=2");
    apply_all(&mut tree, [plain("/a/c"), set("/a/c", b"1234"), delete("/a/b"), plain("/ab/c")]);
    assert_eq!(counted(&tree), "count=2,bytes=5");
    let (restored, _) = Tree::restore(&body_of(&tree)).unwrap();
    assert_eq!((counted(&restored), restored.quota_of("/a/x/y")), ("count=2,bytes=5".to_owned(), Some("/a")));
    apply_all(&mut tree, [delete("/zookeeper/quota/a/zookeeper_limits"), plain("/a/d")]);
    assert_eq!((counted(&tree), tree.quota_of("/a")), ("count=2,bytes=5".to_owned(), None));
}

#[test]
fn containers_and_ttls_are_due_when_nobody_needs_them() {
    let mut tree = Tree::new();
    let of = |path, kind| create(path, kind, false, -1);
    let nodes = [of("/c", CreateKind::Container), of("/t", CreateKind::Ttl), of("/new", CreateKind::Container)];
    apply_all(&mut tree, nodes.into_iter().chain([of("/c/x", CreateKind::Create), of("/t/x", CreateKind::Create)]));
    let due = |tree: &Tree, time| tree.due(Sweep { never_used: None, most: 10 }, time);
    assert!(due(&tree, 5000).is_empty(), "they have children, or never had any");
    apply_all(&mut tree, [delete("/c/x"), delete("/t/x")]);
    assert_eq!((due(&tree, 1052), due(&tree, 1053)), (vec!["/c".to_owned()], vec!["/c".to_owned(), "/t".to_owned()]));
    assert_eq!(tree.due(Sweep { never_used: Some(100), most: 2 }, 2000), ["/c", "/new"]);
}

#[test]
fn what_clients_read() {
    let mut tree = Tree::new();
    let of = |path, ephemeral| create(path, CreateKind::Create, ephemeral, -1);
    apply_all(&mut tree, [of("/b", false), of("/b/z", false), of("/b/a", true), of("/b/a2", true), delete("/b/z")]);
    let node = tree.find("/b").unwrap();
    assert_eq!((node.children(), node.all_children_number()), (vec!["a".to_owned(), "a2".to_owned()], 2));
    assert_eq!((node.stat().cversion, node.stat().num_children, node.stat().pzxid), (4, 2, 5));
    assert_eq!(tree.find("/").unwrap().all_children_number(), 6);
    assert_eq!(tree.find("").map(|root| root.child_count()), Some(2), "txns call the root so");
    for (prefix, count) in [("", 2), (" ", 2), ("/", 2), ("/b/a2", 1), ("/c", 0)] {
        assert_eq!(tree.ephemerals(SessionId(7), prefix).len(), count, "{prefix}");
    }
    assert!(tree.ephemerals(SessionId(8), "").is_empty());
}

#[test]
fn a_fresh_server_writes_what_apaches_does() {
    let file = unhex(include_str!("../../../../tests/captures/snapshot.txt"));
    let body = &file[16..];
    let (tree, len) = Tree::restore(body).unwrap();
    assert_eq!(tree.digest(), 1371985504);
    assert_eq!(body_of(&tree), &body[..len]);
    assert_eq!(body[len..].len(), 13 + 20 + 13, "a seal, the digest, a seal");
    let mut own = Tree::new();
    let config = tree.find(path::CONFIG).unwrap();
    own.set_config(config.data().unwrap(), Zxid::ZERO, config.stat().mtime);
    assert_eq!(body_of(&own), &body[..len]);
    assert_eq!(own.digest(), tree.digest());
}

#[test]
fn a_frozen_tree_does_not_change() {
    let mut tree = Tree::new();
    apply_all(&mut tree, (0..300).map(|i| create(&format!("/n{i}"), CreateKind::Create, i % 2 == 0, -1)));
    let (image, before) = (tree.freeze(), body_of(&tree));
    apply_all(&mut tree, (0..200).map(|i| delete(&format!("/n{i}"))).chain([set("/n250", &[7; 100_000])]));
    assert_eq!(image.last_processed(), Zxid(300));
    assert_eq!(bytes_of(image), before);
    assert_ne!(body_of(&tree), before);
    assert_eq!(tree.freeze().into_iter().count(), 2);
}

#[test]
fn a_snapshot_that_is_none_is_refused() {
    let body = body_of(&Tree::new());
    let error = |bytes: &[u8]| Tree::restore(bytes).unwrap_err();
    assert!(matches!(error(&body[..body.len() - 1]), WireError::End { .. }));
    let mut orphan = body.clone();
    let system = orphan.windows(10).position(|bytes| bytes == b"/zookeeper").unwrap();
    orphan[system + 1] = b'y';
    assert_eq!(error(&orphan), WireError::Unsupported("a node without its parent"));
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(16)).collect();
    digits.chunks(2).map(|pair| (pair[0] * 16 + pair[1]) as u8).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_tree_is_what_a_slow_one_is(ops in ops()) {
        let (mut run, mut model) = (Run::new(), Model::new());
        let mut expected = Vec::new();
        for op in &ops {
            match op {
                Op::Commit(count) => run.commit(*count),
                Op::Request(session, request) => {
                    let (zxid, time) = run.propose(*session, request);
                    expected.push(model.run(*session, zxid, time, request));
                }
            }
        }
        run.commit(usize::MAX);
        prop_assert_eq!(&run.outcomes, &expected);
        prop_assert_eq!(run.tree.digest_mismatches(), 0);
        prop_assert_eq!(run.tree.digest(), digest_from_scratch(&run.tree));
        model.assert_same(&run.tree);
    }

    #[test]
    fn a_snapshot_brings_back_the_tree(ops in ops()) {
        let tree = Run::of(&ops).tree;
        let (body, restored) = (body_of(&tree), Tree::restore(&body_of(&tree)).unwrap());
        prop_assert_eq!(restored.1, body.len());
        prop_assert_eq!(format!("{:?}", content(&restored.0)), format!("{:?}", content(&tree)));
        prop_assert_eq!(body_of(&restored.0).len(), body.len());
    }

    #[test]
    fn a_snapshot_written_while_the_tree_changes_is_mended_by_the_log(
        ops in ops(), start in 0usize..30, steps in prop::collection::vec(0usize..9, 40),
    ) {
        let run = Run::of(&ops);
        let start = start.min(run.log.len());
        let mut live = Tree::new();
        run.log[..start].iter().for_each(|txn| drop(live.apply(txn)));
        let body = model::fuzzy_body(&mut live, &run.log[start..], &steps);
        let (mut restored, _) = Tree::restore(&body).unwrap();
        run.log[start..].iter().for_each(|txn| drop(restored.apply(txn)));
        prop_assert_eq!(format!("{:?}", content(&restored)), format!("{:?}", content(&run.tree)));
    }

    #[test]
    fn any_bytes_are_a_tree_or_an_error(ops in ops(), at in any::<prop::sample::Index>(), to in any::<u8>()) {
        let mut body = body_of(&Run::of(&ops).tree);
        let at = at.index(body.len());
        body[at] = to;
        if let Ok((tree, _)) = Tree::restore(&body) {
            prop_assert_eq!(tree.digest(), digest_from_scratch(&tree));
        }
    }

    #[test]
    fn a_txn_that_does_not_fit_does_no_harm(ops in ops(), keep in prop::collection::vec(any::<bool>(), 60)) {
        let mut tree = Tree::new();
        for (txn, _) in Run::of(&ops).log.iter().zip(keep).filter(|(_, keep)| *keep) {
            let applied = tree.apply(txn);
            prop_assert!(!matches!(applied.outcome, Outcome::Error(1..)));
        }
        prop_assert_eq!(tree.digest(), digest_from_scratch(&tree));
        prop_assert_eq!(tree.node_count(), tree.find("/").unwrap().all_children_number() + 1);
        prop_assert!(tree.apply(&txn(i64::MAX, 0, TxnBody::Error(-1))).changes.is_empty());
        prop_assert_eq!(OpCode::Error, TxnBody::Error(-1).kind());
    }
}

/// No leader proposes this; a log, or a peer that is broken, may hold it.
#[test]
fn a_session_that_owns_what_is_below_its_own_nodes_ends_like_any_other() {
    let mut tree = Tree::new();
    let ephemeral = |path| create(path, CreateKind::Create, true, 1);
    let applied = apply_all(&mut tree, [ephemeral("/e"), ephemeral("/e/x"), TxnBody::CloseSession { paths: None }]);
    assert_eq!(applied[2].outcome, Outcome::SessionClosed);
    assert_eq!((tree.node_count(), tree.ephemeral_count()), (4, 0));
}
