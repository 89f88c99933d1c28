//! Habits of ZooKeeper's releases: each deviation where it is switched on, and the hardened protocol where it is not. What
//! releases do with disks is tested where the disk is.

mod conversation;

use conversation::Conversation;
use zabsim::zab::{
    Epoch, Habit, Input, LinkId, Message, NOTIFICATION_VERSION, Notification, PeerState, Sid, Vote, Zxid,
};

/// The same story with the habit and without, in that order.
fn both(habit: Habit, story: impl Fn(&mut Conversation) -> String) -> [String; 2] {
    [format!("show disk\n habit {habit}"), "show disk".into()].map(|start| story(&mut Conversation::of(&start)))
}

/// What is said only with the habit.
#[track_caller]
fn deviates(habit: Habit, said: &str, story: impl Fn(&mut Conversation) -> String) {
    let [with, without] = both(habit, story);
    assert!(with.contains(said), "with {habit}: no {said} in\n{with}");
    assert!(!without.contains(said), "without {habit}: {said} in\n{without}");
}

/// Whether `first` is said before `second`, which both are.
fn in_order(said: &str, first: &str, second: &str) -> bool {
    let at = |what: &str| said.find(what).unwrap_or_else(|| panic!("no {what} in\n{said}"));
    at(first) < at(second)
}

/// p2 and p3 serve epoch 2 after 1:2; p1, which has 1:3 as well, comes back, and 2:1 is committed before NEWLEADER.
const CUT_UNDER_LOAD: &str = "
    habit newleader-trails
    participants 3
    history p1 1:1 1:2 1:3
    history p2 1:1 1:2
    history p3 1:1 1:2
    start p2 p3
    pass 200ms
    start p1
    settle
    write p3
    settle";

/// p1 lacks 1:2 and 1:3.
const DIFF: &str = "
    participants 3
    history p1 1:1
    history p2 1:1 1:2 1:3
    history p3 1:1 1:2 1:3
    start p2 p3
    pass 200ms
    start p1
    pass 40ms";

/// p2 and p3 serve, and 2:1 is on neither disk; p1 has promised their epoch.
const UNDER_WAY: &str = "
    participants 3
    history p1 1:1 accepted 2
    history p2 1:1
    history p3 1:1
    start p2 p3
    pass 200ms
    hold p2
    hold p3
    write p3
    settle";

const SERVING: &str = "
    participants 3
    history p1 1:1
    history p2 1:1
    history p3 1:1
    start p1 p2 p3
    pass 300ms";

fn window(c: &Conversation, name: &str) -> Vec<String> {
    c.peer(name).window().iter().map(|txn| txn.zxid.to_string()).collect()
}

#[test]
fn sync_in_memory() {
    deviates(Habit::SyncInMemory, "p1 = 2:1 (not known to be committed)", |c| c.run(CUT_UNDER_LOAD));
    let [with, without] = both(Habit::SyncInMemory, |c| c.run(&format!("{CUT_UNDER_LOAD}\n pass 40ms")));
    assert!(with.contains("p1 | write snapshot 2:1") && !with.contains("p1 | append 2:1"), "{with}");
    assert!(!without.contains("p1 | write snapshot") && without.contains("p1 | append 2:1"), "{without}");
}

#[test]
fn sync_not_in_window() {
    let story = format!("habit sync-in-memory\n {CUT_UNDER_LOAD}\n pass 40ms");
    let [with, without] = both(Habit::SyncNotInWindow, |c| {
        c.run(&story);
        window(c, "p1").join(" ")
    });
    assert_eq!((with.as_str(), without.as_str()), ("1:1 1:2", "1:1 1:2 2:1"));
}

#[test]
fn settled_not_in_window() {
    let [with, without] = both(Habit::SettledNotInWindow, |c| {
        c.run(DIFF);
        window(c, "p1").join(" ")
    });
    assert_eq!((with.as_str(), without.as_str()), ("1:1", "1:1 1:2 1:3"));
}

#[test]
fn dirty_memory_kept() {
    let [with, without] = both(Habit::DirtyMemoryKept, |c| {
        c.run(&format!("habit sync-in-memory\n {CUT_UNDER_LOAD}\n cut p1\n break p1\n settle"));
        format!("{} read {}", c.peer("p1").last_zxid(), c.reloads)
    });
    assert_eq!((with.as_str(), without.as_str()), ("2:1 read 1", "1:2 read 2"));
}

#[test]
fn observer_acks_early() {
    let story = "
        participants 3
        observers 1
        history p4 1:1
        history p2 1:1 1:2
        history p3 1:1 1:2
        start p2 p3
        pass 200ms
        start p4
        pass 40ms";
    let [with, without] = both(Habit::ObserverAcksEarly, |c| c.run(story));
    assert!(in_order(&with, "p4 > p3  ACK 2:0", "p4 | append 1:2"), "{with}");
    assert!(in_order(&without, "p4 | append 1:2", "p4 > p3  ACK 2:0"), "{without}");
}

