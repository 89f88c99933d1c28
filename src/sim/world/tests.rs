//! Tests of the world with real replicas.
