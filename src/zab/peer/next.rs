//! What a role's step leads to.

use crate::zab::LeaveReason;
use crate::zab::election::Elected;

/// What a role's step leads to.
pub(super) enum Next {
    Stay,
    Elected(Elected),
    Leave(LeaveReason),
}

impl From<Result<(), LeaveReason>> for Next {
    fn from(step: Result<(), LeaveReason>) -> Next {
        match step {
            Ok(()) => Next::Stay,
            Err(reason) => Next::Leave(reason),
        }
    }
}

impl From<Option<Elected>> for Next {
    fn from(elected: Option<Elected>) -> Next {
        elected.map_or(Next::Stay, Next::Elected)
    }
}
