//! What goes wrong, when, and how far it may go.
//!
//! # The budget
//!
//! Zab promises safety for crashes of any number of servers at any time, for any loss, delay and partition on the network,
//! and for disks that keep what they said was synced. So faults drawn at random keep to this:
//!
//! - *Processes*: any number may be down, paused or restarting at once; a power failure loses any part of what was not synced.
//! - *Network*: anything may be cut, reset or clogged. Packets on one link are never reordered, lost in the middle, duplicated or
//!   forged: that is the assumption about TCP. Notifications may be lost, duplicated and reordered.
//! - *Disks*: a write may fail, be late or find no space; what was synced stays. A **lying** disk is never drawn.
//! - *Loss of a disk*: a participant is wiped only while all participants whose data is whole, without it, are a quorum: then
//!   every committed txn is still on a server that must be asked. An observer may be wiped at any time.
//! - *Clocks*: drift and forward jumps; Zab's safety depends on no clock.
//! - After chaos no fault begins. What is healed then, the [schedule](super::schedule) says.
//!
//! A fault that a scenario writes down itself ([`FaultOptions`]) happens as written, within the budget or not: a scenario
//! that breaks an assumption says so in its promise.

mod inject;
mod random;
mod when;

pub use inject::{Consequence, Injector, fits, nodes};
pub use random::{Kind, RandomFaults, RandomOptions, Sprung, may_wipe};
pub use when::When;

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::text::Time;
use super::{Node, Op};

/// A fault that a scenario writes down. It has exactly one of `at`, `when` and `every`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FaultOptions {
    /// At this moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Time>,
    /// In this situation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<When>,
    /// Again and again, after pauses of half to one and a half times this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<Time>,
    /// `when` it happens to this server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<Selector>,
    /// `when` this server is on the other side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<Selector>,
    /// The how-manieth time, from 1.
    #[serde(default = "one")]
    pub nth: u32,
    /// How many times it strikes: once if absent, or without end after `every`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
    /// Not before this moment.
    #[serde(default)]
    pub from: Time,
    /// How long after the trigger.
    #[serde(default)]
    pub after: Time,
    /// What happens.
    #[serde(rename = "do")]
    pub what: Injection,
}

fn one() -> u32 {
    1
}

/// Whom a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub enum Selector {
    /// One server, by name: `"p3"`.
    Node(Node),
    /// `"leader"`: who leads, in the latest epoch if several believe it.
    Leader,
    /// `"a follower"`: anyone who follows, seeded.
    Follower,
    /// `"an observer"`: any observer that runs, seeded.
    Observer,
    /// `"trigger"`: the server to which the situation happened.
    Trigger,
    /// `"peer"`: the server on the other side of the situation.
    Peer,
    /// `"any"`: any server that runs, seeded.
    Any,
}

impl TryFrom<String> for Selector {
    type Error = String;

    fn try_from(text: String) -> Result<Selector, String> {
        Ok(match text.as_str() {
            "leader" => Selector::Leader,
            "a follower" => Selector::Follower,
            "an observer" => Selector::Observer,
            "trigger" => Selector::Trigger,
            "peer" => Selector::Peer,
            "any" => Selector::Any,
            _ => {
                let unknown = || {
                    let names = "`leader`, `a follower`, `an observer`, `trigger`, `peer`, `any`, `p1`";
                    format!("unknown server `{text}`, expected one of {names}")
                };
                Selector::Node(Node::try_from(text.clone()).map_err(|_| unknown())?)
            }
        })
    }
}

impl From<Selector> for String {
    fn from(selector: Selector) -> String {
        match selector {
            Selector::Node(node) => node.to_string(),
            Selector::Leader => "leader".into(),
            Selector::Follower => "a follower".into(),
            Selector::Observer => "an observer".into(),
            Selector::Trigger => "trigger".into(),
            Selector::Peer => "peer".into(),
            Selector::Any => "any".into(),
        }
    }
}

