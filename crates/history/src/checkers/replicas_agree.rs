//! After the faults every replica holds the same log, and it is the one clients read.

use crate::{FinalState, History, ReplicaRecord, Value};

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
}
