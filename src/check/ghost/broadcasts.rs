//! `Broadcasts`: who broadcast what in which order, per epoch, whether or not it was ever committed; and per epoch who led it
//! with which initial history.

use crate::sim::{Digest, Node};
use crate::zab::{Epoch, MemberSet, Zxid};

/// One broadcast, 16 bytes. Its index in the reign is its position in the primary's order.
#[derive(Clone, Copy, Debug)]
pub struct Cast {
    digest: Digest,
    counter: u32,
    by: u8,
}

/// Part of the initial disks, digest not yet seen.
const UNSEEN: u8 = u8::MAX;
/// Part of the initial disks.
const BEFORE: u8 = u8::MAX - 1;

/// The history with which an epoch begins.
#[derive(Clone, Copy, Debug)]
pub struct Initial {
    /// Whose.
    pub leader: Node,
    /// How many txns.
    pub len: usize,
    /// Their hash.
    pub hash: u64,
}

/// The first broadcast of an epoch.
#[derive(Clone, Copy, Debug)]
pub struct First {
    /// Who.
    pub by: Node,
    /// How many txns it had delivered before.
    pub delivered: usize,
}

/// One epoch.
#[derive(Clone, Debug)]
pub struct Reign {
    /// Which.
    pub epoch: Epoch,
    /// Every peer that left discovery as its leader: `prim[e]`.
    pub primaries: MemberSet,
    /// Every peer that had a quorum for NEWLEADER: `est[e]`.
    pub established: MemberSet,
    /// How many txns were chosen before the first of them was established.
    pub chosen_before: Option<usize>,
    /// `I_e`, of the first peer that left discovery.
    pub initial: Option<Initial>,
    /// The first broadcast.
    pub first: Option<First>,
    casts: Vec<Cast>,
}

impl Reign {
    fn find(&self, counter: u32) -> Result<usize, usize> {
        let dense = (counter as usize).wrapping_sub(1);
        match self.casts.get(dense) {
            Some(cast) if cast.counter == counter => Ok(dense),
            _ => self.casts.binary_search_by_key(&counter, |cast| cast.counter),
        }
    }
}

/// What is known of a txn that somebody applies or logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its position in its primary's order; `None` if nobody broadcast that zxid.
    pub position: Option<usize>,
    /// 0 for what was broadcast; see [`History`](super::History).
    pub variant: u64,
}

/// What became of a broadcast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broadcast {
    /// Its zxid is new.
    New,
    /// It repeats one by the same primary.
    Again,
    /// Its zxid belongs to another txn, or to one of another primary (`None`: on the initial disks).
    Taken {
        /// Whose it is.
        by: Option<Node>,
        /// Whether the payload differs.
        differs: bool,
    },
}

/// All epochs, ascending.
#[derive(Clone, Debug, Default)]
pub struct Broadcasts {
    reigns: Vec<Reign>,
}

impl Broadcasts {
    /// The epochs, ascending.
    pub fn reigns(&self) -> &[Reign] {
        &self.reigns
    }

    /// An epoch.
    pub fn reign(&self, epoch: Epoch) -> Option<&Reign> {
        match self.reigns.last() {
            Some(last) if last.epoch == epoch => Some(last),
            _ => self.reigns.binary_search_by_key(&epoch, |r| r.epoch).ok().map(|i| &self.reigns[i]),
        }
    }

    pub(super) fn reign_mut(&mut self, epoch: Epoch) -> &mut Reign {
        if self.reigns.last().is_some_and(|last| last.epoch == epoch) {
            return self.reigns.last_mut().expect("there is a last one");
        }
        let at = self.reigns.binary_search_by_key(&epoch, |r| r.epoch).unwrap_or_else(|at| {
            let new = Reign {
                epoch,
                primaries: MemberSet::EMPTY,
                established: MemberSet::EMPTY,
                chosen_before: None,
                initial: None,
                first: None,
                casts: Vec::new(),
            };
            self.reigns.insert(at, new);
            at
        });
        &mut self.reigns[at]
    }

    /// Registers a txn of the initial disks.
    pub(super) fn add_before(&mut self, zxid: Zxid) {
        let reign = self.reign_mut(zxid.epoch());
        if let Err(at) = reign.find(zxid.counter()) {
            reign.casts.insert(at, Cast { digest: 0, counter: zxid.counter(), by: UNSEEN });
        }
    }

    pub(super) fn add(&mut self, by: Node, zxid: Zxid, digest: Digest, delivered: usize) -> Broadcast {
        let reign = self.reign_mut(zxid.epoch());
        reign.first.get_or_insert(First { by, delivered });
        match reign.find(zxid.counter()) {
            Err(at) => {
                reign.casts.insert(at, Cast { digest, counter: zxid.counter(), by: by.index() as u8 });
                Broadcast::New
            }
            Ok(at) => {
                let cast = reign.casts[at];
                let whose = (cast.by < BEFORE).then(|| Node::at(cast.by.into()));
                let differs = cast.by != UNSEEN && cast.digest != digest;
                if whose == Some(by) && !differs { Broadcast::Again } else { Broadcast::Taken { by: whose, differs } }
            }
        }
    }

    /// What is known of a txn. The digest of one from the initial disks is learned when it is first seen.
    pub(super) fn know(&mut self, zxid: Zxid, digest: Digest) -> Known {
        let stranger = Known { position: None, variant: digest | 1 };
        let index = match self.reigns.last() {
            Some(last) if last.epoch == zxid.epoch() => self.reigns.len() - 1,
            _ => match self.reigns.binary_search_by_key(&zxid.epoch(), |r| r.epoch) {
                Ok(index) => index,
                Err(_) => return stranger,
            },
        };
        let reign = &mut self.reigns[index];
        let Ok(position) = reign.find(zxid.counter()) else { return stranger };
        let cast = &mut reign.casts[position];
        if cast.by == UNSEEN {
            (cast.digest, cast.by) = (digest, BEFORE);
        }
        Known { position: Some(position), variant: cast.digest ^ digest }
    }

    /// Whether `node` broadcast a txn.
    pub fn is_by(&self, node: Node, zxid: Zxid) -> bool {
        let Some(reign) = self.reign(zxid.epoch()) else { return false };
        reign.find(zxid.counter()).is_ok_and(|at| usize::from(reign.casts[at].by) == node.index())
    }

    /// The position of a txn in its primary's order.
    pub fn position(&self, zxid: Zxid) -> Option<usize> {
        self.reign(zxid.epoch())?.find(zxid.counter()).ok()
    }
}
