//! `Action`: every choice that is not determined by what happened before.
//!
//! A schedule picks actions, a trace lists them, replay feeds them back, shrinking leaves some out. Applying an action that
//! is not possible (there is no packet to deliver, the node is down) changes nothing, so that a trace with holes still runs.
//! An action is small and `Copy`; it names things by what they are (node, link generation), never by an address or index
//! into a table.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::zab::{LinkId, Sid};

/// A simulated server, `p1` to `p64`: the member of the ensemble with that sid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Node(u8);

impl Node {
    /// The node at position `index` of the ensemble, counted from 0.
    pub fn at(index: usize) -> Node {
        Node(u8::try_from(index + 1).expect("an ensemble has at most 64 members"))
    }

    /// Its position in the ensemble, from 0.
    pub fn index(self) -> usize {
        usize::from(self.0 - 1)
    }

    /// Its sid.
    pub fn sid(self) -> Sid {
        Sid(self.0.into())
    }

    /// The node with that sid.
    pub fn of(sid: Sid) -> Node {
        Node(u8::try_from(sid.0).expect("simulated servers have the sids 1 to 64"))
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p{}", self.0)
    }
}

impl From<Node> for String {
    fn from(node: Node) -> String {
        node.to_string()
    }
}

impl TryFrom<String> for Node {
    type Error = String;

    fn try_from(text: String) -> Result<Node, String> {
        let number = text.strip_prefix('p').and_then(|n| n.parse::<u8>().ok()).filter(|n| (1..=64).contains(n));
        number.map(Node).ok_or_else(|| format!("expected a server, \"p1\" to \"p64\", not {text:?}"))
    }
}

/// A quorum link: the `generation`-th connection from `dialer` to `acceptor`, counted from 1 over the whole run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct LinkKey {
    /// The learner's side.
    pub dialer: Node,
    /// The leader's side.
    pub acceptor: Node,
    /// Which connection of this pair.
    pub generation: u16,
}

impl LinkKey {
    /// As the core sees it.
    pub fn id(self) -> LinkId {
        LinkId(u64::from(self.dialer.0) << 24 | u64::from(self.acceptor.0) << 16 | u64::from(self.generation))
    }

    /// Back from what the core saw.
    pub fn of(id: LinkId) -> LinkKey {
        LinkKey { dialer: Node((id.0 >> 24) as u8), acceptor: Node((id.0 >> 16) as u8), generation: id.0 as u16 }
    }

    /// The end that is not `node`.
    pub fn other(self, node: Node) -> Node {
        if node == self.dialer { self.acceptor } else { self.dialer }
    }
}

/// `p1>p3#2`.
impl fmt::Display for LinkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}>{}#{}", self.dialer, self.acceptor, self.generation)
    }
}

impl From<LinkKey> for String {
    fn from(link: LinkKey) -> String {
        link.to_string()
    }
}

impl TryFrom<String> for LinkKey {
    type Error = String;

    fn try_from(text: String) -> Result<LinkKey, String> {
        let parse = || {
            let (dialer, rest) = text.split_once('>')?;
            let (acceptor, generation) = rest.split_once('#')?;
            let node = |name: &str| Node::try_from(name.to_owned()).ok();
            Some(LinkKey { dialer: node(dialer)?, acceptor: node(acceptor)?, generation: generation.parse().ok()? })
        };
        parse().ok_or_else(|| format!("expected a link such as \"p1>p3#2\", not {text:?}"))
    }
}

/// What a client does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Op {
    /// A write with the client's next serial.
    Write,
    /// A read of the server's state.
    Read,
    /// `sync`, then a read.
    Sync,
}

/// What becomes of data that was written but not synced, when a process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    /// The process was killed: the operating system still writes everything out, and closes its sockets.
    Process,
    /// The power failed: of the writes not yet synced only the first `kept` reached the platter; if `torn`, half of the next
    /// one did as well. Nobody is told that the sockets are gone.
    Power {
        /// How many unsynced writes survive.
        kept: u16,
        /// Whether the one after them survives in part.
        torn: bool,
    },
}

/// How a disk behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DiskMode {
    /// As it should.
    Healthy,
    /// Every write fails with ENOSPC.
    Full,
    /// It says "synced" at once and forgets on power loss.
    Lying,
}

