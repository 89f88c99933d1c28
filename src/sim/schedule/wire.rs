//! When what is on the wire arrives: delays per ordered pair of servers, FIFO per link.

use crate::sim::latency::{Latency, NetworkOptions};
use crate::sim::rng::{Rng, Stream};
use crate::sim::{LinkKey, Node};
use crate::zab::{Duration, Instant};

/// One ordered pair of servers.
#[derive(Clone, Debug)]
struct Way {
    quorum: Rng,
    election: Rng,
    /// How late everything is at the moment.
    clogged: Duration,
    /// As dialler to acceptor: the newest link, and when the last packet in each direction arrives.
    generation: u16,
    up: Instant,
    down: Instant,
}

/// All pairs.
#[derive(Clone, Debug)]
pub struct Wire {
    nodes: usize,
    ways: Vec<Way>,
    latency: Latency,
    election_latency: Latency,
    fifo: bool,
}

impl Wire {
    /// The wires between `nodes` servers.
    pub fn new(options: &NetworkOptions, seed: u64, nodes: usize) -> Wire {
        let way = |pair| Way {
            quorum: Rng::new(seed, Stream::QuorumNet, pair),
            election: Rng::new(seed, Stream::ElectionNet, pair),
            clogged: Duration::ZERO,
            generation: 0,
            up: Instant::ZERO,
            down: Instant::ZERO,
        };
        Wire {
            nodes,
            ways: (0..nodes * nodes).map(way).collect(),
            latency: options.latency,
            election_latency: options.election_latency.unwrap_or(options.latency),
            fifo: options.fifo,
        }
    }

    fn way(&mut self, from: Node, to: Node) -> &mut Way {
        &mut self.ways[from.index() * self.nodes + to.index()]
    }

    /// Delays everything from `from` to `to` by `by`.
    pub fn clog(&mut self, from: Node, to: Node, by: Duration) {
        self.way(from, to).clogged = by;
    }

    /// When a packet sent now towards `to` arrives: not before those sent earlier on the same link.
    pub fn arrival(&mut self, link: LinkKey, to: Node, now: Instant) -> Instant {
        let (latency, fifo) = (self.latency, self.fifo);
        let way = self.way(link.other(to), to);
        let arrival = now + latency.draw(&mut way.quorum) + way.clogged;
        if !fifo {
            return arrival;
        }
        let clock = self.way(link.dialer, link.acceptor);
        if clock.generation < link.generation {
            (clock.generation, clock.up, clock.down) = (link.generation, now, now);
        } else if clock.generation > link.generation {
            return arrival;
        }
        let last = if to == link.acceptor { &mut clock.up } else { &mut clock.down };
        *last = arrival.max(*last);
        *last
    }

    /// When `at` notices the end of `link`: mostly behind everything that was sent, sometimes (a reset) before.
    pub fn close(&mut self, link: LinkKey, at: Node, now: Instant) -> Instant {
        let latency = self.latency;
        let way = self.way(link.other(at), at);
        if way.quorum.below(8) == 0 { now + latency.draw(&mut way.quorum) } else { self.arrival(link, at, now) }
    }

    /// When a dial reaches the other side.
    pub fn dial(&mut self, dialer: Node, acceptor: Node, now: Instant) -> Instant {
        let latency = self.latency;
        let way = self.way(dialer, acceptor);
        now + latency.draw(&mut way.quorum) + way.clogged
    }

    /// When a notification arrives.
    pub fn notification(&mut self, from: Node, to: Node, now: Instant) -> Instant {
        let latency = self.election_latency;
        let way = self.way(from, to);
        let delay = latency.draw(&mut way.election) + way.clogged;
        if from == to { now + delay / 8 } else { now + delay }
    }

    /// The draws that belong to notifications from `from` to `to`.
    pub fn election_rng(&mut self, from: Node, to: Node) -> &mut Rng {
        &mut self.way(from, to).election
    }

    /// The draws that belong to packets from `from` to `to`.
    pub fn quorum_rng(&mut self, from: Node, to: Node) -> &mut Rng {
        &mut self.way(from, to).quorum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_of_one_link_arrive_in_order_and_a_new_link_starts_afresh() {
        let mut wire = Wire::new(&NetworkOptions::default(), 9, 3);
        let (dialer, acceptor) = (Node::at(0), Node::at(2));
        let link = |generation| LinkKey { dialer, acceptor, generation };
        wire.clog(dialer, acceptor, Duration::from_secs(9));
        let clogged = wire.arrival(link(1), acceptor, Instant(0));
        wire.clog(dialer, acceptor, Duration::ZERO);
        let mut last = clogged;
        for sent in 1..1000 {
            let arrival = wire.arrival(link(1), acceptor, Instant(sent));
            assert!(arrival >= last);
            last = arrival;
        }
        assert!(wire.arrival(link(1), dialer, Instant(1000)) < clogged, "the other direction is free");
        assert!(wire.arrival(link(2), acceptor, Instant(1000)) < clogged, "so is the next link");
        assert!(wire.arrival(link(1), acceptor, Instant(1000)) < clogged, "what is left of the old one is lost anyway");
    }

    #[test]
    fn a_draw_for_one_pair_does_not_shift_another() {
        let mut busy = Wire::new(&NetworkOptions::default(), 9, 3);
        let mut idle = busy.clone();
        for _ in 0..10 {
            busy.notification(Node::at(0), Node::at(1), Instant(0));
        }
        let (from, to) = (Node::at(1), Node::at(2));
        assert_eq!(busy.notification(from, to, Instant(0)), idle.notification(from, to, Instant(0)));
    }
}
