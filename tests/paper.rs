//! One test per claim of the Zab paper (Junqueira, Reed, Serafini: "Zab: High-performance broadcast for primary-backup
//! systems", DSN 2011), and of what ZooKeeper documents on top of it.
//!
//! The step labels (f.1.1, l.3.2, …) are the paper's. The section prefix groups them as the paper does, first the properties of
//! broadcast, then the phases of the algorithm:
//!
//! | prefix | where the claim is made |
//! |---|---|
//! | `s3_1` | what broadcast promises: integrity, total order, agreement and the three primary orders |
//! | `s4_1` | phase 1, discovery: steps f.1.x of the follower and l.1.x of the leader |
//! | `s4_2` | phase 2, synchronisation |
//! | `s4_3` | phase 3, broadcast |
//! | `zk` | ZooKeeper's own guarantees |
//!
//! The paper's CEPOCH is FOLLOWERINFO here, NEWEPOCH is LEADERINFO, ACK-E is ACKEPOCH, ACK-LD is the ACK of NEWLEADER,
//! COMMIT-LD is UPTODATE; f.p is acceptedEpoch and f.a is currentEpoch.

mod conversation;

use conversation::Conversation;

/// Whether these lines are said in this order, perhaps with others in between.
#[track_caller]
fn assert_order(talk: &str, lines: &[&str]) {
    let mut rest = talk.lines();
    for line in lines {
        assert!(rest.any(|said| said == *line), "`{line}` is not said, or not in this place:\n{talk}");
    }
}

#[track_caller]
fn assert_says(talk: &str, line: &str) {
    assert_order(talk, &[line]);
}

#[track_caller]
fn assert_never(talk: &str, line: &str) {
    assert!(!talk.lines().any(|said| said.starts_with(line)), "`{line}` must not be said:\n{talk}");
}

/// Three participants with one txn, p3 leading epoch 2, everybody serving.
fn three() -> Conversation {
    let history = "history p1 1:1\n history p2 1:1\n history p3 1:1";
    Conversation::of(&format!("participants 3\n show disk\n {history}\n start p1 p2 p3\n pass 300ms"))
}

mod s3_1 {
    use super::*;

    /// Whoever delivers, delivers a prefix of what the others deliver, however far behind it is.
    #[test]
    fn s3_1_prefix_a_slow_follower_delivers_a_prefix() {
        let mut c = three();
        c.run("write p3\n settle\n cut p1\n write p3\n write p3\n settle");
        assert_eq!(c.delivered("p2"), "2:1 2:2 2:3");
        assert_eq!(c.delivered("p1"), "2:1");
        c.run("mend p1\n break p1\n pass 1s");
        assert_eq!(c.delivered("p1"), c.delivered("p2"), "and catches up with the rest, in order, once each");
    }

    /// Nothing is delivered that no primary broadcast: a commit out of the blue costs the link and delivers nothing.
    #[test]
    fn s3_1_integrity_nothing_is_delivered_that_was_not_proposed() {
        let mut c = three();
        let talk = c.run("forge p1 COMMIT 2:1\n settle");
        assert_says(&talk, "p1 . left: ProtocolError");
        assert_eq!(c.delivered("p1"), "");
    }

    /// Two concurrent clients of two servers: everybody sees one order, which is the leader's.
    #[test]
    fn s3_1_total_order_everybody_delivers_in_one_order() {
        let mut c = three();
        c.run("write p1\n write p2\n write p3\n write p1\n settle");
        assert_eq!(c.delivered("p3"), "2:1 2:2 2:3 2:4");
        assert_eq!((c.delivered("p1"), c.delivered("p2")), (c.delivered("p3"), c.delivered("p3")));
    }

    /// What was delivered once by anybody is delivered by everybody: the deliverer dies at once, the txn does not.
    #[test]
    fn s3_1_agreement_what_a_dead_leader_delivered_survives() {
        let mut c = three();
        // p1 never hears of it; p2 has it durable; p3 delivers it, and nobody hears that it did.
        c.run("cut p1\n hold p3\n write p3\n settle");
        assert_eq!(c.delivered("p3"), "", "only p2 has it durable");
        c.run("cut p2\n release p3\n settle");
        assert_eq!((c.delivered("p3"), c.delivered("p2")), ("2:1".into(), String::new()));
        c.run("crash p3\n mend p1\n mend p2\n pass 3s\n write p2\n settle");
        assert_eq!(c.log("p1"), "1:1 2:1 3:1", "the next leader is the one that has it, and gives it to the other");
        assert!(c.peer("p2").is_serving() && c.peer("p1").is_serving());
        assert_eq!(c.delivered("p1"), "2:1 3:1");
    }

