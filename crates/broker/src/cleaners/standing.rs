//! Where a partition stands with its cleaners, for whoever asks.

use std::fmt;

use config::CleanerConfig;
use env::Env;
use storage::cleaner::{Assessment, WhyNot};
use types::{MonoTime, WallTime};

use super::{Cleaners, look_at, whose};
use crate::partitions::Partition;

/// What becomes of a log, or why nothing does.
#[derive(Clone, Debug, PartialEq)]
pub enum Standing {
    /// A cleaner is at it.
    BeingCleaned,
    /// It is dirty enough; a cleaner will take it.
    Due {
        dirty_ratio: f64,
    },
    Waiting(WhyNot),
    /// It could not be cleaned; it is tried again after so many seconds.
    Quarantined {
        why: String,
        again_in_s: u64,
    },
    /// `log.cleaner.enable` is false, or `log.cleaner.threads` is 0.
    Disabled,
    /// It is closed, or its disk fails.
    Unknown,
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Standing::BeingCleaned => f.write_str("being compacted"),
            Standing::Due { dirty_ratio } => {
                write!(f, "about to be compacted: dirty ratio {dirty_ratio:.2}")
            }
            Standing::Waiting(why) => why.fmt(f),
            Standing::Quarantined { why, again_in_s } => {
                write!(f, "quarantined: {why}; it is tried again in {again_in_s} s")
            }
            Standing::Disabled => {
                f.write_str("the cleaner is disabled (log.cleaner.enable, log.cleaner.threads)")
            }
            Standing::Unknown => f.write_str("its log is closed or its disk fails"),
        }
    }
}

impl<E: Env> Cleaners<E> {
    pub fn standing(
        &self,
        partition: &Partition<E::Disk>,
        config: &CleanerConfig,
        now: MonoTime,
        wall: WallTime,
    ) -> Standing {
        if !partition.settings().log.compacts {
            return Standing::Waiting(WhyNot::NotCompacted);
        }
        if !config.enable || config.threads <= 0 {
            return Standing::Disabled;
        }
        {
            let state = self.lock();
            if state.being_cleaned.contains(&whose(partition)) {
                return Standing::BeingCleaned;
            }
            let quarantine = state.quarantined.get(&whose(partition));
            if let Some(quarantine) = quarantine.filter(|one| !one.is_over(partition, now)) {
                let again_in_s = quarantine.until.since(now).as_secs();
                return Standing::Quarantined { why: quarantine.why.clone(), again_in_s };
            }
        }
        match look_at(partition, wall) {
            Some(Assessment::Clean(found)) => Standing::Due { dirty_ratio: found.dirty_ratio() },
            Some(Assessment::Wait(why)) => Standing::Waiting(why),
            None => Standing::Unknown,
        }
    }
}
