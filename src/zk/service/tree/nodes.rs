//! Where the nodes are: a slab for the nodes, an index for their paths, links for their order.
//!
//! Chosen for a million znodes. A node is one entry of a slab (112 bytes) and one allocation (its path and its data
//! together), and costs about twenty bytes in the index: no table of children per node, no second copy of a path or of
//! a name. A path is found by one probe, whatever the number of nodes and its depth; an ordered map takes twenty
//! comparisons, each with a miss of the cache. The index hashes with a fixed function and is never walked: nothing
//! depends on its order.
//!
//! The slab is cut into pages that are shared with a [`Pages`] taken earlier until one of its nodes changes. So the
//! whole tree is frozen in a few thousand steps whatever it holds, and a snapshot is written of it while txns go on.

use std::sync::Arc;

use hashbrown::HashTable;
use xxhash_rust::xxh3::xxh3_64;

use crate::zk::model::StatPersisted;
use crate::zk::service::path;

use super::acls::AclKey;
use super::digest;

/// Where a node is in the slab, for as long as it lives.
pub type Slot = u32;

/// No node.
const NONE: Slot = Slot::MAX;

/// How many nodes a page holds: what is copied when one of them changes under a frozen tree.
const PAGE: usize = 64;

/// A znode (`DataNode`).
#[derive(Clone, Debug)]
pub struct Node {
    /// What a snapshot says of it.
    pub stat: StatPersisted,
    /// Its ACL, in the table.
    pub acl: AclKey,
    /// Its path and its data.
    pub body: Body,
    children: u32,
    parent: Slot,
    first: Slot,
    next: Slot,
    /// The last of the siblings, for the first one.
    previous: Slot,
}

/// The path of a node, then its data, and their checksum: what of a digest does not change with the stat.
#[derive(Clone, Debug)]
pub struct Body {
    bytes: Arc<[u8]>,
    path: u32,
    crc: u32,
}

impl Body {
    /// In `path`, for a node without data: null is not the same as empty.
    const NULL: u32 = 1 << 31;

    /// A path with its data.
    pub fn new(path: &str, data: Option<&[u8]>) -> Body {
        let len = u32::try_from(path.len()).ok().filter(|len| *len < Body::NULL);
        let len = len.expect("a path came in a frame, which is shorter");
        // Put together first and then moved, both in blocks: an iterator of bytes is collected one by one.
        let bytes = Arc::from([path.as_bytes(), data.unwrap_or_default()].concat());
        let crc = digest::of_body(path, data);
        Body { bytes, path: if data.is_none() { len | Body::NULL } else { len }, crc }
    }

    /// The path, as bytes.
    fn path_bytes(&self) -> &[u8] {
        &self.bytes[..(self.path & !Body::NULL) as usize]
    }

    /// The path.
    pub fn path(&self) -> &str {
        std::str::from_utf8(self.path_bytes()).expect("a body begins with the text that it was made of")
    }

    /// The data.
    pub fn data(&self) -> Option<&[u8]> {
        (self.path & Body::NULL == 0).then(|| &self.bytes[self.path as usize..])
    }

    /// How much data there is; none if it is null.
    pub fn data_len(&self) -> usize {
        self.data().map_or(0, <[u8]>::len)
    }

    /// CRC-32 over path and data.
    pub fn crc(&self) -> u32 {
        self.crc
    }
}

impl Node {
    /// A node without children.
    pub fn new(stat: StatPersisted, acl: AclKey, body: Body) -> Node {
        Node { stat, acl, body, children: 0, parent: NONE, first: NONE, next: NONE, previous: NONE }
    }

    /// How many children it has.
    pub fn children(&self) -> u32 {
        self.children
    }
}

/// The slab: nodes and their order, without the index. Its clone is a frozen tree.
#[derive(Clone, Debug)]
pub struct Pages(Vec<Arc<Page>>);

#[derive(Clone, Debug, Default)]
struct Page(Vec<Option<Node>>);

/// All nodes of a tree.
#[derive(Clone, Debug)]
pub struct Nodes {
    pages: Pages,
    free: Vec<Slot>,
    /// The upper half of a path's hash, and where its node is: the table grows without a look at the nodes.
    index: HashTable<(u32, Slot)>,
}

impl Pages {
    /// The root's place: it is the first node, and is never removed.
    pub const ROOT: Slot = 0;

    /// The node there.
    pub fn node(&self, slot: Slot) -> &Node {
        self.entry(slot).expect("a slot is used for as long as its node lives")
    }

    fn entry(&self, slot: Slot) -> Option<&Node> {
        self.0[slot as usize / PAGE].0[slot as usize % PAGE].as_ref()
    }

    fn entry_mut(&mut self, slot: Slot) -> &mut Option<Node> {
        &mut Arc::make_mut(&mut self.0[slot as usize / PAGE]).0[slot as usize % PAGE]
    }

    fn node_mut(&mut self, slot: Slot) -> &mut Node {
        self.entry_mut(slot).as_mut().expect("a slot is used for as long as its node lives")
    }