    /// A primary's txns are delivered in the order in which it broadcast them, even if the acknowledgements of a later
    /// one are complete first.
    #[test]
    fn s3_1_local_primary_order_a_later_txn_waits_for_the_earlier_one() {
        let mut c = three();
        let talk = c.run("hold p1\n hold p2\n write p3\n write p3\n settle\n forge p3 ACK 2:2\n settle");
        assert_never(&talk, "p3 > p1  COMMIT");
        let talk = c.run("release p2\n settle");
        assert_order(&talk, &["p3 > p1  COMMIT 2:1", "p3 > p1  COMMIT 2:2"]);
        assert_eq!(c.delivered("p1"), "2:1 2:2");
    }

    /// All of an earlier primary's txns come before all of a later primary's; what the earlier one did not get committed
    /// does not come between.
    #[test]
    fn s3_1_global_primary_order_epochs_are_delivered_one_after_the_other() {
        let mut c = three();
        c.run("write p3\n settle\n cut p3\n write p3\n pass 3s\n write p2\n settle");
        assert_eq!(c.delivered("p1"), "2:1 3:1");
        let talk = c.run("mend p3\n pass 3s\n write p2\n settle");
        assert_says(&talk, "p3 = snapshot 3:1");
        assert_eq!(c.delivered("p3"), "2:1 3:2", "the state at 3:1 came in one piece, without 2:2");
        assert_eq!((c.log("p1"), c.log("p2")), ("1:1 2:1 3:1 3:2".into(), "1:1 2:1 3:1 3:2".into()));
        assert_eq!(c.log("p3"), "3:2", "the old tail is gone from its disk");
    }

    /// A primary broadcasts nothing before it has delivered everything that earlier primaries committed.
    #[test]
    fn s3_1_primary_integrity_a_new_primary_starts_after_all_that_was_committed() {
        let mut c = Conversation::of("participants 3\n history p1 1:1 1:2\n history p2 1:1 1:2\n history p3 1:1");
        let talk = c.run("start p1 p2 p3\n write p2\n pass 300ms");
        assert_order(&talk, &["p2 rejects a request", "p2 serves"]);
        assert_eq!(c.peer("p2").last_committed().to_string(), "2:0", "all before its epoch is committed");
        let talk = c.run("write p2\n settle");
        assert_says(&talk, "p2 > p1  PROPOSAL 2:1");
        assert_eq!(c.log("p3"), "1:1 1:2 2:1");
    }

    /// The counter alone does not order txns of two primaries: zxids are unique because epochs are.
    #[test]
    fn s3_1_zxids_two_primaries_never_make_the_same_one() {
        let mut c = three();
        let old = c.run("cut p3\n write p3\n settle");
        assert_says(&old, "p3 > p1  PROPOSAL 2:1");
        let new = c.run("pass 3s\n write p2\n settle");
        assert_says(&new, "p2 > p1  PROPOSAL 3:1");
        assert_never(&new, "p2 > p1  PROPOSAL 2:1");
    }
}

mod s4_1_discovery {
    use super::*;

    /// f.1.1: a follower tells the last epoch it promised, from its disk.
    #[test]
    fn f_1_1_a_follower_tells_its_promise() {
        let mut c = Conversation::of("participants 3\n history p1 1:1 current 4\n history p3 1:1 current 4");
        let talk = c.run("start p1 p3\n pass 100ms");
        assert_order(&talk, &["p1 > p3  FOLLOWERINFO accepted=e4", "p3 > p1  LEADERINFO e5"]);
    }

    /// l.1.1: the new epoch is above every promise of a quorum, not only above the leader's own.
    #[test]
    fn l_1_1_the_epoch_is_above_every_promise_of_the_quorum() {
        // p1 promised epoch 7 to somebody who never got further: its history is older than p3's.
        let mut c = Conversation::of("participants 3\n history p1 1:1 accepted 7\n history p3 1:1 1:2");
        let talk = c.run("start p1 p3\n pass 100ms");
        assert_order(&talk, &["p1 > p3  FOLLOWERINFO accepted=e7", "p3 > p1  LEADERINFO e8", "p3 serves"]);
    }

