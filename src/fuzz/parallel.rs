//! Many runs at once, taken in order: what comes of them does not depend on how many there are at a time.
#![allow(clippy::disallowed_methods, reason = "one run is one thread; this is where several are made at once")]

use std::collections::BTreeMap;
use std::ops::{ControlFlow, Range};
use std::sync::{Condvar, Mutex, MutexGuard};

/// Results that may wait for an earlier one, for each worker. A run that takes long holds nobody up, and memory stays bounded.
const AHEAD: u64 = 64;

/// Calls `work` with every number of `range`, on `jobs` threads, and hands what comes of it to `take` in ascending order, on the
/// thread of the caller, until `take` breaks. What was worked on beyond that number is dropped; tells whether it broke.
///
/// A panic in `work` or `take` is one of the caller's: all threads end, and it goes on there.
pub fn ordered<T: Send>(
    range: Range<u64>,
    jobs: usize,
    work: impl Fn(u64) -> T + Sync,
    mut take: impl FnMut(u64, T) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let count = range.end.saturating_sub(range.start);
    let jobs = u64::try_from(jobs).unwrap_or(u64::MAX).clamp(1, count.max(1));
    if jobs == 1 {
        return range.into_iter().try_for_each(|number| take(number, work(number)));
    }
    let desk = Desk::new(range.clone(), jobs.saturating_mul(AHEAD));
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                let closes = Closes(&desk);
                while let Some(number) = desk.draw() {
                    desk.put(number, work(number));
                }
                // Nothing more to draw: others are still at work.
                std::mem::forget(closes);
            });
        }
        let _closes = Closes(&desk);
        for number in range {
            let Some(result) = desk.fetch(number) else { break };
            take(number, result)?;
        }
        ControlFlow::Continue(())
    })
}

/// Where workers draw numbers and put results.
struct Desk<T> {
    state: Mutex<State<T>>,
    /// Something was put there, or the desk closed.
    put: Condvar,
    /// Something was fetched, or the desk closed.
    fetched: Condvar,
    end: u64,
    ahead: u64,
}

struct State<T> {
    /// The next to be drawn.
    next: u64,
    /// The next to be fetched.
    due: u64,
    ready: BTreeMap<u64, T>,
    is_closed: bool,
}

impl<T> Desk<T> {
    fn new(range: Range<u64>, ahead: u64) -> Desk<T> {
        let state = State { next: range.start, due: range.start, ready: BTreeMap::new(), is_closed: false };
        Desk { state: Mutex::new(state), put: Condvar::new(), fetched: Condvar::new(), end: range.end, ahead }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().expect("nothing panics while it is held")
    }

    /// The next number to work on; `None` if there is no more to do.
    fn draw(&self) -> Option<u64> {
        let is_far = |state: &State<T>| state.next < self.end && state.next - state.due >= self.ahead;
        let wait = |state: &mut State<T>| !state.is_closed && is_far(state);
        let mut state = self.fetched.wait_while(self.lock(), wait).expect("nothing panics while it is held");
        if state.is_closed || state.next >= self.end {
            return None;
        }
        state.next += 1;
        Some(state.next - 1)
    }

    fn put(&self, number: u64, result: T) {
        self.lock().ready.insert(number, result);
        self.put.notify_one();
    }

    /// The result of a number; `None` if it will not come.
    fn fetch(&self, number: u64) -> Option<T> {
        let wait = |state: &mut State<T>| !state.is_closed && !state.ready.contains_key(&number);
        let mut state = self.put.wait_while(self.lock(), wait).expect("nothing panics while it is held");
        let result = state.ready.remove(&number)?;
        state.due = number + 1;
        drop(state);
        self.fetched.notify_all();
        Some(result)
    }
}

/// Closes the desk when it goes, by a panic as well: whoever waits goes home.
struct Closes<'a, T>(&'a Desk<T>);

impl<T> Drop for Closes<'_, T> {
    fn drop(&mut self) {
        self.0.lock().is_closed = true;
        self.0.put.notify_all();
        self.0.fetched.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    /// Work that takes longer for some numbers, so that results come out of order.
    fn uneven(number: u64) -> u64 {
        (0..(number * 7919) % 5000).fold(number, |hash, i| hash.wrapping_mul(31).wrapping_add(i))
    }

    #[test]
    fn results_come_in_order_whatever_the_jobs() {
        let all = |jobs| {
            let mut taken = Vec::new();
            let broke = ordered(3..1003, jobs, uneven, |number, result| {
                taken.push((number, result));
                ControlFlow::Continue(())
            });
            assert!(broke.is_continue());
            taken
        };
        let one = all(1);
        assert_eq!((one.len(), one[0].0), (1000, 3));
        assert!([2, 3, 8].iter().all(|&jobs| all(jobs) == one));
    }

    #[test]
    fn it_stops_where_it_is_told_and_soon() {
        for jobs in [1, 2, 4] {
            let worked = AtomicU64::new(0);
            let mut last = 0;
            let broke = ordered(
                0..u64::MAX,
                jobs,
                |number| {
                    worked.fetch_add(1, Ordering::Relaxed);
                    number
                },
                |number, _| {
                    last = number;
                    if number == 500 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
                },
            );
            assert!(broke.is_break() && last == 500);
            assert!(worked.into_inner() <= 501 + jobs as u64 * (AHEAD + 1));
        }
        assert!(ordered(5..5, 4, |_| (), |_, ()| ControlFlow::Break(())).is_continue());
    }

    #[test]
    fn a_panic_is_not_a_wait_for_ever() {
        for jobs in [1, 3] {
            let panics = std::panic::catch_unwind(|| {
                ordered(0..1000, jobs, |number| assert!(number != 77), |_, ()| ControlFlow::Continue(()))
            });
            assert!(panics.is_err());
            let panics = std::panic::catch_unwind(|| {
                ordered(0..1000, jobs, uneven, |number, _| {
                    assert!(number != 77);
                    ControlFlow::Continue(())
                })
            });
            assert!(panics.is_err());
        }
    }
}