#[test]
fn gaps_only_warn() {
    for forged in ["forge p1 PROPOSAL 1:9", "forge p1 PROPOSAL 2:1\n forge p1 PROPOSAL 2:9"] {
        let story =
            format!("habit newleader-trails\n {DIFF}").replace("pass 40ms", "settle") + "\n" + forged + "\n settle";
        let [with, without] = both(Habit::GapsOnlyWarn, |c| c.run(&story));
        assert!(!with.contains("ProposalGap") && without.contains("p1 x p3  ProposalGap"), "{with}\n{without}");
    }
}

#[test]
fn gaps_between_epochs() {
    let story = |forged: &str| {
        let join = format!("habit newleader-trails\n {DIFF}").replace("pass 40ms", "settle");
        both(Habit::GapsBetweenEpochs, |c| c.run(&format!("{join}\n {forged}\n settle")))
    };
    let [with, without] = story("forge p1 PROPOSAL 2:7");
    assert!(!with.contains("ProposalGap") && without.contains("p1 x p3  ProposalGap"), "{with}\n{without}");
    let [with, _] = story("forge p1 PROPOSAL 2:7\n forge p1 PROPOSAL 2:9");
    assert!(with.contains("p1 x p3  ProposalGap"), "inside an epoch it is looked at\n{with}");
}

#[test]
fn broadcast_gaps_only_warn() {
    deviates(Habit::BroadcastGapsOnlyWarn, "p1 > p3  ACK 2:9", |c| {
        c.run(&format!("{SERVING}\n forge p1 PROPOSAL 2:9\n settle"))
    });
    let [with, without] =
        both(Habit::BroadcastGapsOnlyWarn, |c| c.run(&format!("{SERVING}\n forge p1 COMMIT 2:1\n settle")));
    assert!(!with.contains("CommitMismatch") && without.contains("p1 x p3  CommitMismatch"), "{with}\n{without}");
}

#[test]
fn commit_mismatch_ends_the_process() {
    deviates(Habit::CommitMismatchEndsTheProcess, "p1 halts: CommitMismatch", |c| {
        c.run(&format!("{SERVING}\n hold p2\n hold p3\n write p3\n settle\n forge p1 COMMIT 2:5\n settle"))
    });
}

#[test]
fn epoch_before_history() {
    let [with, without] = both(Habit::EpochBeforeHistory, |c| c.run(DIFF));
    assert!(in_order(&with, "p1 | currentEpoch := e2", "p1 | append 1:2"), "{with}");
    assert!(in_order(&without, "p1 | append 1:2", "p1 | currentEpoch := e2"), "{without}");
}

#[test]
fn acks_before_sync() {
    let story = format!("habit epoch-before-history\n {DIFF}");
    deviates(Habit::AcksBeforeSync, "p1 > p3  ACK 1:2", |c| c.run(&story));
    // Its disk takes the epoch, and then nothing more.
    let held =
        story.replace("history p1 1:1", "history p1 1:1 accepted 2").replace("start p1", "hold p1\n start p1\n settle");
    let held = held.replace("pass 40ms", "release p1\n hold p1\n settle");
    deviates(Habit::AcksBeforeSync, "p1 > p3  ACK 2:0", |c| c.run(&held));
    // Nothing is lost of what was only handed to the log writer.
    let mut c = Conversation::of(&format!("habit acks-before-sync epoch-before-history\n {DIFF}\n write p1\n settle"));
    assert_eq!((c.log("p1").as_str(), c.delivered("p1").as_str()), ("1:1 1:2 1:3 2:1", "1:2 1:3 2:1"));
    let all_well = c.run("pass 3s\n write p2\n settle");
    assert!(all_well.contains("p1 = 2:2"), "{all_well}");
}

#[test]
fn commit_finds_nothing() {
    let story = "
        hold p1
        start p1
        settle
        release p2
        release p3
        settle";
    let story = format!("habit acks-before-sync commits-before-uptodate\n {UNDER_WAY}\n {story}");
    deviates(Habit::CommitFindsNothing, "p1 x p3  CommitMismatch { head: None, got: Zxid", |c| c.run(&story));
    let hardened =
        format!("habit commit-finds-nothing\n {}\n release p1\n settle", story.replace("commits-before-uptodate", ""));
    let said = Conversation::of("").run(&hardened);
    assert!(!said.contains("CommitMismatch") && said.contains("p1 = 2:1"), "a leader that waits keeps it\n{said}");
}