    /// l.1.1: without a quorum of promises there is no epoch.
    #[test]
    fn l_1_1_no_epoch_without_a_quorum() {
        let mut c = Conversation::of("participants 5\n start p3 p4 p5\n hold p5");
        // Two of those who elected it are gone before they could join.
        let talk = c.run("pass 19ms\n cut p3\n cut p4\n pass 2s");
        assert_never(&talk, "p5 > p4  LEADERINFO");
        assert_never(&talk, "p5 > p3  LEADERINFO");
        assert_eq!(c.epochs("p5"), (0, 0));
    }

    /// l.1.1: the leader itself keeps the promise that it asks for: on its disk before anybody hears of the epoch.
    #[test]
    fn l_1_1_the_leader_promises_before_it_proposes_the_epoch() {
        let mut c = Conversation::of("participants 3\n show disk\n start p1 p2 p3\n pass 19ms\n hold p3");
        let talk = c.run("pass 100ms");
        assert_says(&talk, "p3 | acceptedEpoch := e1");
        assert_never(&talk, "p3 > p1  LEADERINFO");
        assert_says(&c.run("release p3\n settle"), "p3 > p1  LEADERINFO e1");
    }

    /// f.1.2: a follower acknowledges the epoch only when its promise is on its disk.
    #[test]
    fn f_1_2_a_promise_is_durable_before_it_is_told() {
        let mut c = Conversation::of("participants 3\n show disk\n start p1 p3\n pass 19ms\n hold p1");
        let talk = c.run("pass 100ms");
        assert_order(&talk, &["p3 > p1  LEADERINFO e1", "p1 | acceptedEpoch := e1"]);
        assert_never(&talk, "p1 > p3  ACKEPOCH");
        assert_says(&c.run("release p1\n settle"), "p1 > p3  ACKEPOCH e0 last=0:0");
    }

    /// f.1.2: whoever promised an epoch never follows a leader of a lower one.
    #[test]
    fn f_1_2_a_lower_epoch_is_never_accepted() {
        let mut c = Conversation::of("participants 3\n history p1 accepted 3\n start p1 p2 p3\n hold p3\n pass 60ms");
        let talk = c.run("forge p1 LEADERINFO 2\n settle");
        assert_order(&talk, &["p1 x p3  StaleEpoch", "p1 . left: StaleEpoch"]);
        assert_never(&talk, "p1 > p3  ACKEPOCH");
        assert_eq!(c.epochs("p1").0, 3, "and the promise stays what it was");
    }

    /// f.1.2: the same promise made twice counts once: ACKEPOCH then says that it must not count.
    #[test]
    fn f_1_2_an_old_promise_does_not_count_again() {
        let mut c = Conversation::of("participants 3\n start p2 p3\n pass 300ms\n history p1 accepted 1");
        let talk = c.run("start p1\n pass 300ms");
        assert_order(&talk, &["p3 > p1  LEADERINFO e1", "p1 > p3  ACKEPOCH - last=0:0", "p1 serves"]);
    }

    /// f.1.2: ACK-E tells the epoch of the history as it was before the handshake, f.a, not the new promise.
    #[test]
    fn f_1_2_the_acknowledgement_tells_the_history() {
        let mut c = Conversation::of("participants 3\n history p1 1:1 1:2 accepted 6\n history p3 1:1 1:2 1:3");
        assert_says(&c.run("start p1 p3\n pass 100ms"), "p1 > p3  ACKEPOCH e1 last=1:2");
    }

    /// l.1.2: the history chosen is the most recent of a quorum; since it is elected, it is the leader's own.
    #[test]
    fn l_1_2_the_most_recent_history_is_chosen_by_epoch_before_length() {
        let script = "participants 3\n history p1 2:1\n history p2 1:1 1:2 1:3 1:4\n history p3 1:1 1:2 1:3";
        let mut c = Conversation::of(script);
        c.run("start p1 p2 p3\n pass 500ms");
        for peer in ["p1", "p2", "p3"] {
            assert_eq!(c.peer(peer).leader(), c.peer("p1").leader(), "{peer} follows p1");
        }
        assert!(c.peer("p1").leader() == Some(c.peer("p1").sid()), "a later epoch beats a longer log");
    }

