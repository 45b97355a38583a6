//! However a history is cut into batches, deltas and snapshots, it amounts to the same image.

use std::sync::Arc;

use metadata::{
    BrokerEpoch, LocalPartition, MetadataDelta, MetadataImage, MetadataLoader, MetadataRecord,
    MetadataVersion, Provenance,
};
use proptest::prelude::*;
use protocol::metadata_records::*;
use types::{BrokerId, Offset, Uuid, WallTime};

fn id() -> impl Strategy<Value = Uuid> {
    (1u8..6).prop_map(|n| Uuid([n; 16]))
}

fn name() -> impl Strategy<Value = protocol::Str> {
    prop::sample::select(vec!["a", "b", "c", "d.e"]).prop_map(Into::into)
}

fn brokers() -> impl Strategy<Value = Vec<i32>> {
    prop::collection::vec(1i32..4, 1..4)
}

/// Records over so few ids and names that they meet, contradict and repeat each other.
fn record() -> impl Strategy<Value = MetadataRecord> {
    prop_oneof![
        4 => (name(), id()).prop_map(|(name, topic_id)| TopicRecord { name, topic_id }.into()),
        6 => (id(), 0i32..3, brokers()).prop_map(|(topic_id, partition_id, replicas)| {
            let (isr, leader) = (replicas.clone(), replicas[0]);
            let (leader_epoch, partition_epoch) = (0, 0);
            PartitionRecord {
                partition_id, topic_id, replicas, isr, leader, leader_epoch, partition_epoch,
                ..Default::default()
            }.into()
        }),
        4 => partition_change(),
        2 => id().prop_map(|topic_id| RemoveTopicRecord { topic_id }.into()),
        4 => config(),
        2 => (name(), 0i16..3).prop_map(|(name, feature_level)| {
            FeatureLevelRecord { name, feature_level }.into()
        }),
        1 => (0i64..5000).prop_map(|next_producer_id| {
            ProducerIdsRecord { next_producer_id, ..Default::default() }.into()
        }),
        2 => (1i32..4, 0i64..3, any::<bool>()).prop_map(|(broker_id, broker_epoch, fenced)| {
            RegisterBrokerRecord { broker_id, broker_epoch, fenced, ..Default::default() }.into()
        }),
        1 => (1i32..4, 0i64..3, -1i8..=1).prop_map(|(broker_id, broker_epoch, fenced)| {
            BrokerRegistrationChangeRecord { broker_id, broker_epoch, fenced, ..Default::default() }
                .into()
        }),
        1 => (1i32..4, 0i64..3).prop_map(|(broker_id, broker_epoch)| {
            UnregisterBrokerRecord { broker_id, broker_epoch }.into()
        }),
        1 => name().prop_map(|topic_name| ClearElrRecord { topic_name }.into()),
        1 => Just(NoOpRecord::default().into()),
    ]
}

fn partition_change() -> impl Strategy<Value = MetadataRecord> {
    let optional = || prop::option::of(brokers());
    (id(), 0i32..3, optional(), -2i32..4, optional(), optional()).prop_map(
        |(topic_id, partition_id, isr, leader, eligible_leader_replicas, adding_replicas)| {
            PartitionChangeRecord {
                topic_id,
                partition_id,
                isr,
                leader,
                eligible_leader_replicas,
                adding_replicas,
                ..Default::default()
            }
            .into()
        },
    )
}

fn config() -> impl Strategy<Value = MetadataRecord> {
    let kind = prop::sample::select(vec![2i8, 4, 32]);
    (kind, name(), name(), prop::option::of(name())).prop_map(
        |(resource_type, resource_name, name, value)| {
            ConfigRecord { resource_type, resource_name, name, value }.into()
        },
    )
}

fn at(offset: usize) -> Provenance {
    Provenance { last_offset: Offset(offset as i64), epoch: 1, appended_at: WallTime(7) }
}

/// Replays one record at a time and keeps those that the image accepts.
fn one_by_one(
    mut image: MetadataImage,
    records: &[MetadataRecord],
) -> (MetadataImage, Vec<MetadataRecord>) {
    let mut accepted = Vec::new();
    for record in records {
        let mut delta = MetadataDelta::default();
        if delta.replay(&image, record).is_ok() {
            accepted.push(record.clone());
            image = image.apply(&delta, at(accepted.len()));
        }
    }
    (image, accepted)
}

