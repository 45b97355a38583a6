//! Looking a timestamp up gives the first record that is as late, exactly.

use crate::{FinalState, History, Value};

pub fn check<V: Value>(_history: &History<V>, end: &FinalState<V>) -> Vec<String> {
    let mut broken = Vec::new();
    for (partition, found) in &end.by_timestamp {
        let records = end.records.get(partition).map(Vec::as_slice).unwrap_or_default();
        let timestamps = end.timestamps.get(partition).map(Vec::as_slice).unwrap_or_default();
        for (asked, offset) in found {
            let first = timestamps.iter().position(|timestamp| timestamp >= asked);
            let expected = first.and_then(|at| records.get(at)).map_or(-1, |(offset, _)| *offset);
            if expected != *offset {
                broken.push(format!(
                    "partition {partition} timestamp {asked}: the look-up says offset {offset}, \
                     the log says {expected}"
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
    fn a_look_up_that_misses_the_first_record_is_found_out() {
        let mut end = FinalState::<String>::default();
        end.records.insert(0, vec![(3, "a".to_owned()), (4, "b".to_owned())]);
        end.timestamps.insert(0, vec![100, 200]);
        end.by_timestamp.insert(0, vec![(100, 3), (150, 4), (201, -1)]);
        assert!(check(&History::<String>::default(), &end).is_empty());
        end.by_timestamp.insert(0, vec![(100, 4)]);
        assert_eq!(check(&History::<String>::default(), &end).len(), 1);
    }
}
