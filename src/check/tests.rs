//! Legal stories that look suspicious: nothing may fire.

use super::test_support::{Story, p};
use super::{Property, Situation};
use crate::sim::{DiskWrite, Event, Fault, Loss, PacketKind, Stage};
use crate::zab::{Epoch, Zxid};

/// p3 joins p2, who leads epoch 2 and has committed (2,1), with a tail that nobody else has.
fn rejoins(story: &mut Story) {
    let cut = Story::zxid(1, 2);
    story.joins(p(3), p(2), 2);
    story.pass(p(2), p(3), PacketKind::Trunc, cut);
    story.persist(p(3), DiskWrite::Truncate { to: cut });
    story.reloads(p(3), cut, 1002);
    story.pass(p(2), p(3), PacketKind::Proposal, Story::zxid(2, 1));
    story.pass(p(2), p(3), PacketKind::NewLeader, Story::zxid(2, 0));
    story.append(p(3), 2, 1);
    story.persist(p(3), DiskWrite::CurrentEpoch(Epoch(2)));
    story.pass(p(3), p(2), PacketKind::Ack, Story::zxid(2, 0));
    story.pass(p(2), p(3), PacketKind::Commit, Story::zxid(2, 1));
    story.pass(p(2), p(3), PacketKind::UpToDate, Zxid::MISSING);
    story.delivered(p(3), 2, 1, 2001);
    story.serves(p(3), 2);
}

#[test]
fn every_property_is_looked_at_in_a_legal_life_and_holds() {
    let mut story = Story::serving();
    story.proposed(p(3), 1, 3);
    story.append(p(3), 1, 3);
    story.role_ends();
    story.lead(p(2), 2, &[1, 4]);
    story.write();
    rejoins(&mut story);
    story.view.window = vec![Story::zxid(1, 2), Story::zxid(2, 1)];
    story.plans_diff(p(2), p(1));
    story.persist(p(1), DiskWrite::WriteSnapshot { zxid: Story::zxid(2, 1) });
    story.persist(p(1), DiskWrite::InstallSnapshot { zxid: Story::zxid(2, 1) });
    story.enter(Stage::Converge);
    story.write();
    story.stage_ends(Stage::Converge, true);
    story.enter(Stage::Epilogue);
    story.role_ends();
    story.lead(p(2), 3, &[1]);
    story.stage_ends(Stage::Epilogue, true);
    story.assert_legal();
    let visited = Story::visited();
    visited.assert_legal();
    for &property in Property::all() {
        assert!(story.checkers.checked(property) + visited.checkers.checked(property) > 0, "{property}");
    }
}

#[test]
fn an_unsynced_tail_may_be_lost_with_the_power() {
    let mut story = Story::serving();
    story.proposed(p(3), 1, 3);
    story.append(p(3), 1, 3);
    story.append_unsynced(p(1), 1, 3);
    story.event(Event::Crashed { node: p(1), loss: Loss::Power { kept: 0, torn: false }, inside: false });
    story.event(Event::Lost { node: p(1), write: DiskWrite::Append { zxid: Story::zxid(1, 3), digest: 1003 } });
    story.starts(p(1));
    story.boots(p(1), 1, 1, Story::zxid(1, 2), 1002);
    story.assert_legal();
}

#[test]
fn a_wiped_observer_may_come_back_by_a_snapshot() {
    let mut story = Story::serving();
    story.ends(p(4));
    story.event(Event::Fault(Fault::Wiped { node: p(4) }));
    story.starts(p(4));
    story.boots(p(4), 0, 0, Zxid::MISSING, 1000);
    story.connect(p(4), p(3));
    story.infos(p(4), p(3), 0);
    let (end, marker) = (Story::zxid(1, 2), Story::zxid(1, 0));
    story.pass(p(3), p(4), PacketKind::LeaderInfo, marker);
    story.persist(p(4), DiskWrite::AcceptedEpoch(Epoch(1)));
    story.ack_epochs(p(4), p(3), Some(0), Zxid::MISSING);
    story.pass(p(3), p(4), PacketKind::Snap, end);
    story.pass(p(3), p(4), PacketKind::SnapDone, end);
    story.event(Event::Restored { node: p(4), zxid: end, state: 1002 });
    story.pass(p(3), p(4), PacketKind::NewLeader, marker);
    story.persist(p(4), DiskWrite::WriteSnapshot { zxid: end });
    story.persist(p(4), DiskWrite::InstallSnapshot { zxid: end });
    // A crash here leaves txns of epoch 1 with currentEpoch 0, which is mended at start-up (hazard D17).
    story.ends(p(4));
    story.starts(p(4));
    story.boots(p(4), 1, 0, end, 1002);
    story.persist(p(4), DiskWrite::CurrentEpoch(Epoch(1)));
    story.assert_legal();
    assert!(story.checkers.reached().has(Situation::EpochWindowRestart));
}

#[test]
fn a_lone_tail_is_cut() {
    let mut story = Story::serving();
    story.proposed(p(3), 1, 3);
    story.append(p(3), 1, 3);
    story.role_ends();
    story.lead(p(2), 2, &[1]);
    story.write();
    story.connect(p(3), p(2));
    story.received(p(2), p(3), PacketKind::Trunc, Story::zxid(1, 2));
    story.persist(p(3), DiskWrite::Truncate { to: Story::zxid(1, 2) });
    story.assert_legal();
    assert!(story.checkers.reached().has(Situation::LoneTailTruncated));
}
