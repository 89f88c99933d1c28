//! The quorum plane: links between processes, in order, breakable at any packet; and what lies between nodes: cuts, dials.

use std::collections::VecDeque;

use super::mailbox::Mailboxes;
use super::{LinkKey, Loss, Node};
use crate::zab::Message;

/// Why an end of a link will learn that it is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Closing {
    /// The other end closed it: the news travels like a packet, after the last one.
    Fin,
    /// The network broke it.
    Reset,
}

/// One end of a link.
#[derive(Clone, Debug, Default)]
struct End {
    /// Whether the process at this end still holds it.
    open: bool,
    /// What travels towards this end.
    inbox: VecDeque<Message>,
    closing: Option<Closing>,
}

/// A quorum link.
#[derive(Clone, Debug)]
pub struct LinkState {
    key: LinkKey,
    /// The dialer's end, the acceptor's end.
    ends: [End; 2],
    /// Whether what is sent vanishes.
    severed: bool,
}

impl LinkState {
    /// Which link.
    pub fn key(&self) -> LinkKey {
        self.key
    }

    /// Packets in flight towards `to`.
    pub fn in_flight(&self, to: Node) -> u16 {
        u16::try_from(self.end(to).inbox.len()).unwrap_or(u16::MAX)
    }

    /// Whether the process at `at` still holds its end.
    pub fn is_open(&self, at: Node) -> bool {
        self.end(at).open
    }

    /// Whether the link is broken, so that `at` will notice.
    pub fn is_closing(&self, at: Node) -> bool {
        let end = self.end(at);
        end.open && end.closing.is_some()
    }

    /// Whether the link works in both directions.
    pub fn is_sound(&self) -> bool {
        !self.severed && self.ends.iter().all(|end| end.open && end.closing.is_none())
    }

    /// What travels towards `to`, in order.
    pub(super) fn inbox(&self, to: Node) -> impl Iterator<Item = &Message> {
        self.end(to).inbox.iter()
    }

    /// Whether nothing is left to arrive before `at` can notice the end.
    pub(super) fn is_close_due(&self, at: Node) -> bool {
        self.is_closing(at) && self.end(at).inbox.is_empty()
    }

    /// Whether the news of the end reaches `at` although the network is cut.
    pub(super) fn is_reset(&self, at: Node) -> bool {
        self.end(at).closing == Some(Closing::Reset)
    }

    fn end(&self, node: Node) -> &End {
        &self.ends[usize::from(node == self.key.acceptor)]
    }

    fn end_mut(&mut self, node: Node) -> &mut End {
        &mut self.ends[usize::from(node == self.key.acceptor)]
    }

    /// Breaks the link from outside: of what travels towards `at`, the last `lose` are lost. Returns how many were.
    fn reset(&mut self, at: Node, lose: usize) -> usize {
        let end = self.end_mut(at);
        if !end.open {
            return 0;
        }
        let kept = end.inbox.len().saturating_sub(lose);
        let lost = end.inbox.len() - kept;
        end.inbox.truncate(kept);
        end.closing = Some(Closing::Reset);
        lost
    }
}

/// All links, and what lies between nodes. Tables are indexed by ordered pairs.
#[derive(Clone, Debug)]
pub(super) struct Network {
    nodes: usize,
    /// Links by (dialer, acceptor): rarely more than one, since a learner holds one at a time.
    links: Vec<Vec<LinkState>>,
    generations: Vec<u16>,
    cuts: Vec<bool>,
    dials: Vec<bool>,
    listening: Vec<bool>,
    pub(super) mailboxes: Mailboxes,
}

impl Network {
    pub(super) fn new(nodes: usize) -> Network {
        let pairs = nodes * nodes;
        Network {
            nodes,
            links: vec![Vec::new(); pairs],
            generations: vec![0; pairs],
            cuts: vec![false; pairs],
            dials: vec![false; pairs],
            listening: vec![false; nodes],
            mailboxes: Mailboxes::new(nodes),
        }
    }

    fn pair(&self, from: Node, to: Node) -> usize {
        from.index() * self.nodes + to.index()
    }

    pub(super) fn is_cut(&self, from: Node, to: Node) -> bool {
        self.cuts[self.pair(from, to)]
    }

    pub(super) fn set_cut(&mut self, from: Node, to: Node, cut: bool) {
        let pair = self.pair(from, to);
        self.cuts[pair] = cut;
    }

    pub(super) fn is_listening(&self, node: Node) -> bool {
        self.listening[node.index()]
    }

    pub(super) fn listen(&mut self, node: Node, listening: bool) {
        self.listening[node.index()] = listening;
    }

    pub(super) fn is_dialing(&self, dialer: Node, acceptor: Node) -> bool {
        self.dials[self.pair(dialer, acceptor)]
    }

