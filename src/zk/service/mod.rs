//! The replicated state machine of ZooKeeper.
