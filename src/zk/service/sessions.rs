//! Who is a client, and for how long (`SessionTrackerImpl`, `LeaderSessionTracker`, `LearnerSessionTracker`, `ExpiryQueue`).
//!
//! The sessions themselves are part of the replicated state. Only a leader watches the clock: its [`Tracker`] learns of signs
//! of life on its own connections, from learners' PINGs and from REVALIDATE, and decides which session is over.

use std::collections::{BTreeMap, BTreeSet};

use crate::zab::{Duration, Instant, Sid};
use crate::zk::model::{ErrorCode, SessionId};

use super::expiry::ExpiryQueue;

/// A session's password: whoever has the id can compute it, so it guards against mistakes only.
pub const PASSWORD_LEN: usize = 16;

/// What the password's generator is seeded with, beside the session id (`ZooKeeperServer.superSecret`).
const PASSWORD_SEED: i64 = 0xB341_5C00;

/// An owner's mark that no session id may equal: that of container nodes (`EphemeralType.CONTAINER_EPHEMERAL_OWNER`).
const RESERVED: i64 = i64::MIN;

/// The first session id of a server that starts at `millis` (`SessionTrackerImpl.initializeNextSessionId`).
pub fn first_session_id(sid: Sid, millis: i64) -> SessionId {
    let id = ((((millis as u64) << 24) >> 8) as i64) | (sid.0 << 56);
    SessionId(if id == RESERVED { id + 1 } else { id })
}

/// The password of a session: four draws of a `java.util.Random` (`ZooKeeperServer.generatePasswd`).
pub fn password(session: SessionId) -> [u8; PASSWORD_LEN] {
    const MULTIPLIER: u64 = 0x5_DEEC_E66D;
    const MASK: u64 = (1 << 48) - 1;
    let mut state = ((session.0 ^ PASSWORD_SEED) as u64 ^ MULTIPLIER) & MASK;
    let mut password = [0; PASSWORD_LEN];
    for four in password.chunks_exact_mut(4) {
        state = state.wrapping_mul(MULTIPLIER).wrapping_add(0xB) & MASK;
        four.copy_from_slice(&((state >> 16) as u32).to_le_bytes());
    }
    password
}

/// Whether a client that resumes `session` knows its password.
pub fn is_password(session: SessionId, given: &[u8]) -> bool {
    session != SessionId(0) && password(session) == given
}

/// What a server does about sessions, by its role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sessions {
    /// Nothing is served.
    Off,
    /// Decides.
    Leader(Tracker),
    /// Tells its leader who was heard of.
    Learner {
        /// Whom it tells.
        leader: Sid,
        /// Heard of since the last PING, with their time-outs.
        touched: BTreeMap<SessionId, i32>,
    },
}

impl Sessions {
    /// A client of this server gave a sign of life.
    pub fn touch(&mut self, now: Instant, session: SessionId, timeout: i32) {
        match self {
            Sessions::Off => {}
            Sessions::Leader(tracker) => {
                tracker.touch(now, session, timeout);
            }
            Sessions::Learner { touched, .. } => {
                touched.insert(session, timeout);
            }
        }
    }

    /// Whether a client of `from` may speak for the session: a learner leaves that to its leader.
    pub fn check(&mut self, session: SessionId, from: Sid) -> Result<(), ErrorCode> {
        match self {
            Sessions::Leader(tracker) => tracker.check(session, from),
            Sessions::Off | Sessions::Learner { .. } => Ok(()),
        }
    }

    /// The tracker of a leader.
    pub fn tracker(&mut self) -> Option<&mut Tracker> {
        match self {
            Sessions::Leader(tracker) => Some(tracker),
            Sessions::Off | Sessions::Learner { .. } => None,
        }
    }
}

/// What a leader knows of the sessions: when each ends without a sign of life, and where its client is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tracker {
    sessions: BTreeMap<SessionId, Tracked>,
    /// Those that are not closing.
    ends: ExpiryQueue<SessionId>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Tracked {
    /// Its closeSession is under way: nothing revives it.
    is_closing: bool,
    /// The server its client is at, once it said something.
    owner: Option<Sid>,
}

impl Tracker {
    /// Knows of nobody.
    pub fn new(tick_time: Duration) -> Tracker {
        Tracker { sessions: BTreeMap::new(), ends: ExpiryQueue::new(tick_time) }
    }

    /// A session is there from now on, with its whole time-out before it. Says nothing new of one that is known.
    pub fn track(&mut self, now: Instant, session: SessionId, timeout: i32) {
        if !self.sessions.contains_key(&session) {
            self.sessions.insert(session, Tracked { is_closing: false, owner: None });
            self.ends.put_off(now, session, timeout);
        }
    }

    /// A sign of life; `timeout` is what the server its client is at knows. Whether the session is alive.
    pub fn touch(&mut self, now: Instant, session: SessionId, timeout: i32) -> bool {
        let is_alive = self.sessions.get(&session).is_some_and(|tracked| !tracked.is_closing);
        if is_alive {
            self.ends.put_off(now, session, timeout);
        }
        is_alive
    }

