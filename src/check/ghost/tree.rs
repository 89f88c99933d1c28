//! `Tree`: what ZooKeeper's tree was at every zxid, as the committed history makes it.
//!
//! What a txn does is known when it is proposed, and happens when it is chosen, in that order. No server's own tree gets in here, so
//! that all of them can be held to it. The history of the initial disks makes no node that clients use.

use std::collections::{BTreeMap, BTreeSet};

use super::chosen::Chosen;
use super::history::link;
use crate::sim::{Change, Digest, Found, Znode, item_mark};
use crate::zab::Zxid;
use crate::zk::model::{EventType, SessionId};

/// Something that happened to a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// In which txn.
    pub zxid: Zxid,
    /// What.
    pub kind: EventType,
    /// The node afterwards.
    pub after: Option<Found>,
}

/// The children of the queue, from a txn on.
#[derive(Clone, Copy, Debug)]
struct Children {
    zxid: Zxid,
    count: u32,
    marks: u64,
}

/// A session.
#[derive(Clone, Debug, Default)]
pub struct Life {
    /// The txn that began it.
    pub begun: Option<Zxid>,
    /// The txn that ended it.
    pub ended: Option<Zxid>,
    /// Whether some leader proposed its end, which may never be chosen.
    pub is_ending: bool,
    ephemerals: BTreeSet<Znode>,
}

/// An ephemeral that was made outside the life of its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stray {
    /// The txn.
    pub zxid: Zxid,
    /// The node.
    pub znode: Znode,
    /// The session.
    pub owner: SessionId,
}

/// The nodes that clients use, and the sessions.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    /// What the txns that are not settled do, for each payload that was proposed with the zxid, the first to be proposed first.
    proposed: BTreeMap<Zxid, Vec<(Digest, Vec<Change>)>>,
    /// So many of the chosen txns have happened.
    settled: usize,
    znodes: BTreeMap<Znode, Vec<Moment>>,
    children: Vec<Children>,
    sessions: BTreeMap<SessionId, Life>,
    strays: Vec<Stray>,
}

impl Tree {
    /// A part of what a txn does, said when it was proposed.
    pub(super) fn proposed(&mut self, zxid: Zxid, digest: Digest, change: Change) {
        if let Change::SessionClosed { session } = change {
            self.sessions.entry(session).or_default().is_ending = true;
        }
        let variants = self.proposed.entry(zxid).or_default();
        match variants.iter_mut().find(|(of, _)| *of == digest) {
            Some((_, changes)) => changes.push(change),
            None => variants.push((digest, vec![change])),
        }
    }

    /// What was chosen since happens.
    pub(super) fn settle(&mut self, chosen: &Chosen) {
        if self.settled == chosen.len() {
            return;
        }
        while let Some(next) = chosen.get(self.settled) {
            let before = chosen.hash_at(self.settled);
            self.settled += 1;
            let Some(variants) = self.proposed.remove(&next.zxid) else { continue };
            let first = variants[0].0;
            let was_chosen = |digest: Digest| link(before, next.zxid, first ^ digest) == next.hash;
            let changes = variants.into_iter().find(|(digest, _)| was_chosen(*digest)).map(|(_, changes)| changes);
            for change in changes.unwrap_or_default() {
                self.happen(next.zxid, change);
            }
        }
        // What was proposed below the last chosen txn will never be.
        self.proposed = self.proposed.split_off(&chosen.last());
    }

