//! A cluster without faults or randomness, for conversations: packets arrive in the order they were sent, disks answer at
//! once, time passes only when nobody has anything left to say. What the peers say is written down.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;

use zabsim::zab::{
    Config, Duration, Ensemble, Epoch, Habit, Habits, Input, Instant, Limits, LinkId, LogSlice, MemberRole, Message,
    Milestone, Notification, Output, Payload, Peer, PeerState, Recovered, Sid, SnapshotImage, Txn, Write, WriteId,
    Zxid,
};

/// What a server keeps when its process ends.
#[derive(Default)]
struct Disk {
    accepted_epoch: Option<Epoch>,
    current_epoch: Option<Epoch>,
    base: Zxid,
    log: Vec<Txn>,
}

impl Disk {
    fn last(&self) -> Zxid {
        self.log.last().map_or(self.base, |txn| txn.zxid)
    }

    fn recovered(&self, window: usize) -> Recovered {
        Recovered {
            accepted_epoch: self.accepted_epoch,
            current_epoch: self.current_epoch,
            last_zxid: self.last(),
            base: self.base,
            recent: self.log[self.log.len().saturating_sub(window)..].to_vec(),
        }
    }

    fn write(&mut self, write: Write) {
        match write {
            Write::AcceptedEpoch(epoch) => self.accepted_epoch = Some(epoch),
            Write::CurrentEpoch(epoch) => self.current_epoch = Some(epoch),
            Write::Append(txn) => self.log.push(txn),
            Write::Truncate { to } => {
                self.log.retain(|txn| txn.zxid <= to);
                // The cut takes every newer snapshot along, and what was left out of the log for its sake is gone.
                if self.base > to {
                    self.base = Zxid::ZERO;
                }
            }
            Write::WriteSnapshot { .. } => {}
            Write::InstallSnapshot { zxid } => {
                self.base = zxid;
                self.log.clear();
            }
        }
    }
}

/// The cluster and its transcript.
pub struct Conversation {
    members: Vec<(Sid, MemberRole)>,
    limits: Limits,
    habits: Habits,
    peers: BTreeMap<Sid, Peer>,
    disks: BTreeMap<Sid, Disk>,
    /// Both ends of every open link, the dialer first.
    links: BTreeMap<LinkId, (Sid, Sid)>,
    listening: Vec<Sid>,
    queue: VecDeque<(Sid, Input)>,
    cut: Vec<Sid>,
    held: Vec<Sid>,
    /// Writes of held disks: not on the disk, and lost if the process ends.
    waiting: BTreeMap<Sid, Vec<(WriteId, Write)>>,
    delivered: BTreeMap<Sid, Vec<Zxid>>,
    now: Instant,
    next_link: u64,
    next_payload: u8,
    show_election: bool,
    show_disk: bool,
    /// How often anybody asked to read its state again.
    pub reloads: usize,
    transcript: String,
}

fn sid(name: &str) -> Sid {
    Sid(name.trim_start_matches('p').parse().unwrap_or_else(|_| panic!("{name} is no peer")))
}

/// `1:1 1:2`.
fn zxids(zxids: impl Iterator<Item = Zxid>) -> String {
    zxids.map(|zxid| zxid.to_string()).collect::<Vec<_>>().join(" ")
}

fn zxid(text: &str) -> Zxid {
    let (epoch, counter) = text.split_once(':').unwrap_or_else(|| panic!("{text} is no zxid"));
    let hex = |digits| u32::from_str_radix(digits, 16).unwrap_or_else(|_| panic!("{text} is no zxid"));
    Zxid::new(Epoch(hex(epoch)), hex(counter))
}

