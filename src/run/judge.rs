//! Stand-in for `crate::check` until it lands.

use std::fmt;

use crate::sim::{Setup, World};

#[derive(Clone, Debug)]
pub(super) struct Checkers;

impl Checkers {
    pub(super) fn new(_: &Setup) -> Checkers {
        Checkers
    }
    pub(super) fn step(&mut self, _: &World) {}
    pub(super) fn finish(&mut self, _: &World, _: &crate::sim::schedule::StageEnd) {}
    pub(super) fn violations(&self) -> &[Violation] {
        &[]
    }
    pub(super) fn properties_checked(&self) -> usize {
        0
    }
    pub(super) fn reached(&self) -> impl Iterator<Item = (String, u64)> {
        std::iter::empty()
    }
}

/// A property did not hold.
#[derive(Clone, Debug)]
pub struct Violation {
    /// Which.
    pub property: Property,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.property.0)
    }
}

/// A property.
#[derive(Clone, Copy, Debug)]
pub struct Property(&'static str);

impl Property {
    /// Its id.
    pub fn id(self) -> &'static str {
        self.0
    }
    /// Whether it speaks of liveness.
    pub fn is_liveness(self) -> bool {
        self.0.starts_with('L')
    }
}
