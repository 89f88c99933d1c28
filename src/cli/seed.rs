//! Seeds and ranges, as they are written on the command line.

use std::ops::{Range, RangeInclusive};

use xxhash_rust::xxh3::xxh3_64;

/// Seeds to run, from the first up to but without the last.
pub(super) type Seeds = Range<u64>;

/// A number is itself; anything else of at least 7 hexadecimal digits is a commit hash, of which a seed is made. What is
/// printed afterwards is always the number.
pub(super) fn parse_seed(text: &str) -> Result<u64, String> {
    if let Ok(seed) = text.parse() {
        return Ok(seed);
    }
    if (7..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Ok(xxh3_64(text.to_ascii_lowercase().as_bytes()));
    }
    Err("expected a number from 0 to 18446744073709551615, or a commit hash of 7 to 64 hexadecimal digits".into())
}

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
    fn a_seed_is_a_number_or_a_commit_hash() {
        assert_eq!(parse_seed("42"), Ok(42));
        assert_eq!(parse_seed("18446744073709551615"), Ok(u64::MAX));
        let hash = parse_seed("8eced1c0a1b2c3d4e5f60718293a4b5c6d7e8f90").unwrap();
        assert_eq!(parse_seed("8ECED1C0A1B2C3D4E5F60718293A4B5C6D7E8F90"), Ok(hash));
        for bad in ["", "-1", "abc", "leader", "8eced1z0", "1.5"] {
            assert!(parse_seed(bad).is_err(), "{bad}");
        }
    }

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
