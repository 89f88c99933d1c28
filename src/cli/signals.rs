//! Being asked to stop: by Ctrl-C, by SIGTERM, by the end of the terminal.

use std::{fs, thread};

use anyhow::{Context, Result};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// Calls `asked` each time this process is asked to stop. The end of the terminal is no request where whoever started the
/// process said so (`nohup`).
pub(super) fn when_asked_to_stop(mut asked: impl FnMut() + Send + 'static) -> Result<()> {
    let requests = [SIGINT, SIGTERM, SIGHUP].into_iter().filter(|&signal| signal != SIGHUP || !hangups_are_ignored());
    let mut signals = Signals::new(requests).context("cannot watch for Ctrl-C")?;
    thread::spawn(move || signals.forever().for_each(|_| asked()));
    Ok(())
}

/// As Linux tells it; nobody is asked elsewhere.
fn hangups_are_ignored() -> bool {
    fs::read_to_string("/proc/self/status").is_ok_and(|status| ignores(&status, SIGHUP))
}

/// Whether a signal is in the set that `/proc/PID/status` names SigIgn.
fn ignores(status: &str, signal: i32) -> bool {
    let set = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    set.and_then(|set| u64::from_str_radix(set.trim(), 16).ok()).is_some_and(|set| set >> (signal - 1) & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_set_of_ignored_signals_is_read() {
        let status = |set: &str| format!("Name:\tzabsim\nSigBlk:\tffffffffffffffff\nSigIgn:\t{set}\n");
        assert!(ignores(&status("0000000000000001"), SIGHUP) && ignores(&status("0000000000004003"), SIGTERM));
        assert!(!ignores(&status("0000000000001000"), SIGHUP) && !ignores(&status("none"), SIGHUP));
        assert!(!ignores("SigBlk:\t1\n", SIGHUP));
    }
}