    /// Whether `from` may speak for the session. The first server that does becomes its owner.
    pub fn check(&mut self, session: SessionId, from: Sid) -> Result<(), ErrorCode> {
        match self.sessions.get_mut(&session) {
            Some(tracked) if !tracked.is_closing => {
                if *tracked.owner.get_or_insert(from) == from {
                    Ok(())
                } else {
                    Err(ErrorCode::SessionMoved)
                }
            }
            _ => Err(ErrorCode::SessionExpired),
        }
    }

    /// Its client is at `owner` now: requests that still come from elsewhere are refused.
    pub fn moved(&mut self, session: SessionId, owner: Sid) {
        if let Some(tracked) = self.sessions.get_mut(&session) {
            tracked.owner = Some(owner);
        }
    }

    /// A closeSession is under way.
    pub fn closing(&mut self, session: SessionId) {
        if let Some(tracked) = self.sessions.get_mut(&session) {
            tracked.is_closing = true;
            self.ends.remove(session);
        }
    }

    /// The session is over.
    pub fn remove(&mut self, session: SessionId) {
        self.sessions.remove(&session);
        self.ends.remove(session);
    }

    /// The sessions whose time is over, which are closing from now on.
    pub fn expire(&mut self, now: Instant) -> Vec<SessionId> {
        let expired = self.ends.poll(now);
        for session in &expired {
            self.sessions.get_mut(session).expect("only tracked sessions end").is_closing = true;
        }
        expired
    }

    /// When the next sessions may be over.
    pub fn next_timeout(&self) -> Option<Instant> {
        self.ends.next_timeout()
    }

    /// The sessions by the time at which they end, in milliseconds since the host started (`dump`).
    pub fn buckets(&self) -> impl Iterator<Item = (u64, &BTreeSet<SessionId>)> {
        self.ends.buckets()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: SessionId = SessionId(0xa);

    fn at(millis: u64) -> Instant {
        Instant(millis * 1_000_000)
    }

    fn tracker() -> Tracker {
        Tracker::new(Duration::from_millis(2000))
    }

    #[test]
    fn passwords_are_those_of_zookeeper() {
        let hex = |id| password(SessionId(id)).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        assert_eq!(hex(0x0100_000f_f383_0000), "dfb7828b80d5038855b373d5c9016073");
        assert_eq!(hex(0x0300_0011_57d3_0000), "ef25caab501210cae5770c631913c512");
        assert_eq!(hex(0x0100_0028_e171_0000), "f5ab3ae9de86eacc5bacaf75576d2c54");
        assert!(is_password(A, &password(A)) && !is_password(A, &password(SessionId(0xb))));
        assert!(
            !is_password(SessionId(0), &password(SessionId(0))),
            "nobody resumes the session that asks for a new one"
        );
    }

    #[test]
    fn session_ids_carry_the_server_and_the_time() {
        assert_eq!(first_session_id(Sid(3), 0x1157d3), SessionId(0x0300_0011_57d3_0000));
        assert_eq!(
            first_session_id(Sid(1), 0x7fff_0100_0028_e171),
            SessionId(0x0100_0028_e171_0000),
            "40 bits of time"
        );
        assert_eq!(first_session_id(Sid(128), 0), SessionId(i64::MIN + 1), "the mark of containers is taken");
    }

    #[test]
    fn a_session_ends_with_the_tick_in_which_its_time_out_ends() {
        let mut tracker = tracker();
        tracker.track(at(500), A, 10_000);
        assert_eq!(tracker.next_timeout(), Some(at(12_000)));
        assert!(tracker.expire(at(11_999)).is_empty());
        assert!(tracker.touch(at(11_999), A, 10_000), "in time");
        assert!(tracker.expire(at(12_000)).is_empty());
        assert_eq!(tracker.expire(at(22_000)), [A]);
        assert!(!tracker.touch(at(22_000), A, 10_000), "nothing revives a session that is closing");
        assert_eq!(tracker.check(A, Sid(1)), Err(ErrorCode::SessionExpired));
        assert_eq!((tracker.expire(at(90_000)).len(), tracker.next_timeout()), (0, None), "it is closed once");
    }

    #[test]
    fn a_session_belongs_to_the_server_its_client_spoke_to_last() {
        let mut tracker = tracker();
        assert_eq!(tracker.check(A, Sid(1)), Err(ErrorCode::SessionExpired), "an unknown session");
        tracker.track(at(0), A, 4000);
        assert_eq!(tracker.check(A, Sid(1)), Ok(()));
        assert_eq!(tracker.check(A, Sid(2)), Err(ErrorCode::SessionMoved));
        tracker.moved(A, Sid(2));
        assert_eq!((tracker.check(A, Sid(1)), tracker.check(A, Sid(2))), (Err(ErrorCode::SessionMoved), Ok(())));
    }

    #[test]
    fn a_session_that_is_closed_leaves_nothing() {
        let mut tracker = tracker();
        tracker.track(at(0), A, 4000);
        tracker.closing(A);
        assert_eq!(tracker.next_timeout(), None, "its client closed it: it does not expire as well");
        tracker.remove(A);
        assert_eq!(tracker, self::tracker());
    }
}