fn check_maps(image: &MetadataImage) {
    let mut partitions = 0;
    for topic in image.topics.iter() {
        assert_eq!(image.topics.by_id(topic.id), Some(topic));
        assert_eq!(image.topics.by_name(&topic.name), Some(topic));
        partitions += topic.partitions().count();
    }
    assert_eq!(image.topics.partition_count(), partitions);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn one_delta_of_many_records_equals_many_deltas_of_one(
        records in prop::collection::vec(record(), 0..120),
        split in 0usize..120,
    ) {
        let split = split.min(records.len());
        let (base, _) = one_by_one(MetadataImage::empty(), &records[..split]);
        let (expected, accepted) = one_by_one(base.clone(), &records[split..]);

        let mut delta = MetadataDelta::default();
        for record in &records[split..] {
            let mut tried = delta.clone();
            if tried.replay(&base, record).is_ok() {
                delta = tried;
            }
        }
        let image = base.apply(&delta, at(accepted.len()));
        prop_assert!(image.same_content(&expected), "{image:#?}\nexpected {expected:#?}");
        check_maps(&image);
    }

    #[test]
    fn a_snapshot_replays_to_its_image_and_the_tail_goes_on_from_there(
        records in prop::collection::vec(record(), 0..120),
        split in 0usize..120,
    ) {
        let split = split.min(records.len());
        let (image, _) = one_by_one(MetadataImage::empty(), &records[..split]);
        let snapshot = image.to_records();
        let (again, accepted) = one_by_one(MetadataImage::empty(), &snapshot);
        prop_assert_eq!(accepted.len(), snapshot.len());
        prop_assert!(again.same_content(&image));
        let (whole, _) = one_by_one(image, &records[split..]);
        let (resumed, _) = one_by_one(again, &records[split..]);
        prop_assert!(whole.same_content(&resumed));
    }

    #[test]
    fn batches_and_transactions_do_not_change_what_a_log_means(
        records in prop::collection::vec(record(), 1..80),
        batch_records in 1usize..9,
        in_transaction in any::<bool>(),
    ) {
        let (expected, accepted) = one_by_one(MetadataImage::empty(), &records);
        let mut log = accepted;
        if in_transaction {
            log.insert(0, BeginTransactionRecord::default().into());
            log.push(EndTransactionRecord::default().into());
        }
        let mut loader = MetadataLoader::new(Arc::new(MetadataImage::empty()));
        for (index, batch) in log.chunks(batch_records).enumerate() {
            let loaded = loader.replay_batch(at(index), batch).expect("every record was accepted");
            prop_assert_eq!(loaded.is_none(), loader.in_transaction());
            if let Some(loaded) = loaded {
                let applied = loaded.before.apply(&loaded.delta, at(index));
                prop_assert_eq!(&applied, &*loaded.image);
            }
        }
        prop_assert!(loader.image().same_content(&expected));
    }

    #[test]
    fn every_record_survives_its_bytes(record in record()) {
        let bytes = record.encode(MetadataVersion::LATEST).expect("all fields exist");
        prop_assert_eq!(MetadataRecord::decode(bytes), Ok(record));
    }

    #[test]
    fn no_bytes_bring_the_decoder_down(
        bytes in prop::collection::vec(any::<u8>(), 0..64),
        kind in 0u8..30,
    ) {
        let mut framed = vec![1, kind, 0];
        framed.extend(bytes);
        let _ = MetadataRecord::decode(framed.into());
    }
}

fn topic(name: &str, n: u8) -> MetadataRecord {
    TopicRecord { name: name.into(), topic_id: Uuid([n; 16]) }.into()
}

fn partition(n: u8, partition_id: i32, replicas: &[i32]) -> MetadataRecord {
    PartitionRecord {
        topic_id: Uuid([n; 16]),
        partition_id,
        replicas: replicas.to_vec(),
        isr: replicas.to_vec(),
        leader: replicas[0],
        leader_epoch: 0,
        partition_epoch: 0,
        ..Default::default()
    }
    .into()
}

fn image_of(records: &[MetadataRecord]) -> MetadataImage {
    let (image, accepted) = one_by_one(MetadataImage::empty(), records);
    assert_eq!(accepted.len(), records.len(), "a record was refused");
    image
}

fn delta_on(image: &MetadataImage, records: &[MetadataRecord]) -> MetadataDelta {
    let mut delta = MetadataDelta::default();
    for record in records {
        delta.replay(image, record).expect("accepted");
    }
    delta
}

