//! The pure decisions against slow obvious models: exhaustive where the domain is small, generated where it is not.

mod quorum;
mod sync_plan;
mod vote;
