//! Range assignment: each topic's partitions in consecutive pieces, in the order of member ids.

use std::collections::BTreeMap;

use crate::offsets::Place;

/// A member and what it wants to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Subscriber {
    pub(crate) member_id: String,
    pub(crate) instance_id: Option<String>,
    pub(crate) topics: Vec<String>,
}

impl Subscriber {
    /// Static members come first, so that they keep their partitions over restarts.
    fn order(&self) -> (bool, &str) {
        match &self.instance_id {
            Some(instance) => (false, instance),
            None => (true, &self.member_id),
        }
    }
}

/// Shares the partitions of `counts` among `subscribers`; everybody gets an entry.
/// Source: Kafka `RangeAssignor`, without racks.
pub(crate) fn assign_by_range(
    subscribers: &[Subscriber],
    counts: &BTreeMap<String, i32>,
) -> BTreeMap<String, Vec<Place>> {
    let none = |subscriber: &Subscriber| (subscriber.member_id.clone(), Vec::new());
    let mut assigned: BTreeMap<String, Vec<Place>> = subscribers.iter().map(none).collect();
    for (topic, partitions) in counts {
        let mut wanting: Vec<&Subscriber> =
            subscribers.iter().filter(|subscriber| subscriber.topics.contains(topic)).collect();
        wanting.sort_by_key(|subscriber| subscriber.order());
        let Ok(members) = i32::try_from(wanting.len()) else { continue };
        if members == 0 {
            continue;
        }
        let (each, longer) = (partitions / members, partitions % members);
        let mut next = 0;
        for (index, subscriber) in (0..members).zip(wanting) {
            let count = each + i32::from(index < longer);
            let places = assigned.entry(subscriber.member_id.clone()).or_default();
            places.extend((next..next + count).map(|partition| (topic.clone(), partition)));
            next += count;
        }
    }
    assigned
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subscriber(id: &str, topics: &[&str]) -> Subscriber {
        let topics = topics.iter().map(|topic| (*topic).to_owned()).collect();
        Subscriber { member_id: id.to_owned(), instance_id: None, topics }
    }

    fn partitions(places: &[Place], topic: &str) -> Vec<i32> {
        places.iter().filter(|(name, _)| name == topic).map(|(_, partition)| *partition).collect()
    }

    #[test]
    fn the_first_members_take_what_does_not_divide() {
        let members = [subscriber("b", &["t"]), subscriber("a", &["t"])];
        let assigned = assign_by_range(&members, &BTreeMap::from([("t".to_owned(), 5)]));
        assert_eq!(partitions(&assigned["a"], "t"), [0, 1, 2]);
        assert_eq!(partitions(&assigned["b"], "t"), [3, 4]);
    }

    #[test]
    fn a_member_gets_only_topics_that_it_asked_for() {
        let members = [subscriber("a", &["t"]), subscriber("b", &["u"]), subscriber("c", &[])];
        let counts = BTreeMap::from([("t".to_owned(), 2), ("u".to_owned(), 1)]);
        let assigned = assign_by_range(&members, &counts);
        assert_eq!(assigned["a"], [("t".to_owned(), 0), ("t".to_owned(), 1)]);
        assert_eq!(assigned["b"], [("u".to_owned(), 0)]);
        assert!(assigned["c"].is_empty());
    }

    #[test]
    fn static_members_come_first_whatever_their_member_id() {
        let mut fixed = subscriber("z", &["t"]);
        fixed.instance_id = Some("one".to_owned());
        let members = [subscriber("a", &["t"]), fixed];
        let assigned = assign_by_range(&members, &BTreeMap::from([("t".to_owned(), 1)]));
        assert_eq!(partitions(&assigned["z"], "t"), [0]);
    }
}
