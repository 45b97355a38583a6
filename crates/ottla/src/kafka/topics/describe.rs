//! `kafka-topics --describe`

use std::collections::BTreeMap;

use client::admin::configs::{Described, Resource, ResourceKind};
use client::admin::topics::EligibleLeaders;
use client::{Client, Partition, Topic, TopicsWanted};
use config::Source;
use types::Uuid;

use super::{Parsed, TopicError, existing, print_line};

pub fn run(parsed: &Parsed, client: &mut Client) -> Result<(), TopicError> {
    let names = match parsed.value("topic-id") {
        Some(id) => by_id(parsed, client, id)?,
        None => existing(parsed, client)?,
    };
    if names.is_empty() {
        return Ok(());
    }
    let filter = Filter::of(parsed);
    client.refresh(TopicsWanted::Named(names.clone()))?;
    let eligible = client.eligible_leaders(&names)?;
    let topics: Vec<Topic> = client.cluster().topics.values().cloned().collect();
    for topic in topics {
        let configs = own_configs(client, &topic.name)?;
        let has_own = configs.iter().any(|entry| entry.source != Source::Default.wire_code());
        if parsed.has("topics-with-overrides") {
            if has_own {
                print_line(&summary(&topic, &configs))?;
            }
            continue;
        }
        if !filter.is_on() {
            print_line(&summary(&topic, &configs))?;
        }
        let min_isr = min_in_sync(&configs);
        for partition in topic.partitions.values() {
            if filter.shows(partition, min_isr) {
                let leaders = eligible.get(&(topic.name.clone(), partition.index));
                print_line(&partition_line(&topic.name, partition, leaders))?;
            }
        }
    }
    Ok(())
}

fn by_id(parsed: &Parsed, client: &mut Client, id: &str) -> Result<Vec<String>, TopicError> {
    let wanted: Uuid = id.parse().map_err(|_| {
        TopicError::Told(format!(
            "Input string `{id}` decoded as 0 bytes, which is not equal to the expected 16 bytes \
             of a base64-encoded UUID"
        ))
    })?;
    let cluster = client.refresh(TopicsWanted::All)?;
    let found = cluster.topics.values().find(|topic| topic.id == wanted);
    match found {
        Some(topic) => Ok(vec![topic.name.clone()]),
        None if parsed.has("if-exists") => Ok(Vec::new()),
        None => Err(TopicError::Told(format!("TopicId '{id}' does not exist as expected"))),
    }
}

fn own_configs(client: &mut Client, topic: &str) -> Result<Vec<Described>, TopicError> {
    Ok(client.describe_configs(&Resource::new(ResourceKind::Topic, topic), None)?)
}

fn min_in_sync(configs: &[Described]) -> usize {
    let entry = configs.iter().find(|entry| entry.name == "min.insync.replicas");
    entry.and_then(|entry| entry.value.as_ref()?.parse().ok()).unwrap_or(1)
}

/// Which partitions are shown.
struct Filter {
    under_replicated: bool,
    unavailable: bool,
    under_min: bool,
    at_min: bool,
}

impl Filter {
    fn of(parsed: &Parsed) -> Filter {
        Filter {
            under_replicated: parsed.has("under-replicated-partitions"),
            unavailable: parsed.has("unavailable-partitions"),
            under_min: parsed.has("under-min-isr-partitions"),
            at_min: parsed.has("at-min-isr-partitions"),
        }
    }

    fn is_on(&self) -> bool {
        self.under_replicated || self.unavailable || self.under_min || self.at_min
    }

    fn shows(&self, partition: &Partition, min_isr: usize) -> bool {
        let isr = partition.isr.len();
        !self.is_on()
            || (self.under_replicated && isr < partition.replicas.len())
            || (self.unavailable && partition.leader < 0)
            || (self.under_min && isr < min_isr)
            || (self.at_min && isr == min_isr)
    }
}

fn summary(topic: &Topic, configs: &[Described]) -> String {
    let replicas = topic.partitions.values().next().map_or(0, |p| p.replicas.len());
    let default = Source::Default.wire_code();
    let own: Vec<String> = in_java_order(configs)
        .into_iter()
        .filter(|entry| entry.source != default)
        .map(|entry| format!("{}={}", entry.name, entry.value.as_deref().unwrap_or("null")))
        .collect();
    format!(
        "Topic: {}\tTopicId: {}\tPartitionCount: {}\tReplicationFactor: {replicas}\tConfigs: {}",
        topic.name,
        topic.id,
        topic.partitions.len(),
        own.join(",")
    )
}

