//! Servers in memory: packets arrive in order and at once, disks answer at once, time is virtual. Nothing is drawn.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use zabsim::replica::{Effect, Replica, Service};
use zabsim::zab::{
    Config, Duration, Ensemble, Input, Instant, Limits, LinkId, LogSlice, MemberRole, Message, Output, Payload,
    PeerState, Recovered, Sid, Txn, Zxid,
};
use zabsim::zk::service::config::ServiceConfig;
use zabsim::zk::service::zk::Zk;
use zabsim::zk::service::{Answer, Call, ConnId};

/// An ensemble and what is under way in it.
pub struct Cluster {
    pub now: Instant,
    nodes: BTreeMap<Sid, Node>,
    /// What happens next, in order.
    inputs: VecDeque<(Sid, Input)>,
    /// Both ends of each quorum link.
    links: BTreeMap<LinkId, [Sid; 2]>,
    last_link: u64,
    last_conn: u64,
    /// What came back, until a client reads it.
    answers: BTreeMap<ConnId, VecDeque<Answer>>,
    /// Inputs are held back while a test looks at what is half done.
    pub frozen: BTreeSet<Sid>,
    /// So many of the states sent to these are none.
    pub garbled: BTreeMap<Sid, u32>,
    ensemble: Ensemble,
}

struct Node {
    replica: Replica<Zk>,
    listening: bool,
    applied: Vec<Txn>,
}

impl Cluster {
    /// `n` servers that find each other, with these options.
    pub fn with(n: i64, options: impl Fn(ServiceConfig) -> ServiceConfig) -> Cluster {
        let ensemble = Ensemble::majority((1..=n).map(|sid| (Sid(sid), MemberRole::Participant))).unwrap();
        let mut cluster = Cluster {
            now: Instant::ZERO,
            nodes: BTreeMap::new(),
            inputs: VecDeque::new(),
            links: BTreeMap::new(),
            last_link: 0,
            last_conn: 0,
            answers: BTreeMap::new(),
            frozen: BTreeSet::new(),
            garbled: BTreeMap::new(),
            ensemble,
        };
        (1..=n).for_each(|sid| cluster.start(Sid(sid), &options));
        cluster.run_for(Duration::from_secs(3));
        assert!(cluster.leader().is_some(), "three seconds are enough for an election");
        cluster
    }

    /// A server starts, without any data.
    pub fn start(&mut self, sid: Sid, options: impl Fn(ServiceConfig) -> ServiceConfig) {
        self.start_with(sid, options, None);
    }

    /// A server starts with the state that these bytes are, as of that txn.
    pub fn start_with(
        &mut self,
        sid: Sid,
        options: impl Fn(ServiceConfig) -> ServiceConfig,
        state: Option<(Zxid, &[u8])>,
    ) {
        let limits = Limits::default();
        let service = ServiceConfig {
            standalone: self.ensemble.members().len() == 1,
            ..ServiceConfig::new(sid, limits.tick_time)
        };
        let config = Config::new(sid, self.ensemble.clone(), limits).unwrap();
        let (accepted_epoch, current_epoch) = (None, None);
        let last_zxid = state.map_or(Zxid::ZERO, |(zxid, _)| zxid);
        let recovered = Recovered { accepted_epoch, current_epoch, last_zxid, base: last_zxid, recent: Vec::new() };
        let mut effects = Vec::new();
        let mut service = Zk::new(options(service), self.now);
        if let Some((zxid, bytes)) = state {
            service.restore(zxid, &[bytes]).expect("it is one");
        }
        let replica = Replica::new(config, recovered, service, self.now, &mut effects);
        self.nodes.insert(sid, Node { replica, listening: false, applied: Vec::new() });
        self.execute(sid, effects);
    }

    /// `n` servers with ZooKeeper's defaults.
    pub fn of(n: i64) -> Cluster {
        Cluster::with(n, |config| config)
    }

