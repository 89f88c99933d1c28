//! Runs as files: record, replay, draw.
//!
//! A trace is JSON Lines: a [`Header`] (scenario text and seed), one [`Line`] per action with its virtual time and the
//! chained hash after it, and at the end a [`Footer`] with the verdict, which is missing if the process died. It replays
//! without the random generator, so that a stored failure survives changes in how seeds are spent.
//!
//! ```text
//! {"format":1,"zabsim":"0.1.0","scenario":"leader-crash","text":"# …","seed":42,"mutants":[],"stream":1}
//! {"n":1,"t":"0.000123000s","a":{"notify":{"from":"p1","to":"p2"}},"h":"a2f1c04b9d3e5f60"}
//! {"verdict":"safety","steps":1,"hash":"a2f1c04b9d3e5f60","violations":["S3"]}
//! ```

pub mod diagram;
mod line;
mod names;
mod read;
mod record;
mod replay;
mod story;

pub use line::{FORMAT, Footer, Header, HexHash, Line};
pub use names::{message_names, packet_name, phase_name, state_name};
pub use read::{Trace, TraceError};
pub use record::Recorder;
pub use replay::{Diverged, Replay};
pub use story::describe;
