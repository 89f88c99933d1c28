//! Ranges, as Rust writes them: `A..B` without B, `A..=B` with it.

use std::ops::RangeInclusive;

/// Seeds to run.
pub(super) type Seeds = RangeInclusive<u64>;

/// `1..201` or `1..=200`.
pub(super) fn parse_seeds(text: &str) -> Result<Seeds, String> {
    let error = || format!("expected a range of seeds such as 1..201 or 1..=200, not {text:?}");
    let (first, last) = text.split_once("..").ok_or_else(error)?;
    between(text, "seed", first.parse().map_err(|_| error())?, last, error)
}

/// `10..21`, `10..=20`, `10..`, `..21`, `..=20`: steps.
pub(super) fn parse_span(text: &str) -> Result<RangeInclusive<u64>, String> {
    let error = || format!("expected a span of steps such as 100..201, 100..=200, 100.. or ..=200, not {text:?}");
    let (first, last) = text.split_once("..").ok_or_else(error)?;
    let first = if first.is_empty() { 1 } else { first.parse().map_err(|_| error())? };
    if last.is_empty() { Ok(first..=u64::MAX) } else { between(text, "step", first, last, error) }
}

/// From `first` to what stands behind the two dots.
fn between(
    text: &str,
    what: &str,
    first: u64,
    last: &str,
    error: impl Fn() -> String,
) -> Result<RangeInclusive<u64>, String> {
    let number = |text: &str| text.parse::<u64>().map_err(|_| error());
    match last.strip_prefix('=') {
        Some(last) => Some(first..=number(last)?).filter(|range| !range.is_empty()),
        None => number(last)?.checked_sub(1).map(|last| first..=last).filter(|range| !range.is_empty()),
    }
    .ok_or_else(|| {
        let one =
            if last.parse() == Ok(first) { format!("; with its end it is {first}..={first}") } else { String::new() };
        format!("{text:?} contains no {what}{one}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_mean_what_they_mean_in_rust() {
        assert_eq!(parse_seeds("1..4"), Ok(1..=3));
        assert_eq!(parse_seeds("1..=4"), Ok(1..=4));
        assert_eq!(parse_seeds("4..4"), Err("\"4..4\" contains no seed; with its end it is 4..=4".into()));
        assert_eq!(parse_seeds("0..=18446744073709551615"), Ok(0..=u64::MAX));
        for bad in ["4", "1..", "..4", "x..4", "-1..4", "5..=4", "0..0"] {
            assert!(parse_seeds(bad).is_err(), "{bad}");
        }
        assert_eq!(parse_span("3..9"), Ok(3..=8));
        assert_eq!(parse_span("3..=9"), Ok(3..=9));
        assert_eq!((parse_span("..9"), parse_span("..=9")), (Ok(1..=8), Ok(1..=9)));
        assert_eq!((parse_span("3.."), parse_span("..")), (Ok(3..=u64::MAX), Ok(1..=u64::MAX)));
        for bad in ["9..3", "9..9", "9..=8", "x..", "..=", "7", "..0"] {
            assert!(parse_span(bad).is_err(), "{bad}");
        }
    }
}
