//! How everything stands after a step: one paragraph per server, then the connections.

use std::fmt::Write;

use super::super::peers::{DiskNow, LinkNow, PeerNow, Process, RoleNow, Standing, Txns};
use super::{WIDTH, bold, plural, thousands, wrapped};
use crate::sim::{DiskMode, Stage};

/// Where the facts begin.
const LABEL: usize = 11;

pub(in crate::cli) fn peers_text(standing: &Standing, width: Option<usize>) -> String {
    let stage = match standing.stage {
        Stage::Chaos => "faults strike",
        Stage::Converge => "a healed core must converge",
        Stage::Epilogue => "everything was killed, a quorum has restarted",
    };
    let mut out = String::new();
    let head = bold(format_args!("after step {}", thousands(standing.step)));
    let _ = writeln!(out, "{head} at {}: {stage}", standing.time);
    standing.peers.iter().for_each(|peer| peer_text(&mut out, peer, width.unwrap_or(WIDTH)));
    if !standing.links.is_empty() {
        let _ = writeln!(out, "\n{}", bold("links"));
    }
    standing.links.iter().for_each(|link| link_text(&mut out, link));
    out
}

fn peer_text(out: &mut String, now: &PeerNow, width: usize) {
    let starts = match now.starts {
        0 => "never started".to_owned(),
        1 => "started once".into(),
        n => format!("started {} times", thousands(n.into())),
    };
    let serves = match now.process {
        Process::Down => "down",
        Process::Paused => "its machine stands still",
        Process::Running => "serves nobody",
        Process::Serving => "serves clients",
    };
    let role = now.role.as_ref().map_or(String::new(), |role| match role.leader.filter(|&leader| leader != now.peer) {
        Some(leader) => format!("{} {leader} in {}, ", role.state, role.phase),
        None => format!("{} in {}, ", role.state, role.phase),
    });
    let _ = writeln!(out, "\n{} {role}{serves}, {starts}", bold(now.peer));
    let mut fact = |name: &str, what: String| {
        let lines = wrapped(&what, width - LABEL).join(&format!("\n{:LABEL$}", ""));
        let _ = writeln!(out, "  {name:<0$}{lines}", LABEL - 2);
    };
    if let Some(role) = &now.role {
        role_text(&mut fact, role);
    }
    fact("disk", disk_text(&now.disk));
}

fn role_text(fact: &mut impl FnMut(&str, String), role: &RoleNow) {
    fact("epochs", format!("accepted e{}, current e{}", role.accepted_epoch, role.current_epoch));
    let committed =
        role.committed.as_ref().map_or("nothing known committed yet".into(), |to| format!("committed up to {to}"));
    fact("history", format!("applied up to {}, {committed}", role.applied));
    fact("window", txns(role.window.as_ref()));
    if role.pending.is_some() {
        fact("pending", txns(role.pending.as_ref()));
    }
    let leader = role.vote.leader.map_or("nobody".into(), |leader| leader.to_string());
    fact("election", format!("round {}, votes for {leader} (e{}, {})", role.round, role.vote.epoch, role.vote.zxid));
    for learner in &role.learners {
        let who = learner.learner.map_or("somebody".into(), |node| node.to_string());
        let how = learner.sync.iter().zip(&learner.from).map(|(mode, from)| format!(", by {mode} from {from}"));
        fact("learner", format!("{who} {}{}", learner.stage, how.collect::<String>()));
    }
}

fn disk_text(disk: &DiskNow) -> String {
    let mode = match disk.mode {
        DiskMode::Healthy => "healthy",
        DiskMode::Full => "full",
        DiskMode::Lying => "lies about syncs",
    };
    let epoch = |name: &str, epoch: Option<u32>| epoch.map_or(format!("no {name} epoch"), |e| format!("{name} e{e}"));
    let snapshots = match disk.snapshots.as_slice() {
        [] => "no snapshot".to_owned(),
        [one] => format!("snapshot of {one}"),
        many => format!("snapshots of {}", many.join(", ")),
    };
    let unsynced = match disk.unsynced {
        0 => "all synced".to_owned(),
        n => format!("{} not synced", plural(n.into(), "write")),
    };
    let (accepted, current) = (epoch("accepted", disk.accepted_epoch), epoch("current", disk.current_epoch));
    format!("{mode}: {accepted}, {current}, log {}, {snapshots}, {unsynced}", txns(disk.log.as_ref()))
}

fn link_text(out: &mut String, link: &LinkNow) {
    let broken = if link.broken { ", broken" } else { "" };
    let on_the_way = match (link.to_leader, link.to_learner) {
        (0, 0) => "nothing on the way".to_owned(),
        (n, 0) => format!("{} on the way to {}", plural(n.into(), "packet"), link.leader),
        (0, n) => format!("{} on the way to {}", plural(n.into(), "packet"), link.learner),
        (a, b) => format!("{} on the way to {}, {b} to {}", plural(a.into(), "packet"), link.leader, link.learner),
    };
    let _ = writeln!(out, "  {}: {on_the_way}{broken}", link.link);
}

fn txns(txns: Option<&Txns>) -> String {
    match txns {
        None => "empty".into(),
        Some(Txns { first, count: 1, .. }) => format!("{first} (1 txn)"),
        Some(Txns { first, last, count }) => format!("{first} to {last} ({})", plural(*count as u64, "txn")),
    }
}