    /// l.1.2: a leader never leads somebody whose history is more recent than its own, were it elected by mistake.
    #[test]
    fn l_1_2_a_leader_refuses_a_more_recent_history() {
        const HISTORIES: &str = "participants 3\n history p1 1:1\n history p2 current 1\n history p3 current 1";
        // p2 and p3 have settled on p3; p2's disk keeps them from going on. p1 is heard only now.
        let mut c = Conversation::of(HISTORIES);
        c.run("start p2 p3\n hold p2\n pass 60ms");
        let talk = c.run("start p1\n pass 60ms");
        assert_order(&talk, &["p1 > p3  ACKEPOCH e1 last=1:1", "p3 x p1  LearnerAhead"]);
        assert_never(&talk, "p3 > p1  TRUNC");
        assert_eq!(c.log("p1"), "1:1", "nothing was cut from it");
    }
}

mod s4_2_synchronization {
    use super::*;

    /// l.2.1: NEWLEADER(e, history) goes out when a quorum has acknowledged the epoch, and after the leader itself has
    /// adopted it.
    #[test]
    fn l_2_1_the_leader_adopts_its_epoch_before_it_proposes_itself() {
        let mut c = Conversation::of("participants 3\n show disk\n start p1 p3");
        let talk = c.run("pass 100ms");
        let steps = ["p1 > p3  ACKEPOCH e0 last=0:0", "p3 | currentEpoch := e1", "p3 > p1  NEWLEADER e1"];
        assert_order(&talk, &steps);
    }

    /// f.2.1: a follower adopts the whole initial history, then the epoch, and only then says so. Each waits for the disk.
    #[test]
    fn f_2_1_history_then_epoch_then_acknowledgement() {
        let script = "participants 3\n show disk\n history p1 1:1\n history p2 1:1 1:2 1:3\n history p3 1:1 1:2 1:3";
        let mut c = Conversation::of(script);
        let talk = c.run("start p2 p3\n pass 200ms\n start p1\n pass 40ms");
        let steps = [
            "p3 > p1  NEWLEADER e2",
            "p1 | append 1:2",
            "p1 | append 1:3",
            "p1 | currentEpoch := e2",
            "p1 > p3  ACK 2:0",
        ];
        assert_order(&talk, &steps);
    }

    /// f.2.1: as long as the history is not durable there is no new currentEpoch, and no acknowledgement.
    #[test]
    fn f_2_1_nothing_is_acknowledged_before_it_is_durable() {
        let script = "participants 3\n show disk\n history p1 1:1 current 2\n \
                      history p2 1:1 1:2 current 2\n history p3 1:1 1:2 current 2";
        let mut c = Conversation::of(script);
        // p1 promised already, so that its disk is asked for nothing before NEWLEADER.
        c.run("start p2 p3\n pass 200ms\n history p1 accepted 3\n hold p1\n start p1");
        let talk = c.run("pass 40ms");
        assert_order(&talk, &["p3 > p1  NEWLEADER e3", "p1 | append 1:2"]);
        assert_never(&talk, "p1 | currentEpoch");
        assert_never(&talk, "p1 > p3  ACK ");
        // The disk takes the history, which asks for the epoch. A power failure before that takes nothing back.
        c.run("release p1\n settle");
        assert_eq!((c.log("p1"), c.epochs("p1")), ("1:1 1:2".into(), (3, 3)));
    }

    /// l.2.2: the leader is established by a quorum of ACK-LD; until then nobody serves.
    #[test]
    fn l_2_2_nobody_serves_before_a_quorum_has_the_history() {
        // All promise and are compared; then three of five disks keep silent about the new currentEpoch.
        let mut c = Conversation::of("participants 5\n hold p1\n hold p2\n hold p3\n start p1 p2 p3 p4 p5");
        c.run("pass 80ms");
        let again = "release p1\n hold p1\n release p2\n hold p2\n release p3\n hold p3\n settle";
        let talk = c.run(again);
        assert_order(&talk, &["p5 > p1  NEWLEADER e1"]);
        assert_never(&talk, "p1 > p5  ACK ");
        assert_never(&talk, "p5 serves");
        assert_never(&talk, "p5 > p4  UPTODATE");
        let talk = c.run("release p1\n settle");
        assert_order(&talk, &["p1 > p5  ACK 1:0", "p5 serves", "p5 > p1  UPTODATE", "p4 serves"]);
    }

