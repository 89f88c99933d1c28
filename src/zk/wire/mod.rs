//! Bytes ↔ types. Decoders are total: any bytes give a value or a [`WireError`], and allocate no more than the bytes justify.
//!
//! | module | what ZooKeeper calls it |
//! |---|---|
//! | `jute` | `BinaryInputArchive`, `BinaryOutputArchive` |
//! | `request`, `reply` | the jute modules `proto` and `data`, `MultiOperationRecord`, `MultiResponse` |
//! | `txn` | the jute module `txn`, `SerializeUtils` |
//! | `quorum` | `QuorumPacket`, `LearnerInfo` |
//! | `election` | `FastLeaderElection.buildMsg`, `QuorumCnxManager.InitialMessage` |
//! | `sessions` | what REVALIDATE and a learner's PING carry |
//! | `scan` | where a snapshot ends in a stream |

mod election;
mod error;
mod jute;
mod quorum;
mod records;
mod reply;
mod request;
mod scan;
mod sessions;
mod txn;

pub use election::{Hello, MAX_NOTIFICATION, Missing, decode_notification, encode_notification};
pub use error::WireError;
pub use jute::{JUTE_MAXBUFFER, Reader, Writer};
pub use quorum::{Forwarded, LinkDecoder, Sender, SyncOf, encode_message};
pub use records::{read_acl, write_acl};
pub use reply::{
    Dialect, decode_connect_response, decode_reply, decode_watch_event, encode_connect_response, encode_reply,
    encode_watch_event,
};
pub use request::{
    decode_connect_request, decode_header, decode_request, encode_connect_request, encode_request, encode_request_body,
};
pub use scan::SnapshotScan;
pub use sessions::{decode_revalidate, decode_revalidated, decode_sessions, encode_revalidated, encode_sessions};
pub use txn::{decode_txn, encode_txn, header_of};

#[cfg(test)]
mod tests;
