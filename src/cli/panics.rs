//! A panic in the core is a finding, not a crash: it is caught, quoted and counted.

use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

thread_local! {
    static LAST: RefCell<Option<String>> = const { RefCell::new(None) };
    static QUIET: RefCell<bool> = const { RefCell::new(false) };
}

/// Runs `f`. If it panics: what it said and where, with nothing printed.
pub(super) fn catch<T>(f: impl FnOnce() -> T) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if QUIET.with_borrow(|quiet| *quiet) {
                let place = info.location().map_or(String::new(), |at| format!(" ({}:{})", at.file(), at.line()));
                let said = info.payload_as_str().unwrap_or("a panic without a sentence");
                LAST.set(Some(format!("{said}{place}")));
            } else {
                before(info);
            }
        }));
    });
    // It may be called within itself.
    let before = QUIET.replace(true);
    // What `f` leaves half changed is dropped by every caller.
    let result = panic::catch_unwind(AssertUnwindSafe(f));
    QUIET.set(before);
    result.map_err(|_| LAST.take().unwrap_or_else(|| "a panic without a sentence".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_quoted_with_its_place() {
        assert_eq!(catch(|| 7), Ok(7));
        let said = catch(|| -> () { panic!("an ack for {}", "nothing") }).unwrap_err();
        assert!(said.starts_with("an ack for nothing (src/cli/panics.rs:"), "{said}");
    }
}
