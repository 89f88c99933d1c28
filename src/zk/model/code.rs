//! The numbers of operations and errors.

/// Declares a fieldless enum with its numbers, and the way back.
macro_rules! codes {
    ($(#[$meta:meta])* $name:ident { $($variant:ident = $code:literal $says:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(i32)]
        pub enum $name {
            $(#[doc = $says] $variant = $code,)+
        }

        impl $name {
            /// All of them.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            /// The one of that number.
            pub fn from_code(code: i32) -> Option<$name> {
                match code {
                    $($code => Some($name::$variant),)+
                    _ => None,
                }
            }

            /// Its number on the wire.
            pub fn code(self) -> i32 {
                self as i32
            }
        }
    };
}

codes! {
    /// Operations, and types of txns (`ZooDefs.OpCode`).
    OpCode {
        Notification = 0 "An event; never a request.",
        Create = 1 "Makes a node.",
        Delete = 2 "Removes a node.",
        Exists = 3 "Reads a stat.",
        GetData = 4 "Reads data and stat.",
        SetData = 5 "Writes data.",
        GetAcl = 6 "Reads the ACL.",
        SetAcl = 7 "Writes the ACL.",
        GetChildren = 8 "Lists children.",
        Sync = 9 "Catches up with the leader.",
        Ping = 11 "Shows that the client lives.",
        GetChildren2 = 12 "Lists children, with the stat.",
        Check = 13 "Compares a version, inside multi.",
        Multi = 14 "Several operations, all or none.",
        Create2 = 15 "Makes a node and answers with its stat.",
        Reconfig = 16 "Changes the ensemble.",
        CheckWatches = 17 "Asks whether a watch is there.",
        RemoveWatches = 18 "Removes watches.",
        CreateContainer = 19 "Makes a node that goes when its last child went.",
        DeleteContainer = 20 "Removes such a node; internal.",
        CreateTtl = 21 "Makes a node that goes when it was not changed for a time.",
        MultiRead = 22 "Several reads.",
        Auth = 100 "Authenticates the connection.",
        SetWatches = 101 "Sets watches again after a reconnection.",
        Sasl = 102 "A token of SASL.",
        GetEphemerals = 103 "Lists the session's ephemerals.",
        GetAllChildrenNumber = 104 "Counts descendants.",
        SetWatches2 = 105 "The same with persistent ones.",
        AddWatch = 106 "Adds a persistent watch.",
        WhoAmI = 107 "Lists the ids of the connection.",
        CreateSession = -10 "Opens a session; internal.",
        CloseSession = -11 "Ends the session.",
        Error = -1 "A refused write; only as the type of a txn or of a result.",
    }
}

codes! {
    /// Why a request failed (`KeeperException.Code`).
    ErrorCode {
        SystemError = -1 "Marks a range.",
        RuntimeInconsistency = -2 "Not tried, since an earlier operation of the multi failed.",
        DataInconsistency = -3 "Data is inconsistent.",
        ConnectionLoss = -4 "The connection was lost; only ever said by clients.",
        MarshallingError = -5 "The request could not be read.",
        Unimplemented = -6 "There is no such operation.",
        OperationTimeout = -7 "It took too long.",
        BadArguments = -8 "The arguments make no sense.",
        UnknownSession = -12 "Nobody knows this session; internal.",
        NewConfigNoQuorum = -13 "No quorum of the new configuration is there.",
        ReconfigInProgress = -14 "Another reconfiguration is under way.",
        ApiError = -100 "Marks a range.",
        NoNode = -101 "There is no such node.",
        NoAuth = -102 "The ACL does not allow it.",
        BadVersion = -103 "The node has another version.",
        NoChildrenForEphemerals = -108 "An ephemeral node has no children.",
        NodeExists = -110 "The node is there already.",
        NotEmpty = -111 "The node has children.",
        SessionExpired = -112 "The session is over.",
        InvalidCallback = -113 "The callback is invalid; only ever said by clients.",
        InvalidAcl = -114 "The ACL is invalid.",
        AuthFailed = -115 "Authentication failed.",
        SessionMoved = -118 "The session is at another server now.",
        NotReadOnly = -119 "The server only reads.",
        EphemeralOnLocalSession = -120 "A local session has no ephemerals.",
        NoWatcher = -121 "There is no such watch.",
        RequestTimeout = -122 "It took too long; only ever said by clients.",
        ReconfigDisabled = -123 "Reconfiguration is off.",
        SessionClosedRequireSaslAuth = -124 "The server demands SASL.",
        QuotaExceeded = -125 "A quota is used up.",
        ThrottledOp = -127 "The server is overloaded.",
    }
}

impl OpCode {
    /// Whether it becomes a txn, and so goes to the leader.
    pub fn is_write(self) -> bool {
        use OpCode::*;
        matches!(
            self,
            Create
                | Create2
                | CreateContainer
                | CreateTtl
                | Delete
                | DeleteContainer
                | SetData
                | SetAcl
                | Multi
                | Check
                | Reconfig
                | CreateSession
                | CloseSession
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_finds_its_way_back() {
        assert!(OpCode::ALL.iter().all(|op| OpCode::from_code(op.code()) == Some(*op)));
        assert!(ErrorCode::ALL.iter().all(|error| ErrorCode::from_code(error.code()) == Some(*error)));
        assert_eq!((OpCode::from_code(10), ErrorCode::from_code(0)), (None, None));
    }
}
