//! After the faults every replica holds the same log, and it is the one clients read.

use std::collections::BTreeMap;

use crate::{Cleanup, FinalState, History, ReplicaBatch, ReplicaRecord, Value};

pub fn check<V: Value>(_history: &History<V>, end: &FinalState<V>) -> Vec<String> {
    let mut broken = Vec::new();
    for ((partition, broker), found) in &end.replicas {
        let read = end.records.get(partition).map(Vec::as_slice).unwrap_or_default();
        let differs = |(own, (offset, value)): (&ReplicaRecord<V>, &(i64, V))| {
            own.offset != *offset || own.value != *value
        };
        let first = found.iter().zip(read).position(differs);
        if let Some(at) = first.or((found.len() != read.len()).then(|| found.len().min(read.len())))
        {
            let own = found.get(at).map(|own| format!("{} at {}", own.value, own.offset));
            let read = read.get(at).map(|(offset, value)| format!("{value} at {offset}"));
            let nothing = || "nothing".to_owned();
            broken.push(format!(
                "partition {partition}: broker {broker} holds {}, clients read {}",
                own.unwrap_or_else(nothing),
                read.unwrap_or_else(nothing)
            ));
        }
        let another = end.replicas.range((*partition, i32::MIN)..(*partition, *broker)).next_back();
        let epochs = another.into_iter().flat_map(|(_, other)| other.iter().zip(found));
        if let Some((other, own)) =
            epochs.into_iter().find(|(a, b)| a.leader_epoch != b.leader_epoch)
        {
            broken.push(format!(
                "partition {partition} offset {}: epoch {} on broker {broker}, {} on another",
                own.offset, own.leader_epoch, other.leader_epoch
            ));
        }
    }
    broken.extend(different_batches(end));
    broken
}

/// A broker's name and what is in its log.
type Log<'a> = (i32, &'a [ReplicaBatch]);

/// Batch by batch, from where the last of the logs starts to what clients can read: retention is
/// each replica's own business, and so is compaction. Below the log start that clients are told
/// files lie until their segment goes, and a follower that comes back with what was never committed
/// keeps it there: where the leader's log starts behind it, the two logs do not part.
fn different_batches<V: Value>(end: &FinalState<V>) -> Vec<String> {
    let mut logs: BTreeMap<i32, Vec<Log<'_>>> = BTreeMap::new();
    for ((partition, broker), batches) in &end.batches {
        logs.entry(*partition).or_default().push((*broker, batches));
    }
    let mut broken = Vec::new();
    for (partition, logs) in logs {
        let (start, high) = end.bounds.get(&partition).copied().unwrap_or_default();
        if high == 0 || end.cleanup == Cleanup::Compact {
            continue;
        }
        let starts = logs.iter().map(|(_, log)| log.first().map_or(high, |batch| batch.first));
        let low = starts.max().unwrap_or(0).max(start);
        let common = |log: &[ReplicaBatch]| -> Vec<ReplicaBatch> {
            let within = log.iter().filter(|batch| low <= batch.last && batch.first < high);
            within.cloned().collect()
        };
        let mut logs = logs.iter().map(|(broker, log)| (broker, *log, common(log)));
        let Some(first) = logs.next() else { continue };
        for (broker, log, common) in std::iter::once(first.clone()).chain(logs) {
            let ends = log.last().map_or(0, |batch| batch.last + 1);
            if ends < high {
                broken.push(format!(
                    "partition {partition}: broker {broker} ends at {ends}, clients read to {high}"
                ));
            } else if common != first.2 {
                let differs = common.iter().zip(&first.2).find(|(own, other)| own != other);
                broken.push(format!(
                    "partition {partition}: brokers {broker} and {} differ, {differs:?}",
                    first.0
                ));
            }
        }
    }
    broken
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replica_that_holds_something_else_is_found_out() {
        let record = |offset, leader_epoch, value: &str| ReplicaRecord {
            offset,
            leader_epoch,
            value: value.to_owned(),
        };
        let mut end = FinalState::default();
        end.records.insert(0, vec![(0, "a:1".to_owned()), (1, "a:2".to_owned())]);
        end.replicas.insert((0, 1), vec![record(0, 1, "a:1"), record(1, 2, "a:2")]);
        let broken_with = |other: Vec<ReplicaRecord>| {
            let mut end = end.clone();
            end.replicas.insert((0, 2), other);
            check(&History::default(), &end).len()
        };
        assert_eq!(broken_with(vec![record(0, 1, "a:1"), record(1, 2, "a:2")]), 0);
        assert_eq!(broken_with(vec![record(0, 1, "a:1")]), 1);
        assert_eq!(broken_with(vec![record(0, 1, "a:1"), record(1, 2, "b:2")]), 1);
        assert_eq!(broken_with(vec![record(0, 1, "a:1"), record(1, 3, "a:2")]), 1);
    }

    #[test]
    fn a_replica_with_other_batches_below_what_clients_read_is_found_out() {
        let batch = |first, leader_epoch, checksum| ReplicaBatch {
            first,
            last: first + 1,
            leader_epoch,
            checksum,
        };
        let whole = vec![batch(0, 1, 7), batch(2, 1, 8), batch(4, 2, 9)];
        let broken_with = |other: Vec<ReplicaBatch>| {
            let mut end = FinalState::<String>::default();
            end.bounds.insert(0, (0, 6));
            end.batches = BTreeMap::from([((0, 1), whole.clone()), ((0, 2), other)]);
            check(&History::default(), &end).len()
        };
        assert_eq!(broken_with(whole.clone()), 0);
        assert_eq!(broken_with(whole[1..].to_vec()), 0, "a log may start later");
        assert_eq!(broken_with([&whole[..], &[batch(6, 2, 1)]].concat()), 0, "nobody reads it");
        assert_eq!(broken_with(whole[..2].to_vec()), 1);
        assert_eq!(broken_with(Vec::new()), 1);
        assert_eq!(broken_with(vec![batch(0, 1, 7), batch(2, 1, 6), batch(4, 2, 9)]), 1);
        assert_eq!(broken_with(vec![batch(0, 1, 7), batch(2, 2, 8), batch(4, 2, 9)]), 1);
    }

    #[test]
    fn what_clients_were_told_is_deleted_may_differ_and_the_batch_in_which_the_log_starts_may_not()
    {
        let batch = |first, leader_epoch| ReplicaBatch {
            first,
            last: first + 1,
            leader_epoch,
            checksum: 7,
        };
        let broken_from = |start| {
            let mut end = FinalState::<String>::default();
            end.bounds.insert(0, (start, 6));
            let leaders = vec![batch(0, 0), batch(2, 1), batch(4, 1)];
            let others = vec![batch(0, 0), batch(2, 0), batch(4, 1)];
            end.batches = BTreeMap::from([((0, 1), leaders), ((0, 2), others)]);
            check(&History::default(), &end).len()
        };
        assert_eq!([2, 3, 4].map(broken_from), [1, 1, 0]);
    }
}