    /// f.2.2: a follower delivers the initial history when the leader is established, not when it has received it: until
    /// a quorum has it, it may still be dropped.
    #[test]
    fn f_2_2_the_initial_history_is_delivered_when_the_leader_is_established() {
        // 1:2 is on p3 alone. Of five, p4 and p5 compare their histories with p3's, and only p4 gets past NEWLEADER.
        let script = "participants 5\n history p3 1:1 1:2\n history p4 1:1\n history p5 1:1\n hold p5\n start p3 p4 p5";
        let mut c = Conversation::of(script);
        let talk = c.run("pass 60ms\n release p5\n hold p5\n settle");
        assert_says(&talk, "p4 > p3  ACK 2:0");
        assert_never(&talk, "p3 serves");
        assert_eq!(c.delivered("p4"), "", "1:2 is not committed yet\n{talk}");
        assert_says(&c.run("release p5\n settle"), "p3 serves");
        assert_eq!(c.delivered("p4"), "1:2");
    }

    /// The leader commits its whole initial history at once: also what an earlier primary had not got committed.
    #[test]
    fn l_2_2_an_uncommitted_tail_of_the_new_leader_becomes_committed() {
        let mut c = Conversation::of("participants 3\n history p1 1:1\n history p2 1:1\n history p3 1:1 1:2");
        c.run("start p1 p2 p3\n pass 500ms");
        for peer in ["p1", "p2", "p3"] {
            assert_eq!(c.log(peer), "1:1 1:2", "{peer}");
        }
    }

    /// ... and what the new leader does not have is dropped by whoever has it.
    #[test]
    fn f_2_1_a_tail_that_the_leader_does_not_have_is_dropped() {
        let mut c = Conversation::of("participants 3\n history p1 1:1 1:2\n history p2 1:1\n history p3 1:1");
        let talk = c.run("start p2 p3\n pass 300ms\n start p1\n pass 300ms\n write p3\n settle");
        assert_says(&talk, "p3 > p1  TRUNC 1:1");
        assert_eq!(c.log("p1"), "1:1 2:1");
        assert_eq!(c.delivered("p1"), "2:1", "what was cut was never delivered");
    }

    /// A follower that dies between adopting the history and adopting the epoch comes back as one that adopted both or
    /// has a prefix (hazard D17).
    #[test]
    fn f_2_1_a_crash_between_history_and_epoch_is_survived() {
        let mut c = Conversation::of("participants 3\n history p1 1:1 2:1 current 1\n history p3 1:1 2:1 2:2");
        let talk = c.run("start p1 p3\n pass 300ms");
        assert_order(&talk, &["p1 > p3  ACKEPOCH e2 last=2:1", "p1 serves"]);
        assert_eq!(c.log("p1"), "1:1 2:1 2:2");
    }
}

mod s4_3_broadcast {
    use super::*;

    /// l.3.1: proposals go out in the order of their zxids, without waiting for one another.
    #[test]
    fn l_3_1_many_proposals_are_outstanding_at_once_in_order() {
        let mut c = three();
        let talk = c.run("hold p1\n hold p2\n hold p3\n write p3\n write p1\n write p3\n settle");
        assert_order(&talk, &["p3 > p1  PROPOSAL 2:1", "p3 > p1  PROPOSAL 2:2", "p3 > p1  PROPOSAL 2:3"]);
        assert_never(&talk, "p3 > p1  COMMIT");
    }

    /// f.3.1: a follower acknowledges in order, and nothing that is not on its disk.
    #[test]
    fn f_3_1_acknowledgements_follow_the_disk_in_order() {
        let mut c = three();
        let talk = c.run("hold p1\n write p3\n write p3\n settle");
        assert_order(&talk, &["p1 | append 2:1", "p1 | append 2:2"]);
        assert_never(&talk, "p1 > p3  ACK");
        assert_order(&c.run("release p1\n settle"), &["p1 > p3  ACK 2:1", "p1 > p3  ACK 2:2"]);
    }

