//! Runs that fail, made short.
