//! The service under test: a hash chain in which every txn names the state it was prepared on.
//!
//! A primary-backup protocol must apply a txn to exactly the state its leader prepared it on (primary order in the Zab
//! paper). Here a txn says which state that was, so a broken order shows when it is applied, not only when histories are
//! compared.

use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::Digest;
use crate::replica::{Asks, Service};
use crate::zab::{Epoch, Instant, Payload, PeerState, Sid, Txn, Zxid};

/// A snapshot never has fewer pieces, so that a link can always break between two.
const MIN_CHUNKS: usize = 2;

/// A client's write: who, which of its operations, and a number that makes equal-looking writes different.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) client: u8,
    pub(super) serial: u32,
    pub(super) unique: u64,
}

impl Order {
    /// The "client" of what was on disk before the run.
    pub(super) const NOBODY: u8 = u8::MAX;

    const LEN: usize = 13;

    pub(super) fn request(self) -> Payload {
        Payload::new(&self.bytes())
    }

    pub(super) fn bytes(self) -> [u8; Order::LEN] {
        let mut bytes = [0; Order::LEN];
        bytes[0] = self.client;
        bytes[1..5].copy_from_slice(&self.serial.to_le_bytes());
        bytes[5..].copy_from_slice(&self.unique.to_le_bytes());
        bytes
    }

    pub(super) fn read(bytes: &[u8]) -> Option<Order> {
        let bytes: &[u8; Order::LEN] = bytes.try_into().ok()?;
        let serial = u32::from_le_bytes(bytes[1..5].try_into().ok()?);
        let unique = u64::from_le_bytes(bytes[5..].try_into().ok()?);
        Some(Order { client: bytes[0], serial, unique })
    }
}

/// What applying a txn tells the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Applied {
    /// Whose write it was; `u8::MAX` for one that was on disk before the run.
    pub client: u8,
    /// Which of its operations.
    pub serial: u32,
    /// Whether the txn was prepared on the state it was applied to.
    pub in_order: bool,
}

/// The digest of a txn's payload.
pub(super) fn digest_of(payload: &Payload) -> Digest {
    xxh3_64_with_seed(payload.as_bytes(), 0)
}

/// The state: the head of the chain, and the last serial of every client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ledger {
    head: Digest,
    applied: Zxid,
    serials: Vec<u32>,
    /// The head after every txn prepared so far, while somebody prepares.
    prepared: Option<Digest>,
    chunk: usize,
}

impl Ledger {
    /// An empty ledger.
    pub fn new(clients: u8, snapshot_chunk: usize) -> Ledger {
        Ledger {
            head: 0,
            applied: Zxid::ZERO,
            serials: vec![0; clients.into()],
            prepared: None,
            chunk: snapshot_chunk.max(1),
        }
    }

    /// The last txn applied; [`Zxid::ZERO`] before the first.
    pub fn last_zxid(&self) -> Zxid {
        self.applied
    }

    /// The serial of the last write of `client` in this state, 0 before the first.
    pub fn last_serial(&self, client: u8) -> u32 {
        self.serials.get(usize::from(client)).copied().unwrap_or(0)
    }

    /// The payload of a txn of the history that was on disk before the run: it follows from its place in it.
    pub(super) fn prepare_history(&mut self, zxid: Zxid) -> Payload {
        self.prepare_order(zxid, &Order { client: Order::NOBODY, serial: 0, unique: zxid.0 as u64 }.request())
    }

    /// Turns a write into a txn on the state after every one prepared so far.
    pub(super) fn prepare_order(&mut self, zxid: Zxid, request: &Payload) -> Payload {
        let base = self.prepared.unwrap_or(self.head);
        let request = request.as_bytes();
        let mut bytes = [0; 8 + Order::LEN];
        let len = request.len().min(Order::LEN);
        bytes[..8].copy_from_slice(&base.to_le_bytes());
        bytes[8..8 + len].copy_from_slice(&request[..len]);
        self.prepared = Some(Ledger::next(base, zxid, &bytes));
        Payload::new(&bytes)
    }

    /// Applies a txn.
    pub(super) fn take(&mut self, txn: &Txn) -> Applied {
        let bytes = txn.payload.as_bytes();
        let (base, order) = bytes.split_at(bytes.len().min(8));
        let in_order = base == self.head.to_le_bytes();
        self.head = Ledger::next(self.head, txn.zxid, bytes);
        self.applied = txn.zxid;
        let order = Order::read(order).unwrap_or(Order { client: Order::NOBODY, serial: 0, unique: 0 });
        if let Some(serial) = self.serials.get_mut(usize::from(order.client)) {
            *serial = order.serial.max(*serial);
        }
        Applied { client: order.client, serial: order.serial, in_order }
    }

    /// Forgets what was prepared and not applied.
    pub(super) fn forget_prepared(&mut self) {
        self.prepared = None;
    }