    /// Asks for a connection. Returns whether it was not asked for already: two attempts at a time share one answer.
    pub(super) fn dial(&mut self, dialer: Node, acceptor: Node) -> bool {
        let pair = self.pair(dialer, acceptor);
        !std::mem::replace(&mut self.dials[pair], true)
    }

    /// An attempt to connect failed.
    pub(super) fn refuse(&mut self, dialer: Node, acceptor: Node) {
        let pair = self.pair(dialer, acceptor);
        self.dials[pair] = false;
    }

    /// An attempt to connect succeeded.
    pub(super) fn open(&mut self, dialer: Node, acceptor: Node) -> LinkKey {
        let pair = self.pair(dialer, acceptor);
        self.dials[pair] = false;
        // A long stall reconnects without end. A number comes back only after 65,535 others, long after its link is gone.
        self.generations[pair] = self.generations[pair].checked_add(1).unwrap_or(1);
        let key = LinkKey { dialer, acceptor, generation: self.generations[pair] };
        let end = End { open: true, ..End::default() };
        self.links[pair].push(LinkState { key, ends: [end.clone(), end], severed: false });
        key
    }

    pub(super) fn link(&self, key: LinkKey) -> Option<&LinkState> {
        let known = key.dialer.index() < self.nodes && key.acceptor.index() < self.nodes;
        known.then(|| self.links[self.pair(key.dialer, key.acceptor)].iter().find(|link| link.key == key)).flatten()
    }

    fn link_mut(&mut self, key: LinkKey) -> Option<&mut LinkState> {
        let pair = self.pair(key.dialer, key.acceptor);
        self.links[pair].iter_mut().find(|link| link.key == key)
    }

    pub(super) fn links(&self) -> impl Iterator<Item = &LinkState> {
        self.links.iter().flatten()
    }

    /// The links between two nodes, whoever dialed.
    pub(super) fn between(&self, a: Node, b: Node) -> impl Iterator<Item = &LinkState> {
        self.links[self.pair(a, b)].iter().chain(&self.links[self.pair(b, a)])
    }

    /// Whether `from` can send on the link: its end is open.
    pub(super) fn can_send(&self, key: LinkKey, from: Node) -> bool {
        self.link(key).is_some_and(|link| link.end(from).open)
    }

    /// Sends a packet. Returns whether it travels: on a broken link it vanishes.
    pub(super) fn send(&mut self, key: LinkKey, from: Node, message: Message) -> bool {
        let Some(link) = self.link_mut(key) else { return false };
        let severed = link.severed;
        let to = link.end_mut(key.other(from));
        let travels = to.open && to.closing.is_none() && !severed;
        if travels {
            to.inbox.push_back(message);
        }
        travels
    }

    /// Takes the packet behind `skip` others.
    pub(super) fn take(&mut self, key: LinkKey, to: Node, skip: u16) -> Option<Message> {
        self.link_mut(key)?.end_mut(to).inbox.remove(skip.into())
    }

    /// A process closes its end. Returns whether it was open; the other end will read what travels, then notice.
    pub(super) fn close(&mut self, key: LinkKey, by: Node) -> bool {
        let Some(link) = self.link_mut(key) else { return false };
        let was_open = std::mem::take(link.end_mut(by)).open;
        let severed = link.severed;
        let other = link.end_mut(key.other(by));
        if other.open && !severed {
            other.closing.get_or_insert(Closing::Fin);
        }
        self.retire(key);
        was_open
    }

    /// A process noticed the end of a link; what still travelled towards it is lost.
    pub(super) fn notice(&mut self, key: LinkKey, at: Node) {
        if let Some(link) = self.link_mut(key) {
            *link.end_mut(at) = End::default();
        }
        self.retire(key);
    }

    /// Breaks a link for both ends. Returns how many packets were lost. A reset of a cut link loses all that cannot arrive.
    pub(super) fn reset(&mut self, key: LinkKey, lose_up: u16, lose_down: u16) -> u16 {
        let up_cut = self.is_cut(key.dialer, key.acceptor);
        let down_cut = self.is_cut(key.acceptor, key.dialer);
        let Some(link) = self.link_mut(key) else { return 0 };
        link.severed = true;
        let up = link.reset(key.acceptor, if up_cut { usize::MAX } else { lose_up.into() });
        let down = link.reset(key.dialer, if down_cut { usize::MAX } else { lose_down.into() });
        u16::try_from(up + down).unwrap_or(u16::MAX)
    }

    /// Breaks a link so that only `at` will notice.
    pub(super) fn half_open(&mut self, key: LinkKey, at: Node) {
        let cut = self.is_cut(key.other(at), at);
        let Some(link) = self.link_mut(key) else { return };
        link.severed = true;
        link.reset(at, if cut { usize::MAX } else { 0 });
        link.end_mut(key.other(at)).inbox.clear();
    }

