//! What the simulated servers replicate: the ledger, or ZooKeeper's own service.

use std::collections::BTreeMap;

use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::codec::config_text;
use super::ledger::{Applied, Ledger, Order};
use super::{Digest, ServiceKind, Setup};
use crate::replica::{Asks, Service};
use crate::zab::{Config, Epoch, Instant, Payload, PeerState, Rejected, Sid, Txn, Zxid};
use crate::zk::model::{Acl, Create, CreateKind, Request, SessionId};
use crate::zk::service::config::ServiceConfig;
use crate::zk::service::prepare::{Context, Prepare};
use crate::zk::service::tree::Tree;
use crate::zk::service::zk::{Told, Zk};
use crate::zk::service::{Answer, Call};
use crate::zk::wire;

/// Unix time in milliseconds when a simulated clock shows 0.
const WALL_CLOCK: i64 = 1_700_000_000_000;

/// The node whose data the history that was on disk before a run sets.
const HISTORY: &str = "/history";

/// The state machine of one server.
#[derive(Clone, Debug)]
pub enum Machine {
    /// A hash chain: fast, and a broken order shows at once.
    Ledger(Ledger),
    /// The tree, sessions and watches of ZooKeeper, behind its own bytes.
    ZooKeeper(Box<ZooKeeper>),
}

/// The service that a real server runs.
#[derive(Clone, Debug)]
pub struct ZooKeeper {
    zk: Zk,
    /// The size of a piece of a snapshot.
    chunk: usize,
}

impl Machine {
    /// Without any history, for the server of `config`; `now` is what its clock shows.
    pub(super) fn new(setup: &Setup, config: &Config, now: Instant) -> Machine {
        match setup.service {
            ServiceKind::Ledger => Machine::Ledger(Ledger::new(setup.clients, setup.snapshot_chunk)),
            ServiceKind::ZooKeeper => {
                let service = ServiceConfig {
                    wall_clock_base: WALL_CLOCK,
                    config_text: config_text(config.ensemble.version()),
                    standalone: config.ensemble.voting().len() == 1,
                    ..ServiceConfig::new(config.sid, config.limits.tick_time)
                };
                let chunk = setup.snapshot_chunk.max(1);
                Machine::ZooKeeper(Box::new(ZooKeeper { zk: Zk::new(service, now), chunk }))
            }
        }
    }

    /// The last txn applied; [`Zxid::ZERO`] before the first.
    pub fn last_zxid(&self) -> Zxid {
        match self {
            Machine::Ledger(ledger) => ledger.last_zxid(),
            Machine::ZooKeeper(zookeeper) => zookeeper.zk.tree().last_processed(),
        }
    }

    /// The ledger, if it is one.
    pub fn ledger(&self) -> Option<&Ledger> {
        match self {
            Machine::Ledger(ledger) => Some(ledger),
            Machine::ZooKeeper(_) => None,
        }
    }

    /// ZooKeeper's tree, if there is one.
    pub fn tree(&self) -> Option<&Tree> {
        match self {
            Machine::Ledger(_) => None,
            Machine::ZooKeeper(zookeeper) => Some(zookeeper.zk.tree()),
        }
    }

    /// The payload of a txn of the history that was on disk before the run: it follows from its place in it.
    pub(super) fn prepare_history(&mut self, zxid: Zxid) -> Payload {
        match self {
            Machine::Ledger(ledger) => ledger.prepare_history(zxid),
            Machine::ZooKeeper(zookeeper) => zookeeper.prepare_history(zxid),
        }
    }

    /// Applies a txn of a log.
    pub(super) fn replay(&mut self, txn: &Txn) {
        self.apply(Instant::ZERO, txn, false, &mut Vec::new());
    }
}

impl ZooKeeper {
    fn prepare_history(&mut self, zxid: Zxid) -> Payload {
        let data = Some(Payload::new(zxid.to_string().as_bytes()));
        let request = if self.zk.tree().find(HISTORY).is_some() {
            Request::SetData { path: HISTORY.into(), data, version: -1 }
        } else {
            let (path, acl) = (HISTORY.into(), Some(vec![Acl::open()]));
            Request::Create(Create { kind: CreateKind::Create, path, data, acl, flags: 0, ttl: -1 })
        };
        let time = WALL_CLOCK + zxid.counter() as i64;
        let context = Context { zxid, time, session: SessionId(0), cxid: 0, ids: &[], checked: Ok(()) };
        let record = Prepare::new(self.zk.config().rules.clone()).prepare(self.zk.tree(), &context, &request);
        let mut bytes = Vec::new();
        wire::encode_txn(&record, &mut bytes);
        Payload::new(&bytes)
    }