/// One choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Action {
    // The quorum plane.
    /// Hand the next packet on `link` to `to`. `skip` packets wait in front of it: 0 is FIFO.
    Deliver {
        /// The link.
        link: LinkKey,
        /// The receiving end.
        to: Node,
        /// How many earlier packets it overtakes; only where a scenario switched FIFO off.
        skip: u16,
    },
    /// The connection that `dialer` asked for reaches `acceptor`: it is accepted if somebody listens, else refused.
    Connect {
        /// The learner.
        dialer: Node,
        /// The leader.
        acceptor: Node,
    },
    /// The connection that `dialer` asked for times out.
    ConnectTimeout {
        /// The learner.
        dialer: Node,
        /// The leader.
        acceptor: Node,
    },
    /// `at` notices that `link` is gone. What arrived before has been handled; what was still in flight is lost.
    NoticeClose {
        /// The link.
        link: LinkKey,
        /// Who notices.
        at: Node,
    },
    /// Break `link`: the last `lose_up` packets in flight towards the acceptor and the last `lose_down` towards the dialer are
    /// lost; the rest still arrives, then both ends notice.
    Reset {
        /// The link.
        link: LinkKey,
        /// Lost on the way to the acceptor.
        lose_up: u16,
        /// Lost on the way to the dialer.
        lose_down: u16,
    },
    /// Break `link` so that only `at` notices; the other end believes it stands, and hears nothing more.
    HalfOpen {
        /// The link.
        link: LinkKey,
        /// Who notices.
        at: Node,
    },
    /// Nothing gets from `from` to `to` until it is mended: packets wait, connections time out.
    Cut {
        /// The sending side.
        from: Node,
        /// The receiving side.
        to: Node,
    },
    /// End a cut.
    Mend {
        /// The sending side.
        from: Node,
        /// The receiving side.
        to: Node,
    },

    // The election plane.
    /// Hand the notification on the wire from `from` to `to`.
    Notify {
        /// Sender.
        from: Node,
        /// Receiver.
        to: Node,
    },
    /// Lose the notification on the wire.
    LoseNotification {
        /// Sender.
        from: Node,
        /// Receiver.
        to: Node,
    },
    /// Deliver an old notification again: the last one sent (`age` 0, a duplicate) or the one before (`age` 1, out of order).
    ReplayNotification {
        /// Sender.
        from: Node,
        /// Receiver.
        to: Node,
        /// How old.
        age: u8,
    },

    // Processes.
    /// The node's next timer is due.
    Wake {
        /// The node.
        node: Node,
    },
    /// The node's process ends here and now.
    Crash {
        /// The node.
        node: Node,
        /// What is lost.
        loss: Loss,
    },
    /// The node will crash inside the next step that has more than `after` outputs, once `after` of them are executed.
    CrashInside {
        /// The node.
        node: Node,
        /// How many outputs are still executed.
        after: u8,
        /// What is lost.
        loss: Loss,
    },
    /// Ask the node to stop cleanly.
    Stop {
        /// The node.
        node: Node,
    },
    /// Start the process of a node that is down.
    Start {
        /// The node.
        node: Node,
    },
    /// The node's machine stands still: nothing arrives, no timer fires, the world goes on.
    Pause {
        /// The node.
        node: Node,
    },
    /// It goes on, and finds its timers overdue.
    Resume {
        /// The node.
        node: Node,
    },
    /// A node that is down loses its disk.
    Wipe {
        /// The node.
        node: Node,
    },

    // Disks.
    /// The sync under way on the node's disk ends: what was written when it began is durable.
    SyncDone {
        /// The node.
        node: Node,
    },
    /// The sync under way on the node's disk fails (EIO).
    SyncFails {
        /// The node.
        node: Node,
    },
    /// The oldest read on the node's disk is answered.
    ReadDone {
        /// The node.
        node: Node,
    },
    /// The disk behaves differently from now on.
    Disk {
        /// The node.
        node: Node,
        /// How.
        mode: DiskMode,
    },

    // Clocks.
    /// The node's clock jumps forward.
    ClockJump {
        /// The node.
        node: Node,
        /// By how many milliseconds.
        millis: u32,
    },

    // Clients.
    /// A client sends an operation to a server. An operation it still waits for becomes one with an unknown outcome.
    Invoke {
        /// The client, from 0.
        client: u8,
        /// The server, its session moves there.
        server: Node,
        /// The operation.
        op: Op,
    },

    // The run.
    /// The run enters its next stage; checkers then ask for more. See [`Stage`].
    Enter {
        /// The stage.
        stage: Stage,
    },
}

/// The stages of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Safety under faults.
    Chaos,
    /// A core of at least a quorum is healed, faults outside it are permanent: it must converge.
    Converge,
    /// Everything was killed, unsynced data is gone, a quorum restarts: nothing committed may be missing.
    Epilogue,
}
