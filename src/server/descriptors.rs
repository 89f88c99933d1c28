//! File descriptors: as many as the host allows, of which clients leave some to the disk, the other servers and
//! operators.

use tracing::{info, warn};

/// Descriptors that are not for clients.
const RESERVE: u64 = 64;

/// Lets this process have as many descriptors open as it may at all, as Java does unasked: most hosts allow 1024 until
/// that is done.
pub fn raise_limit() {
    if let Err(error) = rlimit::increase_nofile_limit(u64::MAX) {
        warn!(%error, "cannot raise the limit of open files (ulimit -n)");
    }
}

/// How many clients may be connected at once where `wanted` may (`maxCnxns`; 0 for no limit) and this process has a
/// limit of its own.
pub(super) fn most_connections(wanted: usize) -> usize {
    let Ok((descriptors, _)) = rlimit::Resource::NOFILE.get() else { return wanted };
    let most = leaving_some(wanted, descriptors);
    if most != wanted {
        info!(
            descriptors,
            "no more than {most} clients may connect: the rest of the open files is for disk and quorum"
        );
    }
    most
}

fn leaving_some(wanted: usize, descriptors: u64) -> usize {
    let most = usize::try_from(descriptors.saturating_sub(RESERVE)).unwrap_or(usize::MAX).max(1);
    if wanted == 0 { most } else { wanted.min(most) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_never_take_the_last_descriptors() {
        assert_eq!([0, 100, 5000].map(|wanted| leaving_some(wanted, 1024)), [960, 100, 960]);
        assert_eq!(leaving_some(0, 10), 1, "a server that takes nobody is none");
        assert_eq!(leaving_some(0, rlimit::INFINITY), usize::try_from(u64::MAX - RESERVE).unwrap_or(usize::MAX));
    }
}