#[test]
fn a_topic_recreated_under_its_name_stops_the_old_and_starts_the_new_replicas() {
    let image = image_of(&[topic("t", 1), partition(1, 0, &[1])]);
    let delta = delta_on(
        &image,
        &[
            RemoveTopicRecord { topic_id: Uuid([1; 16]) }.into(),
            topic("t", 2),
            partition(2, 0, &[1]),
        ],
    );
    let changes = delta.topics().local_changes(&image.topics, BrokerId(1));
    let ids = |list: &[LocalPartition]| list.iter().map(|p| p.topic_id.0[0]).collect::<Vec<_>>();
    assert_eq!(ids(&changes.stop), [1]);
    assert!(changes.stop[0].topic_deleted);
    assert_eq!(ids(&changes.lead), [2]);
    assert!(changes.lead[0].is_new);
    let next = image.apply(&delta, at(9));
    assert_eq!(next.topics.by_name("t").map(|topic| topic.id), Some(Uuid([2; 16])));
    assert!(next.topics.by_id(Uuid([1; 16])).is_none());
}

#[test]
fn local_changes_tell_leading_following_and_leaving_apart() {
    let image = image_of(&[
        topic("t", 1),
        partition(1, 0, &[1, 2]),
        partition(1, 1, &[2, 1]),
        partition(1, 2, &[1, 2]),
    ]);
    let change = |partition_id, leader, replicas: Option<Vec<i32>>| {
        let topic_id = Uuid([1; 16]);
        PartitionChangeRecord { topic_id, partition_id, leader, replicas, ..Default::default() }
    };
    let delta = delta_on(
        &image,
        &[
            change(0, 2, None).into(),
            change(1, 1, None).into(),
            change(2, 2, Some(vec![2, 3])).into(),
        ],
    );
    let indexes = |list: &[LocalPartition]| list.iter().map(|p| p.index).collect::<Vec<_>>();
    let one = delta.topics().local_changes(&image.topics, BrokerId(1));
    assert_eq!((indexes(&one.follow), indexes(&one.lead)), (vec![0], vec![1]));
    assert_eq!(indexes(&one.stop), [2]);
    assert!(!one.stop[0].topic_deleted);
    let three = delta.topics().local_changes(&image.topics, BrokerId(3));
    assert_eq!(indexes(&three.follow), [2]);
    assert!(three.follow[0].is_new);
}

#[test]
fn a_deleted_topic_takes_its_configs_along() {
    let set = ConfigRecord {
        resource_type: 2,
        resource_name: "t".into(),
        name: "retention.ms".into(),
        value: Some("5".into()),
    };
    let image = image_of(&[topic("t", 1), set.into()]);
    assert!(!image.configs.is_empty());
    let delta = delta_on(&image, &[RemoveTopicRecord { topic_id: Uuid([1; 16]) }.into()]);
    assert!(image.apply(&delta, at(3)).configs.is_empty());
}

#[test]
fn an_aborted_transaction_never_happened_and_an_open_one_is_not_shown() {
    let mut loader = MetadataLoader::new(Arc::new(MetadataImage::empty()));
    let begin: MetadataRecord = BeginTransactionRecord::default().into();
    let before = [topic("kept", 1), begin, topic("lost", 2)];
    assert!(loader.replay_batch(at(2), &before).expect("valid").is_none());
    assert!(loader.image().is_empty());
    let abort = AbortTransactionRecord::default().into();
    let loaded = loader.replay_batch(at(4), &[topic("lost too", 3), abort]).expect("valid");
    let names: Vec<_> = loader.image().topics.iter().map(|t| t.name.to_string()).collect();
    assert_eq!(names, ["kept"]);
    assert_eq!(loaded.expect("shown").image.provenance, at(4));
    let end = EndTransactionRecord::default().into();
    assert!(loader.replay_batch(at(5), &[end]).is_err(), "nothing is open");
}

#[test]
fn records_of_an_earlier_life_of_a_broker_are_refused() {
    let register = RegisterBrokerRecord { broker_id: 1, broker_epoch: 5, ..Default::default() };
    let image = image_of(&[register.into()]);
    assert_eq!(image.cluster.broker(BrokerId(1)).map(|b| b.epoch), Some(BrokerEpoch(5)));
    let unfence = |broker_epoch| {
        let record = BrokerRegistrationChangeRecord {
            broker_id: 1,
            broker_epoch,
            fenced: -1,
            ..Default::default()
        };
        MetadataDelta::default().replay(&image, &record.into())
    };
    assert!(unfence(4).is_err());
    assert!(unfence(5).is_ok());
}

#[test]
fn producer_ids_never_go_back() {
    let ids = |next| ProducerIdsRecord { next_producer_id: next, ..Default::default() }.into();
    let image = image_of(&[ids(2000)]);
    assert!(MetadataDelta::default().replay(&image, &ids(1000)).is_err());
    assert_eq!(image_of(&[ids(2000), ids(3000)]).producer_ids.next.0, 3000);
}