/// Plays a script, one command a line, and returns what was said.
///
/// | command | |
/// |---|---|
/// | `participants N` / `observers N` | the ensemble, p1 first |
/// | `limit KEY VALUE` | a limit, before anybody starts |
/// | `habit NAME..` | what everybody does as some release does, before anybody starts |
/// | `show election` / `show disk` | write down notifications / writes |
/// | `history pN ZXID.. [current E] [accepted E] [base ZXID] [missing]` | what is on its disk |
/// | `start pN..` / `crash pN..` / `stop pN..` | processes; a crash loses what a held disk did not take |
/// | `write pN` / `sync pN` | a client's request |
/// | `hold pN` / `release pN` | its disk keeps silent / answers |
/// | `cut pN` / `mend pN` | it hears and is heard by nobody |
/// | `break pN` | its quorum links break |
/// | `forge pN MESSAGE` | it gets this packet on its oldest link |
/// | `settle` | until nobody has anything to say without time passing |
/// | `pass DURATION` | let time pass |
/// | `quiet` / `loud` | stop or go on writing down |
pub fn play(script: &str) -> String {
    let mut c = Conversation::new();
    let mut quiet_since = None;
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match line {
            "quiet" => quiet_since = Some(c.transcript.len()),
            "loud" => c.transcript.truncate(quiet_since.take().expect("quiet comes before loud")),
            _ => {
                writeln!(c.transcript, "> {line}").unwrap();
                c.command(line);
            }
        }
    }
    c.transcript
}

impl Conversation {
    /// Plays a script that can go on: [`Conversation::run`].
    pub fn of(script: &str) -> Conversation {
        let mut c = Conversation::new();
        c.run(script);
        c
    }

