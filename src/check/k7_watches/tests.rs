//! What is missed, early or made up; and what ZooKeeper lets pass.

use EventType::{NodeChildrenChanged, NodeCreated, NodeDataChanged, NodeDeleted};

use crate::check::Property;
use crate::check::test_support::tree::SESSIONS;
use crate::check::test_support::{Story, fires_in, p};
use crate::sim::{Change, Sight, Znode};
use crate::zk::model::EventType;

const CONNECTED: [(u8, usize); 2] = [(0, 1), (1, 2)];
const EPHEMERAL: Znode = Znode::Ephemeral(3);

/// Clients 0 and 1 watch what is shared, the queue, and an ephemeral that is not there.
fn watching() -> Story {
    let mut story = Story::visited();
    for (client, server) in CONNECTED {
        story.watches(client, p(server), Znode::Shared);
        story.watches_items(client, p(server));
        story.watches(client, p(server), EPHEMERAL);
    }
    story
}

#[test]
fn an_answer_that_overtakes_the_event_is_noticed() {
    let story = watching();
    fires_in(story, Property::K7, |story| {
        story.shared_is_set(1);
        story.saw(0, p(1), Story::zxid(1, 7), Sight::Nothing);
        story.fired(0, p(1), Znode::Shared, NodeDataChanged);
        story.sees(0, p(1), Znode::Shared);
        story.assert_legal();
        story.sees(1, p(2), Znode::Own(1));
    });
    let story = watching();
    fires_in(story, Property::K7, |story| {
        story.made(Znode::Item(8));
        story.sees(1, p(2), Znode::Shared);
    });
    let story = watching();
    fires_in(story, Property::K7, |story| {
        story.made(EPHEMERAL);
        story.sees(1, p(2), Znode::Shared);
    });
}

#[test]
fn an_event_of_what_is_not_watched_is_noticed() {
    let story = watching();
    fires_in(story, Property::K7, |story| {
        story.shared_is_set(1);
        story.fired(0, p(1), Znode::Shared, NodeDataChanged);
        story.assert_legal();
        // It fires once.
        story.shared_is_set(2);
        story.fired(0, p(1), Znode::Shared, NodeDataChanged);
    });
    let story = watching();
    fires_in(story, Property::K7, |story| {
        story.made(Znode::Own(0));
        story.fired(0, p(1), Znode::Own(0), NodeCreated);
    });
}

#[test]
fn an_event_without_a_change_or_before_its_server_applied_it_is_noticed() {
    let story = watching();
    fires_in(story, Property::K7, |story| story.fired(0, p(1), Znode::Shared, NodeDataChanged));
    let story = watching();
    fires_in(story, Property::K7, |story| {
        story.proposes_changes(&[Change::Set { znode: Znode::Shared, value: 10, version: 1 }]);
        story.write_without(p(2));
        story.fired(0, p(1), Znode::Shared, NodeDataChanged);
        story.assert_legal();
        story.fired(1, p(2), Znode::Shared, NodeDataChanged);
    });
}

#[test]
fn an_event_of_another_kind_is_noticed() {
    let story = watching();
    fires_in(story, Property::K7, |story| {
        story.deleted(Znode::Shared);
        story.fired(0, p(1), Znode::Shared, NodeDeleted);
        story.assert_legal();
        story.fired(1, p(2), Znode::Shared, NodeDataChanged);
    });
}

#[test]
fn an_answer_from_before_the_change_that_was_told_is_noticed() {
    let story = watching();
    fires_in(story, Property::K7, |story| {
        story.made(Znode::Item(8));
        story.fired(0, p(1), Znode::Queue, NodeChildrenChanged);
        story.assert_legal();
        story.saw(0, p(1), Story::zxid(1, 7), Sight::Nothing);
    });
}

#[test]
fn a_change_while_the_client_was_away_is_told_when_it_comes_back() {
    let story = watching();
    fires_in(story, Property::K7, |story| {
        story.shared_is_set(1);
        story.made(Znode::Item(8));
        story.made(EPHEMERAL);
        let all = [(Znode::Shared, NodeDataChanged), (EPHEMERAL, NodeCreated), (Znode::Queue, NodeChildrenChanged)];
        story.comes_back(0, p(2), &all);
        story.assert_legal();
        story.comes_back(1, p(1), &all[1..]);
    });
}

#[test]
fn watches_that_were_set_again_wait_again() {
    let story = watching();
    fires_in(story, Property::K7, |story| {
        story.comes_back(0, p(2), &[]);
        story.shared_is_set(1);
        story.fired(0, p(2), Znode::Shared, NodeDataChanged);
        story.assert_legal();
        story.made(EPHEMERAL);
        story.sees(0, p(2), Znode::Shared);
    });
}

#[test]
fn what_is_told_on_coming_back_may_tell_of_several_changes_at_once() {
    let mut story = watching();
    story.shared_is_set(1);
    story.deleted(Znode::Shared);
    story.made(Znode::Shared);
    story.made(EPHEMERAL);
    story.changes(&[Change::Set { znode: EPHEMERAL, value: 3, version: 1 }]);
    story.comes_back(0, p(2), &[(Znode::Shared, NodeDataChanged), (EPHEMERAL, NodeCreated)]);
    story.deleted(Znode::Shared);
    story.comes_back(1, p(1), &[(Znode::Shared, NodeDeleted), (EPHEMERAL, NodeCreated)]);
    story.assert_legal();
}

#[test]
fn what_was_made_and_deleted_while_the_client_was_away_is_not_told_and_the_watch_stays() {
    let story = watching();
    fires_in(story, Property::K7, |story| {
        story.made(EPHEMERAL);
        story.deleted(EPHEMERAL);
        story.comes_back(0, p(1), &[]);
        story.assert_legal();
        story.made(EPHEMERAL);
        story.sees(0, p(1), EPHEMERAL);
    });
}

#[test]
fn watches_end_with_their_session() {
    let mut story = watching();
    story.changes(&[Change::SessionClosed { session: SESSIONS[0] }]);
    story.over(0, p(1));
    story.shared_is_set(1);
    story.saw(0, p(1), story.last(), Sight::Nothing);
    story.assert_legal();
}

#[test]
fn the_end_of_a_session_is_told_to_those_who_watch_its_ephemerals() {
    let story = watching();
    fires_in(story, Property::K7, |story| {
        story.watches(1, p(2), Znode::Ephemeral(0));
        story.watches(0, p(1), Znode::Ephemeral(0));
        story.changes(&[Change::SessionClosed { session: SESSIONS[0] }]);
        story.fired(1, p(2), Znode::Ephemeral(0), NodeDeleted);
        story.sees(1, p(2), Znode::Ephemeral(0));
        story.assert_legal();
        story.sees(0, p(1), Znode::Ephemeral(0));
    });
}
