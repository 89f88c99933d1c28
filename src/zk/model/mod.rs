//! The vocabulary: sessions, ACLs, stats, requests, replies, txns, errors.
