//! `Links`: what the C checkers know of the packets on each link. One entry per pair of nodes, begun anew with each generation.

use crate::sim::LinkKey;
use crate::zab::Zxid;

/// One link, as its packets were sent and received.
#[derive(Clone, Copy, Debug, Default)]
pub struct LinkGhost {
    /// Which connection of the pair.
    pub generation: u16,
    /// How far the learner's sending came: 0 nothing, 1 INFO, 2 ACKEPOCH, 3 ACK of NEWLEADER.
    pub learner_sent: u8,
    /// How far the leader's sending came: 0 nothing, 1 LEADERINFO, 2 DIFF, TRUNC or SNAP, 3 NEWLEADER, 4 UPTODATE.
    pub leader_sent: u8,
    /// Whether the leader received the ACK of NEWLEADER.
    pub new_leader_acked: bool,
    /// The first PROPOSAL that the learner received.
    pub first_proposal: Option<Zxid>,
    /// The last one, or INFORM.
    pub last_proposal: Option<Zxid>,
    /// The last COMMIT that the learner received.
    pub last_commit: Option<Zxid>,
}

/// All links.
#[derive(Clone, Debug)]
pub struct Links {
    nodes: usize,
    links: Vec<LinkGhost>,
}

impl Links {
    /// Between so many nodes.
    pub fn new(nodes: usize) -> Links {
        Links { nodes, links: vec![LinkGhost::default(); nodes * nodes] }
    }

    /// The newest link of that pair; `None` for a late packet of an older one.
    #[inline]
    pub fn of(&mut self, link: LinkKey) -> Option<&mut LinkGhost> {
        let ghost = &mut self.links[link.dialer.index() * self.nodes + link.acceptor.index()];
        if ghost.generation < link.generation {
            *ghost = LinkGhost { generation: link.generation, ..LinkGhost::default() };
        }
        (ghost.generation == link.generation).then_some(ghost)
    }
}