    /// Who leads and serves.
    pub fn leader(&self) -> Option<Sid> {
        self.nodes
            .iter()
            .find(|(_, node)| node.replica.peer().state() == PeerState::Leading && node.replica.peer().is_serving())
            .map(|(sid, _)| *sid)
    }

    /// A server that follows and serves.
    pub fn follower(&self) -> Sid {
        let follows =
            |node: &Node| node.replica.peer().state() == PeerState::Following && node.replica.peer().is_serving();
        *self.nodes.iter().find(|(_, node)| follows(node)).expect("somebody follows").0
    }

    /// Whether a server serves.
    pub fn is_serving(&self, sid: Sid) -> bool {
        self.nodes[&sid].replica.peer().is_serving()
    }

    /// The servers that are up.
    pub fn sids(&self) -> Vec<Sid> {
        self.nodes.keys().copied().collect()
    }

    /// The service of a server.
    pub fn service(&self, sid: Sid) -> &Zk {
        self.nodes[&sid].replica.service()
    }

    /// What a server applied, in order.
    pub fn applied(&self, sid: Sid) -> &[Txn] {
        &self.nodes[&sid].applied
    }

    /// The process is gone, and with it its links and connections.
    pub fn crash(&mut self, sid: Sid) {
        self.nodes.remove(&sid);
        self.inputs.retain(|(to, _)| *to != sid);
        let gone: Vec<(LinkId, [Sid; 2])> =
            self.links.iter().filter(|(_, ends)| ends.contains(&sid)).map(|(link, ends)| (*link, *ends)).collect();
        for (link, ends) in gone {
            self.links.remove(&link);
            self.inputs.push_back((other(ends, sid), Input::Closed { link }));
        }
        self.settle();
    }

    /// The state of a server is recovered from its disk, which holds what was applied.
    pub fn reload(&mut self, sid: Sid) {
        let node = self.nodes.get_mut(&sid).expect("it is up");
        let last_zxid = node.replica.service().tree().last_processed();
        let (accepted_epoch, current_epoch) = (None, None);
        let recovered = Recovered { accepted_epoch, current_epoch, last_zxid, base: last_zxid, recent: Vec::new() };
        let found = node.replica.service();
        let mut service = Zk::new(found.config().clone(), self.now);
        let image: Vec<Payload> = found.freeze().into_iter().collect();
        let pieces: Vec<&[u8]> = image.iter().map(Payload::as_bytes).collect();
        service.restore(last_zxid, &pieces).expect("what was frozen is a state");
        let mut effects = Vec::new();
        node.replica.reloaded(self.now, recovered, service, &mut effects);
        self.execute(sid, effects);
    }

    /// The calendar of a server's host was set: it was this time when everything began.
    pub fn set_wall_clock(&mut self, sid: Sid, base: i64) {
        self.nodes.get_mut(&sid).expect("it is up").replica.set_wall_clock(base);
    }

    /// A client connects to a server.
    pub fn connect(&mut self, to: Sid) -> ConnId {
        self.last_conn += 1;
        let conn = ConnId(self.last_conn);
        self.answers.insert(conn, VecDeque::new());
        self.call_only(to, Call::Connected { conn, from: [127, 0, 0, 1].into() });
        conn
    }

    /// A client of `to` does something; everything that follows at once happens.
    pub fn call(&mut self, to: Sid, call: Call) {
        self.call_only(to, call);
        self.settle();
    }

    /// A client of `to` does something; what follows waits.
    pub fn call_only(&mut self, to: Sid, call: Call) {
        let Some(node) = self.nodes.get_mut(&to) else { return };
        let mut effects = Vec::new();
        node.replica.call(self.now, call, &mut effects);
        self.execute(to, effects);
    }

    /// The next thing that came back on a connection.
    pub fn answer(&mut self, conn: ConnId) -> Option<Answer> {
        self.answers.get_mut(&conn)?.pop_front()
    }

