//! The slow and obvious tree, what drives both, and a snapshot that is written node by node while txns are applied.

use std::collections::BTreeMap;

use proptest::prelude::*;

use crate::zab::{Payload, Zxid};
use crate::zk::model::{
    Acl, Create, CreateKind, CreateMode, ErrorCode, MultiOp, Request, SessionId, Stat, StatPersisted, TxnRecord,
};
use crate::zk::service::path;
use crate::zk::service::prepare::{Context, Prepare, Rules, Ttl};
use crate::zk::service::tree::Tree;
use crate::zk::service::tree::apply::Outcome;
use crate::zk::wire::Writer;

/// One step: a request of one of two sessions, or some of what is proposed is applied.
#[derive(Clone, Debug)]
pub enum Op {
    Request(SessionId, Request),
    Commit(usize),
}

pub fn ops() -> impl Strategy<Value = Vec<Op>> {
    let request = (0i64..2, requests()).prop_map(|(session, request)| Op::Request(SessionId(session + 1), request));
    prop::collection::vec(prop_oneof![4 => request, 1 => (0usize..4).prop_map(Op::Commit)], 0..60)
}

fn requests() -> impl Strategy<Value = Request> {
    let path = paths();
    prop_oneof![
        12 => creates().prop_map(Request::Create),
        4 => (path.clone(), versions()).prop_map(|(path, version)| Request::Delete { path, version }),
        3 => (path.clone(), data(), versions()).prop_map(|(path, data, version)| Request::SetData { path, data, version }),
        1 => (path, acls(), versions())
            .prop_map(|(path, acl, version)| Request::SetAcl { path, acl: Some(acl), version }),
        2 => prop::collection::vec(multi_ops(), 0..4).prop_map(Request::Multi),
        1 => Just(Request::CloseSession),
        1 => Just(Request::CreateSession { timeout: 4000 }),
    ]
}

fn multi_ops() -> impl Strategy<Value = MultiOp> {
    let path = paths();
    prop_oneof![
        4 => creates().prop_map(MultiOp::Create),
        2 => (path.clone(), versions()).prop_map(|(path, version)| MultiOp::Delete { path, version }),
        2 => (path.clone(), data(), versions()).prop_map(|(path, data, version)| MultiOp::SetData { path, data, version }),
        1 => (path, versions()).prop_map(|(path, version)| MultiOp::Check { path, version }),
    ]
}

fn creates() -> impl Strategy<Value = Create> {
    (paths(), data(), acls(), 0i32..7, any::<bool>()).prop_map(|(path, data, acl, flags, stat)| {
        let kind = match flags {
            4 => CreateKind::Container,
            5 | 6 => CreateKind::Ttl,
            _ if stat => CreateKind::Create2,
            _ => CreateKind::Create,
        };
        Create { kind, path, data, acl: Some(acl), flags, ttl: 5 }
    })
}

fn paths() -> impl Strategy<Value = String> + Clone {
    prop_oneof![8 => "(/[ab]){1,3}", 1 => Just("/zookeeper".to_owned()), 1 => Just("/".to_owned()), 1 => Just("/a/".to_owned())]
}

fn data() -> impl Strategy<Value = Option<Payload>> {
    prop_oneof![
        Just(None),
        Just(Some(Payload::EMPTY)),
        "[xy]{1,40}".prop_map(|text| Some(Payload::new(text.as_bytes())))
    ]
}

fn versions() -> impl Strategy<Value = i32> {
    prop_oneof![3 => Just(-1), 1 => 0i32..3]
}

/// Three ACLs that allow everything to everybody.
fn acls() -> impl Strategy<Value = Vec<Acl>> {
    let more = |perms| vec![Acl::open(), Acl { perms, ..Acl::open() }];
    prop_oneof![2 => Just(vec![Acl::open()]), 1 => (1i32..3).prop_map(more)]
}

