//! K6, honest reads: whatever an answer shows is the state at the zxid in its head, as the chosen txns make it: whether a node is
//! there, which txns made and set it, its version, its owner, its data. That zxid is of a state that the server has, and the zxids that
//! a client sees on its connections never go back.

use super::{Ghost, Property, Sink};
use crate::sim::{Found, Node, Sight};
use crate::zab::Zxid;

/// The last zxid that each client saw in the head of an answer.
#[derive(Clone, Debug)]
pub struct HonestReads {
    seen: Vec<Zxid>,
}

impl HonestReads {
    /// Of so many clients.
    pub fn new(clients: usize) -> HonestReads {
        HonestReads { seen: vec![Zxid::ZERO; clients] }
    }

    /// A client was answered.
    pub fn on_saw(&mut self, ghost: &Ghost, client: u8, server: Node, zxid: Zxid, sight: &Sight, out: &mut Sink) {
        let seen = &mut self.seen[usize::from(client)];
        let before = *seen;
        *seen = before.max(zxid);
        let applied = ghost.last_applied(server);
        out.check(Property::K6, zxid >= before && zxid <= applied, [server], || {
            let expected =
                format!("an answer to client {client} at a zxid from {before}, seen before, to {applied}, applied");
            (expected, format!("{server} answers at {zxid}"))
        });
        match *sight {
            Sight::Nothing | Sight::WatchesSet => {}
            Sight::Znode { znode, found, .. } => {
                let real = ghost.tree.at(znode, zxid);
                // `exists` does not tell the value.
                let told = |real: Found| Found {
                    value: real.value.filter(|_| found.is_none_or(|it| it.value.is_some())),
                    ..real
                };
                out.check(Property::K6, found == real.map(told), [server], || {
                    (format!("{znode} as it is at {zxid}: {}", node(real)), format!("{server} shows {}", node(found)))
                });
            }
            Sight::Items { found, .. } => {
                let real = ghost.tree.items_at(zxid);
                out.check(Property::K6, found == real, [server], || {
                    let count =
                        |items: Option<(u32, u64)>| items.map_or("none".into(), |(count, _)| format!("one of {count}"));
                    let expected = format!("the queue as it is at {zxid}: {}", count(real));
                    let others = if count(found) == count(real) { " others" } else { "" };
                    (expected, format!("{server} shows {}{others}", count(found)))
                });
            }
        }
    }
}

fn node(found: Option<Found>) -> String {
    let Some(Found { czxid, mzxid, version, owner, value }) = found else { return "not there".into() };
    let value = value.map_or(String::new(), |value| format!(" to {value}"));
    format!("made by {czxid}, set by {mzxid}{value}, version {version}, owner {owner}")
}

#[cfg(test)]
mod tests {
    use crate::check::Property;
    use crate::check::test_support::{Story, fires_in, p};
    use crate::sim::{Found, Sight, Znode, item_mark};
    use crate::zab::Zxid;
    use crate::zk::model::SessionId;

    const OF: Found = Found { czxid: Zxid::ZERO, mzxid: Zxid::ZERO, version: 0, owner: SessionId(0), value: Some(1) };

    /// What is shared, as (1,5) made it.
    fn made() -> Found {
        Found { czxid: Story::zxid(1, 5), mzxid: Story::zxid(1, 5), ..OF }
    }

    fn shows(story: &mut Story, zxid: (u32, u32), znode: Znode, found: Option<Found>) {
        story.saw(1, p(2), Story::zxid(zxid.0, zxid.1), Sight::Znode { znode, found, watches: false });
    }

    #[test]
    fn every_part_of_an_answer_is_compared() {
        let wrong = [
            None,
            Some(Found { czxid: Story::zxid(1, 4), ..made() }),
            Some(Found { mzxid: Story::zxid(1, 6), ..made() }),
            Some(Found { version: 1, ..made() }),
            Some(Found { owner: SessionId(1), ..made() }),
            Some(Found { value: Some(2), ..made() }),
        ];
        for found in wrong {
            let story = Story::visited();
            fires_in(story, Property::K6, |story| {
                shows(story, (1, 7), Znode::Shared, Some(made()));
                shows(story, (1, 7), Znode::Shared, Some(Found { value: None, ..made() }));
                shows(story, (1, 7), Znode::Own(1), None);
                story.assert_legal();
                shows(story, (1, 7), Znode::Shared, found);
            });
        }
    }

    #[test]
    fn a_state_under_the_zxid_of_a_later_one_is_noticed() {
        let story = Story::visited();
        fires_in(story, Property::K6, |story| {
            story.shared_is_set(1);
            shows(story, (1, 7), Znode::Shared, Some(made()));
            story.assert_legal();
            shows(story, (1, 8), Znode::Shared, Some(made()));
        });
    }

    #[test]
    fn an_answer_from_the_past_or_the_future_is_noticed() {
        for counter in [7, 9] {
            let story = Story::visited();
            fires_in(story, Property::K6, |story| {
                story.write();
                story.saw(1, p(2), Story::zxid(1, 8), Sight::Nothing);
                story.assert_legal();
                story.saw(1, p(2), Story::zxid(1, counter), Sight::Nothing);
            });
        }
    }

    #[test]
    fn the_children_are_compared_as_a_set() {
        let queue_of = |item: u32| Some((1, item_mark(item)));
        for wrong in [None, Some((0, 0)), queue_of(8)] {
            let story = Story::visited();
            fires_in(story, Property::K6, |story| {
                story.saw(1, p(2), Story::zxid(1, 7), Sight::Items { found: queue_of(7), watches: false });
                story.assert_legal();
                story.saw(1, p(2), Story::zxid(1, 7), Sight::Items { found: wrong, watches: false });
            });
        }
    }
}
