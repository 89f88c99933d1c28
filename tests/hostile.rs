//! What a peer that breaks the protocol, or merely a misconfigured or unlucky one, can cost the others: its own link.

mod conversation;

use conversation::Conversation;
use zabsim::zab::{
    Epoch, Input, Limits, LinkId, Message, NOTIFICATION_VERSION, Notification, Output, PeerState, Reason, Sid, Vote,
    Zxid,
};

/// Three participants with one txn, p3 leading epoch 2, everybody serving.
fn three() -> Conversation {
    let history = "history p1 1:1\n history p2 1:1\n history p3 1:1";
    Conversation::of(&format!("participants 3\n show disk\n {history}\n start p1 p2 p3\n pass 300ms"))
}

fn follower_info(sid: i64, accepted: u32) -> Message {
    Message::FollowerInfo { sid: Sid(sid), accepted_epoch: Epoch(accepted), config_version: 0 }
}

#[track_caller]
fn all_well(c: &mut Conversation) {
    c.run("pass 3s\n write p3\n settle");
    for name in ["p1", "p2", "p3"] {
        assert!(c.peer(name).is_serving(), "{name} serves");
        assert!(c.peer(name).pending().is_empty(), "{name} has nothing under way");
    }
    assert_eq!(c.log("p1"), c.log("p3"));
}

/// No epoch is above the greatest one: such a promise cannot be kept company, and must not be counted.
#[test]
fn a_promise_beyond_all_epochs_costs_the_link() {
    for accepted in [u32::MAX, i32::MAX as u32, i32::MAX as u32 - 1] {
        for sid in [2, 77] {
            let mut c = three();
            let talk = c.intrude("p3", &[follower_info(sid, accepted)]);
            assert!(talk.contains("p3 x p99  Unexpected"), "{talk}");
            assert!(c.peer("p3").is_serving(), "the leader leads on");
            all_well(&mut c);
        }
    }
}

/// The same before the epoch is chosen.
#[test]
fn a_promise_beyond_all_epochs_chooses_no_epoch() {
    let mut c = Conversation::of("participants 3\n start p1 p2 p3\n cut p1\n cut p2\n pass 10ms");
    c.run("mend p1\n mend p2\n pass 45ms");
    let talk = c.intrude("p3", &[follower_info(77, u32::MAX)]);
    assert!(!talk.contains("LEADERINFO"), "{talk}");
    all_well(&mut c);
}

/// A second server of the leader's own number, as a copied myid makes one: its acknowledgements are not the leader's, and
/// its synchronisation takes none of the leader's back.
#[test]
fn a_second_server_of_the_leaders_number_is_refused() {
    let mut c = three();
    c.run("cut p1\n cut p2\n write p3\n settle");
    let ack_epoch = Message::AckEpoch { last_zxid: Zxid::new(Epoch(1), 1), current_epoch: None };
    let talk = c.intrude("p3", &[follower_info(3, 1), ack_epoch, Message::Ack { zxid: Zxid::marker(Epoch(2)) }]);
    assert!(talk.contains("p3 x p99  Unexpected"), "{talk}");
    c.run("mend p1\n mend p2\n break p1\n pass 1s");
    assert_eq!(c.delivered("p3"), "2:1", "the leader's own acknowledgement still counts");
}

/// Nobody's number is nobody's: it replaces no link that has not said its own yet.
#[test]
fn nobody_replaces_nobody() {
    let mut c = three();
    c.intrude("p3", &[]);
    let talk = c.intrude("p3", &[follower_info(i64::MIN, 1)]);
    assert!(talk.contains("p3 x p99  Unexpected") && !talk.contains("Replaced"), "{talk}");
}

/// A stranger with a later promise deposes nobody; a member does, once.
#[test]
fn a_stranger_deposes_nobody() {
    let mut c = three();
    let talk = c.intrude("p3", &[follower_info(77, 9)]);
    assert!(!talk.contains("left"), "{talk}");
    all_well(&mut c);
}

/// A leader cannot promise its learners an epoch that leaves no next one.
#[test]
fn an_epoch_beyond_all_epochs_is_not_promised() {
    for epoch in [u32::MAX, i32::MAX as u32] {
        let mut c = Conversation::of("participants 3\n hold p3\n start p1 p2 p3\n pass 100ms");
        let talk = c.run(&format!("forge p1 LEADERINFO {epoch}\n settle"));
        assert!(talk.contains("p1 x p3  Unexpected"), "{talk}");
        assert_eq!(c.epochs("p1").0, 0, "nothing was promised");
        c.run("release p3");
        all_well(&mut c);
    }
}

/// A txn of an epoch that the leader does not lead would be adopted with its epoch when the role ends, above the promise: the
/// server would never start again.
#[test]
fn a_proposal_of_another_epoch_costs_the_link() {
    let mut c = three();
    let talk = c.run("forge p1 PROPOSAL 9:1\n settle");
    assert!(talk.contains("ProposalGap"), "{talk}");
    c.run("pass 1s\n crash p1\n start p1");
    assert_eq!(c.log("p1"), "1:1");
    all_well(&mut c);
}

