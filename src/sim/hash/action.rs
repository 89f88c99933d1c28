//! An action as words.

use super::{Words, tagged};
use crate::sim::{Action, DiskMode, LinkKey, Loss, Op};

/// Tags are part of the format of a trace: append, never renumber.
pub(super) fn fold(action: &Action, out: &mut Words) {
    use Action::*;
    let mut one = |tag, a: usize, b: usize, c: u64| {
        out.put([tagged(tag, [a as u8, b as u8]), c]);
    };
    match *action {
        Deliver { link, to, skip } => one(1, to.index(), 0, pack(link, skip)),
        Connect { dialer, acceptor } => one(2, dialer.index(), acceptor.index(), 0),
        ConnectTimeout { dialer, acceptor } => one(3, dialer.index(), acceptor.index(), 0),
        NoticeClose { link, at } => one(4, at.index(), 0, pack(link, 0)),
        Reset { link, lose_up, lose_down } => {
            one(5, 0, 0, pack(link, lose_up));
            out.put([lose_down.into()]);
        }
        HalfOpen { link, at } => one(6, at.index(), 0, pack(link, 0)),
        Cut { from, to } => one(7, from.index(), to.index(), 0),
        Mend { from, to } => one(8, from.index(), to.index(), 0),
        Notify { from, to } => one(9, from.index(), to.index(), 0),
        LoseNotification { from, to } => one(10, from.index(), to.index(), 0),
        ReplayNotification { from, to, age } => one(11, from.index(), to.index(), age.into()),
        Wake { node } => one(12, node.index(), 0, 0),
        Crash { node, loss: lost } => one(13, node.index(), 0, loss(lost)),
        CrashInside { node, after, loss: lost } => one(14, node.index(), after.into(), loss(lost)),
        Stop { node } => one(15, node.index(), 0, 0),
        Start { node } => one(16, node.index(), 0, 0),
        Pause { node } => one(17, node.index(), 0, 0),
        Resume { node } => one(18, node.index(), 0, 0),
        Wipe { node } => one(19, node.index(), 0, 0),
        SyncDone { node } => one(20, node.index(), 0, 0),
        SyncFails { node } => one(21, node.index(), 0, 0),
        ReadDone { node } => one(22, node.index(), 0, 0),
        Disk { node, mode: behaves } => one(23, node.index(), mode(behaves).into(), 0),
        ClockJump { node, millis } => one(24, node.index(), 0, millis.into()),
        Invoke { client, server, op: what } => one(25, client.into(), server.index(), op(what).into()),
        Enter { stage } => one(26, stage as usize, 0, 0),
    }
}

/// A link and a small number.
pub(super) fn pack(link: LinkKey, small: u16) -> u64 {
    link.id().0 << 16 | u64::from(small)
}

/// What is lost, in one word.
pub(super) fn loss(loss: Loss) -> u64 {
    match loss {
        Loss::Process => 0,
        Loss::Power { kept, torn } => 1 | u64::from(torn) << 8 | u64::from(kept) << 16,
    }
}

/// How a disk behaves.
pub(super) fn mode(mode: DiskMode) -> u8 {
    match mode {
        DiskMode::Healthy => 0,
        DiskMode::Full => 1,
        DiskMode::Lying => 2,
    }
}

/// What a client does.
pub(super) fn op(op: Op) -> u8 {
    match op {
        Op::Write => 0,
        Op::Read => 1,
        Op::Sync => 2,
    }
}
