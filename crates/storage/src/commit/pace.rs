//! Whether the disk is fast enough for large commits to be written twice.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::limits::{JOURNAL_LARGE_BYTES, JOURNAL_SLOW_NS_PER_MIB};

/// A large commit among so many counts as one part of what they usually take.
const PARTS: u64 = 4;
/// Of those that a slow disk is spared, one in so many finds out whether it still is.
const TRY_ONE_IN: u64 = 16;

/// How long the journal takes for large commits lately. What it holds is written out once more
/// beside it, so a disk that has no more to give makes it slow.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// Zero: nobody knows yet.
    ns_per_mib: AtomicU64,
    spared: AtomicU64,
}

impl Pace {
    /// Whether the journal is to have a commit of so many bytes.
    pub(super) fn allows(&self, bytes: u64) -> bool {
        bytes <= JOURNAL_LARGE_BYTES
            || self.ns_per_mib.load(Ordering::Relaxed) <= JOURNAL_SLOW_NS_PER_MIB
            || self.spared.fetch_add(1, Ordering::Relaxed) % TRY_ONE_IN == TRY_ONE_IN - 1
    }

    /// The journal has taken so long for it. Only one commit at a time writes to it.
    pub(super) fn note(&self, bytes: u64, took: Duration) {
        if bytes <= JOURNAL_LARGE_BYTES {
            return;
        }
        let took = u64::try_from((took.as_nanos() << 20) / u128::from(bytes)).unwrap_or(u64::MAX);
        let usually = match self.ns_per_mib.load(Ordering::Relaxed) {
            0 => took,
            usually => usually - usually / PARTS + took / PARTS,
        };
        self.ns_per_mib.store(usually, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LARGE: u64 = 2 * JOURNAL_LARGE_BYTES;
    const SLOW: Duration = Duration::from_millis(100);

    #[test]
    fn a_slow_disk_writes_large_commits_once_and_is_tried_again() {
        let pace = Pace::default();
        assert!(pace.allows(LARGE), "nothing is known yet");
        pace.note(LARGE, SLOW);
        let allowed = (0..4 * TRY_ONE_IN).filter(|_| pace.allows(LARGE)).count();
        assert_eq!(allowed, 4);
        assert!(
            pace.allows(JOURNAL_LARGE_BYTES),
            "a small one waits for the disk, not for its pace"
        );
        (0..20).for_each(|_| pace.note(LARGE, Duration::from_millis(1)));
        assert!(pace.allows(LARGE), "it has become fast");
    }

    #[test]
    fn one_slow_commit_among_fast_ones_does_not_make_the_disk_slow() {
        let pace = Pace::default();
        pace.note(LARGE, Duration::from_millis(1));
        pace.note(LARGE, Duration::from_nanos(JOURNAL_SLOW_NS_PER_MIB * 4));
        assert!(pace.allows(LARGE));
        pace.note(JOURNAL_LARGE_BYTES, SLOW * 100);
        assert!(pace.allows(LARGE), "small ones do not count");
    }
}
