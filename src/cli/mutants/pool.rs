//! Several things at the same time, each on one thread; the results are in the order of the items.

use std::ops::ControlFlow;

use crate::fuzz::parallel;

/// Applies `f` to each item on so many threads.
pub(super) fn each<T: Sync, R: Send>(jobs: usize, items: &[T], f: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let mut results = Vec::with_capacity(items.len());
    let take = |_, result| {
        results.push(result);
        ControlFlow::Continue(())
    };
    let _ = parallel::ordered(0..items.len() as u64, jobs, |index| f(&items[index as usize]), take);
    results
}
