//! A txn: an id and bytes that the protocol never looks into.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::Zxid;

/// How many bytes are kept inside the value, without an allocation.
const INLINE: usize = 30;

/// Immutable bytes, cheap to clone: short ones are copied, long ones shared.
///
/// A leader sends the same payload to every learner and keeps it in its window, so long payloads are behind an [`Arc`].
/// The bytes never change, hence a clone cannot be told from a copy: equality, order of hashing and printing see bytes only.
#[derive(Clone)]
pub struct Payload(Repr);

#[derive(Clone)]
enum Repr {
    Inline { len: u8, bytes: [u8; INLINE] },
    Shared(Arc<[u8]>),
}

impl Payload {
    /// A payload of no bytes.
    pub const EMPTY: Payload = Payload(Repr::Inline { len: 0, bytes: [0; INLINE] });

    /// A copy of `bytes`.
    pub fn new(bytes: &[u8]) -> Payload {
        if bytes.len() <= INLINE {
            let mut inline = [0; INLINE];
            inline[..bytes.len()].copy_from_slice(bytes);
            Payload(Repr::Inline { len: bytes.len() as u8, bytes: inline })
        } else {
            Payload(Repr::Shared(bytes.into()))
        }
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Repr::Inline { len, bytes } => &bytes[..usize::from(*len)],
            Repr::Shared(bytes) => bytes,
        }
    }
}

impl Default for Payload {
    fn default() -> Payload {
        Payload::EMPTY
    }
}

impl PartialEq for Payload {
    fn eq(&self, other: &Payload) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Payload {}

impl Hash for Payload {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.as_bytes() {
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

/// One transaction of the history.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Txn {
    /// Its place in the history.
    pub zxid: Zxid,
    /// What the service will apply.
    pub payload: Payload,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_long_payloads_compare_by_their_bytes() {
        for len in [0, 1, INLINE, INLINE + 1, 1000] {
            let bytes: Vec<u8> = (0..len).map(|i| i as u8).collect();
            assert_eq!(Payload::new(&bytes), Payload::new(&bytes));
            assert_eq!(Payload::new(&bytes).as_bytes(), &bytes[..]);
        }
        assert_ne!(Payload::new(b"a"), Payload::new(b"b"));
        assert_eq!(size_of::<Txn>(), 40);
    }
}
