//! `server.N`, `group.N` and `weight.N`: who belongs to the ensemble and where they are (`QuorumPeer.QuorumServer`).

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use super::properties::Property;
use super::reader::Reader;
use crate::zab::{Ensemble, MemberRole, Sid};

/// A host, by name or by number, and a port.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address {
    /// As it was written, an IPv6 address without its brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl Address {
    /// An address.
    pub fn new(host: impl Into<String>, port: u16) -> Address {
        Address { host: host.into(), port }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// One server of an ensemble.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The N of `server.N`.
    pub sid: Sid,
    /// Where it listens for learners while it leads.
    pub quorum: Address,
    /// Where it listens for elections; the same host.
    pub election: Address,
    /// Whether it votes.
    pub role: MemberRole,
    /// Where it listens for clients, if the list of servers says so.
    pub client: Option<Address>,
}

impl Member {
    /// An address that it has as well as `other`, or twice if that is itself.
    fn shares_with(&self, other: &Member) -> Option<&Address> {
        if self.sid == other.sid {
            return Some(&self.quorum).filter(|own| **own == self.election);
        }
        [&self.quorum, &self.election].into_iter().find(|own| [&other.quorum, &other.election].contains(own))
    }
}

impl fmt::Display for Member {
    /// As in `server.N=`, the role always written.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let role = if self.role == MemberRole::Observer { "observer" } else { "participant" };
        write!(f, "{}:{}:{role}", self.quorum, self.election.port)?;
        self.client.iter().try_for_each(|client| write!(f, ";{client}"))
    }
}

/// The list of servers, and what makes a quorum of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Members {
    pub servers: Vec<Member>,
    /// By group, in the order of their numbers.
    groups: BTreeMap<i64, Vec<Sid>>,
    weights: BTreeMap<Sid, u64>,
    hierarchical: bool,
    /// The configuration's version, which servers compare: who has a later one than the leader is turned away.
    pub version: u64,
}

impl Members {
    pub fn read(reader: &mut Reader) -> Members {
        let mut members = Members::default();
        for (number, property) in reader.take_all("server.") {
            let Some(sid) = sid(&number) else {
                let message = format!("`{}` does not name a server", property.key);
                reader.error(
                    &property,
                    message,
                    "write server.N with a number N, the one in that server's file `myid`",
                );
                continue;
            };
            let Some(member) = member(reader, sid, &property) else { continue };
            if let Some(shared) = members.servers.iter().chain([&member]).find_map(|other| member.shares_with(other)) {
                let message = format!("`{}` has an address that is taken: {shared}", property.key);
                reader.error(&property, message, "give each server, and each of its two ports, an address of its own");
            }
            members.servers.push(member);
        }
        members.servers.sort_by_key(|member| member.sid);
        for (number, property) in reader.take_all("group.") {
            members.hierarchical = true;
            let sids: Option<Vec<Sid>> = property.value.split(':').map(|part| sid(part.trim())).collect();
            match number.parse().ok().zip(sids) {
                Some((number, sids)) => drop(members.groups.insert(number, sids)),
                None => reader.wrong(&property, "expected the numbers of servers, such as group.1=1:2:3"),
            }
        }
        for (number, property) in reader.take_all("weight.") {
            members.hierarchical = true;
            match sid(&number).zip(property.value.parse().ok()) {
                Some((sid, weight)) => drop(members.weights.insert(sid, weight)),
                None => reader.wrong(&property, "expected a whole number, such as weight.1=2"),
            }
        }
        members
    }

    pub fn is_empty(&self) -> bool {
        self.servers.is_empty() && !self.hierarchical
    }

    pub fn voters(&self) -> usize {
        self.servers.iter().filter(|member| member.role == MemberRole::Participant).count()
    }

    pub fn of(&self, sid: Sid) -> Option<&Member> {
        self.servers.iter().find(|member| member.sid == sid)
    }

    /// What makes a quorum.
    pub fn ensemble(&self) -> Result<Ensemble, String> {
        let roles = self.servers.iter().map(|member| (member.sid, member.role));
        if self.hierarchical {
            let groups: Vec<Vec<Sid>> = self.groups.values().cloned().collect();
            Ensemble::hierarchical(roles, &groups, &self.weights)
        } else {
            Ensemble::majority(roles)
        }
        .map(|ensemble| ensemble.with_version(self.version))
        .map_err(|error| error.to_string())
    }