#[test]
fn memory_lags() {
    let [with, without] = both(Habit::MemoryLags, |c| {
        c.run(&format!("{SERVING}\n hold p1\n write p3\n settle\n cut p1\n break p1\n settle\n release p1\n settle"));
        format!("{} of {}", c.peer("p1").last_zxid(), c.log("p1"))
    });
    assert_eq!(
        (with.as_str(), without.as_str()),
        ("2:1 of 1:1 2:1", "2:1 of 1:1 2:1"),
        "what was committed is applied"
    );
    let uncommitted = format!(
        "{SERVING}\n hold p1\n hold p2\n hold p3\n write p3\n settle\n cut p1\n break p1\n settle\n release p1\n settle"
    );
    let [with, without] = both(Habit::MemoryLags, |c| {
        c.run(&uncommitted);
        format!("{} of {}", c.peer("p1").last_zxid(), c.log("p1"))
    });
    assert_eq!((with.as_str(), without.as_str()), ("1:1 of 1:1 2:1", "2:1 of 1:1 2:1"));
}

#[test]
fn refuses_to_start() {
    deviates(Habit::RefusesToStart, "p1 halts: EpochsInverted", |c| {
        c.run("participants 3\n history p1 1:1 accepted 1 current 0\n start p1\n settle")
    });
}

#[test]
fn chatter_restarts_the_wait() {
    let [with, without] = both(Habit::ChatterRestartsTheWait, |c| {
        c.run("show election\n participants 3\n start p3\n pass 15ms");
        let vote = Vote { leader: Sid(1), zxid: Zxid::ZERO, peer_epoch: Epoch(0) };
        let (state, version) = (PeerState::Looking, NOTIFICATION_VERSION);
        c.notify("p3", "p1", Notification { state, vote, round: 1, version, config_version: 0 });
        c.run("pass 10ms")
    });
    assert!(!with.contains("p3 ~ p2") && without.contains("p3 ~ p2"), "{with}\n{without}");
}

#[test]
fn settled_votes_interrupt() {
    let answers = |from: &str| {
        both(Habit::SettledVotesInterrupt, |c| {
            c.run("participants 5\n history p3 1:1\n start p3");
            for voter in ["p1", "p2"] {
                c.notify("p3", voter, vote_for(3, 1));
            }
            // Of an older round, and better by its sid.
            c.notify("p3", from, Notification { state: PeerState::Following, ..vote_for(5, 0) });
            c.run("pass 30ms");
            format!("{:?}", c.peer("p3").state())
        })
    };
    assert_eq!(answers("p4"), ["Looking", "Leading"], "p3, p1 and p2 are a quorum, whatever p4 follows");
    assert_eq!(answers("p2"), ["Looking", "Looking"], "p2 has left it");
}

/// p3 of five, elected, with a follower that says what it is told to: the promise and history of p1.
fn leads(c: &mut Conversation) {
    c.run("participants 5\n history p3 1:1\n start p3");
    vote_for_p3(c);
    for sid in [1, 2] {
        c.intrude("p3", &[Message::FollowerInfo { sid: Sid(sid), accepted_epoch: Epoch(1), config_version: 0 }]);
    }
}

fn vote_for(leader: i64, round: u64) -> Notification {
    let vote = Vote { leader: Sid(leader), zxid: Zxid::new(Epoch(1), 1), peer_epoch: Epoch(1) };
    let (state, version) = (PeerState::Looking, NOTIFICATION_VERSION);
    Notification { state, vote, round, version, config_version: 0 }
}

fn vote_for_p3(c: &mut Conversation) {
    for from in ["p1", "p2"] {
        c.notify("p3", from, vote_for(3, 1));
    }
    c.run("pass 30ms");
}

fn say(c: &mut Conversation, link: u64, message: Message) -> String {
    c.input("p3", Input::Received { link: LinkId(link), message });
    c.run("settle")
}

fn ack_epoch() -> Message {
    Message::AckEpoch { last_zxid: Zxid::new(Epoch(1), 1), current_epoch: Some(Epoch(1)) }
}

#[test]
fn silent_until_serving() {
    let [with, without] = both(Habit::SilentUntilServing, |c| {
        leads(c);
        say(c, 1, ack_epoch());
        say(c, 2, ack_epoch());
        c.run("pass 200ms")
    });
    assert!(!with.contains("PING") && without.contains("PING"), "{with}\n{without}");
}

