//! Deadlines in buckets (`ExpiryQueue`): cheap to put off, and none is ever due early.

use std::collections::{BTreeMap, BTreeSet};

use crate::zab::{Duration, Instant};

/// What ends when. A deadline is rounded up to the end of its bucket, so that one that is put off seldom moves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpiryQueue<K> {
    /// The width of a bucket in milliseconds, never 0.
    width: u64,
    ends: BTreeMap<K, u64>,
    buckets: BTreeMap<u64, BTreeSet<K>>,
}

impl<K: Copy + Ord> ExpiryQueue<K> {
    /// Empty, with buckets of this width.
    pub fn new(width: Duration) -> ExpiryQueue<K> {
        ExpiryQueue { width: width.as_millis().max(1), ends: BTreeMap::new(), buckets: BTreeMap::new() }
    }

    /// `key` ends `timeout` milliseconds from now, whatever was said of it before.
    pub fn put_off(&mut self, now: Instant, key: K, timeout: i32) {
        let end = ((millis(now) + u64::from(timeout.max(0).unsigned_abs())) / self.width + 1) * self.width;
        if self.ends.get(&key) != Some(&end) {
            self.remove(key);
            self.ends.insert(key, end);
            self.buckets.entry(end).or_default().insert(key);
        }
    }

    /// `key` never ends.
    pub fn remove(&mut self, key: K) {
        let Some(end) = self.ends.remove(&key) else { return };
        let bucket = self.buckets.get_mut(&end).expect("every end has its bucket");
        bucket.remove(&key);
        if bucket.is_empty() {
            self.buckets.remove(&end);
        }
    }

    /// Takes out what has ended, in the order of the ends.
    pub fn poll(&mut self, now: Instant) -> Vec<K> {
        let mut ended = Vec::new();
        while let Some(bucket) = self.buckets.first_entry().filter(|bucket| *bucket.key() <= millis(now)) {
            ended.extend(bucket.remove());
        }
        for key in &ended {
            self.ends.remove(key);
        }
        ended
    }

    /// When the next bucket ends.
    pub fn next_timeout(&self) -> Option<Instant> {
        self.buckets.first_key_value().map(|(end, _)| Instant(end.saturating_mul(1_000_000)))
    }

    /// What ends when, in milliseconds since the host started.
    pub fn buckets(&self) -> impl Iterator<Item = (u64, &BTreeSet<K>)> {
        self.buckets.iter().map(|(end, keys)| (*end, keys))
    }
}

fn millis(now: Instant) -> u64 {
    now.0 / 1_000_000
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Instant {
        Instant(millis * 1_000_000)
    }

    #[test]
    fn a_deadline_is_the_end_of_its_bucket() {
        let mut queue = ExpiryQueue::new(Duration::from_millis(2000));
        queue.put_off(at(500), 'a', 10_000);
        queue.put_off(at(0), 'b', 2000);
        assert_eq!(queue.next_timeout(), Some(at(4000)), "a whole time-out, and what is left of the tick");
        assert!(queue.poll(at(3999)).is_empty());
        assert_eq!(queue.poll(at(12_000)), ['b', 'a']);
        assert_eq!((queue.poll(at(90_000)).len(), queue.next_timeout()), (0, None), "each ends once");
    }

    #[test]
    fn what_is_put_off_or_removed_does_not_end() {
        let mut queue = ExpiryQueue::new(Duration::from_millis(1000));
        queue.put_off(at(0), 'a', 1000);
        queue.put_off(at(0), 'b', 1000);
        queue.put_off(at(1999), 'a', 1000);
        queue.remove('b');
        assert!(queue.poll(at(2000)).is_empty());
        assert_eq!(queue.poll(at(3000)), ['a']);
        assert_eq!(queue, ExpiryQueue::new(Duration::from_millis(1000)), "nothing is left behind");
        queue.put_off(at(0), 'c', -1);
        assert_eq!(queue.next_timeout(), Some(at(1000)), "a negative time-out is none");
    }
}