    fn happen(&mut self, zxid: Zxid, change: Change) {
        match change {
            Change::Created { znode, owner, value } => {
                if self.at(znode, zxid).is_some() {
                    return;
                }
                let found = Found { czxid: zxid, mzxid: zxid, version: 0, owner, value: Some(value) };
                self.tell(znode, Moment { zxid, kind: EventType::NodeCreated, after: Some(found) });
                if owner != SessionId(0) {
                    let life = self.sessions.entry(owner).or_default();
                    life.ephemerals.insert(znode);
                    if life.begun.is_none() || life.ended.is_some() {
                        self.strays.push(Stray { zxid, znode, owner });
                    }
                }
            }
            Change::Set { znode, value, version } => {
                if let Some(found) = self.at(znode, zxid) {
                    let after = Some(Found { mzxid: zxid, version, value: Some(value), ..found });
                    self.tell(znode, Moment { zxid, kind: EventType::NodeDataChanged, after });
                }
            }
            Change::Deleted { znode } => self.delete(znode, zxid),
            Change::SessionCreated { session } => {
                let life = self.sessions.entry(session).or_default();
                (life.begun, life.ended) = (Some(zxid), None);
            }
            Change::SessionClosed { session } => {
                let life = self.sessions.entry(session).or_default();
                life.ended = Some(zxid);
                for znode in std::mem::take(&mut life.ephemerals) {
                    self.delete(znode, zxid);
                }
            }
        }
    }

    fn delete(&mut self, znode: Znode, zxid: Zxid) {
        let Some(found) = self.at(znode, zxid) else { return };
        if let Some(life) = self.sessions.get_mut(&found.owner) {
            life.ephemerals.remove(&znode);
        }
        self.tell(znode, Moment { zxid, kind: EventType::NodeDeleted, after: None });
    }

    fn tell(&mut self, znode: Znode, moment: Moment) {
        self.znodes.entry(znode).or_default().push(moment);
        let Znode::Item(number) = znode else { return };
        let (count, marks) = self.children.last().map_or((0, 0), |last| (last.count, last.marks));
        let (zxid, mark) = (moment.zxid, item_mark(number));
        self.children.extend(match moment.kind {
            EventType::NodeCreated => Some(Children { zxid, count: count + 1, marks: marks.wrapping_add(mark) }),
            EventType::NodeDeleted => Some(Children { zxid, count: count - 1, marks: marks.wrapping_sub(mark) }),
            EventType::NodeDataChanged | EventType::NodeChildrenChanged => None,
        });
    }

    /// A node in the state at `zxid`.
    pub fn at(&self, znode: Znode, zxid: Zxid) -> Option<Found> {
        let moments = self.moments(znode);
        moments[..through(moments, zxid, |moment| moment.zxid)].last()?.after
    }

    /// The items of the queue in the state at `zxid`: how many, and the sum of their marks; `None` if there is no queue.
    pub fn items_at(&self, zxid: Zxid) -> Option<(u32, u64)> {
        self.at(Znode::Queue, zxid)?;
        let until = &self.children[..through(&self.children, zxid, |children| children.zxid)];
        Some(until.last().map_or((0, 0), |last| (last.count, last.marks)))
    }

    /// What happened to a node after `zxid`, in order.
    pub fn after(&self, znode: Znode, zxid: Zxid) -> &[Moment] {
        let moments = self.moments(znode);
        &moments[through(moments, zxid, |moment| moment.zxid)..]
    }

    /// When the queue first had other items after `zxid`.
    pub fn items_after(&self, zxid: Zxid) -> Option<Zxid> {
        self.children.get(through(&self.children, zxid, |children| children.zxid)).map(|children| children.zxid)
    }

    /// A session that somebody proposed to begin or to end.
    pub fn session(&self, session: SessionId) -> Option<&Life> {
        self.sessions.get(&session)
    }

    /// Ephemerals that were made outside the life of their session, since this was asked last.
    pub fn take_strays(&mut self) -> Vec<Stray> {
        std::mem::take(&mut self.strays)
    }

    fn moments(&self, znode: Znode) -> &[Moment] {
        self.znodes.get(&znode).map_or(&[], Vec::as_slice)
    }
}

/// How many of these are at or below `zxid`.
fn through<T>(all: &[T], zxid: Zxid, of: impl Fn(&T) -> Zxid) -> usize {
    // The question is nearly always about the last few.
    let near = all.len().saturating_sub(4);
    match near.checked_sub(1).map(|i| of(&all[i]) <= zxid) {
        Some(false) => all[..near].partition_point(|it| of(it) <= zxid),
        _ => near + all[near..].partition_point(|it| of(it) <= zxid),
    }
}