    fn apply(&mut self, now: Instant, txn: &Txn, committed: bool, asks: &mut Asks<Machine>) -> Applied {
        let before = self.zk.tree().digest_mismatches();
        let told = self.zk.apply(now, txn, committed, asks);
        // A txn carries the digest that its leader expects behind it.
        let in_order = told != Told::Undecodable && self.zk.tree().digest_mismatches() == before;
        Applied { client: Order::NOBODY, serial: 0, in_order }
    }

    /// ZooKeeper's digest leaves out the sessions.
    fn digest(&self) -> Digest {
        let sessions: &BTreeMap<SessionId, i32> = self.zk.tree().sessions();
        sessions.iter().fold(self.zk.tree().digest(), |digest, (session, timeout)| {
            xxh3_64_with_seed(&session.0.to_le_bytes(), digest ^ u64::from(timeout.unsigned_abs()))
        })
    }

    fn freeze(&self) -> Vec<Payload> {
        let pieces: Vec<Payload> = self.zk.freeze().into_iter().collect();
        let bytes: Vec<u8> = pieces.iter().flat_map(|piece| piece.as_bytes()).copied().collect();
        // A link can always break between two pieces.
        bytes.chunks(self.chunk.min(bytes.len().div_ceil(2))).map(Payload::new).collect()
    }
}

impl Service for Machine {
    type Effect = Applied;
    type Call = Call;
    type Answer = Answer;
    type Image = Vec<Payload>;

    fn prepare(&mut self, now: Instant, zxid: Zxid, from: Sid, request: &Payload) -> Payload {
        match self {
            Machine::Ledger(ledger) => ledger.prepare_order(zxid, request),
            Machine::ZooKeeper(zookeeper) => zookeeper.zk.prepare(now, zxid, from, request),
        }
    }

    fn apply(&mut self, now: Instant, txn: &Txn, committed: bool, asks: &mut Asks<Machine>) -> Applied {
        match self {
            Machine::Ledger(ledger) => ledger.take(txn),
            Machine::ZooKeeper(zookeeper) => zookeeper.apply(now, txn, committed, asks),
        }
    }

    fn serve(
        &mut self,
        now: Instant,
        serving: Option<PeerState>,
        epoch: Epoch,
        leader: Option<Sid>,
        asks: &mut Asks<Machine>,
    ) {
        match self {
            Machine::Ledger(ledger) => ledger.forget_prepared(),
            Machine::ZooKeeper(zookeeper) => zookeeper.zk.serve(now, serving, epoch, leader, asks),
        }
    }

    fn freeze(&self) -> Vec<Payload> {
        match self {
            Machine::Ledger(ledger) => ledger.freeze(),
            Machine::ZooKeeper(zookeeper) => zookeeper.freeze(),
        }
    }

    fn restore(&mut self, zxid: Zxid, pieces: &[&[u8]]) -> Result<(), String> {
        match self {
            Machine::Ledger(ledger) => ledger.restore(zxid, pieces),
            Machine::ZooKeeper(zookeeper) => zookeeper.zk.restore(zxid, pieces),
        }
    }

    fn digest(&self) -> Digest {
        match self {
            Machine::Ledger(ledger) => ledger.digest(),
            Machine::ZooKeeper(zookeeper) => zookeeper.digest(),
        }
    }

    fn call(&mut self, now: Instant, call: Call, asks: &mut Asks<Machine>) {
        self.of_zookeeper(|zk| zk.call(now, call, asks));
    }

    fn synced(&mut self, now: Instant, token: u64, asks: &mut Asks<Machine>) {
        self.of_zookeeper(|zk| zk.synced(now, token, asks));
    }

    fn rejected(&mut self, now: Instant, rejected: &Rejected, asks: &mut Asks<Machine>) {
        self.of_zookeeper(|zk| zk.rejected(now, rejected, asks));
    }

    fn heard(&mut self, now: Instant, from: Sid, what: &Payload, asks: &mut Asks<Machine>) {
        self.of_zookeeper(|zk| zk.heard(now, from, what, asks));
    }

    fn touched(&mut self, now: Instant, from: Sid, sessions: &Payload) {
        self.of_zookeeper(|zk| zk.touched(now, from, sessions));
    }

    fn take_touched(&mut self) -> Payload {
        self.of_zookeeper(Zk::take_touched).unwrap_or(Payload::EMPTY)
    }

    fn next_timeout(&self) -> Option<Instant> {
        match self {
            Machine::Ledger(_) => None,
            Machine::ZooKeeper(zookeeper) => zookeeper.zk.next_timeout(),
        }
    }

    fn wake(&mut self, now: Instant, asks: &mut Asks<Machine>) {
        self.of_zookeeper(|zk| zk.wake(now, asks));
    }
}

impl Machine {
    /// The ledger has neither clients of its own nor timers.
    fn of_zookeeper<T>(&mut self, say: impl FnOnce(&mut Zk) -> T) -> Option<T> {
        match self {
            Machine::Ledger(_) => None,
            Machine::ZooKeeper(zookeeper) => Some(say(&mut zookeeper.zk)),
        }
    }
}