impl JsonSchema for Selector {
    fn schema_name() -> Cow<'static, str> {
        "Selector".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A server by name, by its role, or by its part in the situation that triggers the fault.",
            "anyOf": [
                { "enum": ["leader", "a follower", "an observer", "trigger", "peer", "any"] },
                { "type": "string", "pattern": "^p([1-9]|[1-5][0-9]|6[0-4])$" },
            ],
        })
    }
}

/// What a fault does. Where `for` or `down` is absent, it lasts until chaos ends.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Injection {
    /// Kill a process: what was written survives, and its sockets close.
    Crash {
        /// Whom.
        node: Selector,
        /// When it starts again.
        down: Option<Time>,
    },
    /// Kill a process between two outputs of its next step that has more than `outputs`.
    CrashInside {
        /// Whom.
        node: Selector,
        /// How many outputs are still executed.
        #[serde(default)]
        outputs: u8,
        /// Whether the power fails as well.
        #[serde(default)]
        power: bool,
        /// When it starts again.
        down: Option<Time>,
    },
    /// Cut the power: of what was not synced only the first `kept` writes survive.
    PowerLoss {
        /// Whom.
        node: Selector,
        /// How many unsynced writes survive.
        #[serde(default)]
        kept: u16,
        /// Whether the write after them survives in part.
        #[serde(default)]
        torn: bool,
        /// When it starts again.
        down: Option<Time>,
    },
    /// Stop a process cleanly.
    Stop {
        /// Whom.
        node: Selector,
        /// When it starts again.
        down: Option<Time>,
    },
    /// Start a process that is down.
    Start {
        /// Whom.
        node: Selector,
    },
    /// Kill and start a process, over and over.
    RestartStorm {
        /// Whom.
        node: Selector,
        /// How often.
        times: u16,
        /// The pause between a start and the next kill.
        every: Time,
    },
    /// Let a machine stand still; its timers fire late.
    Pause {
        /// Whom.
        node: Selector,
        /// How long.
        #[serde(rename = "for")]
        lasts: Option<Time>,
    },
    /// Kill a process and empty its disk.
    Wipe {
        /// Whom.
        node: Selector,
        /// When it starts again.
        down: Option<Time>,
    },
    /// Nothing gets through in one direction; in both if `both`.
    Cut {
        /// From this server.
        from: Selector,
        /// To this server.
        to: Selector,
        /// Nor the other way.
        #[serde(default)]
        both: bool,
        /// How long.
        #[serde(rename = "for")]
        lasts: Option<Time>,
    },
    /// Cut a server off from all others.
    Isolate {
        /// Whom.
        node: Selector,
        /// How long.
        #[serde(rename = "for")]
        lasts: Option<Time>,
    },
    /// Cut groups off from each other. Servers in no group are one more group.
    Partition {
        /// The groups.
        groups: Vec<Vec<Selector>>,
        /// How long.
        #[serde(rename = "for")]
        lasts: Option<Time>,
    },
    /// Cut and mend the way between two servers, over and over.
    Flap {
        /// One.
        a: Selector,
        /// The other.
        b: Selector,
        /// How often.
        times: u16,
        /// How long each cut and each pause lasts.
        every: Time,
    },
    /// Break the connections between two servers; the last packets in flight are lost.
    Reset {
        /// One.
        node: Selector,
        /// The other; everybody if absent.
        peer: Option<Selector>,
        /// Lose at most this many packets in each direction, how many is seeded.
        #[serde(default)]
        lose: u16,
    },
    /// Break the connections between two servers so that only `node` notices.
    HalfOpen {
        /// Who notices.
        node: Selector,
        /// Who does not; everybody if absent.
        peer: Option<Selector>,
    },
    /// Delay everything from one server to another.
    Clog {
        /// From this server.
        from: Selector,
        /// To this server.
        to: Selector,
        /// By how much.
        by: Time,
        /// How long.
        #[serde(rename = "for")]
        lasts: Option<Time>,
    },
    /// Every write fails for lack of space.
    DiskFull {
        /// Whose disk.
        node: Selector,
        /// How long.
        #[serde(rename = "for")]
        lasts: Option<Time>,
    },
    /// Syncs and reads take longer.
    DiskSlow {
        /// Whose disk.
        node: Selector,
        /// How many times longer.
        factor: u16,
        /// How long.
        #[serde(rename = "for")]
        lasts: Option<Time>,
    },
    /// The next sync fails (EIO).
    SyncFails {
        /// Whose disk.
        node: Selector,
    },
    /// The disk says "synced" at once and forgets on power loss. Outside every budget.
    Lying {
        /// Whose disk.
        node: Selector,
        /// How long.
        #[serde(rename = "for")]
        lasts: Option<Time>,
    },
    /// A clock jumps forward.
    ClockJump {
        /// Whose.
        node: Selector,
        /// How far.
        by: Time,
    },
    /// Cut everybody's power at once.
    AllDown {
        /// How many unsynced writes survive on each disk.
        #[serde(default)]
        kept: u16,
        /// When everybody starts again.
        down: Option<Time>,
        /// Who starts again; everybody if empty.
        #[serde(default)]
        only: Vec<Selector>,
    },
    /// Mend every cut, start and resume everybody, make every disk healthy.
    Heal {},
    /// Let a client send an operation.
    Invoke {
        /// To whom.
        node: Selector,
        /// What.
        #[schemars(with = "String", extend("enum" = ["write", "read", "sync"]))]
        op: Op,
        /// Which client.
        #[serde(default)]
        client: u8,
    },
}

