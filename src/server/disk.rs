//! The disk: one thread that writes, syncs once for everything that waits, and reads.
//!
//! ```text
//! driver ── batch ──▶ write, write, write … nothing more waits ─▶ sync ─▶ Persisted { through } ──▶ driver
//! ```
//!
//! While a sync runs, batches queue up; the next sync covers them all.
//!
//! A snapshot is written by a thread of its own, out of a frozen state, while txns go on being logged (`ZooKeeperServer.takeSnapshot` in its own
//! thread). It counts as written at once: what it would spare a recovery is in the log until it is there. One that would begin
//! before the last one is written is left out. What cuts or replaces the history waits for it, and so does the end of the server.

use std::cell::RefCell;
use std::sync::mpsc::{self as queue, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use std::{io, mem};

use tokio::sync::mpsc;
use tracing::{debug, error, info, warn};

use super::config::{Purge, ServerConfig};
use super::folders::Folders;
use super::milestones::{Hex, unknown_txn};
use super::tally::DiskTally;
use super::{Refusal, std_duration};
use crate::replica::Service;
use crate::zab::{self, LogSlice, Payload, Ratio, ReadId, Recovered, Txn, Write, WriteError, WriteId, Zxid};
use crate::zk::store::{
    self, Beginning, Dir, FileName, FileOp, Files, Journal, JournalSettings, JournalWrite, SnapshotFile, StoreError,
};

/// Writes that one sync may cover, so that their acknowledgements do not wait for ever (`maxBatchSize`).
const MOST_WRITES: usize = 1000;

/// Something for the disk thread to do, in order.
enum Work<I> {
    Write(WriteId, Write),
    Snapshot { id: WriteId, zxid: Zxid, image: I, digest: u64 },
    ReadLog { read: ReadId, from: Zxid, size_factor: Ratio },
    Reload,
}

/// What the disk has to say.
pub(super) enum News<S> {
    /// Everything up to this write is durable.
    Persisted { through: WriteId },
    /// A write failed, and with it every later one.
    WriteFailed { id: WriteId, error: WriteError },
    /// What comes before this snapshot is gone.
    Purged { base: Zxid },
    /// What the log holds.
    LogRead { read: ReadId, slice: LogSlice },
    /// What is on disk, and a service in that state.
    Reloaded { recovered: Recovered, service: Box<S> },
    /// What is on disk cannot be read any more.
    Unreadable,
}

/// The driver's end of the disk thread. Dropped, it waits until everything handed over is done.
pub(super) struct Disk<I> {
    batch: Vec<Work<I>>,
    batches: Option<queue::Sender<Vec<Work<I>>>>,
    tally: Arc<Mutex<DiskTally>>,
    thread: Option<JoinHandle<()>>,
}

impl<I: IntoIterator<Item = Payload> + Send + 'static> Disk<I> {
    /// Reads what is on disk and starts the thread. `fresh` makes a service without any state.
    pub(super) fn open<S>(
        config: &ServerConfig,
        fresh: impl Fn() -> S + Send + 'static,
        news: mpsc::UnboundedSender<News<S>>,
    ) -> io::Result<(Disk<I>, Recovered, S)>
    where
        S: Service<Image = I> + Send + 'static,
    {
        let started = Instant::now();
        let folders = Folders::open(&config.store).map_err(|error| Refusal::of_folder(&config.store, &error))?;
        let window = config.peer.limits.commit_log_count;
        let mut beginning = config.store.beginning;
        let of_folder = |error: StoreError| Refusal::of_folder(&config.store, &error);
        if let Some((dir, name)) = folders.misplaced().map_err(of_folder)? {
            return Err(Refusal::of_misplaced(&config.store, dir, &name));
        }
        beginning.new_if_empty |= folders.take_initialize().map_err(of_folder)?;
        let recovered = recover(&folders, beginning, window, &fresh).and_then(|(recovered, service)| {
            // Nobody else could give it what is lost.
            let is_lost = config.standalone && recovered.last_zxid == Zxid::MISSING;
            if is_lost { Err(StoreError::Lost) } else { Ok((recovered, service)) }
        });
        let (recovered, service) = recovered.map_err(|error| Refusal::of_history(&config.store, &error))?;
        let loading = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let settings = JournalSettings { preallocate: config.store.preallocate, ..JournalSettings::default() };
        let mut journal = Journal::new(settings);
        if recovered.last_zxid == Zxid::ZERO {
            begin(&folders, &mut journal, &service).map_err(of_folder)?;
        }
        let tally = Arc::new(Mutex::new(DiskTally { loading, ..DiskTally::default() }));
        let (batches, work) = queue::channel();
        let mut worker = Worker {
            folders,
            journal,
            settings,
            force_sync: config.store.force_sync,
            slow_sync: std_duration(config.store.slow_sync),
            purging: config.store.purge.map(Purging::new),
            beginning,
            tally: tally.clone(),
            window,
            news,
            writes: Vec::new(),
            beside: None,
        };
        let thread = thread::Builder::new().name("zabsim-disk".to_owned()).spawn(move || {
            // An error has been told; the driver ends, and with it the queue.
            let _ = worker.run(&work, &fresh);
            worker.finish_snapshot();
        })?;
        Ok((Disk { batch: Vec::new(), batches: Some(batches), tally, thread: Some(thread) }, recovered, service))
    }

    pub(super) fn write(&mut self, id: WriteId, write: Write) {
        self.batch.push(Work::Write(id, write));
    }

    pub(super) fn write_snapshot(&mut self, id: WriteId, zxid: Zxid, image: I, digest: u64) {
        self.batch.push(Work::Snapshot { id, zxid, image, digest });
    }

    pub(super) fn read_log(&mut self, read: ReadId, from: Zxid, size_factor: Ratio) {
        self.batch.push(Work::ReadLog { read, from, size_factor });
    }

    pub(super) fn reload(&mut self) {
        self.batch.push(Work::Reload);
    }

    /// What the thread has counted.
    pub(super) fn tally(&self) -> DiskTally {
        *locked(&self.tally)
    }

    /// Counts from zero again.
    pub(super) fn reset(&self) {
        let mut tally = locked(&self.tally);
        *tally = DiskTally { loading: tally.loading, ..DiskTally::default() };
    }

    /// Hands over what was asked for since the last time.
    pub(super) fn submit(&mut self) {
        if let Some(batches) = self.batches.as_ref().filter(|_| !self.batch.is_empty()) {
            // A thread that has failed has said so.
            let _ = batches.send(mem::take(&mut self.batch));
        }
    }
}

