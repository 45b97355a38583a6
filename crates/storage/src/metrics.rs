//! What the logs of a directory count.

use crate::error::StorageError;
use metrics::{Counter, Gauge, Histogram, Kind, Metric, Samples, Seconds};
use std::io::ErrorKind;

metrics::group! {
    /// What one log directory and the logs in it have been through since the process began.
    pub struct LogDirMetrics["logDirectory"] {
        /// Time that a sync of files to the disk took.
        pub sync: Histogram(&metrics::SECONDS) = "ottla_log_dir_sync_seconds",
        /// Appends that one group commit made durable together.
        pub commit_appends: Histogram(&metrics::SIZES) = "ottla_log_dir_commit_appends",
        /// Bytes of batches that group commits made durable.
        pub commit_bytes: Counter() = "ottla_log_dir_commit_bytes_total",
        /// Group commits that the network thread made which asked, with nobody else about.
        pub commits_here: Counter() = "ottla_log_dir_commits_here_total",
        /// Group commits that synced the segments: too large for the journal, or to write twice.
        pub commits_without_journal: Counter() = "ottla_log_dir_commits_without_journal_total",
        /// Times that a half of the commit journal was made free by bringing its segments to disk.
        pub journal_checkpoints: Counter() = "ottla_log_dir_journal_checkpoints_total",
        /// Bytes of the commit journal that are in use.
        pub journal_used_bytes: Gauge() = "ottla_log_dir_journal_used_bytes",
        /// Segments whose batches were checked because the last process did not end well.
        pub recovery_segments: Counter() = "ottla_recovery_segments_scanned_total",
        /// Bytes cut off ends of logs because they were no whole batch.
        pub recovery_cut_bytes: Counter() = "ottla_recovery_cut_bytes_total",
        /// Segments that retention or DeleteRecords let go of.
        pub deleted_segments: Counter() = "ottla_retention_deleted_segments_total",
        /// Bytes of batches in those segments.
        pub deleted_bytes: Counter() = "ottla_retention_deleted_bytes_total",
        /// Renamed files and directories that wait to be removed: file.delete.delay.ms.
        pub awaiting_removal: Gauge() = "ottla_log_dir_awaiting_removal",
        /// Partitions that have enough below their dirty point to be compacted.
        pub cleaner_cleanable: Gauge() = "ottla_cleaner_cleanable_partitions",
        /// Partitions that the cleaner has set aside after an error and does not compact.
        pub cleaner_quarantined: Gauge() =
            "kafka_log_logcleanermanager_uncleanable_partitions_count",
        /// Cleanings of a log that went to their end.
        pub cleanings: Counter() = "ottla_cleanings_total",
        /// Bytes of batches that the cleaner has read.
        pub cleaner_read_bytes: Counter() = "ottla_cleaner_read_bytes_total",
        /// Bytes of batches that the cleaner has written.
        pub cleaner_written_bytes: Counter() = "ottla_cleaner_written_bytes_total",
        /// Time spent compacting.
        pub cleaner_time: Seconds() = "ottla_cleaner_seconds_total",
        /// Batches read whose checksum did not fit: they are never served.
        pub corrupt_batches: Counter() = "ottla_corrupt_batches_total",
        /// Appends refused so that the last of the room stays for deleting, offsets and metadata.
        pub refused_for_space: Counter() = "ottla_log_dir_refused_for_space_total",
        /// Errors of the disk, by kind: all but no_space took the directory out of use.
        pub errors: StorageErrors() = "ottla_storage_errors_total",
    }
}

/// Counts of [`StorageError`]s by a label `kind`.
#[derive(Debug, Default)]
pub struct StorageErrors {
    counts: [Counter; KINDS.len()],
}

const KINDS: [&str; 7] = ["no_space", "corrupt", "not_found", "denied", "read", "write", "sync"];

impl StorageErrors {
    pub const fn new() -> StorageErrors {
        StorageErrors { counts: [const { Counter::new() }; KINDS.len()] }
    }

    /// Counts what went wrong; not what is only its consequence.
    pub fn count(&self, error: &StorageError) {
        let kind = match error {
            StorageError::Poisoned { .. } => return,
            StorageError::Corrupt { .. } => "corrupt",
            StorageError::Io { .. } if error.is_full() => "no_space",
            StorageError::Io { what, kind, .. } => match kind {
                ErrorKind::NotFound => "not_found",
                ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => "denied",
                _ => match what.split(' ').next() {
                    Some("sync") => "sync",
                    Some("read" | "open" | "list" | "measure") => "read",
                    _ => "write",
                },
            },
        };
        let of_kind = self.counts.iter().zip(KINDS).find(|(_, name)| *name == kind);
        if let Some((count, _)) = of_kind {
            count.increment();
        }
    }

    /// How many of one kind; 0 of a kind there is not.
    pub fn of_kind(&self, kind: &str) -> u64 {
        let of_kind = self.counts.iter().zip(KINDS).find(|(_, name)| *name == kind);
        of_kind.map_or(0, |(count, _)| count.get())
    }

    pub fn total(&self) -> u64 {
        self.counts.iter().map(Counter::get).sum()
    }
}

impl Metric for StorageErrors {
    const KIND: Kind = Kind::Counter;

    fn sample(&self, into: &mut Samples<'_>) {
        for (count, kind) in self.counts.iter().zip(KINDS) {
            into.labelled_value("", &[("kind", kind)], count.get());
        }
    }
}