/// A round is only a number: the greatest one can be followed by an election.
#[test]
fn the_greatest_round_is_survived() {
    let mut c = Conversation::of("participants 3\n start p1\n settle");
    let vote = Vote { leader: Sid(2), zxid: Zxid::ZERO, peer_epoch: Epoch(0) };
    let version = NOTIFICATION_VERSION;
    let round = u64::MAX;
    c.notify("p1", "p2", Notification { state: PeerState::Looking, vote, round, version, config_version: 0 });
    c.run("start p2 p3\n pass 3s\n crash p3\n pass 3s\n start p3\n pass 3s");
    assert!(c.peer("p1").is_serving() && c.peer("p2").is_serving() && c.peer("p3").is_serving());
}

/// What became durable after the role ended is remembered: the promise on the disk never decreases, and no epoch is chosen
/// twice.
#[test]
fn a_promise_that_becomes_durable_after_its_role_ended_holds() {
    let mut c = three();
    // p1 is told epoch 3, and its disk is slow; the leader's link breaks meanwhile.
    let talk = c.run("hold p1\n crash p3\n pass 600ms");
    assert!(talk.contains("p1 | acceptedEpoch := e3"), "{talk}");
    c.run("break p1\n settle\n release p1\n settle");
    assert_eq!((c.epochs("p1").0, c.peer("p1").accepted_epoch().0), (3, 3));
}

/// What a learner got during a long synchronisation it acknowledges afterwards: nothing of that is late.
#[test]
fn a_long_synchronisation_is_no_broken_sync_limit() {
    let mut c = three();
    let talk = c.run("hold p1\n break p1\n pass 200ms\n write p3\n settle");
    assert!(talk.contains("p3 > p1  NEWLEADER e2") && talk.contains("p3 = 2:1"), "{talk}");
    // Its disk is slow: longer than syncLimit, shorter than initLimit, and still a little slow afterwards.
    let mut talk = c.run("pass 600ms\n release p1\n hold p1\n settle");
    assert!(talk.contains("p3 > p1  UPTODATE"), "{talk}");
    talk += &c.run("pass 200ms\n release p1\n settle");
    assert!(!talk.contains("SyncLimit") && talk.contains("p1 > p3  ACK 2:1"), "{talk}");
    all_well(&mut c);
}

/// A role that ends while the state is being read again waits for that one answer and asks for no second.
#[test]
fn a_reload_is_answered_once() {
    let mut c = Conversation::of(
        "participants 3\n show disk\n history p1 1:1 1:2 1:3\n history p2 1:1\n history p3 1:1\n start p2 p3\n pass 300ms",
    );
    c.run("hold p1\n start p1\n pass 300ms\n release p1\n hold p1");
    let talk = c.run("settle");
    assert!(talk.contains("p1 | truncate to 1:1"), "{talk}");
    // The cut is durable, the state is being read again, and then the link breaks.
    let talk = c.run("release p1\n break p1\n settle");
    assert!(talk.contains("p1 . left: LinkLost"), "{talk}");
    assert_eq!(c.reloads, 1, "{talk}");
    all_well(&mut c);
}

/// A stop while an observer pauses ends it at once.
#[test]
fn a_pause_does_not_delay_a_stop() {
    let mut c = Conversation::of("participants 1\n observers 1\n start p1 p2\n pass 300ms");
    c.run("crash p1\n settle");
    let talk = c.run("stop p2\n settle");
    assert!(talk.contains("p2 halts: Stopped"), "{talk}");
}

/// A snapshot beyond the leader's history cannot be cut. If the leader needs this very server for its quorum, an election
/// later it would still need it, and the snapshot would still be there: it must ask again within the same epoch.
#[test]
fn a_snapshot_that_cannot_be_cut_does_not_keep_a_bare_quorum_apart() {
    let mut c = Conversation::of(
        "participants 3\n show disk\n history p1 base 1:9 current 1\n history p3 1:1 1:2 current 3\n start p1 p3\n pass 5s",
    );
    let talk = c.run("pass 5s\n write p3\n settle");
    assert!(c.peer("p1").is_serving() && c.peer("p3").is_serving(), "{talk}");
    assert_eq!(c.delivered("p1"), "4:1");
}

/// A server whose disk is gone comes back in the round of its first life, while its followers have not noticed: they vote for
/// it, and it must not lead.
#[test]
fn a_leader_that_lost_its_data_does_not_lead() {
    let mut c = Conversation::of("participants 3\n history p2 base 1:1\n start p2\n settle");
    c.run("crash p2\n history p3 missing\n start p3\n settle");
    let vote = Vote { leader: Sid(3), zxid: Zxid::new(Epoch(1), 1), peer_epoch: Epoch(2) };
    let version = NOTIFICATION_VERSION;
    for from in ["p1", "p2"] {
        c.notify("p3", from, Notification { state: PeerState::Following, vote, round: 1, version, config_version: 0 });
    }
    assert_eq!(c.peer("p3").state(), PeerState::Looking);
}

