use env_sim::SimEnv;
use protocol::messages::fetch_response::FetchableTopicResponse;
use protocol::messages::{AlterPartitionRequest, AlterPartitionResponse, FetchRequest};
use records::{BatchBuilder, NewRecord};
use replication::PartitionState;
use types::PartitionEpoch;

use super::*;
use crate::replicas::Answered;
use crate::tests::{self, TOPIC};

const LEADER: BrokerId = BrokerId(2);
const SESSION: i32 = 11;

/// A way on which requests are written down.
#[derive(Default)]
struct Asked(Mutex<Vec<FetchRequest>>);

impl ReplicationLinks for Asked {
    fn fetch(&self, leader: BrokerId, request: FetchRequest, _: Answered<FetchResponse>) {
        assert_eq!(leader, LEADER);
        lock(&self.0).push(request);
    }

    fn alter_partition(&self, _: AlterPartitionRequest, _: Answered<AlterPartitionResponse>) {}
}

impl Asked {
    /// The partitions that the last request names, and those that it forgets.
    fn last(&self) -> (Vec<i32>, Vec<i32>) {
        let requests = lock(&self.0);
        let last = requests.last().expect("a request");
        let named = last.topics.iter().flat_map(|topic| &topic.partitions);
        let forgotten = last.forgotten_topics_data.iter().flat_map(|topic| &topic.partitions);
        (named.map(|partition| partition.partition).collect(), forgotten.copied().collect())
    }

    fn count(&self) -> usize {
        lock(&self.0).len()
    }
}

fn led_by(leader: BrokerId, epoch: i32) -> PartitionState {
    PartitionState {
        leader: Some(leader),
        leader_epoch: LeaderEpoch(epoch),
        partition_epoch: PartitionEpoch(epoch),
        replicas: vec![BrokerId(1), LEADER],
        isr: vec![BrokerId(1), LEADER],
        recovering: false,
    }
}

fn answer(partition_index: i32, records: &[u8]) -> FetchResponse {
    let data = PartitionData {
        partition_index,
        high_watermark: 0,
        log_start_offset: 0,
        records: Some(records.to_vec().into()),
        ..Default::default()
    };
    let topic =
        FetchableTopicResponse { topic_id: TOPIC, partitions: vec![data], ..Default::default() };
    FetchResponse { session_id: SESSION, responses: vec![topic], ..Default::default() }
}

#[test]
fn who_stops_following_does_not_keep_the_others_from_the_leader_while_its_records_are_synced() {
    let env = SimEnv::new(7);
    let node = tests::lone_with_topic(&env, 2);
    let (now, wall) = (env.clock().mono(), env.clock().wall());
    let (fetchers, asked) = (ReplicaFetchers::default(), Arc::new(Asked::default()));
    fetchers.attach(&node);
    fetchers.connect(Arc::clone(&asked) as Arc<dyn ReplicationLinks>);
    let partition = |index| node.partitions.get("t", index).expect("made with the topic");
    let becomes = |index, state: &PartitionState| {
        partition(index).handle_partition_state(state, now, wall).expect("a sound disk");
        fetchers.refresh(&partition(index));
    };
    becomes(0, &led_by(LEADER, 5));
    becomes(1, &led_by(LEADER, 5));
    fetchers.handle_outcome(&node, LEADER, Ok(answer(0, &[])));
    assert_eq!((asked.count(), asked.last()), (2, (vec![1], vec![])));

    let mut batch = BatchBuilder::new().base_offset(Offset(0)).leader_epoch(LeaderEpoch(5));
    batch.push(NewRecord { timestamp: wall, key: None, value: Some(b"v"), headers: &[] });
    fetchers.handle_outcome(&node, LEADER, Ok(answer(1, batch.build().bytes())));
    assert!(partition(1).is_syncing());
    assert_eq!(asked.count(), 2, "one fetch for all, once they are durable");

    becomes(1, &led_by(BrokerId(1), 6));
    assert_eq!((asked.count(), asked.last()), (3, (vec![], vec![1])));
}

type FollowsOne<E> =
    (Arc<Node<E>>, ReplicaFetchers<E>, Arc<Asked>, Arc<Partition<<E as Env>::Disk>>);

/// A node that has sent its first fetch, of one partition.
fn follows_one(env: &SimEnv) -> FollowsOne<SimEnv> {
    let node = tests::lone_with_topic(env, 1);
    let (fetchers, asked) = (ReplicaFetchers::default(), Arc::new(Asked::default()));
    fetchers.attach(&node);
    fetchers.connect(Arc::clone(&asked) as Arc<dyn ReplicationLinks>);
    let partition = node.partitions.get("t", 0).expect("made with the topic");
    let (now, wall) = (env.clock().mono(), env.clock().wall());
    partition.handle_partition_state(&led_by(LEADER, 5), now, wall).expect("a sound disk");
    fetchers.refresh(&partition);
    (node, fetchers, asked, partition)
}

#[test]
fn a_partition_of_which_only_the_high_watermark_has_moved_is_not_named_again() {
    let env = SimEnv::new(7);
    let (node, fetchers, asked, partition) = follows_one(&env);
    let wall = env.clock().wall();
    let mut batch = BatchBuilder::new().base_offset(Offset(0)).leader_epoch(LeaderEpoch(5));
    batch.push(NewRecord { timestamp: wall, key: None, value: Some(b"v"), headers: &[] });
    fetchers.handle_outcome(&node, LEADER, Ok(answer(0, batch.build().bytes())));
    env.background().run_due();
    fetchers.handle_synced(&partition);
    assert_eq!((asked.count(), asked.last()), (2, (vec![0], vec![])), "its log has grown");

    let mut committed = answer(0, &[]);
    committed.responses[0].partitions[0].high_watermark = 1;
    fetchers.handle_outcome(&node, LEADER, Ok(committed));
    assert_eq!(partition.high_watermark(), Offset(1));
    assert_eq!((asked.count(), asked.last()), (3, (vec![], vec![])));
}

/// The leader has room for a thousand sessions and keeps each for two minutes.
#[test]
fn who_starts_over_has_the_leader_close_the_session_that_was() {
    let env = SimEnv::new(7);
    let (node, fetchers, asked, _) = follows_one(&env);
    fetchers.handle_outcome(&node, LEADER, Ok(answer(0, &[])));
    let error_code = ErrorCode::InvalidFetchSessionEpoch.code();
    let refused = FetchResponse { error_code, ..Default::default() };
    fetchers.handle_outcome(&node, LEADER, Ok(refused));
    let sessions: Vec<_> =
        lock(&asked.0).iter().map(|request| (request.session_id, request.session_epoch)).collect();
    assert_eq!(sessions, [(0, 0), (SESSION, 1), (SESSION, 0)]);
    assert_eq!(asked.last(), (vec![0], vec![]), "everything is named");
}
