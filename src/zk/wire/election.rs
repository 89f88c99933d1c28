//! The election port: hello and notifications.

use super::{Reader, WireError, Writer};
use crate::zab::{Epoch, NOTIFICATION_VERSION, Notification, PeerState, Sid, Vote, Zxid};

/// The longest notification (`PACKETMAXSIZE`).
pub const MAX_NOTIFICATION: usize = 512 * 1024;
/// The longest address in a hello.
const MAX_ADDRESS: usize = 2048;
/// The protocol version of a hello with one address, and with several.
const V1: i64 = -65536;
const V2: i64 = -65535;

/// The first bytes of who dials on the election port (`InitialMessage`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    /// Who.
    pub sid: Sid,
    /// Where its own election port is, as `host:port`, several joined by `|`; servers before 3.5 do not say.
    pub address: Option<String>,
}

/// What a hello still lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    /// At least so many bytes.
    Bytes(usize),
    /// It is none.
    Wrong(WireError),
}

impl Hello {
    /// Appends it: with an address as servers since 3.5 send it, without one as those before them.
    pub fn encode(&self, bytes: &mut Vec<u8>) {
        let mut writer = Writer::new(bytes);
        if let Some(address) = &self.address {
            writer.i64(V1);
            writer.i64(self.sid.0);
            writer.text(address);
        } else {
            writer.i64(self.sid.0);
        }
    }

    /// Reads it from exactly its bytes; where there are too few it says how many are missing at least.
    pub fn decode(bytes: &[u8]) -> Result<Hello, Missing> {
        let mut reader = Reader::new(bytes, MAX_ADDRESS);
        let need = |count: usize| match count.checked_sub(bytes.len()) {
            None | Some(0) => Ok(()),
            Some(missing) => Err(Missing::Bytes(missing)),
        };
        need(8)?;
        let version = reader.i64("protocolVersion").map_err(Missing::Wrong)?;
        if version >= 0 {
            return Ok(Hello { sid: Sid(version), address: None });
        }
        if version != V1 && version != V2 {
            return Err(Missing::Wrong(WireError::Unknown { what: "version of a hello", value: version }));
        }
        need(20)?;
        let sid = Sid(reader.i64("sid").map_err(Missing::Wrong)?);
        let length = reader.i32("the length of an address").map_err(Missing::Wrong)?;
        let wrong = WireError::Length { at: 16, what: "an address", length: length.into(), limit: MAX_ADDRESS };
        let length = usize::try_from(length).ok().filter(|length| (1..=MAX_ADDRESS).contains(length));
        let length = length.ok_or(Missing::Wrong(wrong))?;
        need(20 + length)?;
        let address = reader.take(length, "an address").map_err(Missing::Wrong)?;
        let address = std::str::from_utf8(address).map_err(|_| Missing::Wrong(WireError::Text { at: 20 }))?;
        Ok(Hello { sid, address: Some(address.to_owned()) })
    }
}

/// Appends a notification with its length; `config` is the text of the configuration.
pub fn encode_notification(notification: &Notification, config: &str, bytes: &mut Vec<u8>) {
    Writer::new(bytes).nested(|writer| {
        let Notification { state, vote, round, .. } = notification;
        writer.i32(*state as i32);
        for long in [vote.leader.0, vote.zxid.0, *round as i64, i64::from(vote.peer_epoch.0)] {
            writer.i64(long);
        }
        writer.i32(NOTIFICATION_VERSION as i32);
        writer.text(config);
    });
}

/// Reads a notification without its length. `own_version` is that of the own configuration: what a sender without one counts as.
pub fn decode_notification(bytes: &[u8], own_version: u64) -> Result<Notification, WireError> {
    let mut reader = Reader::new(bytes, MAX_NOTIFICATION);
    let r = &mut reader;
    let code = r.i32("state")?;
    let states = [PeerState::Looking, PeerState::Following, PeerState::Leading, PeerState::Observing];
    let unknown = WireError::Unknown { what: "state of a server", value: code.into() };
    let state = states.into_iter().find(|state| *state as i32 == code).ok_or(unknown)?;
    let (leader, zxid, round) = (Sid(r.i64("leader")?), Zxid(r.i64("zxid")?), r.i64("round")? as u64);
    let mut notification = Notification {
        state,
        vote: Vote { leader, zxid, peer_epoch: zxid.epoch() },
        round,
        version: 0,
        config_version: own_version,
    };
    if bytes.len() == 28 {
        return Ok(notification);
    }
    // An observer that looks proposes nobody, and its epoch is the least number there is.
    let epoch = r.i64("peerEpoch")?;
    notification.vote.peer_epoch = Epoch(u32::try_from(epoch.max(0)).unwrap_or(u32::MAX));
    if bytes.len() == 40 {
        return Ok(notification);
    }
    let version = r.i32("version")?;
    notification.version = u32::try_from(version).unwrap_or(0);
    if version >= 2 {
        let at = r.position();
        let text = r.buffer("a configuration")?.ok_or(WireError::Null { at, what: "a configuration" })?;
        notification.config_version = version_of(text).unwrap_or(own_version);
    }
    Ok(notification)
}

/// The version that a configuration's text says, in hexadecimal.
fn version_of(text: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(text).ok()?;
    let version = text.lines().find_map(|line| line.strip_prefix("version="))?;
    u64::from_str_radix(version.trim(), 16).ok()
}