/// A leader whose txns wait before they are applied.
pub struct Run {
    pub tree: Tree,
    pub outcomes: Vec<Outcome>,
    pub log: Vec<TxnRecord>,
    prepare: Prepare,
    applied: usize,
}

impl Run {
    pub fn new() -> Run {
        let prepare = Prepare::new(Rules { ttl: Ttl::Enabled, ..Rules::default() });
        Run { tree: Tree::new(), outcomes: Vec::new(), log: Vec::new(), prepare, applied: 0 }
    }

    /// All of it, applied.
    pub fn of(ops: &[Op]) -> Run {
        let mut run = Run::new();
        for op in ops {
            match op {
                Op::Commit(count) => run.commit(*count),
                Op::Request(session, request) => drop(run.propose(*session, request)),
            }
        }
        run.commit(usize::MAX);
        run
    }

    pub fn propose(&mut self, session: SessionId, request: &Request) -> (i64, i64) {
        let zxid = self.log.len() as i64 + 1;
        let time = 1000 + zxid;
        let context = Context { zxid: Zxid(zxid), time, session, cxid: 0, ids: &[], checked: Ok(()) };
        self.log.push(self.prepare.prepare(&self.tree, &context, request));
        (zxid, time)
    }

    pub fn commit(&mut self, count: usize) {
        for txn in self.log[self.applied..].iter().take(count) {
            self.outcomes.push(self.tree.apply(txn).outcome);
            self.prepare.applied(txn.header.zxid);
            self.applied += 1;
        }
    }
}

#[derive(Clone, Debug)]
struct Node {
    data: Option<Vec<u8>>,
    acl: Vec<Acl>,
    stat: StatPersisted,
}

/// A map from paths to nodes.
#[derive(Clone, Debug)]
pub struct Model {
    nodes: BTreeMap<String, Node>,
}

impl Model {
    pub fn new() -> Model {
        let node = || Node { data: Some(vec![]), acl: vec![Acl::open()], stat: StatPersisted::default() };
        let paths = ["/", "/zookeeper", "/zookeeper/config", "/zookeeper/quota"];
        Model { nodes: paths.into_iter().map(|path| (path.to_owned(), node())).collect() }
    }

    pub fn run(&mut self, session: SessionId, zxid: i64, time: i64, request: &Request) -> Outcome {
        let done = match request {
            Request::Create(create) => self.create(session, zxid, time, create),
            Request::Delete { path, version } => self.delete(zxid, path, *version),
            Request::SetData { path, data, version } => self.set_data(zxid, time, path, data, *version),
            Request::SetAcl { path, acl, version } => self.set_acl(path, acl.as_deref().unwrap(), *version),
            Request::Multi(ops) => Ok(self.multi(session, zxid, time, ops)),
            Request::CloseSession => {
                let own = |node: &Node| node.stat.ephemeral_owner == session.0;
                let gone: Vec<String> =
                    self.nodes.iter().filter(|(_, node)| own(node)).map(|(path, _)| path.clone()).collect();
                gone.iter().for_each(|path| drop(self.delete(zxid, path, -1).unwrap()));
                Ok(Outcome::SessionClosed)
            }
            Request::CreateSession { .. } => Ok(Outcome::SessionCreated),
            other => panic!("no request of this model: {other:?}"),
        };
        done.unwrap_or_else(|error| Outcome::Error(error.code()))
    }

    fn multi(&mut self, session: SessionId, zxid: i64, time: i64, ops: &[MultiOp]) -> Outcome {
        let mut after = self.clone();
        let mut results = Vec::new();
        for op in ops {
            let result = match op {
                MultiOp::Create(create) => after.create(session, zxid, time, create),
                MultiOp::Delete { path, version } => after.delete(zxid, path, *version),
                MultiOp::SetData { path, data, version } => after.set_data(zxid, time, path, data, *version),
                MultiOp::Check { path, version } => {
                    after.valid(path).and_then(|()| after.versioned(path, *version).map(|_| Outcome::Checked))
                }
            };
            match result {
                Ok(outcome) => results.push(outcome),
                Err(error) => {
                    let mut errors = vec![Outcome::Error(0); results.len()];
                    errors.push(Outcome::Error(error.code()));
                    errors.resize(ops.len(), Outcome::Error(-2));
                    return Outcome::Multi(errors);
                }
            }
        }
        *self = after;
        Outcome::Multi(results)
    }

