//! temp
use crate::zab::Payload;
use crate::zk::model::*;
pub fn reply(_: &Reply) -> Vec<u8> { unimplemented!() }
pub fn event(_: i64, _: &WatchEvent) -> Vec<u8> { unimplemented!() }
pub fn connect_request(_: &[u8]) -> Result<ConnectRequest, ()> { unimplemented!() }
pub fn connect_response(_: &ConnectResponse) -> Vec<u8> { unimplemented!() }
pub fn request_header(_: &[u8]) -> Result<(RequestHeader, &[u8]), ()> { unimplemented!() }
pub fn request(_: OpCode, _: &[u8], _: usize) -> Result<Request, ()> { unimplemented!() }
pub fn forwarded(_: SessionId, _: i32, _: OpCode, _: &[u8], _: &[Id]) -> Payload { unimplemented!() }
pub fn create_session(_: SessionId, _: i32) -> Payload { unimplemented!() }
pub fn close_session(_: SessionId) -> Payload { unimplemented!() }
pub fn delete_container(_: &str) -> Payload { unimplemented!() }
pub fn revalidate(_: SessionId, _: i32) -> Payload { unimplemented!() }
pub fn decode_revalidate(_: &[u8]) -> Result<(SessionId, i32), ()> { unimplemented!() }
pub fn encode_revalidated(_: SessionId, _: bool) -> Payload { unimplemented!() }
pub fn decode_revalidated(_: &[u8]) -> Result<(SessionId, bool), ()> { unimplemented!() }
pub fn decode_touched(_: &[u8]) -> Result<Vec<(SessionId, i32)>, ()> { unimplemented!() }
pub fn encode_touched(_: &std::collections::BTreeMap<SessionId, i32>) -> Payload { unimplemented!() }
pub struct Forwarded { pub session: SessionId, pub cxid: i32, pub op: OpCode, pub record: Vec<u8>, pub ids: Vec<Id> }
pub fn decode_forwarded(_: &[u8]) -> Result<Forwarded, ()> { unimplemented!() }
pub fn decode_request(_: OpCode, _: &[u8]) -> Result<Request, ()> { unimplemented!() }
pub fn txn_encode(_: &TxnRecord) -> Payload { unimplemented!() }
pub fn txn_decode(_: &[u8]) -> Result<TxnRecord, ()> { unimplemented!() }
