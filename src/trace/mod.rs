//! Runs as files: record, replay, draw.
//!
//! A trace is JSON Lines: a [`Header`] (the scenario, the seed and the world that was drawn from them), one [`Line`] per
//! action with its virtual time and the chained hash after it, an [`EndLine`] where a stage ended, and at the end a [`Footer`]
//! with the verdict, which is missing if the process that wrote it died. It replays without the random generator and without reading the
//! scenario, so that a stored failure survives changes in how seeds are spent and in how scenarios are written.
//!
//! ```text
//! {"format":1,"zabsim":"0.1.0","scenario":"leader-crash","seed":42,"stream":1,…,"setup":{"nodes":[…],…},"text":"# …"}
//! {"n":1,"t":"0.000123000s","a":{"notify":{"from":"p1","to":"p2"}},"h":"a2f1c04b9d3e5f60"}
//! {"end":"converge","n":1,"converged":true,"core":["p1","p2"],"bound":"30s","recovery":"10s"}
//! {"verdict":"safety","steps":1,"hash":"a2f1c04b9d3e5f60","violations":["S3"]}
//! ```

mod choice;
pub mod diagram;
mod line;
mod names;
mod read;
mod record;
mod replay;
mod setup;
mod story;

pub use choice::describe_action;
pub use line::{EndLine, FORMAT, Footer, Header, HexHash, Line};
pub use names::{message_names, packet_name, phase_name, state_name};
pub use read::{Trace, TraceError};
pub use record::Recorder;
pub use replay::{Diverged, Replay};
pub use story::describe;
