//! Our records have the bytes that Kafka gives them.

use std::collections::BTreeMap;

use bytes::Bytes;
use metadata::{MetadataRecord, MetadataVersion};
use protocol::metadata_records::register_broker_record::{BrokerEndpoint, BrokerFeature};
use protocol::metadata_records::*;
use types::Uuid;

const TOPIC: Uuid = Uuid([7; 16]);
const DIRECTORY: Uuid = Uuid([0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);

fn golden() -> BTreeMap<&'static str, Bytes> {
    let lines = include_str!("../testdata/records.hex").lines().filter(|l| !l.starts_with('#'));
    let parsed = lines.map(|line| {
        let (name, hex) = line.split_once(' ').expect("a name and bytes");
        let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex digits");
        (name, (0..hex.len()).step_by(2).map(byte).collect::<Vec<_>>().into())
    });
    parsed.collect()
}

fn register() -> RegisterBrokerRecord {
    RegisterBrokerRecord {
        broker_id: 1,
        incarnation_id: TOPIC,
        broker_epoch: 5,
        end_points: vec![BrokerEndpoint {
            name: "PLAINTEXT".into(),
            host: "host1".into(),
            port: 9092,
            security_protocol: 0,
        }],
        features: vec![BrokerFeature {
            name: "metadata.version".into(),
            min_supported_version: 7,
            max_supported_version: 29,
        }],
        rack: None,
        fenced: true,
        log_dirs: vec![DIRECTORY],
        ..Default::default()
    }
}

fn ours() -> Vec<(&'static str, MetadataRecord)> {
    let partition = PartitionRecord {
        partition_id: 3,
        topic_id: TOPIC,
        replicas: vec![1, 2],
        isr: vec![1],
        leader: 1,
        leader_epoch: 4,
        partition_epoch: 6,
        directories: vec![DIRECTORY, DIRECTORY],
        eligible_leader_replicas: Some(vec![2]),
        ..Default::default()
    };
    let change = PartitionChangeRecord {
        partition_id: 3,
        topic_id: TOPIC,
        leader: -1,
        isr: Some(vec![2]),
        removing_replicas: Some(Vec::new()),
        ..Default::default()
    };
    let config = |resource_type, of: &str, name: &str, value: Option<&str>| ConfigRecord {
        resource_type,
        resource_name: of.into(),
        name: name.into(),
        value: value.map(Into::into),
    };
    let unfence = BrokerRegistrationChangeRecord {
        broker_id: 1,
        broker_epoch: 5,
        fenced: -1,
        ..Default::default()
    };
    let feature = FeatureLevelRecord { name: "metadata.version".into(), feature_level: 29 };
    let ids = ProducerIdsRecord { broker_id: 1, broker_epoch: 5, next_producer_id: 2000 };
    vec![
        ("topic", TopicRecord { name: "orders".into(), topic_id: TOPIC }.into()),
        ("partition", partition.into()),
        ("change", change.into()),
        ("config", config(2, "orders", "retention.ms", Some("5")).into()),
        ("unset", config(4, "", "log.retention.ms", None).into()),
        ("remove", RemoveTopicRecord { topic_id: TOPIC }.into()),
        ("feature", feature.into()),
        ("producer_ids", ids.into()),
        ("register", register().into()),
        ("unfence", unfence.into()),
        ("noop", NoOpRecord::default().into()),
    ]
}

#[test]
fn records_are_written_and_read_byte_for_byte_as_kafka_does() {
    let golden = golden();
    let ours = ours();
    assert_eq!(golden.len(), ours.len(), "every golden record has its like here");
    for (name, record) in ours {
        let bytes = record.encode(MetadataVersion::LATEST).expect("all fields exist");
        assert_eq!(bytes, golden[name], "{name}");
        assert_eq!(MetadataRecord::decode(golden[name].clone()), Ok(record), "{name}");
    }
}