fn partition_line(topic: &str, partition: &Partition, leaders: Option<&EligibleLeaders>) -> String {
    let leader = match partition.leader {
        id if id < 0 => "none".to_owned(),
        id => id.to_string(),
    };
    let or_unknown = |ids: Option<&Vec<i32>>| ids.map_or("N/A".to_owned(), |ids| list(ids));
    format!(
        "\tTopic: {topic}\tPartition: {}\tLeader: {leader}\tReplicas: {}\tIsr: {}\tElr: {}\t\
         LastKnownElr: {}",
        partition.index,
        list(&partition.replicas),
        list(&partition.isr),
        or_unknown(leaders.and_then(|leaders| leaders.eligible.as_ref())),
        or_unknown(leaders.and_then(|leaders| leaders.last_known.as_ref())),
    )
}

fn list(ids: &[i32]) -> String {
    ids.iter().map(i32::to_string).collect::<Vec<_>>().join(",")
}

/// The order in which a Java `HashMap` gives its keys: what Kafka's tool prints the properties in.
fn in_java_order(configs: &[Described]) -> Vec<&Described> {
    let mut capacity: usize = 16;
    while configs.len() * 4 > capacity * 3 {
        capacity *= 2;
    }
    let mut buckets: BTreeMap<usize, Vec<&Described>> = BTreeMap::new();
    for entry in configs {
        let hash =
            entry.name.encode_utf16().fold(0u32, |h, c| h.wrapping_mul(31).wrapping_add(c.into()));
        let bucket = (hash ^ (hash >> 16)) as usize & (capacity - 1);
        buckets.entry(bucket).or_default().push(entry);
    }
    buckets.into_values().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, source: Source) -> Described {
        Described {
            name: name.to_owned(),
            value: Some("1".to_owned()),
            source: source.wire_code(),
            is_read_only: false,
            is_sensitive: false,
            documentation: None,
            synonyms: Vec::new(),
        }
    }

    fn partition(leader: i32, isr: &[i32]) -> Partition {
        Partition {
            index: 0,
            leader,
            leader_epoch: 0,
            replicas: vec![1, 2],
            isr: isr.to_vec(),
            error: types::ErrorCode::None,
        }
    }

    #[test]
    fn properties_come_in_the_order_that_kafkas_tool_prints() {
        // As Kafka 4.2 printed a topic with these three among its 33 properties.
        let mut all: Vec<Described> = config::TOPIC_PROPERTIES
            .iter()
            .filter(|row| row.property.name != "durability")
            .map(|row| entry(row.property.name, Source::Default))
            .collect();
        for entry in &mut all {
            if ["max.message.bytes", "segment.bytes", "min.insync.replicas"].contains(&&*entry.name)
            {
                entry.source = Source::Topic.wire_code();
            }
        }
        let topic = Topic {
            name: "t".to_owned(),
            id: Uuid::METADATA_TOPIC,
            is_internal: false,
            error: types::ErrorCode::None,
            partitions: BTreeMap::from([(0, partition(1, &[1, 2]))]),
        };
        assert_eq!(
            summary(&topic, &all),
            "Topic: t\tTopicId: AAAAAAAAAAAAAAAAAAAAAQ\tPartitionCount: 1\tReplicationFactor: 2\t\
             Configs: min.insync.replicas=1,segment.bytes=1,max.message.bytes=1"
        );
    }

    #[test]
    fn a_partition_line_names_missing_leaders_and_unknown_eligible_ones() {
        assert_eq!(
            partition_line("t", &partition(-1, &[2]), None),
            "\tTopic: t\tPartition: 0\tLeader: none\tReplicas: 1,2\tIsr: 2\tElr: N/A\t\
             LastKnownElr: N/A"
        );
        let leaders = EligibleLeaders { eligible: Some(vec![]), last_known: Some(vec![3]) };
        assert!(
            partition_line("t", &partition(1, &[1]), Some(&leaders))
                .ends_with("\tElr: \tLastKnownElr: 3")
        );
    }

    #[test]
    fn filters_show_what_they_name() {
        let none =
            Filter { under_replicated: false, unavailable: false, under_min: false, at_min: false };
        assert!(none.shows(&partition(1, &[1, 2]), 1));
        let lagging = Filter { under_replicated: true, ..none };
        assert!(lagging.shows(&partition(1, &[1]), 1));
        assert!(!lagging.shows(&partition(1, &[1, 2]), 1));
    }
}
