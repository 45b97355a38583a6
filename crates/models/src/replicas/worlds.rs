//! The worlds that are explored, each as large as a minute allows, and the defects that each must
//! find.

use crate::replicas::defect::Defect;
use crate::replicas::model::{Bounds, ReplicasModel};
use crate::{Report, explore};

/// Nothing happens that is not asked for.
const QUIET: Bounds = Bounds {
    records: 1,
    crashes: 0,
    wipes: 0,
    suspicions: 0,
    alters: 0,
    doubts: 0,
    reigns: 1,
    balances: false,
    second_leads: false,
    slow: false,
    min_insync_replicas: 2,
};

/// The first replica leads again, over records that others have committed, and the disk of a third
/// is replaced.
const LEADER_MOVED_BACK: Bounds =
    Bounds { wipes: 1, alters: 1, second_leads: true, balances: true, slow: true, ..QUIET };

/// Those of the check.
pub const SMALL: [(&str, Bounds); 9] = [
    ("reordered", Bounds { suspicions: 2, alters: 2, doubts: 1, reigns: 0, ..QUIET }),
    ("late-join", Bounds { suspicions: 1, alters: 2, ..QUIET }),
    ("lineages", Bounds { records: 2, suspicions: 2, reigns: 2, min_insync_replicas: 1, ..QUIET }),
    ("crash", Bounds { records: 2, crashes: 1, alters: 1, ..QUIET }),
    ("two-crashes", Bounds { crashes: 2, reigns: 2, ..QUIET }),
    ("slow-answers", Bounds { records: 2, crashes: 1, slow: true, ..QUIET }),
    ("wiped-disk", Bounds { wipes: 1, suspicions: 1, alters: 1, reigns: 0, ..QUIET }),
    ("late-join-slow", Bounds { suspicions: 1, alters: 2, slow: true, ..QUIET }),
    ("leader-moved-back", LEADER_MOVED_BACK),
];

/// Those of an hour with nothing else to do.
pub const LARGE: [(&str, Bounds); 3] = [
    ("crash", Bounds { records: 3, crashes: 1, alters: 1, reigns: 2, ..QUIET }),
    ("two-crashes", Bounds { records: 2, crashes: 2, alters: 1, reigns: 2, ..QUIET }),
    ("slow-answers", Bounds { records: 2, crashes: 1, alters: 1, slow: true, ..QUIET }),
];

/// Each defect, and the small world that finds it.
pub const FINDS: [(Defect, &str); 16] = [
    (Defect::HighWatermarkTruncation, "crash"),
    (Defect::OneLineageQuery, "lineages"),
    (Defect::NoMaximalIsr, "reordered"),
    (Defect::NoPartitionEpochCheck, "reordered"),
    (Defect::NoBrokerEpochCheck, "wiped-disk"),
    (Defect::FollowerVouchesForMemory, "crash"),
    (Defect::MinIsrIgnored, "crash"),
    (Defect::HighWatermarkBeforeTruncation, "lineages"),
    (Defect::LastEpochForgotten, "lineages"),
    (Defect::TruncationToZero, "lineages"),
    (Defect::StaleMetadata, "lineages"),
    (Defect::LeaderCountsMemory, "crash"),
    (Defect::DoubtForgotten, "reordered"),
    (Defect::JoinsAtHighWatermark, "late-join-slow"),
    (Defect::ReignsBeginningForgotten, "leader-moved-back"),
    (Defect::EmptyEpochKept, "lineages"),
];

/// Explores the small world of that name with a defect in it.
///
/// # Panics
/// If there is no such world.
pub fn find(defect: Defect, world: &str) -> Report {
    let bounds = SMALL.iter().find(|(name, _)| *name == world).expect("a small world").1;
    explore(ReplicasModel::new(bounds, Some(defect)))
}
