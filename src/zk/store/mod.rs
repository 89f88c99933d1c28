//! The durable history in ZooKeeper's files.