    /// f.3.1: a follower never accepts a txn whose predecessor it lacks.
    #[test]
    fn f_3_1_a_gap_is_never_accepted() {
        let mut c = three();
        let talk = c.run("forge p1 PROPOSAL 2:2\n settle");
        assert_says(&talk, "p1 . left: ProtocolError");
        assert_never(&talk, "p1 | append");
    }

    /// l.3.2: a commit needs a quorum of disks; the leader's own counts like any other.
    #[test]
    fn l_3_2_a_commit_needs_a_quorum_of_disks() {
        let mut c = three();
        let talk = c.run("hold p1\n hold p2\n write p3\n settle");
        assert_never(&talk, "p3 > p1  COMMIT");
        assert_never(&talk, "p3 = ");
        assert_says(&c.run("release p1\n settle"), "p3 > p2  COMMIT 2:1");

        let talk = c.run("hold p3\n hold p2\n write p3\n settle");
        assert_never(&talk, "p3 > p1  COMMIT");
        let talk = c.run("release p2\n settle");
        assert_order(&talk, &["p3 > p1  COMMIT 2:2", "p3 = 2:2"]);
        assert_eq!(c.log("p3"), "1:1 2:1", "the leader may commit what its own disk does not have yet");
    }

    /// l.3.2: one follower's acknowledgement counts once, however often it comes.
    #[test]
    fn l_3_2_an_acknowledgement_counts_once() {
        let mut c = Conversation::of("participants 5\n start p1 p2 p3 p4 p5\n pass 300ms");
        c.run("hold p2\n hold p3\n hold p4");
        let talk = c.run("write p5\n settle\n forge p5 ACK 1:1\n forge p5 ACK 1:1\n settle");
        assert_says(&talk, "p1 > p5  ACK 1:1");
        assert_never(&talk, "p5 = 1:1");
        assert_says(&c.run("release p2\n settle"), "p5 = 1:1");
    }

    /// f.3.2: a follower delivers when it is told, in order, and not when it has the txn.
    #[test]
    fn f_3_2_a_follower_delivers_committed_txns_only() {
        let mut c = three();
        c.run("hold p2\n hold p3\n write p3\n settle");
        assert_eq!((c.log("p1"), c.delivered("p1")), ("1:1 2:1".into(), String::new()));
        let talk = c.run("release p3\n settle");
        assert_order(&talk, &["p3 > p1  COMMIT 2:1", "p1 = 2:1"]);
    }

    /// f.3.2: a commit that is not the next one is not taken.
    #[test]
    fn f_3_2_a_commit_out_of_order_is_never_delivered() {
        let mut c = three();
        let talk = c.run("hold p2\n hold p3\n write p3\n write p3\n settle\n forge p1 COMMIT 2:2\n settle");
        assert_says(&talk, "p1 . left: ProtocolError");
        assert_eq!(c.delivered("p1"), "");
    }

    /// l.3.3, l.3.4: who joins during broadcast gets the history with everything proposed so far, and then counts.
    #[test]
    fn l_3_3_a_late_follower_gets_history_and_outstanding_proposals() {
        let script = "participants 3\n history p1 1:1\n history p2 1:1\n history p3 1:1\n start p2 p3\n pass 300ms";
        let mut c = Conversation::of(script);
        c.run("write p3\n settle\n hold p2\n hold p3\n write p3\n settle");
        let talk = c.run("start p1\n pass 40ms\n write p3\n settle");
        let steps = [
            "p3 > p1  LEADERINFO e2",
            "p3 > p1  DIFF 2:1",
            "p3 > p1  PROPOSAL 2:1",
            "p3 > p1  COMMIT 2:1",
            "p3 > p1  PROPOSAL 2:2",
            "p3 > p1  NEWLEADER e2",
            "p1 > p3  ACK 2:0",
            "p3 > p1  UPTODATE",
            "p1 > p3  ACK 2:2",
            "p3 > p1  PROPOSAL 2:3",
            "p1 > p3  ACK 2:3",
        ];
        assert_order(&talk, &steps);
        assert_never(&talk, "p3 = 2:2");
        assert_order(&c.run("release p3\n settle"), &["p3 = 2:2", "p3 = 2:3", "p1 = 2:2", "p1 = 2:3"]);
    }

