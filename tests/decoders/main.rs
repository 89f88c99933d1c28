//! Every decoder takes any bytes: it gives a value or an error, does not panic, and allocates no more than the bytes justify; what
//! it gives is written and read again as the same.
//!
//! Each decoder is fed valid bytes, captured and drawn, cut off anywhere, and what becomes of them by mutation. An input whose outcome (the error
//! without its numbers, or what kind of value) was not seen before is kept and mutated further. `ZABSIM_FUZZ_SECONDS` says for how
//! long, per decoder; without it a fixed number of inputs is tried. `ZABSIM_FUZZ_SEED` draws others.
#![cfg(feature = "server")]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "how long it lasts is asked of the environment and of the clock"
)]

mod files;
mod mutate;
mod round_trips;
mod wire;

#[path = "../support/generate.rs"]
mod generate;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::{Duration, Instant};

use mutate::{Draw, mutate};

/// Inputs per decoder where no time is given.
const INPUTS: usize = 3000;
/// Ends at which valid bytes are cut off.
const CUTS: usize = 3000;
/// Inputs kept because their outcome was new.
const MOST_KEPT: usize = 2000;
/// Bytes that may be allocated at a time for each byte of input: a txn of a multi takes 8 bytes and becomes a value of 100, in a
/// vector that doubles. And bytes that may be allocated whatever the input: names in errors, the first growth of a vector.
const PER_BYTE: u64 = 64;
const BASE: u64 = 4096;

/// A decoder, and how it is tried.
pub struct Decoder {
    /// What it reads.
    pub name: &'static str,
    /// Valid bytes.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Decodes and panics where something does not hold; says what came out, `ok` first if it is a value.
    pub check: fn(&[u8]) -> String,
}

/// Decodes, and looks at what that allocates.
pub fn measured<T>(bytes: &[u8], decode: impl FnOnce() -> T) -> T {
    let mut decoded = None;
    let allocated = allocation_counter::measure(|| decoded = Some(decode()));
    let most = PER_BYTE * bytes.len() as u64 + BASE;
    assert!(allocated.bytes_max <= most, "{} bytes allocated for {}", allocated.bytes_max, bytes.len());
    decoded.expect("it was decoded")
}

/// An outcome without its numbers, so that there are few of them.
pub fn kind_of(error: impl std::fmt::Display) -> String {
    error.to_string().chars().filter(|c| !c.is_ascii_digit()).collect()
}

fn variable(name: &str) -> Option<u64> {
    let value = std::env::var(name).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{name}: expected a number, found {value:?}")))
}

/// Tries a decoder for its time. Says the input with which something does not hold, in hexadecimal.
pub fn try_out(decoder: &Decoder) {
    let check = |bytes: &[u8]| {
        catch_unwind(AssertUnwindSafe(|| (decoder.check)(bytes))).unwrap_or_else(|panic| {
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            eprintln!("{}: does not take {hex}", decoder.name);
            resume_unwind(panic)
        })
    };
    let mut kept = (decoder.seeds)();
    let mut seen: BTreeSet<String> = kept.iter().map(|seed| check(seed)).collect();
    let strange = seen.iter().find(|outcome| !outcome.starts_with("ok"));
    assert_eq!(strange, None, "{}: a seed is not valid", decoder.name);
    let cuts = kept.iter().flat_map(|seed| (0..seed.len()).map(|end| &seed[..end]));
    seen.extend(cuts.take(CUTS).map(check));
    let end = variable("ZABSIM_FUZZ_SECONDS").map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let mut draw = Draw::new(variable("ZABSIM_FUZZ_SEED").unwrap_or(1));
    let mut inputs = 0;
    while end.map_or(inputs < INPUTS, |end| inputs % 100 != 0 || Instant::now() < end) {
        let mut bytes = kept[draw.below(kept.len())].clone();
        let other = &kept[draw.below(kept.len())];
        mutate(&mut bytes, other, &mut draw);
        if seen.insert(check(&bytes)) && kept.len() < MOST_KEPT {
            kept.push(bytes);
        }
        inputs += 1;
    }
    assert!(seen.len() > 1, "{}: every one of {inputs} inputs is valid", decoder.name);
    eprintln!("{}: {inputs} inputs, {} outcomes", decoder.name, seen.len());
}

/// Declares a test for each decoder.
macro_rules! tried {
    ($($name:ident: $decoder:expr;)+) => {
        $(#[test] fn $name() { try_out(&$decoder); })+
    };
}

tried! {
    connect_requests: wire::CONNECT_REQUEST;
    connect_responses: wire::CONNECT_RESPONSE;
    requests: wire::REQUEST;
    replies: wire::REPLY;
    watch_events: wire::WATCH_EVENT;
    txns: wire::TXN;
    forwarded_writes: wire::FORWARDED;
    tables_of_sessions: wire::SESSIONS;
    revalidations: wire::REVALIDATE;
    hellos: wire::HELLO;
    notifications: wire::NOTIFICATION;
    links: wire::LINK;
    ends_of_snapshots: wire::SNAPSHOT_SCAN;
    trees: files::TREE;
    snapshots: files::SNAPSHOT;
    logs: files::LOG;
    directories: files::DIRECTORY;
    configurations: files::CONFIGURATION;
}