    /// The node after this one in the order of a snapshot: parents before children. Only below `top`.
    pub fn after(&self, top: Slot, slot: Slot) -> Option<Slot> {
        let mut slot = slot;
        let mut node = self.node(slot);
        if node.first != NONE {
            return Some(node.first);
        }
        while slot != top {
            if node.next != NONE {
                return Some(node.next);
            }
            slot = node.parent;
            node = self.node(slot);
        }
        None
    }
}

impl Nodes {
    /// A tree of its root alone.
    pub fn new(root: Node) -> Nodes {
        let mut nodes = Nodes { pages: Pages(Vec::new()), free: Vec::new(), index: HashTable::new() };
        let slot = nodes.place(root);
        assert_eq!(slot, Pages::ROOT, "the root is the first node");
        nodes
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// The slab.
    pub fn pages(&self) -> &Pages {
        &self.pages
    }

    /// Where the node of this path is.
    pub fn find(&self, path: &str) -> Option<Slot> {
        let path = if path.is_empty() { path::ROOT } else { path };
        let tag = tag(path.as_bytes());
        let same = |entry: &(u32, Slot)| entry.0 == tag && self.node(entry.1).body.path_bytes() == path.as_bytes();
        self.index.find(spread(tag), same).map(|(_, slot)| *slot)
    }

    /// The node there.
    pub fn node(&self, slot: Slot) -> &Node {
        self.pages.node(slot)
    }

    /// The node of this path.
    pub fn get(&self, path: &str) -> Option<&Node> {
        self.find(path).map(|slot| self.node(slot))
    }

    /// The node there, to be changed; its path stays.
    pub fn node_mut(&mut self, slot: Slot) -> &mut Node {
        self.pages.node_mut(slot)
    }

    /// A new child of `parent`, its last; there is none of its path.
    pub fn insert(&mut self, parent: Slot, mut node: Node) -> Slot {
        let first = self.node(parent).first;
        (node.parent, node.next) = (parent, NONE);
        let slot = self.place(node);
        if first == NONE {
            self.node_mut(parent).first = slot;
            self.node_mut(slot).previous = slot;
        } else {
            let last = std::mem::replace(&mut self.node_mut(first).previous, slot);
            self.node_mut(last).next = slot;
            self.node_mut(slot).previous = last;
        }
        self.node_mut(parent).children += 1;
        slot
    }

    /// Takes a node out that has no children and is not the root.
    pub fn remove(&mut self, slot: Slot) -> Node {
        assert_ne!(slot, Pages::ROOT, "the root stays");
        let node = self.pages.entry_mut(slot).take().expect("a slot is used for as long as its node lives");
        assert_eq!(node.children, 0, "what has children stays");
        let tag = tag(node.body.path_bytes());
        let entry = self.index.find_entry(spread(tag), |entry| entry.1 == slot);
        entry.expect("every node is in the index").remove();
        self.free.push(slot);
        let parent = self.node_mut(node.parent);
        parent.children -= 1;
        let first = parent.first;
        if first == slot {
            parent.first = node.next;
        } else {
            self.node_mut(node.previous).next = node.next;
        }
        // Whoever knew `slot` as the one before it, or as the last, now knows the one before `slot`.
        let after = if node.next == NONE { first } else { node.next };
        if after != slot {
            self.node_mut(after).previous = node.previous;
        }
        node
    }

    /// The children of a node, the oldest first.
    pub fn children(&self, slot: Slot) -> impl Iterator<Item = Slot> {
        let some = |slot: Slot| (slot != NONE).then_some(slot);
        std::iter::successors(some(self.node(slot).first), move |child| some(self.node(*child).next))
    }

    /// A node and everything below it, parents before children.
    pub fn below(&self, top: Slot) -> impl Iterator<Item = Slot> {
        std::iter::successors(Some(top), move |slot| self.pages.after(top, *slot))
    }

    fn place(&mut self, node: Node) -> Slot {
        let tag = tag(node.body.path_bytes());
        let slot = match self.free.pop() {
            Some(slot) => {
                *self.pages.entry_mut(slot) = Some(node);
                slot
            }
            None => {
                if self.pages.0.last().is_none_or(|page| page.0.len() == PAGE) {
                    self.pages.0.push(Arc::default());
                }
                let page = self.pages.0.len() - 1;
                let nodes = &mut Arc::make_mut(&mut self.pages.0[page]).0;
                nodes.push(Some(node));
                Slot::try_from(page * PAGE + nodes.len() - 1)
                    .ok()
                    .filter(|slot| *slot != NONE)
                    .expect("fewer nodes than slots")
            }
        };
        self.index.insert_unique(spread(tag), (tag, slot), |(tag, _)| spread(*tag));
        slot
    }
}

fn tag(path: &[u8]) -> u32 {
    (xxh3_64(path) >> 32) as u32
}

/// The table takes its bucket from the lower bits and a mark to compare first from the upper ones.
fn spread(tag: u32) -> u64 {
    u64::from(tag) << 32 | u64::from(tag)
}
