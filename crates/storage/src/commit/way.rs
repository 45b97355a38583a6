//! The way a commit goes: through the journal, or at once to the segments.   ADR 0007

use env::Disk;

use super::dirty::Dirty;
use super::journal::CommitJournal;
use crate::limits::{JOURNAL_ROUND_BYTES_MAX, SYNCED_BESIDE_BYTES_MAX, SYNCED_FILE_BYTES_MIN};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// A frame in the journal, and a sync of it.
    Journal,
    /// The same, in its other half: what the one in use holds goes to the disk meanwhile, so that
    /// commits like this one need no journal soon.
    OtherHalf,
    /// A sync of the file system.
    Segments,
}

/// What the half of the journal holds that is in use.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    pub(super) bytes: u64,
    pub(super) logs: u64,
}

impl Way {
    /// Of a commit of `bytes` in all.
    pub(super) fn of<D: Disk>(round: &[Dirty<D>], bytes: u64, journal: &CommitJournal<D>) -> Way {
        let files = round.iter().map(|dirty| dirty.pieces.len() as u64).sum();
        match journal.held() {
            _ if bytes > JOURNAL_ROUND_BYTES_MAX => Way::Segments,
            Some(held) => Way::beside(held, bytes, files),
            // A sync would wait for what is on its way to the disk.
            None => Way::Journal,
        }
    }

    fn beside(held: Held, bytes: u64, files: u64) -> Way {
        let is_small = bytes < files * SYNCED_FILE_BYTES_MIN;
        // What the journal holds of its logs is synced, too: half as much in each will do.
        let all_bytes = held.bytes + bytes;
        if is_small || 2 * all_bytes < (held.logs + files) * SYNCED_FILE_BYTES_MIN {
            Way::Journal
        } else if held.bytes > SYNCED_BESIDE_BYTES_MAX {
            Way::OtherHalf
        } else {
            Way::Segments
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIB: u64 = 1 << 10;

    fn way(held: (u64, u64), bytes: u64, files: u64) -> Way {
        Way::beside(Held { bytes: held.0, logs: held.1 }, bytes, files)
    }

    #[test]
    fn few_files_with_much_each_are_synced_themselves() {
        assert_eq!(way((0, 0), 800 * KIB, 1), Way::Segments);
        assert_eq!(way((0, 0), 300 * KIB, 1), Way::Journal);
        assert_eq!(way((0, 0), 1024 * KIB, 64), Way::Journal);
    }

    #[test]
    fn many_files_in_the_journal_are_not_synced_for_one_that_is_large() {
        assert_eq!(way((1000 * 5 * KIB, 1000), 800 * KIB, 1), Way::Journal);
    }

    #[test]
    fn a_smaller_commit_between_large_ones_does_not_keep_them_in_the_journal() {
        assert_eq!(way((300 * KIB, 1), 700 * KIB, 1), Way::Segments);
        assert_eq!(way((4 * KIB, 1), 700 * KIB, 1), Way::Segments);
        // The other way round, what they leave there is soon large.
        assert_eq!(way((8 * KIB, 2), 700 * KIB, 1), Way::Journal);
        assert_eq!(way((708 * KIB, 3), 700 * KIB, 1), Way::Segments);
    }

    #[test]
    fn what_much_in_the_journal_would_hold_up_leaves_it_first() {
        assert_eq!(way((20 << 20, 4), 800 * KIB, 1), Way::OtherHalf);
    }
}
