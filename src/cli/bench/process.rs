//! What the operating system knows of a process (`/proc`).

use std::fs;

use anyhow::{Context, Result};

/// How much a process has used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Usage {
    /// Processor time in ticks of 10 ms, in its own code and in the kernel's.
    pub ticks: u64,
    /// Bytes of memory.
    pub resident: u64,
}

/// Linux tells processor time in hundredths of a second, whatever its own clock.
pub(super) const TICKS_PER_SECOND: u64 = 100;

impl Usage {
    pub(super) fn of(pid: u32) -> Result<Usage> {
        let read = |file: &str| fs::read_to_string(format!("/proc/{pid}/{file}"));
        let (stat, status) = read("stat").and_then(|stat| Ok((stat, read("status")?))).with_context(|| {
            format!("cannot see process {pid} (--pid takes the number of a running process, on Linux)")
        })?;
        Usage::parse(&stat, &status).with_context(|| format!("cannot understand /proc/{pid}"))
    }

    /// The name of the process, in brackets, may contain anything; fields 14 and 15 are user and system time.
    fn parse(stat: &str, status: &str) -> Option<Usage> {
        let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
        let mut ticks = || fields.next()?.parse::<u64>().ok();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kilobytes: u64 = resident.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(Usage { ticks: ticks()? + ticks()?, resident: kilobytes * 1024 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_may_have_any_name() {
        let stat = "42 (a ) b (c) S 1 42 42 0 -1 4194560 1 2 3 4 700 55 0 0 20 0 8 0 123 456 789";
        let status = "Name:\ta\nVmRSS:\t   2048 kB\nThreads:\t8\n";
        assert_eq!(Usage::parse(stat, status), Some(Usage { ticks: 755, resident: 2 << 20 }));
        assert_eq!(Usage::parse("42 (a", status), None);
    }
}
