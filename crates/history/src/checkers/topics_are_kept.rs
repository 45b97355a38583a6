//! A topic that was created is there unless somebody asked to delete it; one that was deleted is
//! not, whenever somebody asks. No name is used twice here. Metadata is synced, so that not even
//! the loss of power excuses.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Event, FinalState, History, Value};

/// When the broker said that a topic exists, when somebody asked for its end, when the broker said
/// that it is gone; as places in the history.
#[derive(Clone, Copy, Default)]
struct Life {
    created: Option<usize>,
    deletion_sent: bool,
    deleted: Option<usize>,
}

pub fn check<V: Value>(history: &History<V>, end: &FinalState<V>) -> Vec<String> {
    let mut lives: BTreeMap<&str, Life> = BTreeMap::new();
    let mut broken = Vec::new();
    for (now, event) in history.events().iter().enumerate() {
        match event {
            Event::TopicCreated { name } => lives.entry(name).or_default().created = Some(now),
            Event::TopicDeletionSent { name } => {
                lives.entry(name).or_default().deletion_sent = true
            }
            Event::TopicDeleted { name } => lives.entry(name).or_default().deleted = Some(now),
            Event::TopicsListed { names, asked } => compare(&lives, names, *asked, &mut broken),
            _ => {}
        }
    }
    compare(&lives, &end.topics, usize::MAX, &mut broken);
    broken
}

/// What was said before somebody asked holds for the answer.
fn compare(
    lives: &BTreeMap<&str, Life>,
    there: &BTreeSet<String>,
    asked: usize,
    broken: &mut Vec<String>,
) {
    let is_before = |said: Option<usize>| said.is_some_and(|at| at < asked);
    for (name, life) in lives {
        let is_there = there.contains(*name);
        if is_before(life.deleted) && is_there {
            broken.push(format!("{name} was deleted and is there"));
        }
        if is_before(life.created) && !life.deletion_sent && !is_there {
            broken.push(format!("{name} was created and is not there"));
        }
    }
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

    #[test]
    fn a_listing_owes_what_was_said_before_it_was_asked_for() {
        let broken = |asked, names: &[&str]| {
            let mut history = History::<String>::default();
            history.note(Event::TopicCreated { name: "a".to_owned() });
            let names = names.iter().map(|name| (*name).to_owned()).collect();
            history.note(Event::TopicsListed { names, asked });
            let topics = BTreeSet::from(["a".to_owned()]);
            check(&history, &FinalState { topics, ..Default::default() }).len()
        };
        assert_eq!((broken(0, &[]), broken(1, &[]), broken(1, &["a"])), (0, 1, 0));
    }
}
