//! Golden conversations: commands in, every message out, readable as a specification. `cargo insta review` (or
//! `INSTA_UPDATE=always`) rewrites them; a person reads the difference.

mod conversation;

use conversation::play;

macro_rules! conversations {
    ($($(#[doc = $moral:literal])+ $name:ident: $script:literal)+) => { $(
        $(#[doc = $moral])+
        #[test]
        fn $name() {
            insta::assert_snapshot!(stringify!($name), play($script));
        }
    )+ };
}

conversations! {
    /// Three empty servers elect the one with the greatest sid, who chooses epoch 1.
    elect: "
        show election
        participants 3
        start p1 p2 p3
        pass 100ms"

    /// Who arrives when everything is settled learns the leader from its answers, and gets an empty DIFF.
    late_joiner: "
        show election
        participants 3
        start p1 p2
        quiet
        pass 300ms
        loud
        start p3
        pass 40ms"

    /// A write through a follower: REQUEST, PROPOSAL, ACK, COMMIT. The observer is INFORMed.
    write_and_inform: "
        show disk
        participants 3
        observers 1
        start p1 p2 p3 p4
        quiet
        pass 300ms
        loud
        write p1
        settle"

    /// What lies in the window is sent as DIFF.
    sync_by_diff: "
        show disk
        participants 3
        history p1 1:1
        history p2 1:1 1:2 1:3
        history p3 1:1 1:2 1:3
        start p2 p3
        quiet
        pass 200ms
        loud
        start p1
        pass 40ms"

    /// What has left the window is read from the log.
    sync_by_diff_from_disk: "
        participants 3
        history p1 1:1
        history p2 1:1 1:2 1:3 1:4 1:5 1:6 1:7
        history p3 1:1 1:2 1:3 1:4 1:5 1:6 1:7
        start p2 p3
        quiet
        pass 200ms
        loud
        start p1
        pass 40ms"

    /// A tail that nobody else has is cut.
    sync_by_trunc: "
        show disk
        participants 3
        history p1 1:1 1:2 1:3
        history p2 1:1 1:2
        history p3 1:1 1:2
        start p2 p3
        quiet
        pass 200ms
        loud
        start p1
        pass 40ms"

    /// A tail is cut, then what is under way follows: it goes through the log like everything else.
    sync_by_trunc_with_a_proposal_under_way: "
        show disk
        participants 3
        history p1 1:1 1:2 1:3
        history p2 1:1 1:2
        history p3 1:1 1:2
        start p2 p3
        quiet
        pass 200ms
        hold p2
        hold p3
        write p3
        settle
        loud
        start p1
        pass 40ms
        release p2
        release p3
        settle"

    /// Where the histories part before anything known, the whole state is sent.
    sync_by_snap: "
        show disk
        participants 3
        history p1 1:9
        history p2 1:1 2:1
        history p3 1:1 2:1
        start p2 p3
        quiet
        pass 200ms
        loud
        start p1
        pass 40ms"

    /// A leader that hears from no quorum steps down; its lone proposal stays in its log and is dropped at its return.
    leader_loses_its_quorum: "
        participants 3
        start p1 p2 p3
        quiet
        pass 300ms
        loud
        cut p3
        write p3
        pass 700ms
        mend p3
        quiet
        pass 2s
        loud
        write p1
        settle"

    /// Proposals under way when a follower joins come before NEWLEADER and are logged after UPTODATE.
    join_under_load: "
        show disk
        participants 3
        start p2 p3
        quiet
        pass 300ms
        hold p2
        hold p3
        write p3
        settle
        loud
        start p1
        pass 40ms
        release p2
        settle
        release p3
        settle"

    /// What is committed while a follower has NEWLEADER and not UPTODATE waits, and follows UPTODATE; an observer is INFORMed.
    commits_follow_uptodate: "
        show disk
        participants 3
        observers 1
        history p1 1:1 accepted 2
        history p2 1:1
        history p3 1:1
        history p4 1:1 accepted 2
        start p2 p3
        quiet
        pass 200ms
        hold p2
        hold p3
        write p3
        write p3
        settle
        hold p1
        hold p4
        loud
        start p1 p4
        settle
        release p2
        release p3
        settle
        write p2
        settle
        release p1
        release p4
        settle"

    /// `sync` is answered after every commit before it.
    sync_operation: "
        participants 3
        start p1 p2 p3
        quiet
        pass 300ms
        hold p1
        hold p2
        loud
        write p1
        sync p1
        settle
        release p2
        settle"

    /// A clean stop drains the log and ends the process; the others elect anew.
    clean_stop_of_the_leader: "
        participants 3
        start p1 p2 p3
        quiet
        pass 300ms
        loud
        stop p3
        pass 200ms"

    /// A used-up counter makes the leader step down; the next epoch goes on.
    counter_exhausted: "
        limit counter_limit 3
        participants 3
        start p1 p2 p3
        quiet
        pass 300ms
        write p3
        write p3
        settle
        loud
        write p3
        settle
        quiet
        pass 1s
        loud
        write p3
        settle"
}
