//! Records and answers, as the words of a story.

use metadata::{ConfigResource, ConfigResourceKind, MetadataRecord};
use protocol::Str;
use protocol::messages::create_topics_response::CreatableTopicResult;
use protocol::metadata_records::PartitionChangeRecord;
use types::{BrokerId, ErrorCode, Uuid};

pub fn id(id: Uuid) -> String {
    let number = u64::from_be_bytes([8, 9, 10, 11, 12, 13, 14, 15].map(|at: usize| id.0[at]));
    match id.0[0] {
        0x10 => format!("T{number}"),
        0x20 => format!("D{number}"),
        _ if id.is_zero() => "-".to_owned(),
        _ => id.to_string(),
    }
}

fn list(ids: &[i32]) -> String {
    let ids: Vec<_> = ids.iter().map(i32::to_string).collect();
    if ids.is_empty() { "-".to_owned() } else { ids.join(",") }
}

fn ids(uuids: &[Uuid]) -> String {
    uuids.iter().map(|uuid| id(*uuid)).collect::<Vec<_>>().join(",")
}

pub fn error(code: i16, message: Option<&Str>) -> String {
    let name = ErrorCode::from_code(code).map_or_else(|| code.to_string(), |e| e.name().to_owned());
    message.map_or(name.clone(), |message| format!("{name}: {message}"))
}

pub fn resource(resource: &ConfigResource) -> String {
    let kind = match resource.kind {
        ConfigResourceKind::Topic => "topic",
        ConfigResourceKind::Broker => "broker",
        ConfigResourceKind::Group => "group",
        _ => "?",
    };
    format!("{kind}:{}", resource.name)
}

pub fn record(record: &MetadataRecord) -> String {
    let text = match record {
        MetadataRecord::Topic(r) => format!("{} {}", id(r.topic_id), r.name),
        MetadataRecord::RemoveTopic(r) => id(r.topic_id),
        MetadataRecord::Partition(r) => {
            let isr =
                if r.isr == r.replicas { String::new() } else { format!(" isr={}", list(&r.isr)) };
            format!(
                "{}-{} replicas={}{isr} leader={} epoch={} dirs={}",
                id(r.topic_id),
                r.partition_id,
                list(&r.replicas),
                r.leader,
                r.leader_epoch,
                ids(&r.directories)
            )
        }
        MetadataRecord::PartitionChange(r) => partition_change(r),
        MetadataRecord::Config(r) => {
            let kind = ConfigResourceKind::from_code(r.resource_type).expect("a known kind");
            let of = resource(&ConfigResource::new(kind, &*r.resource_name));
            let value = r.value.as_ref().map_or("(default)".to_owned(), |v| format!("{v:?}"));
            format!("{of} {} = {value}", r.name)
        }
        MetadataRecord::FeatureLevel(r) => format!("{}={}", r.name, r.feature_level),
        MetadataRecord::ProducerIds(r) => {
            format!("broker={}@{} next={}", r.broker_id, r.broker_epoch, r.next_producer_id)
        }
        MetadataRecord::RegisterBroker(r) => {
            let endpoints =
                r.end_points.iter().map(|e| format!("{}://{}:{}", e.name, e.host, e.port));
            let rack = r.rack.as_ref().map_or(String::new(), |rack| format!(" rack={rack}"));
            format!(
                "{}@{} {}{rack} dirs={}{}",
                r.broker_id,
                r.broker_epoch,
                endpoints.collect::<Vec<_>>().join(","),
                ids(&r.log_dirs),
                if r.fenced { " fenced" } else { "" }
            )
        }
        MetadataRecord::BrokerRegistrationChange(r) => {
            let change = match (r.fenced, r.in_controlled_shutdown) {
                (-1, _) => "unfenced",
                (1, _) => "fenced",
                (_, 1) => "in controlled shutdown",
                _ => "unchanged",
            };
            format!("{}@{} {change}", r.broker_id, r.broker_epoch)
        }
        MetadataRecord::RegisterController(r) => {
            let endpoints =
                r.end_points.iter().map(|e| format!("{}://{}:{}", e.name, e.host, e.port));
            format!("{} {}", r.controller_id, endpoints.collect::<Vec<_>>().join(","))
        }
        MetadataRecord::UnregisterBroker(r) => format!("{}@{}", r.broker_id, r.broker_epoch),
        other => format!("{other:?}"),
    };
    format!("log {} {text}", record.name().trim_end_matches("Record"))
}

fn partition_change(r: &PartitionChangeRecord) -> String {
    let mut text = format!("{}-{}", id(r.topic_id), r.partition_id);
    let lists = [
        ("isr", &r.isr),
        ("replicas", &r.replicas),
        ("adding", &r.adding_replicas),
        ("removing", &r.removing_replicas),
        ("elr", &r.eligible_leader_replicas),
        ("last-known", &r.last_known_elr),
    ];
    if r.leader != -2 {
        text.push_str(&format!(" leader={}", r.leader));
    }
    for (name, brokers) in lists {
        if let Some(brokers) = brokers {
            text.push_str(&format!(" {name}={}", list(brokers)));
        }
    }
    if r.leader_recovery_state >= 0 {
        text.push_str(&format!(" recovering={}", r.leader_recovery_state));
    }
    if let Some(directories) = &r.directories {
        text.push_str(&format!(" dirs={}", ids(directories)));
    }
    text
}

pub fn created(result: &CreatableTopicResult) -> String {
    let configs = result.configs.as_ref().expect("configs are never null");
    if result.error_code != 0 {
        assert!(configs.is_empty(), "a topic that is not there has no configuration");
        return format!(
            "{}: {}",
            result.name,
            error(result.error_code, result.error_message.as_ref())
        );
    }
    assert_eq!(result.error_message, None);
    assert!(result.num_partitions > 0 && result.replication_factor > 0, "Java dies of -1");
    assert!(configs.iter().all(|config| config.config_source > 0), "Java dies of -1");
    assert!(configs.is_sorted_by(|a, b| a.name < b.name));
    let own = configs.iter().filter(|config| config.config_source == 1);
    let own =
        own.map(|config| format!(" {}={}", config.name, config.value.as_deref().unwrap_or("null")));
    format!(
        "{}: NONE {} partitions={} rf={}{}",
        result.name,
        id(result.topic_id),
        result.num_partitions,
        result.replication_factor,
        own.collect::<String>()
    )
}

pub fn brokers(ids: &[BrokerId]) -> String {
    list(&ids.iter().map(|id| id.0).collect::<Vec<_>>())
}
