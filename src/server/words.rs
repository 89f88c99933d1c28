//! Four-letter words.

/// Every word.
pub const WORDS: [(&str, &str); 1] = [("srvr", "x")];
