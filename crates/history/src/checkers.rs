//! One promise, one file. Each returns what is broken, in words.

pub mod acked_is_kept;
pub mod commits_are_kept;
pub mod commits_are_real;
pub mod indexes_agree;
pub mod log_starts;
pub mod no_duplicates;
pub mod offsets_are_dense;
pub mod one_owner;
pub mod producer_order;
pub mod readers_skip_nothing;
pub mod reads_are_repeatable;
pub mod real_time_order;
pub mod records_are_real;
pub mod refused_is_absent;
pub mod replicas_agree;
pub mod sequences_hold;
pub mod served_soon;
pub mod serves_after_faults;
pub mod topics_are_kept;

use crate::{FinalState, History, Value};

/// A promise that a run may break.
pub type Checker<V> = fn(&History<V>, &FinalState<V>) -> Vec<String>;

/// Every promise, with the name it is reported under.
pub fn all<V: Value>() -> Vec<(&'static str, Checker<V>)> {
    vec![
        ("acknowledged records are kept", acked_is_kept::check),
        ("committed offsets are kept", commits_are_kept::check),
        ("indexes agree with the log", indexes_agree::check),
        ("an idempotent producer writes once", no_duplicates::check),
        ("offsets are dense", offsets_are_dense::check),
        ("a producer's records stay in order", producer_order::check),
        ("what came after an acknowledgement lies after it", real_time_order::check),
        ("no record comes from nowhere", records_are_real::check),
        ("what was refused is not there", refused_is_absent::check),
        ("replicas hold the same log", replicas_agree::check),
        ("no committed offset comes from nowhere", commits_are_real::check),
        ("a partition has one reader in a group", one_owner::check),
        ("topics stay created and stay deleted", topics_are_kept::check),
        ("all is served once the faults are over", serves_after_faults::check),
        ("an offset always holds the same record", reads_are_repeatable::check),
        ("a reader is told every record once and in order", readers_skip_nothing::check),
        ("an idempotent producer's numbers are taken", sequences_hold::check),
        ("a log starts where it was asked to", log_starts::check),
        ("who is up serves soon", served_soon::check),
    ]
}
