//! What a server answers from its own tree (`FinalRequestProcessor`), and which watches that arms.

use crate::zab::Payload;
use crate::zk::model::{
    ClientInfo, ErrorCode, EventType, Id, MultiReadOp, MultiResult, Request, Response, SessionId, SetWatches,
    WatchEvent, WatchMode, WatcherType,
};
use crate::zk::service::ConnId;
use crate::zk::service::acl::{self, Access};
use crate::zk::service::tree::{Tree, Znode};
use crate::zk::service::watches::Watches;
use crate::zk::wire::Dialect;

/// Who reads, and what from.
pub struct Reader<'a> {
    /// The connection.
    pub conn: ConnId,
    /// Its session.
    pub session: SessionId,
    /// Who it is.
    pub ids: &'a [Id],
    /// What it reads.
    pub tree: &'a Tree,
    /// What it may.
    pub access: &'a Access,
    /// The longest request, in bytes (`jute.maxbuffer`).
    pub max_buffer: usize,
    /// Which watches it can name.
    pub dialect: Dialect,
    /// Where its watches are armed.
    pub watches: &'a mut Watches,
    /// What it must be told before its answer.
    pub events: Vec<WatchEvent>,
}

impl<'a> Reader<'a> {
    /// Answers a request that is no write. What no frame can hold is [`ErrorCode::BadArguments`].
    pub fn answer(&mut self, request: &Request) -> Result<Option<Response>, ErrorCode> {
        Ok(Some(match request {
            Request::Exists { path, watch } => {
                if path.contains('\0') {
                    return Err(ErrorCode::BadArguments);
                }
                if *watch {
                    // On a node that is not there as well: it tells of the creation.
                    self.watches.watch_data(self.conn, path);
                }
                Response::Stat(self.find(path)?.stat())
            }
            Request::GetData { path, watch } => {
                let node = self.readable(path)?;
                if *watch {
                    self.watches.watch_data(self.conn, path);
                }
                Response::Data { data: node.data().map(Payload::new), stat: node.stat() }
            }
            Request::GetAcl { path } => {
                let node = self.find(path)?;
                self.access.check(node.acl(), acl::READ | acl::ADMIN, self.ids)?;
                Response::Acl { acl: self.access.masked(node.acl(), self.ids), stat: node.stat() }
            }
            Request::GetChildren { path, watch } => {
                Response::Children(listed(self.children(path, *watch)?.children())?)
            }
            Request::GetChildren2 { path, watch } => {
                let node = self.children(path, *watch)?;
                Response::Children2 { children: listed(node.children())?, stat: node.stat() }
            }
            Request::GetAllChildrenNumber { path } => {
                let number = self.readable(path)?.all_children_number();
                Response::AllChildrenNumber(i32::try_from(number).unwrap_or(i32::MAX))
            }
            Request::GetEphemerals { prefix } => {
                Response::Ephemerals(listed(self.tree.ephemerals(self.session, prefix))?)
            }
            Request::MultiRead(reads) => Response::Multi(self.many(reads)?),
            Request::AddWatch { path, mode } => {
                let mode = WatchMode::from_code(*mode).ok_or(ErrorCode::MarshallingError)?;
                self.watches.add(self.conn, path, mode);
                Response::AddWatch
            }
            Request::WhoAmI => Response::WhoAmI(self.ids.iter().map(client_info).collect()),
            Request::CheckWatches { path, kind } => {
                let kind = self.watcher_type(*kind)?;
                return if self.watches.has(self.conn, path, kind, self.dialect) {
                    Ok(None)
                } else {
                    Err(ErrorCode::NoWatcher)
                };
            }
            Request::RemoveWatches { path, kind } => {
                let kind = self.watcher_type(*kind)?;
                return if self.watches.remove(self.conn, path, kind, self.dialect) {
                    Ok(None)
                } else {
                    Err(ErrorCode::NoWatcher)
                };
            }
            Request::SetWatches(set) => {
                self.set_watches(set);
                return Ok(None);
            }
            Request::Ping => return Ok(None),
            _ => return Err(ErrorCode::Unimplemented),
        }))
    }