impl<I> Drop for Disk<I> {
    fn drop(&mut self) {
        if let Some(batches) = &self.batches {
            let _ = batches.send(mem::take(&mut self.batch));
        }
        self.batches = None;
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

/// A new server writes down that it has nothing, like ZooKeeper's: a log is a history only behind a snapshot.
fn begin<S: Service>(folders: &Folders, journal: &mut Journal, service: &S) -> Result<(), StoreError> {
    let is_snapshot = |name: &str| matches!(FileName::of(name), FileName::Snapshot(_));
    if folders.list(Dir::Data)?.iter().any(|(name, _)| is_snapshot(name)) {
        return Ok(());
    }
    let (chunks, digest) = (service.freeze().into_iter().collect(), Some(service.digest()));
    let first = JournalWrite::Snapshot { id: WriteId(0), zxid: Zxid::ZERO, chunks, digest };
    journal.batch(vec![first], folders, true, |op| folders.execute(op))
}

/// What is on disk, and a service in that state.
fn recover<S: Service>(
    folders: &Folders,
    beginning: Beginning,
    window: usize,
    fresh: &impl Fn() -> S,
) -> Result<(Recovered, S), StoreError> {
    let service = RefCell::new(fresh());
    let restore = |zxid, file: SnapshotFile| {
        let mut service = service.borrow_mut();
        service.restore(zxid, &[file.body])?;
        if let Some((until, digest)) = file.digest {
            service.expect_digest(until, digest);
        }
        Ok(())
    };
    // Nobody waits for what it would say of txns that clients have heard of long ago.
    let apply = |txn: &Txn| {
        S::check(txn).map_err(|why| unknown_txn(txn, &why))?;
        drop(service.borrow_mut().apply(zab::Instant::ZERO, txn, false, &mut Vec::new()));
        Ok(())
    };
    let found = store::recover_from(beginning, folders, window, restore, apply, |op| folders.execute(op))?;
    folders.sync_all()?;
    found.notes.iter().for_each(|note| warn!(%note, "found on disk"));
    if let Some(record) = &found.corrupt {
        error!(%record, "what follows is lost: this server counts as one without data until another gives it theirs");
    }
    let last = found.recovered.last_zxid;
    let snapshot = found.snapshot.map(|zxid| Hex(zxid).to_string());
    match last {
        Zxid::MISSING => warn!("without data: this server neither votes nor leads until another gives it theirs"),
        _ => info!(snapshot, last = %Hex(last), "read what is on disk"),
    }
    let service = if last == Zxid::MISSING { fresh() } else { service.into_inner() };
    Ok((found.recovered, service))
}

struct Worker<S> {
    folders: Folders,
    journal: Journal,
    settings: JournalSettings,
    force_sync: bool,
    /// A sync that takes longer is told.
    slow_sync: Duration,
    purging: Option<Purging>,
    beginning: Beginning,
    tally: Arc<Mutex<DiskTally>>,
    window: usize,
    news: mpsc::UnboundedSender<News<S>>,
    /// Writes that came one after the other.
    writes: Vec<JournalWrite>,
    /// Writes a snapshot.
    beside: Option<JoinHandle<()>>,
}

/// When what is no longer needed goes next.
struct Purging {
    retain: usize,
    interval: Duration,
    next: Instant,
}

impl Purging {
    /// Now, and then at intervals.
    fn new(purge: Purge) -> Purging {
        Purging { retain: purge.retain, interval: std_duration(purge.interval), next: Instant::now() }
    }
}

/// A write failed; the driver knows.
struct Failed;

impl<S> Worker<S>
where
    S: Service<Image: Send + 'static> + Send + 'static,
{
    fn run(&mut self, work: &queue::Receiver<Vec<Work<S::Image>>>, fresh: &impl Fn() -> S) -> Result<(), Failed> {
        loop {
            let mut batch = match self.purge_when_due() {
                Some(wait) => match work.recv_timeout(wait) {
                    Ok(batch) => batch,
                    Err(RecvTimeoutError::Timeout) => continue,
                    Err(RecvTimeoutError::Disconnected) => return Ok(()),
                },
                None => match work.recv() {
                    Ok(batch) => batch,
                    Err(_) => return Ok(()),
                },
            };
            loop {
                let mut works = batch.into_iter().peekable();
                while let Some(work) = works.next() {
                    self.take(work, works.peek(), fresh)?;
                }
                if self.writes.len() >= MOST_WRITES {
                    break;
                }
                match work.try_recv() {
                    Ok(more) => batch = more,
                    Err(_) => break,
                }
            }
            self.commit()?;
        }
    }

    /// Removes what is no longer needed, if it is time to; returns how long until it is again.
    fn purge_when_due(&mut self) -> Option<Duration> {
        let purging = self.purging.as_mut()?;
        let wait = purging.next.saturating_duration_since(Instant::now());
        if !wait.is_zero() {
            return Some(wait);
        }
        purging.next += purging.interval;
        let (retain, interval) = (purging.retain, purging.interval);
        match self.folders.purge(retain) {
            Ok((0, _)) => debug!("nothing to purge (autopurge)"),
            Ok((files, base)) => {
                info!(files, "purged old snapshots and logs (autopurge)");
                if let Some(base) = base {
                    self.tell(News::Purged { base });
                }
            }
            Err(error) => {
                warn!(%error, "cannot purge old snapshots and logs (autopurge)");
                // Some of them may be gone.
                if let Ok(Some(base)) = self.folders.oldest_snapshot() {
                    self.tell(News::Purged { base });
                }
            }
        }
        Some(interval)
    }

    /// `next` is what was asked for in the same step, or in a later one.
    fn take(
        &mut self,
        work: Work<S::Image>,
        next: Option<&Work<S::Image>>,
        fresh: &impl Fn() -> S,
    ) -> Result<(), Failed> {
        match work {
            Work::Write(id, write) => {
                if matches!(write, Write::Truncate { .. } | Write::InstallSnapshot { .. }) {
                    self.finish_snapshot();
                }
                self.writes.push(JournalWrite::Plain(id, write));
            }
            Work::Snapshot { id, zxid, image, digest } => {
                let received = |next: &Work<S::Image>| matches!(next, Work::Write(_, Write::InstallSnapshot { zxid: own }) if *own == zxid);
                if next.is_some_and(received) {
                    self.finish_snapshot();
                    let chunks = image.into_iter().collect();
                    self.writes.push(JournalWrite::Snapshot { id, zxid, chunks, digest: Some(digest) });
                } else {
                    self.writes.push(JournalWrite::SnapshotBeside(id));
                    // The log that leads up to it is durable before it is there, if logs are synced at all.
                    self.commit()?;
                    self.begin_snapshot(id, zxid, image, digest);
                }
            }
            Work::ReadLog { read, from, size_factor } => {
                self.commit()?;
                let slice = store::read_log(&self.folders, from, size_factor).unwrap_or_else(|error| {
                    error!(%error, "cannot read the log for a learner");
                    LogSlice::Purged
                });
                self.tell(News::LogRead { read, slice });
            }
            Work::Reload => {
                // What it reports is durable, so everything written is synced first, and told.
                self.commit()?;
                self.finish_snapshot();
                match recover(&self.folders, self.beginning, self.window, fresh) {
                    Ok((recovered, service)) => {
                        self.journal = Journal::new(self.settings);
                        self.tell(News::Reloaded { recovered, service: Box::new(service) });
                    }
                    Err(error) => {
                        error!(%error, "cannot read what is on disk");
                        self.tell(News::Unreadable);
                        return Err(Failed);
                    }
                }
            }
        }
        Ok(())
    }

    fn begin_snapshot(&mut self, id: WriteId, zxid: Zxid, image: S::Image, digest: u64) {
        if self.beside.as_ref().is_some_and(|thread| !thread.is_finished()) {
            warn!(zxid = %Hex(zxid), "no snapshot: the last one is still being written");
            return;
        }
        self.finish_snapshot();
        let (folders, settings, news) = (self.folders.again(), self.settings, self.news.clone());
        let tally = self.tally.clone();
        let write = move || {
            let begun = Instant::now();
            let trailers = settings.trailers(Some(digest));
            match store::write_snapshot(zxid, image, trailers, |op| folders.execute(op)) {
                Ok(()) => {
                    let took_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
                    locked(&tally).snapshots.add(took_ms);
                    info!(zxid = %Hex(zxid), took_ms, "snapshot written");
                }
                Err(error) => {
                    error!(%error, zxid = %Hex(zxid), "cannot write a snapshot");
                    let _ = news.send(News::WriteFailed { id, error: folders.write_error() });
                }
            }
        };
        match thread::Builder::new().name("zabsim-snapshot".to_owned()).spawn(write) {
            Ok(thread) => self.beside = Some(thread),
            Err(error) => warn!(%error, zxid = %Hex(zxid), "no snapshot: no thread to write it"),
        }
    }

    /// Waits until no snapshot is being written.
    fn finish_snapshot(&mut self) {
        if let Some(thread) = self.beside.take() {
            drop(thread.join());
        }
    }

    /// Writes what waits, syncs it once and reports it.
    fn commit(&mut self) -> Result<(), Failed> {
        let writes = mem::take(&mut self.writes);
        let (Some(first), Some(last)) = (writes.first().map(JournalWrite::id), writes.last().map(JournalWrite::id))
        else {
            return Ok(());
        };
        let (folders, slow, tally) = (&self.folders, self.slow_sync, &self.tally);
        locked(tally).batches.add(writes.len() as u64);
        let execute = |op: FileOp| {
            let is_log_sync = matches!(&op, FileOp::Sync { dir: Dir::Log, .. });
            let started = Instant::now();
            folders.execute(op)?;
            if is_log_sync {
                let took = started.elapsed();
                let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
                locked(tally).syncs.add(ms);
                if took > slow {
                    locked(tally).slow_syncs += 1;
                    warn!(ms, "the sync of a log was slow, and every write waited for it (fsync.warningthresholdms)");
                }
            }
            Ok(())
        };
        match self.journal.batch(writes, folders, self.force_sync, execute) {
            Ok(()) => {
                self.tell(News::Persisted { through: last });
                Ok(())
            }
            Err(reason) => {
                let error = folders.write_error();
                let help =
                    if error == WriteError::Full { "the disk is full: make room" } else { "see what the disk has" };
                error!(error = %reason, "cannot write; {help}, then start again: what was acknowledged is there");
                self.tell(News::WriteFailed { id: first, error });
                Err(Failed)
            }
        }
    }

    fn tell(&self, news: News<S>) {
        // A driver that has ended does not listen.
        let _ = self.news.send(news);
    }
}

fn locked(tally: &Mutex<DiskTally>) -> MutexGuard<'_, DiskTally> {
    tally.lock().unwrap_or_else(PoisonError::into_inner)
}
