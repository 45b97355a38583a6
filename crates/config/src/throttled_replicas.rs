use types::BrokerId;

use crate::layers::Overrides;
use crate::topic_table::topic_property;

/// Whether a replica's part in replication is limited. Source: KIP-73.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Throttled {
    /// It sends at `leader.replication.throttled.rate`.
    pub as_leader: bool,
    /// It fetches at `follower.replication.throttled.rate`.
    pub as_follower: bool,
}

impl Throttled {
    /// What the overrides of a topic say of the replica of `partition` on `broker`. They were
    /// checked when they were set.
    pub fn of(topic: &Overrides, partition: i32, broker: BrokerId) -> Throttled {
        let pair = format!("{partition}:{broker}");
        let is_listed = |name: &str| {
            let row = topic.get(name).zip(topic_property(name));
            let value = row.and_then(|(text, row)| row.property.parse(text).ok());
            let items = value.as_ref().and_then(|value| value.as_list()).unwrap_or_default();
            items.iter().any(|item| item == "*" || *item == pair)
        };
        Throttled {
            as_leader: is_listed("leader.replication.throttled.replicas"),
            as_follower: is_listed("follower.replication.throttled.replicas"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_throttles_every_replica_and_a_list_those_it_names() {
        let leaders = ("leader.replication.throttled.replicas".to_owned(), "0:1,4:12".to_owned());
        let followers = ("follower.replication.throttled.replicas".to_owned(), "*".to_owned());
        let topic = Overrides::from([leaders, followers]);
        let of = |partition, broker| Throttled::of(&topic, partition, BrokerId(broker)).as_leader;
        assert!(of(0, 1) && of(4, 12));
        assert!(!of(4, 1) && !of(1, 0) && !of(0, 12));
        assert!(Throttled::of(&topic, 7, BrokerId(3)).as_follower);
        assert_eq!(Throttled::of(&Overrides::new(), 0, BrokerId(1)), Throttled::default());
    }
}
