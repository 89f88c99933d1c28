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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replica::Service;
    use crate::sim::machine::Machine;
    use crate::sim::world::tests::zookeeper::zookeeper;
    use crate::zab::{Config, Epoch, Instant, Limits, Payload, Sid, Txn, Zxid};

    #[test]
    fn what_is_sent_arrives_and_a_snapshot_in_any_pieces() {
        let (learner, leader) = (Node::at(0), Node::at(1));
        let setup = zookeeper();
        let mut net = Network::new(2);
        net.dial(learner, leader);
        let link = net.open(learner, leader);
        let mut codecs = Codecs::new(&setup.ensemble);
        let config = Config::new(Sid(1), setup.ensemble.clone(), Limits::default()).unwrap();
        let chunks = Machine::new(&setup, &config, Instant::ZERO).freeze();
        let zxid = Zxid::new(Epoch(2), 7);
        let txn = Txn { zxid, payload: Payload::new(b"some bytes") };
        let messages = [Message::Proposal { txn }, Message::Commit { zxid }, Message::UpToDate];
        for message in &messages {
            assert_eq!(codecs.transmit(&net, link, leader, message), std::slice::from_ref(message));
        }
        let ack = Message::Ack { zxid };
        assert_eq!(codecs.transmit(&net, link, learner, &ack), std::slice::from_ref(&ack), "the other direction");
        let mut arrived = codecs.transmit(&net, link, leader, &Message::Snap { zxid });
        for chunk in &chunks {
            arrived.extend(codecs.transmit(&net, link, leader, &Message::SnapChunk { chunk: chunk.clone() }));
        }
        arrived.extend(codecs.transmit(&net, link, leader, &Message::SnapDone));
        assert_eq!((arrived.first(), arrived.last()), (Some(&Message::Snap { zxid }), Some(&Message::SnapDone)));
        let bytes = |chunks: &mut dyn Iterator<Item = &Payload>| -> Vec<u8> {
            chunks.flat_map(|chunk| chunk.as_bytes()).copied().collect()
        };
        let mut pieces = arrived.iter().filter_map(|message| match message {
            Message::SnapChunk { chunk } => Some(chunk),
            _ => None,
        });
        assert_eq!(bytes(&mut pieces), bytes(&mut chunks.iter()));
        assert_eq!(codecs.transmit(&net, link, leader, &messages[1]), &messages[1..2], "packets go on behind it");
    }
}