    /// Plays more of a script and returns what was said meanwhile. Nothing is quiet here.
    pub fn run(&mut self, script: &str) -> String {
        let start = self.transcript.len();
        for line in script.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            self.command(line);
        }
        self.transcript[start..].to_string()
    }

    /// A peer whose process runs.
    pub fn peer(&self, name: &str) -> &Peer {
        self.peers.get(&sid(name)).unwrap_or_else(|| panic!("{name} does not run"))
    }

    /// The log on its disk, where nothing lies that was lost or held back.
    pub fn log(&self, name: &str) -> String {
        self.disks.get(&sid(name)).map_or_else(String::new, |disk| zxids(disk.log.iter().map(|txn| txn.zxid)))
    }

    /// The last zxid that would be recovered from its disk.
    pub fn last_on_disk(&self, name: &str) -> Zxid {
        self.disks.get(&sid(name)).map_or(Zxid::ZERO, Disk::last)
    }

    /// acceptedEpoch and currentEpoch on its disk.
    pub fn epochs(&self, name: &str) -> (u32, u32) {
        let disk = &self.disks[&sid(name)];
        (disk.accepted_epoch.map_or(0, |e| e.0), disk.current_epoch.map_or(0, |e| e.0))
    }

    /// What it told its service to be committed, over all its lives.
    pub fn delivered(&self, name: &str) -> String {
        zxids(self.delivered.get(&sid(name)).into_iter().flatten().copied())
    }

    /// A stranger connects to a listening peer and says this. Returns what was said then.
    pub fn intrude(&mut self, to: &str, messages: &[Message]) -> String {
        let (to, link, start) = (sid(to), LinkId(self.next_link), self.transcript.len());
        self.next_link += 1;
        self.links.insert(link, (Sid(99), to));
        self.queue.push_back((to, Input::Accepted { link }));
        for message in messages {
            self.queue.push_back((to, Input::Received { link, message: message.clone() }));
        }
        self.settle();
        self.transcript[start..].to_string()
    }

    /// A notification arrives as if `from` had sent it.
    pub fn notify(&mut self, to: &str, from: &str, notification: Notification) {
        self.queue.push_back((sid(to), Input::Notification { from: sid(from), notification }));
        self.settle();
    }

    /// An input arrives that the conversation itself would not give now.
    pub fn input(&mut self, to: &str, input: Input) {
        self.queue.push_back((sid(to), input));
    }

    /// Gives a learner a packet as if its leader had sent it.
    fn forge(&mut self, to: Sid, words: &[&str]) {
        let ends = |(dialer, acceptor): &(Sid, Sid)| *dialer == to || *acceptor == to;
        let link = self.links.iter().find(|(_, link)| ends(link)).map(|(link, _)| *link).expect("it has a link");
        let message = match *words {
            ["LEADERINFO", epoch] => Message::LeaderInfo { epoch: Epoch(epoch.parse().expect("an epoch")) },
            ["PROPOSAL", z] => Message::Proposal { txn: Txn { zxid: zxid(z), payload: Payload::EMPTY } },
            ["COMMIT", z] => Message::Commit { zxid: zxid(z) },
            ["ACK", z] => Message::Ack { zxid: zxid(z) },
            ["TRUNC", z] => Message::Trunc { zxid: zxid(z) },
            ["SNAP", z] => Message::Snap { zxid: zxid(z) },
            ["SNAPDONE"] => Message::SnapDone,
            ["DIFF", z] => Message::Diff { zxid: zxid(z) },
            ["NEWLEADER", epoch] => Message::NewLeader { epoch: Epoch(epoch.parse().expect("an epoch")) },
            _ => panic!("no forged {words:?}"),
        };
        self.queue.push_back((to, Input::Received { link, message }));
    }

    fn new() -> Conversation {
        let limits = Limits {
            tick_time: Duration::from_millis(100),
            init_limit: 10,
            sync_limit: 5,
            finalize_wait: Duration::from_millis(20),
            min_notification_interval: Duration::from_millis(20),
            max_notification_interval: Duration::from_secs(1),
            connect_retry_delay: Duration::from_millis(10),
            observer_election_delay: Duration::from_millis(10),
            commit_log_count: 4,
            ..Limits::default()
        };
        Conversation {
            members: Vec::new(),
            limits,
            habits: Habits::NONE,
            peers: BTreeMap::new(),
            disks: BTreeMap::new(),
            links: BTreeMap::new(),
            listening: Vec::new(),
            queue: VecDeque::new(),
            cut: Vec::new(),
            held: Vec::new(),
            waiting: BTreeMap::new(),
            delivered: BTreeMap::new(),
            now: Instant::ZERO,
            next_link: 1,
            next_payload: 0,
            show_election: false,
            show_disk: false,
            reloads: 0,
            transcript: String::new(),
        }
    }

    fn command(&mut self, line: &str) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (verb, rest) = words.split_first().expect("a line has a word");
        match *verb {
            "participants" | "observers" => {
                let role = if *verb == "observers" { MemberRole::Observer } else { MemberRole::Participant };
                let first = self.members.len() as i64 + 1;
                let count: i64 = rest[0].parse().expect("a number of members");
                self.members.extend((first..first + count).map(|sid| (Sid(sid), role)));
            }
            "limit" => match rest[0] {
                "commit_log_count" => self.limits.commit_log_count = rest[1].parse().unwrap(),
                "counter_limit" => self.limits.counter_limit = rest[1].parse().unwrap(),
                "force_snapshot_sync" => self.limits.force_snapshot_sync = true,
                "snapshot_size_factor" => self.limits.snapshot_size_factor = None,
                key => panic!("no limit {key}"),
            },
            "habit" => {
                let named = rest.iter().map(|name| Habit::from_name(name).unwrap_or_else(|| panic!("no habit {name}")));
                self.habits = self.habits.with(named.collect());
            }
            "show" => match rest[0] {
                "election" => self.show_election = true,
                _ => self.show_disk = true,
            },
            "history" => self.history(sid(rest[0]), &rest[1..]),
            "start" => rest.iter().for_each(|name| self.start(sid(name))),
            "crash" => rest.iter().for_each(|name| self.end(sid(name))),
            "stop" => rest.iter().for_each(|name| self.queue.push_back((sid(name), Input::Stop))),
            "write" => {
                self.next_payload += 1;
                let request = Payload::new(&[self.next_payload]);
                self.queue.push_back((sid(rest[0]), Input::Submit { request }));
            }
            "sync" => self.queue.push_back((sid(rest[0]), Input::Sync { token: 7 })),
            "hold" => self.held.push(sid(rest[0])),
            "release" => {
                self.held.retain(|held| *held != sid(rest[0]));
                for (id, write) in self.waiting.remove(&sid(rest[0])).unwrap_or_default() {
                    self.disks.entry(sid(rest[0])).or_default().write(write);
                    self.queue.push_back((sid(rest[0]), Input::Persisted { through: id }));
                }
            }
            "cut" => self.cut.push(sid(rest[0])),
            "mend" => self.cut.retain(|cut| *cut != sid(rest[0])),
            "break" => self.close_links(sid(rest[0]), true),
            "forge" => self.forge(sid(rest[0]), &rest[1..]),
            "settle" => self.settle(),
            "pass" => self.pass(rest[0].parse().expect("a duration")),
            verb => panic!("no command {verb}"),
        }
    }

    fn history(&mut self, sid: Sid, words: &[&str]) {
        let disk = self.disks.entry(sid).or_default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match *word {
                "current" => {
                    let epoch = Epoch(words.next().and_then(|w| w.parse().ok()).expect("an epoch"));
                    (disk.accepted_epoch, disk.current_epoch) = (Some(epoch), Some(epoch));
                }
                "accepted" => {
                    disk.accepted_epoch = Some(Epoch(words.next().and_then(|w| w.parse().ok()).expect("an epoch")));
                }
                "missing" => disk.base = Zxid::MISSING,
                "base" => disk.base = zxid(words.next().expect("a zxid")),
                text => {
                    let zxid = zxid(text);
                    disk.log.push(Txn { zxid, payload: Payload::new(&zxid.0.to_be_bytes()) });
                }
            }
        }
        let epoch = disk.last().epoch();
        disk.current_epoch.get_or_insert(epoch);
        disk.accepted_epoch.get_or_insert(epoch);
    }

    fn start(&mut self, sid: Sid) {
        let ensemble = Ensemble::majority(self.members.clone()).expect("an ensemble");
        let mut config = Config::new(sid, ensemble, self.limits.clone()).expect("a valid configuration");
        config.conduct = config.conduct.with(self.habits);
        let recovered = self.disks.entry(sid).or_default().recovered(self.limits.commit_log_count);
        let mut out = Vec::new();
        let peer = Peer::new(config, recovered, self.now, &mut out);
        self.peers.insert(sid, peer);
        self.execute(sid, out);
    }

    fn end(&mut self, sid: Sid) {
        self.peers.remove(&sid);
        self.listening.retain(|listening| *listening != sid);
        self.queue.retain(|(to, _)| *to != sid);
        self.waiting.remove(&sid);
        self.close_links(sid, false);
    }

    fn close_links(&mut self, sid: Sid, both: bool) {
        let ids: Vec<LinkId> =
            self.links.iter().filter(|(_, ends)| ends.0 == sid || ends.1 == sid).map(|(id, _)| *id).collect();
        for link in ids {
            let (a, b) = self.links.remove(&link).expect("it was listed");
            for end in [a, b].into_iter().filter(|end| both || *end != sid) {
                self.queue.push_back((end, Input::Closed { link }));
            }
        }
    }

    fn settle(&mut self) {
        for _ in 0..100_000 {
            let Some((to, input)) = self.queue.pop_front() else { return };
            let Some(peer) = self.peers.get_mut(&to) else { continue };
            let mut out = Vec::new();
            peer.handle(self.now, input, &mut out);
            self.execute(to, out);
        }
        panic!("the peers talk without end:\n{}", self.transcript);
    }

    fn pass(&mut self, duration: Duration) {
        let end = self.now + duration;
        self.settle();
        loop {
            let due = self.peers.iter().filter_map(|(sid, peer)| peer.next_timeout().map(|(at, _)| (at, *sid))).min();
            match due {
                Some((at, sid)) if at <= end => {
                    self.now = at.max(self.now);
                    self.queue.push_back((sid, Input::Wake));
                    self.settle();
                }
                _ => break,
            }
        }
        self.now = end;
    }

    fn say(&mut self, line: std::fmt::Arguments<'_>) {
        self.transcript.write_fmt(line).expect("a string takes everything");
        self.transcript.push('\n');
    }

    fn execute(&mut self, me: Sid, outputs: Vec<Output>) {
        for output in outputs {
            match output {
                Output::Notify { to, notification } => {
                    let n = notification;
                    if self.show_election && to != me {
                        let state = format!("{:?}", n.state).to_uppercase();
                        let (leader, zxid, epoch) = (n.vote.leader, n.vote.zxid, n.vote.peer_epoch);
                        self.say(format_args!(
                            "{me} ~ {to}  {state} round {} vote {leader} ({epoch}, {zxid})",
                            n.round
                        ));
                    }
                    if to == me || !self.cut.contains(&me) && !self.cut.contains(&to) {
                        self.queue.push_back((to, Input::Notification { from: me, notification }));
                    }
                }
                Output::Listen => self.listening.push(me),
                Output::Unlisten => self.listening.retain(|listening| *listening != me),
                Output::Connect { to } => {
                    if self.listening.contains(&to) && !self.cut.contains(&me) && !self.cut.contains(&to) {
                        let link = LinkId(self.next_link);
                        self.next_link += 1;
                        self.links.insert(link, (me, to));
                        self.queue.push_back((to, Input::Accepted { link }));
                        self.queue.push_back((me, Input::Connected { to, link }));
                    } else {
                        self.queue.push_back((me, Input::ConnectFailed { to }));
                    }
                }
                Output::Send { link, message } => {
                    let Some(&(dialer, acceptor)) = self.links.get(&link) else { continue };
                    let to = if me == dialer { acceptor } else { dialer };
                    self.say(format_args!("{me} > {to}  {message}"));
                    if !self.cut.contains(&me) && !self.cut.contains(&to) {
                        self.queue.push_back((to, Input::Received { link, message }));
                    }
                }
                Output::Disconnect { link, reason } => {
                    let Some((dialer, acceptor)) = self.links.remove(&link) else { continue };
                    let other = if me == dialer { acceptor } else { dialer };
                    self.say(format_args!("{me} x {other}  {reason:?}"));
                    self.queue.push_back((other, Input::Closed { link }));
                }
                Output::Persist { id, write } => {
                    if self.show_disk {
                        self.say(format_args!("{me} | {write}"));
                    }
                    if self.held.contains(&me) {
                        self.waiting.entry(me).or_default().push((id, write));
                    } else {
                        self.disks.entry(me).or_default().write(write);
                        self.queue.push_back((me, Input::Persisted { through: id }));
                    }
                }
                Output::Reload => {
                    self.reloads += 1;
                    let recovered = self.disks[&me].recovered(self.limits.commit_log_count);
                    self.queue.push_back((me, Input::Reloaded(Box::new(recovered))));
                }
                Output::ReadLog { read, from, .. } => {
                    let log = &self.disks[&me].log;
                    let start = log.iter().rposition(|txn| txn.zxid <= from);
                    let slice = start.map_or(LogSlice::Purged, |start| LogSlice::Txns(log[start..].to_vec()));
                    self.queue.push_back((me, Input::LogRead { read, slice }));
                }
                Output::ReadSnapshot { read } => {
                    let chunks = vec![Payload::new(b"half"), Payload::new(b"half")];
                    let image = SnapshotImage { zxid: self.peers[&me].last_zxid(), chunks };
                    self.queue.push_front((me, Input::SnapshotRead { read, image }));
                }
                Output::Prepare { zxid, request, .. } => {
                    self.queue.push_front((me, Input::Prepared { zxid, payload: request }));
                }
                Output::Restore(image) => self.say(format_args!("{me} = snapshot {}", image.zxid)),
                Output::Deliver(txn) => {
                    self.delivered.entry(me).or_default().push(txn.zxid);
                    self.say(format_args!("{me} = {}", txn.zxid));
                }
                Output::FastForward(txn) => self.say(format_args!("{me} = {} (not known to be committed)", txn.zxid)),
                Output::Serve { serving: Some(_) } => self.say(format_args!("{me} serves")),
                Output::Serve { serving: None } => self.say(format_args!("{me} serves no more")),
                Output::Synced { .. } => self.say(format_args!("{me} sync done")),
                Output::Reject(_) => self.say(format_args!("{me} rejects a request")),
                Output::Halt(reason) => {
                    self.say(format_args!("{me} halts: {reason:?}"));
                    self.end(me);
                }
                Output::Milestone(Milestone::Entered { state, phase, epoch }) => {
                    let epoch = epoch.map_or(String::new(), |epoch| format!(" {epoch}"));
                    if state != PeerState::Looking || self.show_election {
                        self.say(format_args!("{me} . {state:?} {phase:?}{epoch}"));
                    }
                }
                Output::Milestone(Milestone::Left { reason }) => self.say(format_args!("{me} . left: {reason:?}")),
                Output::Heard { from, .. } => self.say(format_args!("{me} hears of a session from {from}")),
                Output::Touched { from, .. } => self.say(format_args!("{me} hears of sessions of {from}")),
                Output::Milestone(_) => {}
            }
        }
    }
}