/// A looking voter and a settled observer do not answer each other without end.
#[test]
fn a_looking_voter_and_a_settled_observer_do_not_chat() {
    let mut c = Conversation::of("participants 3\n observers 1\n start p1 p2 p3 p4\n pass 300ms\n cut p3\n cut p2");
    c.run("break p1\n settle\n pass 20ms");
    let vote = Vote { leader: Sid(1), zxid: Zxid::ZERO, peer_epoch: Epoch(0) };
    let version = NOTIFICATION_VERSION;
    assert_eq!((c.peer("p1").state(), c.peer("p4").state()), (PeerState::Looking, PeerState::Observing));
    c.notify("p4", "p1", Notification { state: PeerState::Looking, vote, round: 2, version, config_version: 0 });
}

/// Worse votes that come as often as the best voter waits do not keep it from repeating its own.
#[test]
fn chatter_does_not_silence_the_best_voter() {
    let mut c = Conversation::of("participants 3\n show election\n start p3\n settle");
    let vote = Vote { leader: Sid(2), zxid: Zxid::ZERO, peer_epoch: Epoch(0) };
    let version = NOTIFICATION_VERSION;
    let mut talk = String::new();
    for _ in 0..200 {
        c.notify("p3", "p2", Notification { state: PeerState::Looking, vote, round: 1, version, config_version: 0 });
        talk += &c.run("pass 10ms");
    }
    let told = talk.matches("p3 ~ p2").count();
    assert!(told > 2, "p3 tells p2 its vote again and again:\n{talk}");
}

/// What comes of a dial to the leader of an earlier election costs nothing: neither the way to the present one nor patience.
#[test]
fn a_late_answer_of_an_earlier_dial_is_nobodys() {
    let mut c = Conversation::of("participants 3\n start p1\n settle");
    let vote = Vote { leader: Sid(3), zxid: Zxid::ZERO, peer_epoch: Epoch(0) };
    for from in ["p2", "p3"] {
        let (state, version) = (PeerState::Looking, NOTIFICATION_VERSION);
        c.notify("p1", from, Notification { state, vote, round: 1, version, config_version: 0 });
    }
    c.run("settle");
    let mut p1 = c.peer("p1").clone();
    let (now, _) = p1.next_timeout().expect("it waits for better votes");
    let mut said = |input| {
        let mut out = Vec::new();
        p1.handle(now, input, &mut out);
        out
    };
    assert!(said(Input::Wake).contains(&Output::Connect { to: Sid(3) }));
    for _ in 0..9 {
        assert_eq!(said(Input::ConnectFailed { to: Sid(2) }), []);
    }
    let (late, link) = (LinkId(1), LinkId(2));
    let refused = Output::Disconnect { link: late, reason: Reason::Unwanted };
    assert_eq!(said(Input::Connected { to: Sid(2), link: late }), [refused]);
    let connected = said(Input::Connected { to: Sid(3), link });
    assert_eq!(connected, [Output::Send { link, message: follower_info(1, 0) }]);
}

/// ZooKeeper's leader begins to forward before it looks at what its state is: what the state has already may come behind it.
#[test]
fn what_a_received_state_has_already_may_follow_it() {
    // The leader waits for the histories of a quorum.
    let mut c = Conversation::of(
        "participants 5\n show disk\n hold p2\n hold p3\n hold p4\n start p1 p2 p3 p4 p5\n pass 100ms",
    );
    c.run(
        "forge p1 SNAP 1:5\n forge p1 SNAPDONE\n forge p1 PROPOSAL 1:4\n forge p1 PROPOSAL 1:5\n forge p1 PROPOSAL 1:6",
    );
    c.run("forge p1 COMMIT 1:4\n forge p1 COMMIT 1:5\n forge p1 COMMIT 1:6");
    let talk = c.run("forge p1 NEWLEADER 1\n settle");
    assert!(talk.contains("p1 | append 1:6") && talk.contains("p1 > p5  ACK 1:0"), "{talk}");
}

/// A leader holds what it sends: it does not hold its whole state for as many strangers as like to ask.
#[test]
fn strangers_get_a_few_states_at_a_time() {
    let mut c = three();
    let most = Limits::default().max_concurrent_snap_syncs as i64;
    let ask = |sid| [follower_info(sid, 1), Message::AckEpoch { last_zxid: Zxid::MISSING, current_epoch: None }];
    for sid in 100..100 + most {
        let talk = c.intrude("p3", &ask(sid));
        assert!(talk.contains("SNAP") && !talk.contains("Throttled"), "{talk}");
    }
    let talk = c.intrude("p3", &ask(1000));
    assert!(talk.contains("p3 x p99  Throttled"), "{talk}");
    all_well(&mut c);
}
