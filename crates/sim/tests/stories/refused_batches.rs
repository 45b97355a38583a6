//! Idempotent producers keep several requests on their way. When the first is refused for a reason
//! that has passed by the time the next is looked at, none may be written out of turn, and nobody
//! may be told that the sequence is broken.

use protocol::messages::ProduceRequest;
use protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use records::{BatchBuilder, NewRecord};
use sim::cluster::Cluster;
use types::{ErrorCode, ProducerEpoch, ProducerId, Sequence, Uuid};

const PRODUCER: ProducerId = ProducerId(77);

/// Sends one record to partition 0 of a topic, and says what the answer was.
fn send(cluster: &mut Cluster, to: i32, topic_id: Uuid, sequence: i32) -> ErrorCode {
    let mut batch = BatchBuilder::new().producer(PRODUCER, ProducerEpoch(0), Sequence(sequence));
    let value = sequence.to_string();
    batch.push(NewRecord { value: Some(value.as_bytes()), ..NewRecord::default() });
    let data = PartitionProduceData { index: 0, records: Some(batch.build().into_bytes()) };
    let partition_data = vec![data];
    let topic = TopicProduceData { topic_id, partition_data, ..Default::default() };
    let request = ProduceRequest {
        acks: -1,
        timeout_ms: 30_000,
        topic_data: vec![topic],
        ..Default::default()
    };
    let answer = cluster.ask(to as usize, &request).responses.remove(0);
    ErrorCode::from_code(answer.partition_responses[0].error_code).expect("an error of Kafka's")
}

/// Too few replicas are in sync when the first batch comes, and enough when the second does.
fn second_meets_enough_replicas(known: bool) {
    let mut cluster = Cluster::in_service(1);
    let topic = cluster.create_topic("t", &[&[1, 2]], &[]);
    let in_sync = |count: usize| {
        move |c: &mut Cluster| {
            let partition = c.partition(1, "t", 0);
            (partition.leader_id, partition.isr_nodes.len()) == (1, count)
        }
    };
    cluster.wait_until("in sync", in_sync(2));
    let mut first = 0;
    if known {
        assert_eq!(send(&mut cluster, 1, topic, 0), ErrorCode::None);
        first = 1;
    }
    cluster.kill(2);
    cluster.wait_until("out of sync", in_sync(1));
    assert_eq!(send(&mut cluster, 1, topic, first), ErrorCode::NotEnoughReplicas);
    cluster.start_again(2);
    cluster.wait_until("in sync again", in_sync(2));
    for behind in 1..3 {
        let told = send(&mut cluster, 1, topic, first + behind);
        assert_eq!(told, ErrorCode::NotEnoughReplicas, "as if it had come with the first");
    }
    for again in 0..3 {
        assert_eq!(send(&mut cluster, 1, topic, first + again), ErrorCode::None);
    }
}

#[test]
fn a_batch_behind_one_that_met_too_few_replicas_is_refused_as_that_was() {
    second_meets_enough_replicas(true);
}

#[test]
fn a_producer_whose_first_batch_met_too_few_replicas_does_not_start_with_the_second() {
    second_meets_enough_replicas(false);
}

#[test]
fn a_batch_behind_one_that_came_before_the_election_is_refused_as_that_was() {
    let mut cluster = Cluster::in_service(2);
    let topic = cluster.create_topic("t", &[&[1, 2, 3]], &[]);
    cluster.wait_until("in sync", |c| c.partition(1, "t", 0).isr_nodes.len() == 3);
    let leader = cluster.partition(1, "t", 0).leader_id;
    let others: Vec<i32> = (1..=3).filter(|id| *id != leader).collect();
    assert_eq!(send(&mut cluster, leader, topic, 0), ErrorCode::None);
    for other in &others {
        assert_eq!(send(&mut cluster, *other, topic, 1), ErrorCode::NotLeaderOrFollower);
    }
    cluster.kill(leader as usize);
    let witness = others[0] as usize;
    cluster.wait_until("led", |c| others.contains(&c.partition(witness, "t", 0).leader_id));
    let elected = cluster.partition(witness, "t", 0).leader_id;
    cluster.wait_until("the leader knows", |c| {
        c.partition(elected as usize, "t", 0).leader_id == elected
    });
    assert_eq!(send(&mut cluster, elected, topic, 2), ErrorCode::NotLeaderOrFollower);
    for again in 1..3 {
        assert_eq!(send(&mut cluster, elected, topic, again), ErrorCode::None);
    }
}

/// Kills `leader` of partition 0 of topic `t`, and says who leads it then and knows of it.
fn elect_another(cluster: &mut Cluster, leader: i32) -> i32 {
    cluster.kill(leader as usize);
    let witness = (1..=3).find(|id| *id != leader).expect("another one");
    let led = |c: &mut Cluster| c.partition(witness as usize, "t", 0).leader_id;
    cluster.wait_until("led", |c| ![leader, -1].contains(&led(c)));
    let elected = led(cluster);
    cluster.wait_until("the leader knows", |c| {
        c.partition(elected as usize, "t", 0).leader_id == elected
    });
    elected
}

/// The first request is on its way to the leader before, whose connection has not ended yet.
#[test]
fn after_an_election_a_gap_is_no_broken_sequence_until_requests_to_the_leader_before_have_ended() {
    let mut cluster = Cluster::in_service(3);
    let topic = cluster.create_topic("t", &[&[1, 2, 3]], &[]);
    cluster.wait_until("in sync", |c| c.partition(1, "t", 0).isr_nodes.len() == 3);
    let leader = cluster.partition(1, "t", 0).leader_id;
    assert_eq!(send(&mut cluster, leader, topic, 0), ErrorCode::None);
    let gap = send(&mut cluster, leader, topic, 2);
    assert_eq!(gap, ErrorCode::OutOfOrderSequenceNumber, "nobody led before");
    let elected = elect_another(&mut cluster, leader);
    for gap in [2, 3, 2] {
        assert_eq!(send(&mut cluster, elected, topic, gap), ErrorCode::NotLeaderOrFollower);
    }
    for next in 1..4 {
        assert_eq!(send(&mut cluster, elected, topic, next), ErrorCode::None);
    }
    cluster.run_for(30_000);
    // Without a time of their own, records are old, and their producer has been forgotten.
    assert_eq!(send(&mut cluster, elected, topic, 4), ErrorCode::None);
    assert_eq!(send(&mut cluster, elected, topic, 6), ErrorCode::OutOfOrderSequenceNumber);
}

/// The same, where all that the producer has sent is on its way.
#[test]
fn after_an_election_no_producer_begins_in_the_middle_until_requests_to_the_leader_before_have_ended()
 {
    let mut cluster = Cluster::in_service(4);
    let topic = cluster.create_topic("t", &[&[1, 2, 3]], &[]);
    cluster.wait_until("in sync", |c| c.partition(1, "t", 0).isr_nodes.len() == 3);
    let leader = cluster.partition(1, "t", 0).leader_id;
    let elected = elect_another(&mut cluster, leader);
    for second in [1, 2, 1] {
        assert_eq!(send(&mut cluster, elected, topic, second), ErrorCode::NotLeaderOrFollower);
    }
    for first in 0..3 {
        assert_eq!(send(&mut cluster, elected, topic, first), ErrorCode::None);
    }
    cluster.run_for(30_000);
    // Without a time of their own, records are old, and their producer has been forgotten.
    assert_eq!(send(&mut cluster, elected, topic, 4), ErrorCode::None, "may start anywhere");
}