    fn find(&self, path: &str) -> Result<Znode<'a>, ErrorCode> {
        self.tree.find(path).ok_or(ErrorCode::NoNode)
    }

    fn readable(&self, path: &str) -> Result<Znode<'a>, ErrorCode> {
        let node = self.find(path)?;
        self.access.check(node.acl(), acl::READ, self.ids)?;
        Ok(node)
    }

    fn children(&mut self, path: &str, watch: bool) -> Result<Znode<'a>, ErrorCode> {
        let node = self.readable(path)?;
        if watch {
            self.watches.watch_children(self.conn, path);
        }
        Ok(node)
    }

    /// The results of a multiRead: a few bytes of it stand for a whole node each, so that there is a limit to all of them together.
    /// ZooKeeper has none but its memory.
    fn many(&mut self, reads: &[MultiReadOp]) -> Result<Vec<MultiResult>, ErrorCode> {
        let mut room = self.max_buffer.saturating_mul(4).clamp(MOST_OF_MANY, MOST_IN_FRAME);
        let mut results = Vec::new();
        for read in reads {
            let result = self.one_of_many(read);
            room = room.checked_sub(size(&result)).ok_or(ErrorCode::BadArguments)?;
            results.push(result);
        }
        Ok(results)
    }

    /// Each read of a multiRead succeeds or fails by itself.
    fn one_of_many(&mut self, read: &MultiReadOp) -> MultiResult {
        let answered = match read {
            MultiReadOp::GetChildren(path) => self.readable(path).map(|node| MultiResult::Children(node.children())),
            MultiReadOp::GetData(path) => self
                .readable(path)
                .map(|node| MultiResult::Data { data: node.data().map(Payload::new), stat: node.stat() }),
        };
        answered.unwrap_or_else(|error| MultiResult::Error(error.code()))
    }

    fn watcher_type(&self, kind: i32) -> Result<WatcherType, ErrorCode> {
        let known = |kind: &WatcherType| {
            self.dialect >= Dialect::V39 || !matches!(kind, WatcherType::Persistent | WatcherType::PersistentRecursive)
        };
        WatcherType::from_code(kind).filter(known).ok_or(ErrorCode::MarshallingError)
    }

    /// Watches of an earlier connection (`DataTree.setWatches`): what changed since then is told at once, the rest is armed.
    fn set_watches(&mut self, set: &SetWatches) {
        let since = set.relative_zxid;
        for path in &set.data {
            match self.tree.find(path).map(|node| node.stat_persisted().mzxid) {
                None => self.tell(EventType::NodeDeleted, path),
                Some(mzxid) if mzxid > since => self.tell(EventType::NodeDataChanged, path),
                Some(_) => self.watches.watch_data(self.conn, path),
            }
        }
        for path in &set.exist {
            match self.tree.find(path) {
                Some(_) => self.tell(EventType::NodeCreated, path),
                None => self.watches.watch_data(self.conn, path),
            }
        }
        for path in &set.child {
            match self.tree.find(path).map(|node| node.stat_persisted().pzxid) {
                None => self.tell(EventType::NodeDeleted, path),
                Some(pzxid) if pzxid > since => self.tell(EventType::NodeChildrenChanged, path),
                Some(_) => self.watches.watch_children(self.conn, path),
            }
        }
        for path in &set.persistent {
            self.watches.add(self.conn, path, WatchMode::Persistent);
        }
        for path in &set.persistent_recursive {
            self.watches.add(self.conn, path, WatchMode::PersistentRecursive);
        }
    }

    fn tell(&mut self, kind: EventType, path: &str) {
        self.events.push(WatchEvent { kind, path: path.to_owned() });
    }
}

/// What the results of a multiRead may take, in bytes, unless `jute.maxbuffer` is so large that four of it are more.
const MOST_OF_MANY: usize = 64 << 20;

/// What lists may take in a frame, in bytes: its length is an `int`, and a head and a stat take some of it.
const MOST_IN_FRAME: usize = i32::MAX as usize - 1024;

/// What a result takes in memory: never less than in a frame.
fn size(result: &MultiResult) -> usize {
    let content = match result {
        MultiResult::Data { data, .. } => data.as_ref().map_or(0, |data| data.as_bytes().len()),
        MultiResult::Children(children) => children.iter().map(|child| size_of::<String>() + child.len()).sum(),
        _ => 0,
    };
    size_of::<MultiResult>() + content
}

fn listed(texts: Vec<String>) -> Result<Vec<String>, ErrorCode> {
    let length: usize = texts.iter().map(|text| 4 + text.len()).sum();
    if length <= MOST_IN_FRAME { Ok(texts) } else { Err(ErrorCode::BadArguments) }
}

/// Of a digest only the user's name is shown.
fn client_info(id: &Id) -> ClientInfo {
    let user = if id.scheme == "digest" { id.id.split(':').next().unwrap_or_default() } else { &id.id };
    ClientInfo { auth_scheme: id.scheme.clone(), user: user.to_owned() }
}
