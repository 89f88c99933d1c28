//! K5, session closure: not applicable. The ledger under test has neither sessions nor ephemeral nodes, so there is nothing to
//! look at; [`Property::is_applicable`](super::Property::is_applicable) says so and the count of checks stays 0. A service that
//! has them brings its own checker.

#[cfg(test)]
mod tests {
    use crate::check::Property;
    use crate::check::test_support::Story;

    #[test]
    fn it_is_said_to_be_not_applicable_and_never_counted() {
        let story = Story::serving();
        assert!(!Property::K5.is_applicable() && story.checkers.checked(Property::K5) == 0);
        assert!(Property::all().iter().filter(|p| !p.is_applicable()).count() == 1);
    }
}
