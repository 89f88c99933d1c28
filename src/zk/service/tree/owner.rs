//! What kind of node an `ephemeralOwner` tells of (`EphemeralType`).

use crate::zk::model::SessionId;

/// The kind of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// It stays until somebody deletes it.
    Persistent,
    /// It goes with the session of this id.
    Session(SessionId),
    /// It goes some time after its last child.
    Container,
    /// It goes when it has no children and was not set for so many milliseconds.
    Ttl(i64),
}

impl Owner {
    /// The longest time to live: 40 bits of milliseconds.
    pub const MAX_TTL: i64 = (1 << 40) - 1;

    /// From the field of a stat. The extended types are those of `extendedTypesEnabled`, which no session's id collides with:
    /// servers with an id of 255 do not start then.
    pub fn of(field: i64) -> Owner {
        match field {
            0 => Owner::Persistent,
            CONTAINER => Owner::Container,
            _ if (field as u64) >> 40 == TTL >> 40 => Owner::Ttl(field & Owner::MAX_TTL),
            session => Owner::Session(SessionId(session)),
        }
    }

    /// As the field of a stat.
    pub fn field(self) -> i64 {
        match self {
            Owner::Persistent => 0,
            Owner::Session(session) => session.0,
            Owner::Container => CONTAINER,
            Owner::Ttl(ttl) => TTL as i64 | (ttl & Owner::MAX_TTL),
        }
    }

    /// As clients see it: only sessions own.
    pub fn shown(field: i64) -> i64 {
        if matches!(Owner::of(field), Owner::Session(_)) { field } else { 0 }
    }
}

const CONTAINER: i64 = i64::MIN;
const TTL: u64 = 0xff00_0000_0000_0000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_field_and_the_kind_are_the_same() {
        for owner in [
            Owner::Persistent,
            Owner::Session(SessionId(0x0100_000f)),
            Owner::Container,
            Owner::Ttl(1),
            Owner::Ttl(Owner::MAX_TTL),
        ] {
            assert_eq!(Owner::of(owner.field()), owner);
        }
        assert_eq!(Owner::Container.field() as u64, 0x8000_0000_0000_0000);
        assert_eq!(Owner::Ttl(1000).field() as u64, 0xff00_0000_0000_03e8);
        assert_eq!((Owner::shown(7), Owner::shown(Owner::Ttl(7).field())), (7, 0));
    }
}