#[test]
fn newleader_unordered() {
    let [with, without] = both(Habit::NewleaderUnordered, |c| {
        leads(c);
        c.run("hold p3");
        say(c, 1, ack_epoch()) + &say(c, 2, ack_epoch())
    });
    assert!(with.contains("NEWLEADER") && !without.contains("NEWLEADER"), "{with}\n{without}");
    let mut c = Conversation::of("habit newleader-unordered");
    leads(&mut c);
    c.run("hold p3");
    let ack = Message::Ack { zxid: Zxid::marker(Epoch(2)) };
    for link in [1, 2] {
        say(&mut c, link, ack_epoch());
    }
    let before = say(&mut c, 1, ack.clone()) + &say(&mut c, 2, ack);
    assert!(!before.contains("p3 serves"), "its own acknowledgement waits for its disk\n{before}");
    assert!(c.run("release p3\n settle").contains("p3 serves"));
}

#[test]
fn uncounted_ack() {
    let first = Message::Ack { zxid: Zxid::new(Epoch(1), 1) };
    let [with, without] = both(Habit::UncountedAck, |c| {
        leads(c);
        say(c, 1, ack_epoch());
        say(c, 2, ack_epoch());
        let newleader = Message::Ack { zxid: Zxid::marker(Epoch(2)) };
        say(c, 1, first.clone()) + &say(c, 1, newleader.clone()) + &say(c, 2, newleader)
    });
    assert!(!with.contains("Unexpected") && !with.contains("p3 serves"), "{with}");
    assert!(!without.contains(" x ") && without.contains("p3 serves"), "{without}");
}

/// The log writer of 3.8.0 may be faster than the thread that acknowledges NEWLEADER.
#[test]
fn an_ack_that_overtakes_that_of_newleader_counts_after_it() {
    let mut c = Conversation::of("");
    leads(&mut c);
    let newleader = Message::Ack { zxid: Zxid::marker(Epoch(2)) };
    for message in [ack_epoch(), newleader.clone()] {
        say(&mut c, 1, message.clone());
        say(&mut c, 2, message);
    }
    c.run("write p3\n settle");
    c.intrude("p3", &[Message::FollowerInfo { sid: Sid(4), accepted_epoch: Epoch(1), config_version: 0 }]);
    say(&mut c, 3, ack_epoch());
    let ack = Message::Ack { zxid: Zxid::new(Epoch(2), 1) };
    let before = say(&mut c, 1, ack.clone()) + &say(&mut c, 3, ack);
    assert!(!before.contains(" x ") && !before.contains("p3 = "), "two of five\n{before}");
    let after = say(&mut c, 3, newleader);
    assert!(in_order(&after, "UPTODATE", "COMMIT 2:1") && after.contains("p3 = 2:1"), "{after}");
}

/// Followers of 3.8.0 do so; it is no reason to lose them.
#[test]
fn a_proposal_is_acknowledged_before_uptodate() {
    let mut c = Conversation::of("show disk");
    leads(&mut c);
    say(&mut c, 1, ack_epoch());
    say(&mut c, 2, ack_epoch());
    let newleader = Message::Ack { zxid: Zxid::marker(Epoch(2)) };
    let said = say(&mut c, 1, newleader.clone()) + &say(&mut c, 1, Message::Ack { zxid: Zxid::new(Epoch(1), 1) });
    assert!(!said.contains(" x "), "{said}");
    assert!(say(&mut c, 2, newleader).contains("p3 serves"));
}

#[test]
fn stale_acks() {
    let story = format!(
        "{SERVING}\n hold p2\n hold p3\n write p3\n settle\n hold p1\n break p1\n pass 100ms\n release p3\n settle"
    );
    deviates(Habit::StaleAcks, "p3 = 2:1", |c| c.run(&story));
}

#[test]
fn newleader_trails() {
    let said = both(Habit::NewleaderTrails, |c| {
        let joined = c.run(&DIFF.replace("pass 40ms", "settle"));
        joined + &c.run("write p3\n settle\n pass 40ms")
    });
    let order = said.map(|said| {
        let (_, joins) = said.split_once("p3 > p1  DIFF").expect("p1 is synchronised");
        in_order(joins, "p3 > p1  PROPOSAL 2:1", "p3 > p1  NEWLEADER")
    });
    assert_eq!(order, [true, false]);
}

#[test]
fn commits_before_uptodate() {
    let said = both(Habit::CommitsBeforeUptodate, |c| {
        c.run(&format!(
            "{UNDER_WAY}\n hold p1\n start p1\n settle\n release p2\n release p3\n settle\n release p1\n settle"
        ))
    });
    let [with, without] = said.map(|said| {
        let (_, joins) = said.split_once("p3 > p1  NEWLEADER").expect("p1 is synchronised");
        let to_p1: Vec<&str> = joins.lines().filter_map(|line| line.strip_prefix("p3 > p1  ")).collect();
        to_p1.join(", ")
    });
    assert_eq!((with.as_str(), without.as_str()), ("COMMIT 2:1, UPTODATE", "UPTODATE, COMMIT 2:1"));
}