    /// Everything that happens at this instant happens, except at frozen servers.
    pub fn settle(&mut self) {
        while let Some(next) = self.inputs.iter().position(|(to, _)| !self.frozen.contains(to)) {
            let (to, input) = self.inputs.remove(next).expect("it was found there");
            let Some(node) = self.nodes.get_mut(&to) else { continue };
            let mut effects = Vec::new();
            node.replica.handle(self.now, input, &mut effects);
            self.execute(to, effects);
        }
    }

    /// Time passes.
    pub fn run_for(&mut self, time: Duration) {
        let end = self.now + time;
        self.settle();
        loop {
            let due = self.nodes.iter().filter(|(sid, _)| !self.frozen.contains(sid));
            let due = due.filter_map(|(sid, node)| node.replica.next_timeout().map(|(at, _)| (at, *sid))).min();
            let Some((at, sid)) = due.filter(|(at, _)| *at <= end) else { break };
            self.now = self.now.max(at);
            self.inputs.push_back((sid, Input::Wake));
            self.settle();
        }
        self.now = end;
    }

    fn execute(&mut self, sid: Sid, effects: Vec<Effect<Zk>>) {
        for effect in effects {
            match effect {
                Effect::Output(output) => self.output(sid, output),
                Effect::Snapshot { id, .. } => self.inputs.push_back((sid, Input::Persisted { through: id })),
                Effect::Applied { txn, .. } => self.nodes.get_mut(&sid).expect("it applied").applied.push(txn),
                Effect::Answer(answer) => {
                    let conn = match &answer {
                        Answer::Frame { conn, .. } | Answer::Close { conn } => *conn,
                    };
                    self.answers.entry(conn).or_default().push_back(answer);
                }
                Effect::Proposed { .. } | Effect::Restored { .. } => {}
            }
        }
    }

    fn output(&mut self, sid: Sid, output: Output) {
        match output {
            Output::Notify { to, notification } => {
                self.inputs.push_back((to, Input::Notification { from: sid, notification }));
            }
            Output::Listen => self.listen(sid, true),
            Output::Unlisten => self.listen(sid, false),
            Output::Connect { to } if self.nodes.get(&to).is_some_and(|node| node.listening) => {
                self.last_link += 1;
                let link = LinkId(self.last_link);
                self.links.insert(link, [sid, to]);
                self.inputs.push_back((to, Input::Accepted { link }));
                self.inputs.push_back((sid, Input::Connected { to, link }));
            }
            Output::Connect { to } => self.inputs.push_back((sid, Input::ConnectFailed { to })),
            Output::Send { link, mut message } => {
                if let Some(ends) = self.links.get(&link) {
                    if let Message::SnapChunk { chunk } = &mut message
                        && let Some(left @ 1..) = self.garbled.get_mut(&other(*ends, sid))
                    {
                        *left -= 1;
                        *chunk = Payload::new(&chunk.as_bytes()[1..]);
                    }
                    self.inputs.push_back((other(*ends, sid), Input::Received { link, message }));
                }
            }
            Output::Disconnect { link, .. } => {
                if let Some(ends) = self.links.remove(&link) {
                    self.inputs.push_back((other(ends, sid), Input::Closed { link }));
                }
            }
            Output::Persist { id, .. } => self.inputs.push_back((sid, Input::Persisted { through: id })),
            // No log goes back that far: learners start with the leader's whole state, which a service must write and read.
            Output::ReadLog { read, .. } => {
                self.inputs.push_back((sid, Input::LogRead { read, slice: LogSlice::Purged }))
            }
            Output::Reload => self.reload(sid),
            Output::Serve { .. } | Output::Synced { .. } | Output::Reject(_) | Output::Milestone(_) => {}
            output => panic!("no test leads here: {output:?}"),
        }
    }

    fn listen(&mut self, sid: Sid, listening: bool) {
        if let Some(node) = self.nodes.get_mut(&sid) {
            node.listening = listening;
        }
    }
}

fn other(ends: [Sid; 2], one: Sid) -> Sid {
    if ends[0] == one { ends[1] } else { ends[0] }
}
