//! Seeds as people give them: numbers, and the hashes of commits.

/// Why a text is no seed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a seed: a decimal number below 2^64, or a commit hash of 40 hexadecimal digits, not {0:?}")]
pub struct SeedError(String);

/// Reads a seed: a decimal number, or a commit hash, of which the first 16 digits count.
pub fn parse_seed(text: &str) -> Result<u64, SeedError> {
    let hash = text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let parsed = if hash { u64::from_str_radix(&text[..16], 16).ok() } else { text.parse().ok() };
    parsed.ok_or_else(|| SeedError(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_a_number_or_a_commit() {
        assert_eq!(parse_seed("42"), Ok(42));
        assert_eq!(parse_seed(&u64::MAX.to_string()), Ok(u64::MAX));
        assert_eq!(parse_seed("00000000000000ff000000000000000000000000"), Ok(255));
        assert_eq!(parse_seed(&"1".repeat(40)), Ok(0x1111_1111_1111_1111));
        for bad in ["", "-1", "0x10", "deadbeef", "18446744073709551616", "ä0000000000000000000000000000000000000"] {
            assert!(parse_seed(bad).is_err(), "{bad}");
        }
    }
}
