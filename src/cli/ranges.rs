//! Ranges, as Rust writes them: `A..B` without B, `A..=B` with it.

use std::ops::{Range, RangeInclusive};

/// Seeds to run, from the first up to but without the last.
pub(super) type Seeds = Range<u64>;

/// `1..201` or `1..=200`.
pub(super) fn parse_seeds(text: &str) -> Result<Seeds, String> {
    let error = || format!("expected a range of seeds such as 1..201 or 1..=200, not {text:?}");
    let (first, last) = text.split_once("..").ok_or_else(error)?;
    let (last, inclusive) = last.strip_prefix('=').map_or((last, 0), |last| (last, 1));
    let first = first.parse::<u64>().map_err(|_| error())?;
    let last = last.parse::<u64>().map_err(|_| error())?;
    let end = last.checked_add(inclusive).ok_or("the last seed of a range is at most 18446744073709551614")?;
    if first < end { Ok(first..end) } else { Err(empty(text, "seed", first, last)) }
}

/// `10..21`, `10..=20`, `10..`, `..21`, `..=20`: steps.
pub(super) fn parse_span(text: &str) -> Result<RangeInclusive<u64>, String> {
    let error = || format!("expected a span of steps such as 100..201, 100..=200, 100.. or ..=200, not {text:?}");
    let (first, last) = text.split_once("..").ok_or_else(error)?;
    let number = |text: &str| text.parse::<u64>().map_err(|_| error());
    let first = if first.is_empty() { 1 } else { number(first)? };
    match last.strip_prefix('=') {
        None if last.is_empty() => Ok(first..=u64::MAX),
        None => match number(last)? {
            end if first < end => Ok(first..=end - 1),
            end => Err(empty(text, "step", first, end)),
        },
        Some(last) => match number(last)? {
            last if first <= last => Ok(first..=last),
            last => Err(empty(text, "step", first, last)),
        },
    }
}

fn empty(text: &str, what: &str, first: u64, last: u64) -> String {
    let hint = if first == last { format!("; with its end it is {first}..={last}") } else { String::new() };
    format!("{text:?} contains no {what}{hint}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_mean_what_they_mean_in_rust() {
        assert_eq!(parse_seeds("1..4"), Ok(1..4));
        assert_eq!(parse_seeds("1..=4"), Ok(1..5));
        assert_eq!(parse_seeds("4..4"), Err("\"4..4\" contains no seed; with its end it is 4..=4".into()));
        for bad in ["4", "1..", "..4", "x..4", "-1..4", "5..=4"] {
            assert!(parse_seeds(bad).is_err(), "{bad}");
        }
        assert!(parse_seeds("0..=18446744073709551615").unwrap_err().contains("at most 18446744073709551614"));
        assert_eq!(parse_span("3..9"), Ok(3..=8));
        assert_eq!(parse_span("3..=9"), Ok(3..=9));
        assert_eq!((parse_span("..9"), parse_span("..=9")), (Ok(1..=8), Ok(1..=9)));
        assert_eq!((parse_span("3.."), parse_span("..")), (Ok(3..=u64::MAX), Ok(1..=u64::MAX)));
        for bad in ["9..3", "9..9", "9..=8", "x..", "..=", "7", "..0"] {
            assert!(parse_span(bad).is_err(), "{bad}");
        }
    }
}