    /// The process of `node` ended: its ends are gone. If its machine goes on, the others are told; calls `told` with each.
    pub(super) fn down(&mut self, node: Node, loss: Loss, mut told: impl FnMut(LinkKey)) {
        self.listening[node.index()] = false;
        for peer in (0..self.nodes).map(Node::at) {
            let dial = self.pair(node, peer);
            self.dials[dial] = false;
            for pair in [self.pair(node, peer), self.pair(peer, node)] {
                for link in &mut self.links[pair] {
                    let was_open = std::mem::take(link.end_mut(node)).open;
                    let severed = std::mem::replace(&mut link.severed, true);
                    let other = link.end_mut(link.key.other(node));
                    if was_open && !severed && other.open && loss == Loss::Process {
                        other.closing.get_or_insert(Closing::Fin);
                        told(link.key);
                    }
                }
                self.links[pair].retain(|link| link.ends.iter().any(|end| end.open));
            }
        }
    }

    /// Forgets a link that no process holds.
    fn retire(&mut self, key: LinkKey) {
        let pair = self.pair(key.dialer, key.acceptor);
        self.links[pair].retain(|link| link.key != key || link.ends.iter().any(|end| end.open));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zab::Zxid;

    fn ack(n: i64) -> Message {
        Message::Ack { zxid: Zxid(n) }
    }

    fn linked() -> (Network, LinkKey, Node, Node) {
        let (learner, leader) = (Node::at(0), Node::at(1));
        let mut net = Network::new(2);
        assert!(net.dial(learner, leader) && !net.dial(learner, leader));
        let key = net.open(learner, leader);
        (net, key, learner, leader)
    }

    #[test]
    fn packets_arrive_in_order_and_may_overtake_only_when_asked() {
        let (mut net, key, learner, leader) = linked();
        assert!((1..=3).all(|n| net.send(key, learner, ack(n))));
        assert_eq!(net.link(key).unwrap().in_flight(leader), 3);
        assert_eq!(net.take(key, leader, 1), Some(ack(2)));
        assert_eq!(net.take(key, leader, 0), Some(ack(1)));
        assert_eq!(net.take(key, leader, 1), None);
    }

    #[test]
    fn the_other_end_of_a_closed_link_reads_what_travels_and_then_notices() {
        let (mut net, key, learner, leader) = linked();
        net.send(key, leader, ack(1));
        net.send(key, learner, ack(9));
        assert!(net.close(key, leader) && !net.close(key, leader));
        let link = net.link(key).unwrap();
        assert!(link.is_closing(learner) && !link.is_close_due(learner), "a packet is on its way");
        assert!(!net.send(key, learner, ack(2)), "nobody reads it");
        assert_eq!((net.take(key, leader, 0), net.take(key, learner, 0)), (None, Some(ack(1))));
        assert!(net.link(key).unwrap().is_close_due(learner));
        net.notice(key, learner);
        assert_eq!(net.links().count(), 0);
        assert_eq!(net.open(learner, leader).generation, 2);
    }

    #[test]
    fn a_reset_loses_a_suffix_and_both_ends_notice() {
        let (mut net, key, learner, leader) = linked();
        (1..=3).for_each(|n| assert!(net.send(key, learner, ack(n)) && net.send(key, leader, ack(n))));
        assert_eq!(net.reset(key, 2, 9), 5);
        assert!(!net.send(key, learner, ack(4)));
        assert_eq!((net.take(key, leader, 0), net.take(key, leader, 0)), (Some(ack(1)), None));
        let link = net.link(key).unwrap();
        assert!(link.is_close_due(learner) && link.is_close_due(leader) && link.is_reset(leader));
    }

    #[test]
    fn only_one_end_notices_a_half_open_link() {
        let (mut net, key, learner, leader) = linked();
        net.send(key, learner, ack(1));
        net.send(key, leader, ack(2));
        net.half_open(key, leader);
        let link = net.link(key).unwrap();
        assert!(link.is_closing(leader) && !link.is_closing(learner) && !link.is_sound());
        assert_eq!((link.in_flight(leader), link.in_flight(learner)), (1, 0));
        net.notice(key, leader);
        assert!(net.can_send(key, learner) && !net.send(key, learner, ack(3)), "it believes the link stands");
        assert!(!net.link(key).unwrap().is_closing(learner));
    }

    #[test]
    fn a_killed_process_is_noticed_and_a_dead_machine_is_not() {
        for (loss, noticed) in [(Loss::Process, true), (Loss::Power { kept: 0, torn: false }, false)] {
            let (mut net, key, learner, leader) = linked();
            net.listen(leader, true);
            net.send(key, leader, ack(1));
            let mut told = Vec::new();
            net.down(leader, loss, |link| told.push(link));
            assert_eq!(!told.is_empty(), noticed);
            let link = net.link(key).unwrap();
            assert_eq!((link.is_closing(learner), link.in_flight(learner)), (noticed, 1));
            assert!(!net.is_listening(leader) && !net.send(key, learner, ack(2)));
            net.down(learner, loss, |_| {});
            assert_eq!(net.links().count(), 0);
        }
    }
}