impl Injection {
    /// The name under which it is written.
    pub fn name(&self) -> &'static str {
        match self {
            Injection::Crash { .. } => "crash",
            Injection::CrashInside { .. } => "crash-inside",
            Injection::PowerLoss { .. } => "power-loss",
            Injection::Stop { .. } => "stop",
            Injection::Start { .. } => "start",
            Injection::RestartStorm { .. } => "restart-storm",
            Injection::Pause { .. } => "pause",
            Injection::Wipe { .. } => "wipe",
            Injection::Cut { .. } => "cut",
            Injection::Isolate { .. } => "isolate",
            Injection::Partition { .. } => "partition",
            Injection::Flap { .. } => "flap",
            Injection::Reset { .. } => "reset",
            Injection::HalfOpen { .. } => "half-open",
            Injection::Clog { .. } => "clog",
            Injection::DiskFull { .. } => "disk-full",
            Injection::DiskSlow { .. } => "disk-slow",
            Injection::SyncFails { .. } => "sync-fails",
            Injection::Lying { .. } => "lying",
            Injection::ClockJump { .. } => "clock-jump",
            Injection::AllDown { .. } => "all-down",
            Injection::Heal {} => "heal",
            Injection::Invoke { .. } => "invoke",
        }
    }

    /// Everybody it names.
    pub fn selectors(&self) -> Vec<Selector> {
        match self {
            Injection::Crash { node, .. }
            | Injection::CrashInside { node, .. }
            | Injection::PowerLoss { node, .. }
            | Injection::Stop { node, .. }
            | Injection::Start { node }
            | Injection::RestartStorm { node, .. }
            | Injection::Pause { node, .. }
            | Injection::Wipe { node, .. }
            | Injection::Isolate { node, .. }
            | Injection::DiskFull { node, .. }
            | Injection::DiskSlow { node, .. }
            | Injection::SyncFails { node }
            | Injection::Lying { node, .. }
            | Injection::ClockJump { node, .. }
            | Injection::Invoke { node, .. } => vec![*node],
            Injection::Cut { from, to, .. } | Injection::Clog { from, to, .. } => vec![*from, *to],
            Injection::Flap { a, b, .. } => vec![*a, *b],
            Injection::Reset { node, peer, .. } | Injection::HalfOpen { node, peer } => {
                std::iter::once(*node).chain(*peer).collect()
            }
            Injection::Partition { groups, .. } => groups.iter().flatten().copied().collect(),
            Injection::AllDown { only, .. } => only.clone(),
            Injection::Heal {} => Vec::new(),
        }
    }
}
