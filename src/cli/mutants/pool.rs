//! Several things at the same time, each on one thread; the results are in the order of the items.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Applies `f` to each item on so many threads.
pub(super) fn each<T: Sync, R: Send>(jobs: usize, items: &[T], f: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let results: Mutex<Vec<Option<R>>> = Mutex::new(items.iter().map(|_| None).collect());
    std::thread::scope(|scope| {
        for _ in 0..jobs.clamp(1, items.len().max(1)) {
            scope.spawn(|| {
                while let Some((index, item)) = at(items, next.fetch_add(1, Ordering::Relaxed)) {
                    let result = f(item);
                    results.lock().expect("nothing panics while it is held")[index] = Some(result);
                }
            });
        }
    });
    let results = results.into_inner().expect("nothing panics while it is held");
    results.into_iter().map(|result| result.expect("every item had its turn")).collect()
}

fn at<T>(items: &[T], index: usize) -> Option<(usize, &T)> {
    items.get(index).map(|item| (index, item))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_in_order_however_many_there_are_at_a_time() {
        let items: Vec<u64> = (0..100).collect();
        let expected: Vec<u64> = items.iter().map(|n| n * n).collect();
        for jobs in [1, 3, 1_000] {
            assert_eq!(each(jobs, &items, |n| n * n), expected);
        }
        assert!(each(4, &[] as &[u64], |n| n * n).is_empty());
    }
}
