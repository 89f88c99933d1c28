//! What is wrong with bytes.

use thiserror::Error;

/// Why bytes are not what they should be.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum WireError {
    /// They end too early.
    #[error("the bytes end at {at} in the middle of {what}")]
    End {
        /// Where.
        at: usize,
        /// What was being read.
        what: &'static str,
    },
    /// A length or count that cannot be.
    #[error("{what} of {length} bytes or entries at {at}: at most {limit}")]
    Length {
        /// Where.
        at: usize,
        /// Of what.
        what: &'static str,
        /// As it stands there.
        length: i64,
        /// What is allowed.
        limit: usize,
    },
    /// Text that is not UTF-8.
    #[error("text at {at} is not UTF-8")]
    Text {
        /// Where.
        at: usize,
    },
    /// A null where something must be.
    #[error("{what} at {at} is null")]
    Null {
        /// Where.
        at: usize,
        /// What.
        what: &'static str,
    },
    /// A number that stands for nothing.
    #[error("{value} is no {what}")]
    Unknown {
        /// What it should be.
        what: &'static str,
        /// What it is.
        value: i64,
    },
    /// Something that this server does not take part in.
    #[error("{0} is not supported")]
    Unsupported(&'static str),
    /// A snapshot that does not end as it must.
    #[error("the snapshot is not followed by its signature")]
    Signature,
}