    fn create(&mut self, session: SessionId, zxid: i64, time: i64, create: &Create) -> Result<Outcome, ErrorCode> {
        let mode = CreateMode::from_flags(create.flags).unwrap();
        let parent = path::parent(&create.path).unwrap();
        let number = self.nodes.get(parent).ok_or(ErrorCode::NoNode)?.stat.cversion;
        let path = if mode.is_sequential() { format!("{}{number:010}", create.path) } else { create.path.clone() };
        if path.ends_with('/') && path != "/" {
            return Err(ErrorCode::BadArguments);
        }
        if self.nodes.contains_key(&path) {
            return Err(ErrorCode::NodeExists);
        }
        let above = self.nodes.get_mut(parent).unwrap();
        if (1..3).contains(&above.stat.ephemeral_owner) {
            return Err(ErrorCode::NoChildrenForEphemerals);
        }
        above.stat.cversion += 1;
        above.stat.pzxid = zxid;
        let ephemeral_owner = match create.flags {
            1 | 3 => session.0,
            4 => i64::MIN,
            5 | 6 => 0xff00_0000_0000_0005u64 as i64,
            _ => 0,
        };
        let (czxid, mzxid, pzxid, ctime, mtime) = (zxid, zxid, zxid, time, time);
        let stat = StatPersisted { czxid, mzxid, pzxid, ctime, mtime, ephemeral_owner, ..StatPersisted::default() };
        let data = create.data.as_ref().map(|data| data.as_bytes().to_vec());
        let mut acl = create.acl.clone().unwrap();
        acl.dedup();
        self.nodes.insert(path.clone(), Node { data, acl, stat });
        Ok(Outcome::Created { kind: create.kind, stat: self.stat(&path), path })
    }

    fn delete(&mut self, zxid: i64, path: &str, version: i32) -> Result<Outcome, ErrorCode> {
        if path::is_special(path) {
            return Err(ErrorCode::BadArguments);
        }
        self.versioned(path, version)?;
        if !self.children(path).is_empty() {
            return Err(ErrorCode::NotEmpty);
        }
        self.nodes.remove(path);
        self.nodes.get_mut(path::parent(path).unwrap()).unwrap().stat.pzxid = zxid;
        Ok(Outcome::Deleted)
    }

    fn set_data(
        &mut self,
        zxid: i64,
        time: i64,
        path: &str,
        data: &Option<Payload>,
        version: i32,
    ) -> Result<Outcome, ErrorCode> {
        self.valid(path)?;
        let node = self.versioned(path, version)?;
        node.data = data.as_ref().map(|data| data.as_bytes().to_vec());
        (node.stat.mzxid, node.stat.mtime, node.stat.version) = (zxid, time, node.stat.version + 1);
        Ok(Outcome::Set(self.stat(path)))
    }

    fn set_acl(&mut self, path: &str, acl: &[Acl], version: i32) -> Result<Outcome, ErrorCode> {
        self.valid(path)?;
        let node = self.nodes.get_mut(path).ok_or(ErrorCode::NoNode)?;
        if version != -1 && version != node.stat.aversion {
            return Err(ErrorCode::BadVersion);
        }
        node.acl = acl.to_vec();
        node.acl.dedup();
        node.stat.aversion += 1;
        Ok(Outcome::Set(self.stat(path)))
    }

    fn valid(&self, path: &str) -> Result<(), ErrorCode> {
        if path != "/" && path.ends_with('/') { Err(ErrorCode::BadArguments) } else { Ok(()) }
    }