#[cfg(test)]
mod tests {
    use super::super::History;
    use super::*;
    use crate::zab::Epoch;

    const SESSION: SessionId = SessionId(5);
    const ITEM: Znode = Znode::Item(1);

    fn z(counter: u32) -> Zxid {
        Zxid::new(Epoch(1), counter)
    }

    fn made(znode: Znode, owner: SessionId) -> Change {
        Change::Created { znode, owner, value: 9 }
    }

    fn history(txns: &[(u32, u64)]) -> Chosen {
        let (mut chosen, mut history) = (Chosen::default(), History::default());
        for &(counter, variant) in txns {
            history.push(z(counter), variant, &chosen);
        }
        history.tail().iter().for_each(|&entry| chosen.push(entry, 0));
        chosen
    }

    #[test]
    fn every_state_of_the_past_can_be_looked_up() {
        let mut tree = Tree::default();
        let txns: [&[Change]; 6] = [
            &[Change::SessionCreated { session: SESSION }],
            &[made(Znode::Queue, SessionId(0)), made(ITEM, SessionId(0))],
            &[made(Znode::Ephemeral(0), SESSION), Change::Set { znode: Znode::Queue, value: 7, version: 1 }],
            &[Change::Deleted { znode: ITEM }],
            &[Change::SessionClosed { session: SESSION }],
            &[made(Znode::Ephemeral(1), SESSION)],
        ];
        for (counter, changes) in (1..).zip(txns) {
            changes.iter().for_each(|&change| tree.proposed(z(counter), 1, change));
        }
        tree.settle(&history(&[(1, 0), (2, 0), (3, 0), (4, 0), (5, 0)]));
        let queue = tree.at(Znode::Queue, z(4)).unwrap();
        assert_eq!((queue.czxid, queue.mzxid, queue.version, queue.value), (z(2), z(3), 1, Some(7)));
        assert_eq!(tree.at(Znode::Queue, z(2)).unwrap().version, 0);
        let items: Vec<_> = (1..=4).map(|counter| tree.items_at(z(counter))).collect();
        assert_eq!(items, [None, Some((1, item_mark(1))), Some((1, item_mark(1))), Some((0, 0))]);
        assert_eq!(
            (tree.items_after(z(1)), tree.items_after(z(2)), tree.items_after(z(4))),
            (Some(z(2)), Some(z(4)), None)
        );
        let ephemeral: Vec<_> = (2..=5).map(|counter| tree.at(Znode::Ephemeral(0), z(counter)).is_some()).collect();
        assert_eq!(ephemeral, [false, true, true, false]);
        let ended: Vec<_> = tree.after(Znode::Ephemeral(0), z(3)).iter().map(|it| (it.zxid, it.kind)).collect();
        assert_eq!(ended, [(z(5), EventType::NodeDeleted)]);
        assert!(tree.at(Znode::Ephemeral(1), z(9)).is_none() && tree.take_strays().is_empty(), "(1,6) is not chosen");
        tree.settle(&history(&[(1, 0), (2, 0), (3, 0), (4, 0), (5, 0), (6, 0)]));
        assert_eq!(tree.take_strays(), [Stray { zxid: z(6), znode: Znode::Ephemeral(1), owner: SESSION }]);
    }

    #[test]
    fn of_two_txns_with_one_zxid_the_one_that_was_chosen_happens() {
        for (variant, value) in [(0, 1), (3 ^ 8, 2)] {
            let mut tree = Tree::default();
            tree.proposed(z(1), 3, Change::Created { znode: ITEM, owner: SESSION, value: 1 });
            tree.proposed(z(1), 8, Change::Created { znode: ITEM, owner: SESSION, value: 2 });
            tree.settle(&history(&[(1, variant)]));
            assert_eq!(tree.at(ITEM, z(1)).unwrap().value, Some(value));
        }
    }
}
