//! S3, unique zxids.

use super::ghost::Broadcast;
use super::{Property, Sink};
use crate::sim::Node;
use crate::zab::Zxid;

/// Remembers nothing: the ghost knows every broadcast.
#[derive(Clone, Debug, Default)]
pub struct UniqueZxids;

impl UniqueZxids {
    /// A leader broadcast a txn.
    pub fn on_proposed(&self, node: Node, zxid: Zxid, broadcast: Broadcast, out: &mut Sink) {
        out.check(Property::S3, matches!(broadcast, Broadcast::New | Broadcast::Again), [node], || {
            let Broadcast::Taken { by, differs } = broadcast else { unreachable!("only a taken zxid fails") };
            let whose = by.map_or("the initial disks".to_owned(), |by| by.to_string());
            let payload = if differs { "another" } else { "the same" };
            (format!("{zxid} to be new"), format!("{whose} had it already, with {payload} payload"))
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::check::Property;
    use crate::check::test_support::{fires, p};

    #[test]
    fn a_zxid_of_two_primaries_is_noticed() {
        fires(Property::S3, |story| story.proposed(p(1), 1, 2));
    }
}