    fn versioned(&mut self, path: &str, version: i32) -> Result<&mut Node, ErrorCode> {
        let node = self.nodes.get_mut(path).ok_or(ErrorCode::NoNode)?;
        if version == -1 || version == node.stat.version { Ok(node) } else { Err(ErrorCode::BadVersion) }
    }

    fn children(&self, path: &str) -> Vec<String> {
        let above = |child: &str| child != "/" && path::parent(child) == Some(path);
        self.nodes.keys().filter(|child| above(child)).map(|child| path::name(child).to_owned()).collect()
    }

    fn stat(&self, path: &str) -> Stat {
        let (node, children) = (&self.nodes[path], self.children(path).len() as i32);
        let s = node.stat;
        Stat {
            czxid: s.czxid,
            mzxid: s.mzxid,
            ctime: s.ctime,
            mtime: s.mtime,
            version: s.version,
            cversion: 2 * s.cversion - children,
            aversion: s.aversion,
            ephemeral_owner: if s.ephemeral_owner > 0 { s.ephemeral_owner } else { 0 },
            data_length: node.data.as_ref().map_or(0, Vec::len) as i32,
            num_children: children,
            pzxid: s.pzxid,
        }
    }

    /// The nodes that a client sees are the same; the configuration's own ACL is not this model's.
    pub fn assert_same(&self, tree: &Tree) {
        assert_eq!(tree.node_count(), self.nodes.len());
        for (path, node) in self.nodes.iter().filter(|(path, _)| *path != "/zookeeper/config") {
            let found = tree.find(path).unwrap_or_else(|| panic!("{path} is missing"));
            let data = node.data.as_deref();
            assert_eq!((found.data(), found.stat(), found.acl().to_vec()), (data, self.stat(path), node.acl.clone()));
            assert_eq!((found.children(), *found.stat_persisted()), (self.children(path), node.stat), "{path}");
        }
        for session in [1, 2] {
            let own = |node: &Node| node.stat.ephemeral_owner == session;
            let own: Vec<_> = self.nodes.iter().filter(|(_, node)| own(node)).map(|(path, _)| path.clone()).collect();
            assert_eq!(tree.ephemerals(SessionId(session), ""), own);
        }
    }
}

/// A snapshot as ZooKeeper takes it: sessions and ACLs first, then node by node, each with the children that it has at that
/// moment; between two nodes some txns are applied. All of them are, in the end.
pub fn fuzzy_body(tree: &mut Tree, log: &[TxnRecord], steps: &[usize]) -> Vec<u8> {
    let mut log = log.iter();
    let mut steps = steps.iter();
    let mut bytes = Vec::new();
    let mut write = Writer::new(&mut bytes);
    tree.freeze().write_tables(&mut write);
    let acls: Vec<Vec<Acl>> = tree.acls.iter().map(|(_, acl)| acl.to_vec()).collect();
    let keys: Vec<i64> = tree.acls.iter().map(|(key, _)| key.written()).collect();
    let mut waiting = vec!["/".to_owned()];
    while let Some(path) = waiting.pop() {
        if let Some(node) = tree.find(&path) {
            write.text(if path == "/" { "" } else { &path });
            write.buffer_or_null(node.data());
            let known = acls.iter().position(|acl| acl[..] == node.acl()[..]).map(|i| keys[i]);
            let open = node.acl()[..] == [Acl::open()];
            write.i64(if open { -1 } else { known.unwrap_or(1_000_000) });
            super::super::image::write_stat_persisted(&mut write, node.stat_persisted());
            let below = if path == "/" { "" } else { &path };
            waiting.extend(node.children().iter().map(|name| format!("{below}/{name}")));
        }
        for txn in log.by_ref().take(*steps.next().unwrap_or(&0)) {
            tree.apply(txn);
        }
    }
    write.text("/");
    log.for_each(|txn| drop(tree.apply(txn)));
    bytes
}