    /// The configuration as servers send it to each other (`QuorumVerifier.toString`).
    pub fn text(&self) -> String {
        let mut text = String::new();
        let mut line = |line: fmt::Arguments<'_>| writeln!(text, "{line}").expect("a string takes everything");
        for member in &self.servers {
            line(format_args!("server.{}={member}", member.sid.0));
        }
        for (group, sids) in &self.groups {
            let sids: Vec<String> = sids.iter().map(|sid| sid.0.to_string()).collect();
            line(format_args!("group.{group}={}", sids.join(":")));
        }
        if self.hierarchical {
            let mut weights = self.weights.clone();
            for member in self.servers.iter().filter(|member| member.role == MemberRole::Participant) {
                weights.entry(member.sid).or_insert(1);
            }
            for (sid, weight) in weights {
                line(format_args!("weight.{}={weight}", sid.0));
            }
        }
        write!(text, "version={:x}", self.version).expect("a string takes everything");
        text
    }
}

fn sid(text: &str) -> Option<Sid> {
    text.parse().ok().filter(|&sid| sid >= 0).map(Sid)
}

const FORM: &str =
    "write HOST:QUORUM_PORT:ELECTION_PORT, then perhaps :participant or :observer, then perhaps ;CLIENT_PORT";

/// `host:quorum:election[:role][;[host:]port]`; complains and yields nothing if it is not that.
fn member(reader: &mut Reader, sid: Sid, property: &Property) -> Option<Member> {
    let whole = property.value.as_str();
    let mut complain = |part: &str, message: String| {
        let start = part.as_ptr() as usize - whole.as_ptr() as usize;
        let span = property.part(&reader.source.text, start..start + part.len());
        reader.errors.push(reader.source.at(span, message).help(FORM));
    };
    let (servers, client) = match whole.split_once(';') {
        Some((servers, client)) => (servers, Some(client)),
        None => (whole, None),
    };
    if servers.contains('|') {
        complain(servers, "a server has one address here, not several".into());
        return None;
    }
    let (host, rest) = host(servers);
    let parts: Vec<&str> = rest.split(':').collect();
    let (quorum, election, role) = match parts[..] {
        [quorum, election] => (quorum, election, "participant"),
        [quorum, election, role] => (quorum, election, role),
        _ => {
            complain(servers, format!("`{servers}` is no address of a server"));
            return None;
        }
    };
    if host.is_empty() {
        complain(servers, format!("`{servers}` has no host"));
        return None;
    }
    let mut port = |part: &str, of: &str| {
        let port = part.trim().parse().ok().filter(|&port: &u16| port > 0);
        if port.is_none() {
            complain(part, format!("`{part}` is no {of} port: expected a number from 1 to 65535"));
        }
        port
    };
    let ports = (port(quorum, "quorum"), port(election, "election"));
    let client = match client {
        None | Some("") => None,
        Some(client) => {
            let (host, number) = match host_and_port(client) {
                Some((host, number)) => (host, number),
                None => ("0.0.0.0", client),
            };
            Some(Address::new(host, port(number, "client")?))
        }
    };
    let role = match role.trim().to_ascii_lowercase().as_str() {
        "participant" => MemberRole::Participant,
        "observer" => MemberRole::Observer,
        _ => {
            complain(role, format!("`{role}` is no role of a server"));
            return None;
        }
    };
    let (quorum, election) = (ports.0?, ports.1?);
    Some(Member { sid, quorum: Address::new(host, quorum), election: Address::new(host, election), role, client })
}

/// The host of `host:rest` or `[host]:rest`, and the rest.
fn host(text: &str) -> (&str, &str) {
    if let Some((host, rest)) = text.strip_prefix('[').and_then(|text| text.split_once(']')) {
        return (host, rest.strip_prefix(':').unwrap_or(rest));
    }
    text.split_once(':').unwrap_or((text, ""))
}

fn host_and_port(text: &str) -> Option<(&str, &str)> {
    text.contains(':').then(|| host(text))
}
