//! The bytes of ZooKeeper between servers: what is sent is encoded, and what arrives is what the bytes say.

use std::collections::BTreeMap;

use super::network::Network;
use super::{LinkKey, Node};
use crate::zab::{Ensemble, Message, Notification};
use crate::zk::wire::{self, LinkDecoder, Sender, SyncOf};

/// The two directions of every link.
#[derive(Clone, Debug)]
pub(super) struct Codecs {
    config: String,
    version: u64,
    /// By link and sender. What a decoder remembers is whether a snapshot is under way.
    decoders: BTreeMap<(LinkKey, Node), LinkDecoder>,
}

impl Codecs {
    pub(super) fn new(ensemble: &Ensemble) -> Codecs {
        let version = ensemble.version();
        Codecs { config: config_text(version), version, decoders: BTreeMap::new() }
    }

    /// What the other end reads: as a rule one message, of a piece of a snapshot as many as its bytes arrive in.
    pub(super) fn transmit(&mut self, net: &Network, link: LinkKey, from: Node, message: &Message) -> Vec<Message> {
        let sender = if from == link.acceptor { Sender::Leader } else { Sender::Learner };
        let mut bytes = Vec::new();
        wire::encode_message(message, &self.config, &SyncOf::default(), &mut bytes);
        if !self.decoders.contains_key(&(link, from)) {
            self.decoders.retain(|(key, _), _| net.link(*key).is_some());
        }
        let decoder = self.decoders.entry((link, from)).or_insert_with(|| LinkDecoder::new(sender));
        let mut messages = Vec::new();
        // Bytes arrive in any portions.
        for portion in bytes.chunks(bytes.len().div_ceil(2)) {
            decoder.feed(portion);
            while let Some(message) = decoder.next_message().expect("what was encoded can be decoded") {
                messages.push(message);
            }
        }
        messages
    }

    /// What the receiver of a notification reads.
    pub(super) fn notify(&self, notification: &Notification) -> Notification {
        let mut bytes = Vec::new();
        wire::encode_notification(notification, &self.config, &mut bytes);
        wire::decode_notification(&bytes[4..], self.version).expect("what was encoded can be decoded")
    }
}

/// What servers say of their configuration, and have as `/zookeeper/config`.
pub(super) fn config_text(version: u64) -> String {
    format!("version={version:x}")
}
