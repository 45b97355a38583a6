//! Between the log start and the log end every offset holds one record; in a compacted log, one at
//! most.

use crate::{Cleanup, FinalState, History, Value};

pub fn check<V: Value>(_history: &History<V>, end: &FinalState<V>) -> Vec<String> {
    let mut broken = Vec::new();
    for (partition, (start, log_end)) in &end.bounds {
        let records = end.records.get(partition).map(Vec::as_slice).unwrap_or_default();
        let found: Vec<i64> = records.iter().map(|(offset, _)| *offset).collect();
        if end.cleanup == Cleanup::Compact {
            let is_inside = found.iter().all(|offset| (*start..*log_end).contains(offset));
            if !is_inside || !found.is_sorted_by(|a, b| a < b) {
                broken.push(format!(
                    "partition {partition}: an offset twice, or outside of {start} and {log_end}"
                ));
            }
            continue;
        }
        let expected: Vec<i64> = (*start..*log_end).collect();
        if found != expected {
            let gap = expected.iter().zip(&found).find(|(a, b)| a != b);
            broken.push(format!(
                "partition {partition}: {} records between {start} and {log_end}, \
                 first gap {gap:?}",
                found.len()
            ));
        }
    }
    broken
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_is_found_out() {
        let mut end = FinalState::<String>::default();
        end.bounds.insert(0, (0, 3));
        end.records.insert(0, vec![(0, String::new()), (2, String::new())]);
        assert_eq!(check(&History::<String>::default(), &end).len(), 1);
    }
}