    fn next(head: Digest, zxid: Zxid, payload: &[u8]) -> Digest {
        xxh3_64_with_seed(payload, head ^ (zxid.0 as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }
}

impl Service for Ledger {
    type Effect = Applied;
    type Call = ();
    type Answer = ();
    type Image = Vec<Payload>;

    fn prepare(&mut self, _: Instant, zxid: Zxid, _: Sid, request: &Payload) -> Payload {
        self.prepare_order(zxid, request)
    }

    fn apply(&mut self, _: Instant, txn: &Txn, _: bool, _: &mut Asks<Ledger>) -> Applied {
        self.take(txn)
    }

    fn serve(&mut self, _: Instant, _: Option<PeerState>, _: Epoch, _: Option<Sid>, _: &mut Asks<Ledger>) {
        self.forget_prepared();
    }

    fn freeze(&self) -> Vec<Payload> {
        let mut bytes = Vec::with_capacity(8 + 4 * self.serials.len());
        bytes.extend_from_slice(&self.head.to_le_bytes());
        self.serials.iter().for_each(|serial| bytes.extend_from_slice(&serial.to_le_bytes()));
        let padded = bytes.len().max((MIN_CHUNKS - 1) * self.chunk + 1);
        bytes.resize(padded, 0);
        bytes.chunks(self.chunk).map(Payload::new).collect()
    }

    fn restore(&mut self, zxid: Zxid, pieces: &[&[u8]]) -> Result<(), String> {
        let bytes = pieces.concat();
        self.prepared = None;
        self.applied = zxid;
        let whole = bytes.len() >= 8 + 4 * self.serials.len();
        // Pieces can only be missing where FIFO is off. Such a state equals no other, which checkers will see.
        self.head = if whole { word(&bytes) } else { xxh3_64_with_seed(&bytes, 1) };
        for (index, serial) in self.serials.iter_mut().enumerate() {
            let at = 8 + 4 * index;
            *serial = bytes.get(at..at + 4).map_or(0, |b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]));
        }
        Ok(())
    }

    fn digest(&self) -> u64 {
        self.head
    }
}

fn word(bytes: &[u8]) -> u64 {
    bytes.iter().take(8).rev().fold(0, |word, &byte| word << 8 | u64::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn z(counter: u32) -> Zxid {
        Zxid::new(Epoch(1), counter)
    }

    fn write(ledger: &mut Ledger, counter: u32, client: u8, serial: u32) -> Txn {
        let payload = ledger.prepare_order(z(counter), &Order { client, serial, unique: 0 }.request());
        Txn { zxid: z(counter), payload }
    }

    #[test]
    fn txns_applied_as_prepared_are_in_order() {
        let mut leader = Ledger::new(2, 64);
        let mut follower = leader.clone();
        let txns: Vec<Txn> = (1..=3).map(|n| write(&mut leader, n, 1, 10 * n)).collect();
        for txn in &txns {
            assert!(leader.take(txn).in_order);
            assert_eq!(follower.take(txn), Applied { client: 1, serial: 10 * txn.zxid.counter(), in_order: true });
        }
        assert_eq!(leader.digest(), follower.digest());
        assert_eq!((follower.last_serial(0), follower.last_serial(1), follower.last_zxid()), (0, 30, z(3)));
    }

    #[test]
    fn a_txn_on_the_wrong_state_is_noticed() {
        let mut leader = Ledger::new(1, 64);
        let first = write(&mut leader, 1, 0, 1);
        let second = write(&mut leader, 2, 0, 2);
        let mut skipping = Ledger::new(1, 64);
        assert!(!skipping.take(&second).in_order);
        let mut twice = Ledger::new(1, 64);
        assert!(twice.take(&first).in_order && !twice.take(&first).in_order);
    }

    #[test]
    fn what_was_prepared_can_be_forgotten() {
        let mut ledger = Ledger::new(1, 64);
        write(&mut ledger, 1, 0, 1);
        ledger.forget_prepared();
        let txn = write(&mut ledger, 2, 0, 1);
        assert!(ledger.take(&txn).in_order);
    }

    #[test]
    fn a_snapshot_restores_the_state_whatever_its_pieces() {
        let mut ledger = Ledger::new(3, 64);
        for n in 1..=5 {
            let txn = write(&mut ledger, n, (n % 3) as u8, n);
            ledger.take(&txn);
        }
        ledger.forget_prepared();
        for chunk in [1, 7, 27, 28, 64, 5000] {
            let mut source = Ledger { chunk, ..ledger.clone() };
            source.forget_prepared();
            let chunks = source.freeze();
            let pieces: Vec<&[u8]> = chunks.iter().map(Payload::as_bytes).collect();
            assert!(pieces.len() >= MIN_CHUNKS, "chunk {chunk}");
            let mut copy = Ledger::new(3, chunk);
            copy.restore(z(5), &pieces).unwrap();
            assert_eq!(copy, source);
            let mut torn = Ledger::new(3, chunk);
            torn.restore(z(5), &pieces[1..]).unwrap();
            assert_ne!(torn.digest(), source.digest(), "chunk {chunk}");
        }
    }

    #[test]
    fn a_txn_of_a_client_fits_without_an_allocation() {
        let payload = write(&mut Ledger::new(1, 64), 1, 0, u32::MAX);
        assert!(payload.payload.as_bytes().len() <= 30);
        assert_eq!(digest_of(&Payload::EMPTY), 0x2d06_8005_38d3_94c2, "xxh3 of nothing, as published");
    }
}
