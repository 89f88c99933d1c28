//! The words of a [`TreeEvent`].

use super::{Words, tagged, zxid};
use crate::sim::{Change, Found, Sight, TreeEvent, Znode};
use crate::zk::model::SessionId;

/// The tag of these events; the kind follows it.
const TAG: u8 = 93;

pub(super) fn fold(event: TreeEvent, out: &mut Words) {
    let head = |kind: u8, a: usize, b: usize| tagged(TAG, [kind, a as u8, b as u8]);
    match event {
        TreeEvent::Change { node, zxid: z, digest, change } => {
            out.put([head(0, node.index(), 0), zxid(z), digest]);
            fold_change(change, out);
        }
        TreeEvent::SessionClosed { node, zxid: z, session: s, left } => {
            out.put([head(1, node.index(), 0), zxid(z), session(s), left.into()]);
        }
        TreeEvent::Joined { client, server, session: s } => {
            out.put([head(2, client.into(), server.index()), session(s)]);
        }
        TreeEvent::SessionOver { client, server, session: s } => {
            out.put([head(3, client.into(), server.index()), session(s)]);
        }
        TreeEvent::Saw { client, server, zxid: z, sight } => {
            out.put([head(4, client.into(), server.index()), zxid(z)]);
            fold_sight(sight, out);
        }
        TreeEvent::Fired { client, server, znode: of, kind } => {
            out.put([head(5, client.into(), server.index()), znode(of), kind as u64]);
        }
        TreeEvent::FilesDiffer { node } => out.put([head(6, node.index(), 0)]),
    }
}

fn fold_change(change: Change, out: &mut Words) {
    match change {
        Change::Created { znode: of, owner, value } => out.put([0, znode(of), session(owner), value]),
        Change::Set { znode: of, value, version } => out.put([1, znode(of), value, version as u64]),
        Change::Deleted { znode: of } => out.put([2, znode(of)]),
        Change::SessionCreated { session: s } => out.put([3, session(s)]),
        Change::SessionClosed { session: s } => out.put([4, session(s)]),
    }
}

fn fold_sight(sight: Sight, out: &mut Words) {
    match sight {
        Sight::Nothing => out.put([0]),
        Sight::Znode { znode: of, found, watches } => {
            out.put([1 | u64::from(watches) << 8 | u64::from(found.is_some()) << 16, znode(of)]);
            if let Some(Found { czxid, mzxid, version, owner, value }) = found {
                out.put([zxid(czxid), zxid(mzxid), version as u64, session(owner)]);
                out.put([value.is_some().into(), value.unwrap_or(0)]);
            }
        }
        Sight::Items { found, watches } => {
            let (count, marks) = found.unwrap_or_default();
            out.put([2 | u64::from(watches) << 8 | u64::from(found.is_some()) << 16, count.into(), marks]);
        }
        Sight::WatchesSet => out.put([3]),
    }
}

fn session(session: SessionId) -> u64 {
    session.0 as u64
}

fn znode(znode: Znode) -> u64 {
    match znode {
        Znode::Own(client) => 1 << 32 | u64::from(client),
        Znode::Ephemeral(client) => 2 << 32 | u64::from(client),
        Znode::Shared => 3 << 32,
        Znode::Queue => 4 << 32,
        Znode::Item(number) => 5 << 32 | u64::from(number),
    }
}
