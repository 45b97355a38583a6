use metadata::{MetadataLoader, MetadataRecord};
use types::{BrokerId, Offset};

use crate::harness::Cluster;

const PARTITIONS: usize = 9_000;
const TOPICS: usize = 3;

/// Broker 0 leads 27,000 partitions that broker 1 follows.
fn big_cluster() -> Cluster {
    let mut cluster = Cluster::with_brokers(2);
    for topic in 0..TOPICS {
        cluster.create(&format!("t{topic}"), &vec![vec![0, 1]; PARTITIONS], &[]);
    }
    cluster
}

fn led_by(cluster: &Cluster, broker: i32) -> usize {
    let image = cluster.image();
    let partitions = image.topics.iter().flat_map(|topic| topic.partitions());
    partitions.filter(|(_, partition)| partition.leader == Some(BrokerId(broker))).count()
}

#[test]
fn fencing_a_broker_of_27_000_partitions_is_seen_as_a_whole() {
    let mut cluster = big_cluster();
    let result = cluster.controller.fence_broker(BrokerId(0), cluster.epoch(0));
    let batches = cluster.batches(&result);
    assert!(batches.iter().all(|batch| batch.len() <= controller::limits::RECORDS_PER_BATCH));
    assert!(batches.len() > 2);
    let last = batches.len() - 1;
    for (at, batch) in batches.into_iter().enumerate() {
        cluster.append(batch);
        let expected = if at == last { TOPICS * PARTITIONS } else { 0 };
        assert_eq!(led_by(&cluster, 1), expected, "after batch {at}");
    }
    assert!(cluster.image().cluster.broker(BrokerId(0)).is_some_and(|broker| broker.fenced));
}

#[test]
fn what_a_controller_left_half_written_never_happened() {
    let mut cluster = big_cluster();
    let before = cluster.image();
    let result = cluster.controller.fence_broker(BrokerId(0), cluster.epoch(0));
    let half: Vec<_> = cluster.batches(&result).into_iter().take(2).collect();
    for batch in half {
        cluster.append(batch);
    }
    cluster.fail_over();
    assert!(cluster.image().same_content(&before));
    // Whoever only reads the log agrees, and the next decision goes through.
    let mut loader = MetadataLoader::new(Default::default());
    cluster.fence(0);
    for (at, records) in &cluster.log {
        loader.replay_batch(*at, records).expect("the log can be replayed");
    }
    assert!(loader.image().same_content(&cluster.image()));
    assert_eq!(led_by(&cluster, 1), TOPICS * PARTITIONS);
}

#[test]
fn a_decision_of_one_batch_is_no_transaction() {
    let mut cluster = Cluster::with_brokers(2);
    cluster.create("t", &vec![vec![0, 1]; 10], &[]);
    let result = cluster.controller.fence_broker(BrokerId(0), cluster.epoch(0));
    let batches = cluster.batches(&result);
    assert_eq!((batches.len(), batches[0].len()), (1, 11));
    let is_plain = |record: &MetadataRecord| {
        !matches!(record, MetadataRecord::BeginTransaction(_) | MetadataRecord::EndTransaction(_))
    };
    assert!(batches[0].iter().all(is_plain));
}

#[test]
fn balancing_moves_a_thousand_leaderships_at_a_time() {
    let mut cluster = Cluster::with_brokers(2);
    let topic = cluster.create("t", &vec![vec![0, 1]; 2_500], &[]);
    cluster.fence(0);
    cluster.beat(0);
    for index in 0..2_500 {
        cluster.alter_isr(topic, index, &[1, 0]);
    }
    let mut rounds = Vec::new();
    loop {
        let before = led_by(&cluster, 0);
        let more = cluster.commit(cluster.controller.balance_leaders());
        rounds.push(led_by(&cluster, 0) - before);
        if !more {
            break;
        }
    }
    assert_eq!(rounds, [1_000, 1_000, 500]);
    assert!(cluster.image().provenance.last_offset > Offset(2_500));
}
