//! Ranges, as they are written on the command line.

use std::ops::{Range, RangeInclusive};

/// Seeds to run, from the first up to but without the last.
pub(super) type Seeds = Range<u64>;

/// `1..201` or `1..=200`.
pub(super) fn parse_seeds(text: &str) -> Result<Seeds, String> {
    let error = || format!("expected a range of seeds such as 1..201, not {text:?}");
    let (first, last) = text.split_once("..").ok_or_else(error)?;
    let (last, inclusive) = last.strip_prefix('=').map_or((last, 0), |last| (last, 1));
    let first = first.parse::<u64>().map_err(|_| error())?;
    let last = last.parse::<u64>().ok().and_then(|last| last.checked_add(inclusive)).ok_or_else(error)?;
    if first < last { Ok(first..last) } else { Err(format!("{text:?} contains no seed")) }
}

/// `10..20`, `10..`, `..20`: steps, both ends included.
pub(super) fn parse_span(text: &str) -> Result<RangeInclusive<u64>, String> {
    let error = || format!("expected a span of steps such as 100..200, 100.. or ..200, not {text:?}");
    let (first, last) = text.split_once("..").ok_or_else(error)?;
    let last = last.strip_prefix('=').unwrap_or(last);
    let or = |text: &str, default| if text.is_empty() { Ok(default) } else { text.parse().map_err(|_| error()) };
    let span = or(first, 0)?..=or(last, u64::MAX)?;
    if span.is_empty() { Err(format!("{text:?} contains no step")) } else { Ok(span) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_half_open_for_seeds_and_closed_for_steps() {
        assert_eq!(parse_seeds("1..4"), Ok(1..4));
        assert_eq!(parse_seeds("1..=4"), Ok(1..5));
        assert!(
            parse_seeds("4..4").is_err()
                && parse_seeds("4").is_err()
                && parse_seeds("0..=18446744073709551615").is_err()
        );
        assert_eq!(
            (parse_span("3..9"), parse_span("..9"), parse_span("3..")),
            (Ok(3..=9), Ok(0..=9), Ok(3..=u64::MAX))
        );
        assert!(parse_span("9..3").is_err() && parse_span("x..").is_err());
    }
}
