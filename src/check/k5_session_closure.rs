//! K5, session closure: no ephemeral outlives its session. None is left at a server that applied the session's end, none is shown
//! from a state that contains that end, and none is made by a txn after it.
//!
//! What a client is told of its session is held to as much as ZooKeeper promises. It may join only a session that was begun, and not
//! at a server that has applied its end. "Your session is over" is said as soon as a leader marks a session to be closed, when
//! it proposes the end: a leader that is being deposed may say so of a session whose end is never chosen. And it says so of a session
//! that only a later leader knows: a ConnectResponse carries no zxid by which a server could tell that it is behind.

use super::ghost::Stray;
use super::{Ghost, Property, Sink};
use crate::sim::{Found, Node, Sight};
use crate::zab::Zxid;
use crate::zk::model::SessionId;

/// Remembers nothing: the ghost knows the tree.
#[derive(Clone, Debug, Default)]
pub struct SessionClosure;

impl SessionClosure {
    /// Txns were chosen and happened to the tree.
    pub fn on_settled(&self, ghost: &mut Ghost, out: &mut Sink) {
        for Stray { zxid, znode, owner } in ghost.tree.take_strays() {
            out.check(Property::K5, false, [], || {
                let expected = format!("an ephemeral of session {owner} is made while that session lives");
                (expected, format!("{zxid}, which is chosen, makes {znode} as one"))
            });
        }
    }

    /// A server applied a session's end.
    pub fn on_closed(&self, node: Node, session: SessionId, left: u32, out: &mut Sink) {
        out.check(Property::K5, left == 0, [node], || {
            let expected = format!("no ephemeral of session {session} after its end was applied");
            (expected, format!("{node} has {left}"))
        });
    }

    /// A client was shown something.
    pub fn on_saw(&self, ghost: &Ghost, server: Node, zxid: Zxid, sight: &Sight, out: &mut Sink) {
        let Sight::Znode { znode, found: Some(Found { owner, .. }), .. } = *sight else { return };
        let ended = ghost.tree.session(owner).and_then(|life| life.ended);
        out.check(Property::K5, ended.is_none_or(|ended| zxid < ended), [server], || {
            let ended = ended.unwrap_or_default();
            let expected = format!("no ephemeral of session {owner} in states from {ended}, its end, on");
            (expected, format!("{server} shows {znode} at {zxid}"))
        });
    }

    /// A client has its session at a server.
    pub fn on_joined(&self, ghost: &Ghost, client: u8, server: Node, session: SessionId, out: &mut Sink) {
        let life = ghost.tree.session(session);
        out.check(Property::K5, life.is_some_and(|life| life.begun.is_some()), [server], || {
            let expected = format!("client {client} joins a session that a chosen txn began");
            (expected, format!("{server} says that {session} is one"))
        });
        let ended = life.and_then(|life| life.ended);
        out.check(Property::K5, ended.is_none_or(|ended| ghost.last_applied(server) < ended), [server], || {
            let ended = ended.unwrap_or_default();
            let expected = format!("nobody joins session {session} at a server that applied {ended}, its end");
            (expected, format!("client {client} does, at {server}"))
        });
    }

    /// A client is told that its session is over.
    pub fn on_over(&self, ghost: &Ghost, client: u8, server: Node, session: SessionId, out: &mut Sink) {
        let Some(life) = ghost.tree.session(session) else { return };
        let is_of_a_later_leader = |begun: Zxid| {
            let epoch = ghost.peer(server).participates;
            epoch.is_none_or(|epoch| epoch < begun.epoch())
        };
        out.check(Property::K5, life.is_ending || life.begun.is_none_or(is_of_a_later_leader), [server], || {
            let expected = format!("session {session} lives: no leader proposed its end");
            (expected, format!("{server} tells client {client} that it is over"))
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::check::Property;
    use crate::check::test_support::tree::SESSIONS;
    use crate::check::test_support::{Story, fires_in, p};
    use crate::sim::{Change, Sight, TreeEvent, Znode};

    const END: Change = Change::SessionClosed { session: SESSIONS[0] };

    #[test]
    fn an_ephemeral_that_is_left_behind_is_noticed() {
        let story = Story::visited();
        fires_in(story, Property::K5, |story| {
            story.changes(&[END]);
            let (node, zxid, session) = (p(2), story.last(), SESSIONS[0]);
            story.tree(TreeEvent::SessionClosed { node, zxid, session, left: 0 });
            story.assert_legal();
            story.tree(TreeEvent::SessionClosed { node, zxid, session, left: 1 });
        });
    }

    #[test]
    fn an_ephemeral_that_is_shown_from_the_end_on_is_noticed() {
        let story = Story::visited();
        fires_in(story, Property::K5, |story| {
            let found = story.truth(Znode::Ephemeral(0));
            story.changes(&[END]);
            story.saw(1, p(2), story.last(), Sight::Znode { znode: Znode::Ephemeral(0), found, watches: false });
        });
    }

    #[test]
    fn an_ephemeral_that_is_made_after_the_end_is_noticed() {
        let story = Story::visited();
        fires_in(story, Property::K5, |story| {
            story.changes(&[END]);
            story.changes(&[Change::Created { znode: Znode::Ephemeral(1), owner: SESSIONS[0], value: 3 }]);
            story.sees(1, p(2), Znode::Shared);
        });
    }

    #[test]
    fn a_session_that_nobody_ended_is_not_over() {
        let story = Story::visited();
        fires_in(story, Property::K5, |story| story.over(0, p(1)));
    }

    #[test]
    fn nobody_joins_a_session_where_its_end_was_applied_or_that_never_began() {
        let story = Story::visited();
        fires_in(story, Property::K5, |story| {
            story.changes(&[END]);
            story.joined(0, p(2));
        });
        let story = Story::visited();
        fires_in(story, Property::K5, |story| story.joined(2, p(2)));
    }

    #[test]
    fn an_ephemeral_goes_with_its_session_and_its_name_may_be_used_again() {
        let mut story = Story::visited();
        story.changes(&[END]);
        story.over(0, p(1));
        story.sees(1, p(2), Znode::Ephemeral(0));
        story.changes(&[Change::Created { znode: Znode::Ephemeral(0), owner: SESSIONS[1], value: 4 }]);
        story.sees(1, p(2), Znode::Ephemeral(0));
        story.assert_legal();
    }

    #[test]
    fn a_leader_may_say_that_a_session_is_over_whose_end_it_could_not_commit() {
        let mut story = Story::visited();
        story.proposes_changes(&[END]);
        story.over(0, p(3));
        story.assert_legal();
    }

    #[test]
    fn a_deposed_leader_does_not_know_a_session_of_the_next_one() {
        let mut story = Story::visited();
        story.leaves(p(1));
        story.leaves(p(2));
        story.lead(p(2), 2, &[1]);
        story.changes(&[Change::SessionCreated { session: SESSIONS[2] }]);
        story.joined(2, p(1));
        story.over(2, p(3));
        story.assert_legal();
    }
}
