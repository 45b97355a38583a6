//! In one generation of a group a partition is told to one member only.
//!
//! The loss of power may take a generation back, and its number is given again.

use std::collections::BTreeMap;

use crate::{Event, FinalState, History, Value};

pub fn check<V: Value>(history: &History<V>, _end: &FinalState<V>) -> Vec<String> {
    let mut broken = Vec::new();
    for events in history.between_power_losses() {
        let mut owners: BTreeMap<(&str, i32, i32), &str> = BTreeMap::new();
        for event in events {
            let Event::Assigned { group, generation, member, partitions } = event else { continue };
            for partition in partitions {
                let owner = owners.entry((group, *generation, *partition)).or_insert(member);
                if *owner != member {
                    broken.push(format!(
                        "group {group} generation {generation}: {owner} and {member} both have \
                         partition {partition}"
                    ));
                }
            }
        }
    }
    broken
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_owners_in_one_generation_are_found_out() {
        let mut history = History::<String>::default();
        let assigned = |generation, member: &str| Event::Assigned {
            group: "g".to_owned(),
            generation,
            member: member.to_owned(),
            partitions: vec![0],
        };
        history.note(assigned(1, "a"));
        history.note(assigned(2, "b"));
        assert!(check(&history, &FinalState::<String>::default()).is_empty());
        history.note(assigned(2, "a"));
        assert_eq!(check(&history, &FinalState::<String>::default()).len(), 1);
    }
}
