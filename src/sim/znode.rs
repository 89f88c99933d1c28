//! The nodes of the tree that simulated clients use: few, so that they meet.

use std::fmt;

/// A node, by its part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Znode {
    /// `/c<client>`: every write of a client leaves its serial here. It is never deleted.
    Own(u8),
    /// `/e<client>`: an ephemeral that a client makes and deletes.
    Ephemeral(u8),
    /// `/shared`: set by all, also where it has a certain version.
    Shared,
    /// `/q`: the parent of the items.
    Queue,
    /// `/q/n<number>`: a sequential node.
    Item(u32),
}

impl Znode {
    /// The node of that path, if clients use it.
    pub fn of(path: &str) -> Option<Znode> {
        let digits = |prefix: &str| path.strip_prefix(prefix);
        match path {
            "/shared" => Some(Znode::Shared),
            "/q" => Some(Znode::Queue),
            _ => {
                let item = digits("/q/n").and_then(|number| number.parse().ok()).map(Znode::Item);
                let own = digits("/c").and_then(|client| client.parse().ok()).map(Znode::Own);
                let ephemeral = digits("/e").and_then(|client| client.parse().ok()).map(Znode::Ephemeral);
                item.or(own).or(ephemeral)
            }
        }
    }

    /// The path of the item that a sequential create is to make, without its number.
    pub const ITEM: &str = "/q/n";

    /// The number of the item that is a child of that name.
    pub fn item(name: &str) -> Option<u32> {
        name.strip_prefix('n').and_then(|number| number.parse().ok())
    }
}

/// Its path.
impl fmt::Display for Znode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Znode::Own(client) => write!(f, "/c{client}"),
            Znode::Ephemeral(client) => write!(f, "/e{client}"),
            Znode::Shared => f.write_str("/shared"),
            Znode::Queue => f.write_str("/q"),
            Znode::Item(number) => write!(f, "/q/n{number:010}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_its_node() {
        for znode in [Znode::Own(7), Znode::Ephemeral(0), Znode::Shared, Znode::Queue, Znode::Item(12)] {
            assert_eq!(Znode::of(&znode.to_string()), Some(znode));
        }
        assert_eq!((Znode::of("/"), Znode::of("/zookeeper/config"), Znode::of("/q/x1")), (None, None, None));
        assert_eq!((Znode::item("n0000000012"), Znode::item("12")), (Some(12), None));
    }
}