    /// l.3.3: a commit that falls into a synchronisation is not lost on the one who is being synchronised.
    #[test]
    fn l_3_3_a_commit_during_synchronisation_is_delivered() {
        let script = "participants 3\n history p1 1:1\n history p2 1:1\n history p3 1:1\n start p2 p3\n pass 300ms";
        let mut c = Conversation::of(script);
        c.run("hold p2\n hold p3\n write p3\n settle\n hold p1\n start p1\n pass 40ms");
        // p1's disk keeps it in synchronisation; the others commit meanwhile.
        c.run("release p2\n release p3\n settle");
        assert_eq!((c.delivered("p2"), c.delivered("p1")), ("2:1".into(), String::new()));
        c.run("release p1\n pass 40ms");
        assert_eq!((c.log("p1"), c.delivered("p1")), ("1:1 2:1".into(), "2:1".into()));
    }

    /// A leader that has lost its quorum stops by itself, and what it had proposed alone is gone.
    #[test]
    fn a_leader_without_a_quorum_steps_down() {
        let mut c = three();
        let talk = c.run("cut p3\n write p3\n pass 1s");
        assert_order(&talk, &["p3 serves no more", "p3 . left: QuorumLost"]);
        assert_eq!(c.delivered("p3"), "");
    }

    /// The hole that remained: a follower acknowledges, comes back, is told to cut what it acknowledged, and its old
    /// acknowledgement still counts. The txn is then committed without a quorum of disks and can be lost.
    #[test]
    fn l_3_2_an_acknowledgement_that_was_cut_away_does_not_count() {
        let mut c = three();
        // 2:1 is durable on p1 only. p1 loses its link and comes back: TRUNC 1:1, and the proposal once more.
        let talk = c.run("hold p2\n hold p3\n write p3\n settle\n break p1\n hold p1\n pass 30ms");
        assert_order(&talk, &["p1 > p3  ACK 2:1", "p3 > p1  TRUNC 1:1", "p1 | truncate to 1:1"]);
        // Its disk takes the cut and the epoch, but not the proposal.
        let talk = c.run("release p1\n hold p1\n settle\n release p1\n hold p1\n settle");
        assert_order(&talk, &["p3 > p1  UPTODATE", "p1 | append 2:1"]);
        assert_eq!(c.log("p1"), "1:1");
        // Now the leader's own disk answers. One disk of three is no quorum.
        let talk = c.run("release p3\n settle");
        assert_eq!(c.delivered("p3"), "", "2:1 is committed on the strength of one disk:\n{talk}");
        c.run("crash p1 p2 p3\n release p1\n release p2\n start p1 p2\n pass 1s");
        assert_eq!(c.log("p1"), "1:1", "what nobody was promised may be gone");
    }
}

mod zk {
    use super::*;

    /// An observer gets what is committed, and never counts.
    #[test]
    fn observers_receive_and_do_not_count() {
        let mut c = Conversation::of("participants 3\n observers 2\n start p2 p3 p4 p5\n pass 500ms");
        let talk = c.run("hold p2\n write p4\n settle");
        assert_order(&talk, &["p4 > p3  REQUEST write", "p3 > p2  PROPOSAL 1:1"]);
        assert_never(&talk, "p3 > p4  INFORM");
        let talk = c.run("release p2\n settle");
        assert_order(&talk, &["p2 > p3  ACK 1:1", "p3 > p4  INFORM 1:1", "p3 > p5  INFORM 1:1"]);
        assert_never(&talk, "p3 > p4  COMMIT");
        assert_never(&talk, "p4 > p3  ACK");
        assert_eq!((c.delivered("p4"), c.delivered("p5")), ("1:1".into(), "1:1".into()));
    }

    /// An observer's promise raises the epoch although it does not make the quorum.
    #[test]
    fn an_observer_never_makes_a_quorum() {
        let mut c = Conversation::of("participants 3\n observers 3\n start p3 p4 p5 p6");
        assert_never(&c.run("pass 5s"), "p3 serves");
    }

    /// `sync` then read: everything committed before the `sync` is seen at the server that asked.
    #[test]
    fn sync_is_answered_after_every_commit_before_it() {
        let mut c = three();
        let talk = c.run("hold p1\n hold p2\n write p3\n settle\n sync p1\n settle");
        assert_never(&talk, "p1 sync done");
        let talk = c.run("release p2\n settle");
        assert_order(&talk, &["p3 > p1  COMMIT 2:1", "p3 > p1  SYNC", "p1 = 2:1", "p1 sync done"]);
    }

