//! `Disk`: what is truly on a node's disk, from what was written, synced and lost.

use std::collections::{BTreeMap, VecDeque};

use super::broadcasts::Broadcasts;
use super::chosen::Chosen;
use super::history::History;
use crate::sim::DiskWrite;
use crate::zab::{Epoch, WriteId, Zxid};

/// What a disk holds, as far as the protocol cares: snapshot and log together are one history.
#[derive(Clone, Debug, Default)]
pub struct Content {
    /// Snapshot plus log.
    pub history: History,
    /// acceptedEpoch.
    pub accepted: Epoch,
    /// currentEpoch.
    pub current: Epoch,
}

/// A write not yet durable.
#[derive(Clone, Copy, Debug)]
struct Pending {
    id: WriteId,
    write: DiskWrite,
    variant: u64,
}

/// One node's disk.
#[derive(Clone, Debug, Default)]
pub struct Disk {
    /// What survives a power failure.
    pub durable: Content,
    /// What survives the end of the process: `durable` and every write since.
    pub written: Content,
    /// The largest promise that was ever durable.
    pub max_accepted: Epoch,
    /// The largest current epoch that was ever durable.
    pub max_current: Epoch,
    pending: VecDeque<Pending>,
    /// The content of the snapshot last written.
    image: Option<(Zxid, History)>,
    /// The content of each pending InstallSnapshot.
    installs: VecDeque<(WriteId, History)>,
    /// The content of every snapshot ever written; `None` if what is on the disk is what was written to it.
    images: Option<BTreeMap<Zxid, History>>,
    /// Whether the last thing done to the log was a cut.
    ends_in_cut: bool,
    /// A write failed: how much of the pending ones is on disk shows at recovery.
    uncertain: bool,
}

impl Disk {
    /// Whether something is written and not durable.
    pub fn has_unsynced(&self) -> bool {
        !self.pending.is_empty()
    }

    /// The zxid of the snapshot last written.
    pub fn snapshot(&self) -> Option<Zxid> {
        self.image.as_ref().map(|image| image.0)
    }

    /// A write was issued while the service's state was `applied`.
    pub(super) fn write(
        &mut self,
        id: WriteId,
        write: DiskWrite,
        applied: &History,
        bcast: &mut Broadcasts,
        chosen: &Chosen,
    ) {
        let mut variant = 0;
        match write {
            DiskWrite::Append { zxid, digest } => {
                variant = bcast.know(zxid, digest).variant;
                self.ends_in_cut = false;
            }
            DiskWrite::WriteSnapshot { zxid } => {
                self.image = Some((zxid, applied.clone()));
                if let Some(images) = &mut self.images {
                    images.insert(zxid, applied.clone());
                    if self.ends_in_cut && applied.len() > self.written.history.len() {
                        // It alone keeps what went to memory after the cut.
                        self.installs.push_back((id, applied.clone()));
                    }
                }
            }
            DiskWrite::InstallSnapshot { zxid } => {
                let image = self.image.as_ref().filter(|image| image.0 == zxid).map_or(applied, |image| &image.1);
                let mut image = image.clone();
                if zxid.is_marker() {
                    image.set_label(zxid);
                }
                self.installs.push_back((id, image));
            }
            // A cut deletes newer snapshots.
            DiskWrite::Truncate { to } => {
                self.image = self.image.take().filter(|image| image.0 <= to);
                self.ends_in_cut = true;
            }
            DiskWrite::AcceptedEpoch(_) | DiskWrite::CurrentEpoch(_) => {}
        }
        let pending = Pending { id, write, variant };
        perform(&mut self.written, &pending, &self.installs, chosen);
        self.pending.push_back(pending);
    }

    /// A write became durable.
    pub(super) fn sync(&mut self, id: WriteId, chosen: &Chosen) {
        let pending = match self.pending.front() {
            Some(front) if front.id == id => self.pending.pop_front(),
            _ => self.pending.iter().position(|p| p.id == id).and_then(|i| self.pending.remove(i)),
        };
        let Some(pending) = pending else { return };
        perform(&mut self.durable, &pending, &self.installs, chosen);
        if matches!(pending.write, DiskWrite::InstallSnapshot { .. } | DiskWrite::WriteSnapshot { .. }) {
            self.installs.retain(|install| install.0 != id);
        }
        self.note_epochs();
    }

    /// A write failed.
    pub(super) fn fail(&mut self) {
        self.uncertain = true;
    }

    /// A write did not survive.
    pub(super) fn lose(&mut self, write: DiskWrite) {
        if let Some(i) = self.pending.iter().rposition(|p| p.write == write) {
            self.pending.remove(i);
        }
    }

    /// The process began anew: what survived is durable, since the host syncs what it reads.
    pub(super) fn reboot(&mut self, last_zxid: Zxid, accepted: Option<Epoch>, current: Option<Epoch>, chosen: &Chosen) {
        let mut keep = self.pending.len();
        loop {
            let mut content = self.durable.clone();
            self.pending.iter().take(keep).for_each(|p| perform(&mut content, p, &self.installs, chosen));
            let fits = content.history.last_zxid(chosen) == last_zxid
                && accepted.is_none_or(|e| e == content.accepted)
                && current.is_none_or(|e| e == content.current);
            if fits || keep == 0 || !self.uncertain {
                self.written = content;
                break;
            }
            keep -= 1;
        }
        self.pending.clear();
        self.installs.clear();
        self.uncertain = false;
        self.durable = self.written.clone();
        self.note_epochs();
    }

    /// From now on it may hold something else than what was written to it.
    pub(super) fn doubt(&mut self, doubted: bool) {
        self.images = doubted.then(BTreeMap::new);
    }

    /// What the snapshot up to `zxid` holds.
    pub(super) fn image(&self, zxid: Zxid, chosen: &Chosen) -> History {
        let known = self.images.as_ref().and_then(|images| images.get(&zxid));
        known.cloned().unwrap_or_else(|| {
            let mut history = self.durable.history.clone();
            history.cut(zxid, chosen);
            history
        })
    }

    /// It turned out to hold this.
    pub(super) fn believe(&mut self, history: &History) {
        (self.written.history, self.durable.history) = (history.clone(), history.clone());
    }

    /// It turned out to hold the first `len` chosen txns.
    pub(super) fn hold_chosen(&mut self, len: usize) {
        self.written.history = History::of_chosen(len);
        self.durable.history = History::of_chosen(len);
    }

    /// Starts with this content.
    pub(super) fn load(&mut self, content: Content) {
        let images = self.images.as_ref().map(|_| BTreeMap::new());
        *self = Disk { durable: content.clone(), written: content, images, ..Disk::default() };
        self.note_epochs();
    }

    fn note_epochs(&mut self) {
        self.max_accepted = self.max_accepted.max(self.durable.accepted);
        self.max_current = self.max_current.max(self.durable.current);
    }
}

fn perform(content: &mut Content, pending: &Pending, installs: &VecDeque<(WriteId, History)>, chosen: &Chosen) {
    match pending.write {
        DiskWrite::AcceptedEpoch(epoch) => content.accepted = epoch,
        DiskWrite::CurrentEpoch(epoch) => content.current = epoch,
        DiskWrite::Append { zxid, .. } => content.history.push(zxid, pending.variant, chosen),
        DiskWrite::Truncate { to } => content.history.cut(to, chosen),
        DiskWrite::WriteSnapshot { .. } | DiskWrite::InstallSnapshot { .. } => {
            if let Some((_, image)) = installs.iter().find(|install| install.0 == pending.id) {
                content.history = image.clone();
            }
        }
    }
}
