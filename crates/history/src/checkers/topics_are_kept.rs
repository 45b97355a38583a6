//! A topic that was created is there unless somebody asked to delete it; one that was deleted is
//! not. No name is used twice here. Metadata is synced, so that not even the loss of power excuses.

use std::collections::BTreeSet;

use crate::{Event, FinalState, History, Value};

pub fn check<V: Value>(history: &History<V>, end: &FinalState<V>) -> Vec<String> {
    let mut owed = BTreeSet::new();
    let mut gone = BTreeSet::new();
    for event in history.events() {
        match event {
            Event::TopicCreated { name } => _ = owed.insert(name),
            Event::TopicDeletionSent { name } => _ = owed.remove(name),
            Event::TopicDeleted { name } => _ = gone.insert(name),
            _ => {}
        }
    }
    let lost = owed.into_iter().filter(|name| !end.topics.contains(*name));
    let back = gone.into_iter().filter(|name| end.topics.contains(*name));
    lost.map(|name| format!("{name} was created and is not there"))
        .chain(back.map(|name| format!("{name} was deleted and is there")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_that_vanished_or_came_back_is_found_out() {
        let mut history = History::<String>::default();
        let name = |name: &str| name.to_owned();
        history.note(Event::TopicCreated { name: name("a") });
        history.note(Event::TopicCreated { name: name("b") });
        history.note(Event::TopicDeletionSent { name: name("b") });
        history.note(Event::TopicDeleted { name: name("b") });
        let mut end = FinalState { topics: BTreeSet::from([name("a")]), ..Default::default() };
        assert!(check(&history, &end).is_empty());
        end.topics = BTreeSet::from([name("b")]);
        assert_eq!(check(&history, &end).len(), 2);
    }
}
