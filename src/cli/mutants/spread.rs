//! Median and ninetieth percentile of a sample in which some never ended.

use serde::Serialize;

/// `None` is more than the budget: that share of the hunts found nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Spread {
    pub median: Option<u64>,
    pub p90: Option<u64>,
}

impl Spread {
    /// Of `values`, where `None` is greater than every number.
    pub(super) fn of(values: impl IntoIterator<Item = Option<u64>>) -> Spread {
        let mut values: Vec<Option<u64>> = values.into_iter().collect();
        values.sort_by_key(|value| (value.is_none(), *value));
        Spread { median: rank(&values, 50), p90: rank(&values, 90) }
    }
}

/// The nearest rank: a value that occurred.
fn rank(sorted: &[Option<u64>], percent: usize) -> Option<u64> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.checked_sub(1)?).copied().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_values_that_occurred() {
        assert_eq!(Spread::of((1..=20).rev().map(Some)), Spread { median: Some(10), p90: Some(18) });
        assert_eq!(Spread::of([Some(7)]), Spread { median: Some(7), p90: Some(7) });
        assert_eq!(Spread::of([]), Spread::default());
    }

    #[test]
    fn who_found_nothing_counts_as_more_than_the_budget() {
        let some = |found: u64| Spread::of((0..10).map(|n| (n < found).then_some(n)));
        assert_eq!(some(9), Spread { median: Some(4), p90: Some(8) });
        assert_eq!(some(8), Spread { median: Some(4), p90: None });
        assert_eq!(some(4), Spread::default());
    }
}
