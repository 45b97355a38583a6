//! The highest offset that a group was told is committed is the one it finds again, or a later
//! one, whenever it asks. Members here commit rising offsets only.

use std::collections::BTreeMap;

use crate::{Event, FinalState, History, Value};

/// (group, partition) → offsets that were acknowledged, with the event that said so.
type Told<'a> = BTreeMap<(&'a str, i32), Vec<(usize, i64)>>;

pub fn check<V: Value>(history: &History<V>, end: &FinalState<V>) -> Vec<String> {
    let mut told = Told::new();
    let mut broken = Vec::new();
    for (now, event) in history.events().iter().enumerate() {
        match event {
            Event::Committed { group, partition, offset } => {
                told.entry((group, *partition)).or_default().push((now, *offset));
            }
            Event::Resumed { group, partition, offset, asked } => {
                let owed = owed(&told, group, *partition, *asked);
                if *offset < owed {
                    broken.push(format!(
                        "group {group} partition {partition}: {owed} was committed, it resumed at \
                         {offset}"
                    ));
                }
            }
            Event::PowerLost => told.clear(),
            _ => {}
        }
    }
    for (group, partition) in told.keys() {
        let found = end.committed.get(&((*group).to_owned(), *partition)).copied().unwrap_or(-1);
        let owed = owed(&told, group, *partition, usize::MAX);
        if found < owed {
            broken.push(format!(
                "group {group} partition {partition}: {owed} was committed, {found} is there"
            ));
        }
    }
    broken
}

/// The least that a group finds if it asks after `asked` events: a commit that was acknowledged
/// later may or may not be in the answer.
fn owed(told: &Told<'_>, group: &str, partition: i32, asked: usize) -> i64 {
    let commits = told.get(&(group, partition)).map(Vec::as_slice).unwrap_or_default();
    let before = commits.iter().take_while(|(at, _)| *at < asked);
    before.map(|(_, offset)| *offset).max().unwrap_or(-1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_that_went_back_is_found_out() {
        let mut history = History::<String>::default();
        let group = "g".to_owned();
        history.note(Event::Committed { group: group.clone(), partition: 0, offset: 7 });
        let mut end = FinalState::<String>::default();
        end.committed.insert((group.clone(), 0), 7);
        assert!(check(&history, &end).is_empty());
        end.committed.insert((group, 0), 6);
        assert_eq!(check(&history, &end).len(), 1);
    }

    #[test]
    fn a_group_that_resumes_before_its_commit_is_found_out_unless_it_asked_first() {
        let group = || "g".to_owned();
        let mut end = FinalState::<String>::default();
        end.committed.insert((group(), 0), 7);
        let broken = |asked| {
            let mut history = History::<String>::default();
            history.note(Event::Committed { group: group(), partition: 0, offset: 7 });
            history.note(Event::Resumed { group: group(), partition: 0, offset: 6, asked });
            check(&history, &end).len()
        };
        assert_eq!((broken(0), broken(1)), (0, 1));
    }
}
