//! Which events a picture shows.

use std::fmt;
use std::ops::RangeInclusive;

use super::super::names::{NOTIFICATION, message_names, packet_name};
use super::{Mark, Moment, mark};
use crate::sim::{Event, Node};

/// Filters. All of them must let an event through; an empty list lets everything through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pick {
    peers: Vec<Node>,
    messages: Vec<&'static str>,
    without: Vec<&'static str>,
    span: RangeInclusive<u64>,
}

/// A message name that is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PickError {
    /// What was asked for.
    pub name: String,
    /// The nearest name there is.
    pub nearest: &'static str,
}

impl Default for Pick {
    fn default() -> Pick {
        Pick { peers: Vec::new(), messages: Vec::new(), without: Vec::new(), span: 0..=u64::MAX }
    }
}

impl Pick {
    /// Only events that one of `peers` takes part in.
    pub fn peers(mut self, peers: &[Node]) -> Pick {
        self.peers = peers.to_vec();
        self
    }

    /// Only these messages, by ZooKeeper's names in any case; nothing that is not a message.
    pub fn messages(mut self, names: &[String]) -> Result<Pick, PickError> {
        self.messages = names.iter().map(|name| known(name)).collect::<Result<_, _>>()?;
        Ok(self)
    }

    /// Everything but these messages.
    pub fn without(mut self, names: &[String]) -> Result<Pick, PickError> {
        self.without = names.iter().map(|name| known(name)).collect::<Result<_, _>>()?;
        Ok(self)
    }

    /// Only these steps.
    pub fn span(mut self, span: RangeInclusive<u64>) -> Pick {
        self.span = span;
        self
    }

    /// Whether every later step is outside.
    pub fn is_past(&self, step: u64) -> bool {
        step > *self.span.end()
    }

    /// Whether an event is shown.
    pub fn takes(&self, moment: &Moment) -> bool {
        self.span.contains(&moment.step) && self.takes_peers(&moment.event) && self.takes_message(&moment.event)
    }

    fn takes_peers(&self, event: &Event) -> bool {
        self.peers.is_empty()
            || match mark(event) {
                Mark::Arrow { from, to, .. } => self.peers.contains(&from) || self.peers.contains(&to),
                Mark::At(node, _) => self.peers.contains(&node),
                Mark::Everywhere => true,
            }
    }

    fn takes_message(&self, event: &Event) -> bool {
        match message(event) {
            Some(name) => (self.messages.is_empty() || self.messages.contains(&name)) && !self.without.contains(&name),
            None => self.messages.is_empty(),
        }
    }
}

fn message(event: &Event) -> Option<&'static str> {
    match event {
        Event::NotificationSent { .. } | Event::NotificationReceived { .. } | Event::NotificationLost { .. } => {
            Some(NOTIFICATION)
        }
        Event::Sent { packet, .. } | Event::Received { packet, .. } => Some(packet_name(packet.kind)),
        _ => None,
    }
}

fn known(name: &str) -> Result<&'static str, PickError> {
    let upper = name.to_ascii_uppercase();
    if let Some(found) = message_names().find(|&known| known == upper) {
        return Ok(found);
    }
    let nearest = message_names().min_by_key(|known| strsim::damerau_levenshtein(known, &upper));
    Err(PickError { name: name.into(), nearest: nearest.unwrap_or(NOTIFICATION) })
}

impl fmt::Display for PickError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = message_names().collect();
        write!(f, "there is no message {:?}: did you mean {}? All are {}", self.name, self.nearest, names.join(", "))
    }
}

impl std::error::Error for PickError {}