    /// An ensemble of 2f + 1 goes on with f servers dead, and stops with f + 1.
    #[test]
    fn a_minority_may_fail() {
        let mut c = Conversation::of("participants 5\n start p1 p2 p3 p4 p5\n pass 500ms\n crash p4 p5\n pass 5s");
        assert_says(&c.run("write p1\n settle"), "p3 = 2:1");
        let talk = c.run("crash p3\n pass 5s\n write p1\n write p2\n settle");
        assert_eq!(talk.matches("rejects a request").count(), 2, "{talk}");
        assert!(!c.peer("p1").is_serving() && !c.peer("p2").is_serving());
    }

    /// Durability: what was committed survives a power failure of everybody at once.
    #[test]
    fn a_committed_txn_survives_the_crash_of_all() {
        let mut c = three();
        c.run("hold p1\n write p3\n settle\n crash p1 p2 p3");
        assert_eq!(c.log("p1"), "1:1", "its disk never took it");
        c.run("release p1\n start p1 p2 p3\n pass 1s");
        for peer in ["p1", "p2", "p3"] {
            assert_eq!(c.log(peer), "1:1 2:1", "{peer}");
        }
        assert!(c.peer("p3").is_serving());
    }

    /// A used-up counter ends the epoch: no zxid runs over into the next one.
    #[test]
    fn the_counter_never_overflows_into_the_epoch() {
        let mut c = Conversation::of("limit counter_limit 2\n participants 3\n start p1 p2 p3\n pass 300ms");
        let talk = c.run("write p3\n write p3\n settle\n pass 1s\n write p3\n settle");
        assert_order(&talk, &["p3 > p1  PROPOSAL 1:1", "p3 . left: CounterExhausted", "p3 > p1  PROPOSAL 2:1"]);
        assert_never(&talk, "p3 > p1  PROPOSAL 1:2");
    }

    /// The hole that remained: a learner whose only snapshot is newer than the cut would be left with nothing, under an
    /// epoch that outvotes everybody who still has the history.
    #[test]
    fn a_cut_below_the_only_snapshot_loses_nothing_committed() {
        // Epoch 3 was led by p2 and followed by p3, whose state had come as a snapshot at the marker 2:0, with 1:1 and
        // 1:2 in it. 3:1 reached p3's disk alone.
        let histories =
            "history p1 1:1 1:2 current 2\n history p2 1:1 1:2 current 3\n history p3 base 2:0 3:1 current 3";
        let mut c = Conversation::of(&format!("participants 3\n {histories}\n show disk"));
        // p2 leads epoch 4; p1 compared its history but its disk did not take the epoch yet.
        let talk = c.run("hold p1\n start p1 p2\n pass 60ms\n release p1\n hold p1\n settle");
        assert_order(&talk, &["p2 > p1  NEWLEADER e4", "p1 | currentEpoch := e4"]);
        let talk = c.run("hold p3\n start p3\n pass 25ms\n release p3\n hold p3\n settle");
        assert_says(&talk, "p2 > p3  TRUNC 1:2");
        // p2 dies, the power of p1 fails; p1 and p3 are a quorum, and 1:2 was committed.
        let talk = c.run("crash p2 p1\n release p1\n release p3\n settle\n start p1\n pass 3s");
        assert_never(&talk, "p3 > p1  TRUNC 0:0");
        assert_eq!(c.log("p1"), "1:1 1:2", "{talk}");
    }

    /// The same where nothing but the cut-off tail was ever there: a history of nothing is one as well.
    #[test]
    fn a_cut_of_everything_leaves_nobody_without_data() {
        let mut c = Conversation::of(
            "participants 3\n history p1 current 1\n history p2 current 1\n history p3 base 1:0 1:1 current 1",
        );
        // p1's disk is slow: p2 leads and is not established when p3 comes.
        c.run("hold p1\n start p1 p2\n pass 60ms\n release p1\n hold p1\n settle");
        let talk = c.run("start p3\n pass 200ms");
        assert_order(&talk, &["p2 > p3  TRUNC 0:0", "p2 > p3  SNAP 0:0", "p3 serves"]);
        assert_never(&talk, "p3 . left");
    }
}
