//! One run: set up, let things go wrong, heal, read everything back, judge.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use broker::{Connection, ConnectionInfo};
use env_sim::SimEnv;
use history::{Event, FinalState, ReplicaRecord, checkers};
use protocol::Request;
use protocol::messages::create_topics_request::{
    CreatableTopic, CreatableTopicConfig, CreateTopicsRequest,
};
use protocol::messages::fetch_request::{FetchPartition, FetchRequest, FetchTopic};
use protocol::messages::list_offsets_request::{
    ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic,
};
use protocol::messages::metadata_response::MetadataResponsePartition;
use protocol::messages::offset_fetch_request::{
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopics,
};
use protocol::messages::{FindCoordinatorRequest, MetadataRequest, MetadataResponse};
use records::batches;
use types::Uuid;

use super::clients::{Seeks, TOPIC};
use super::{Cluster, MACHINES};
use crate::actors::consumer::Consumer;
use crate::actors::member::Member;
use crate::actors::onlooker::Onlooker;
use crate::actors::producer::Producer;
use crate::actors::topics::Topics;
use crate::run::{Outcome, words_of};
use crate::wire::Wire;
use crate::world::Faults;

#[cfg(test)]
mod tests;

const PARTITIONS: i32 = 3;
const GROUP: &str = "readers";
const LATEST: i64 = -1;
const EARLIEST: i64 = -2;

/// A first election, registrations, and whatever must be in sync again.
const SETTLING_MS: u64 = 120_000;
/// Sessions end, leaders change, followers catch up.
const HEALING_MS: u64 = 15_000;
const FINISHING_MS: u64 = 5_000;
const CALL_MS_MAX: u64 = 30_000;

/// Runs `seed` for `chaos_ms` of faults, or without any if there are none. A panic anywhere in it
/// is a broken promise like others.
pub fn run(seed: u64, faults: Option<Faults>, chaos_ms: u64) -> Outcome {
    let mut cluster = Cluster::new(seed, faults.unwrap_or_default());
    let mut records = 0;
    let course = AssertUnwindSafe(|| {
        let end = live(&mut cluster, faults, chaos_ms);
        records = end.records.values().map(Vec::len).sum();
        let judged = checkers::all().into_iter();
        let judged = judged.map(|(name, check)| (name, check(&cluster.history, &end)));
        let broken = judged.flat_map(|(name, broken)| {
            broken.into_iter().map(move |what| format!("{name}: {what}"))
        });
        broken.collect::<Vec<String>>()
    });
    let mut broken = match catch_unwind(course) {
        Ok(broken) => broken,
        Err(panic) => vec![format!("panic: {}", words_of(panic.as_ref()))],
    };
    broken.append(&mut cluster.complaints);
    let simulated_ms = cluster.now().0 / 1_000_000;
    Outcome { broken, trace: cluster.trace, met: cluster.met, records, simulated_ms }
}

/// Faults, then peace, then an account of what is there.
fn live(cluster: &mut Cluster, faults: Option<Faults>, chaos_ms: u64) -> FinalState {
    for id in 1..=MACHINES {
        cluster.start(id);
        cluster.look_after(id);
    }
    cluster.wait_for_all("come into service", |metadata| metadata.brokers.len() == MACHINES);
    let topic_id = create_topic(cluster);
    cluster.wait_for_all("lead the topic", is_whole);
    for partition in 0..PARTITIONS {
        let plain = format!("plain-{partition}");
        let plain = Producer::new(&plain, topic_id, partition, false).renamed_when_unsure();
        cluster.add(Box::new(plain), Seeks::Leader { partition });
        let idempotent = format!("once-{partition}");
        let idempotent = Producer::new(&idempotent, topic_id, partition, true);
        cluster.add(Box::new(idempotent), Seeks::Leader { partition });
        cluster.add(Box::new(Consumer::new(topic_id, partition)), Seeks::Leader { partition });
    }
    for _ in 0..2 {
        let member = Member::new(GROUP, topic_id, PARTITIONS).as_a_stranger();
        cluster.add(Box::new(member), Seeks::Coordinator { group: GROUP.to_owned() });
    }
    for _ in 0..2 {
        let onlooker = Onlooker::new(GROUP, topic_id, PARTITIONS);
        cluster.add(Box::new(onlooker), Seeks::Coordinator { group: GROUP.to_owned() });
    }
    cluster.add(Box::new(Topics::new(MACHINES as i16)), Seeks::Anybody);
    if let Some(faults) = faults {
        cluster.begin_faults(faults);
    }
    cluster.run_for(chaos_ms);
    cluster.end_faults();
    cluster.history.note(Event::Healed);
    cluster.run_for(HEALING_MS);
    cluster.clients.iter_mut().for_each(|client| client.actor.stop());
    cluster.run_for(FINISHING_MS);
    if !cluster.clients.iter().all(|client| client.actor.is_done()) {
        cluster.complaints.push("after the faults some client never got its answer".to_owned());
    }
    cluster.wait_for_all("have every replica in sync", is_whole);
    // Leaderships move where they are preferred, and all hear what is committed.
    cluster.run_for(FINISHING_MS);
    cluster.wait_for_all("keep every replica in sync", is_whole);
    read_everything(cluster, topic_id)
}

fn is_whole(metadata: &MetadataResponse) -> bool {
    let partitions = partitions_of(metadata);
    partitions.len() == PARTITIONS as usize
        && partitions.iter().all(|p| p.leader_id >= 0 && p.isr_nodes.len() == MACHINES)
}

fn partitions_of(metadata: &MetadataResponse) -> &[MetadataResponsePartition] {
    let topic = metadata.topics.iter().find(|t| t.name.as_deref() == Some(TOPIC));
    topic.map_or(&[], |topic| &topic.partitions)
}

fn create_topic(cluster: &mut Cluster) -> Uuid {
    // Small steps, so that segments roll and indexes have entries.
    let configs = [("segment.ms", "2000"), ("index.interval.bytes", "64")];
    let config = |(name, value): (&str, &str)| CreatableTopicConfig {
        name: name.into(),
        value: Some(value.into()),
    };
    let request = CreateTopicsRequest {
        topics: vec![CreatableTopic {
            name: TOPIC.into(),
            num_partitions: PARTITIONS,
            replication_factor: MACHINES as i16,
            configs: configs.map(config).to_vec(),
            ..Default::default()
        }],
        timeout_ms: 30_000,
        ..Default::default()
    };
    let response = cluster.ask(1, &request);
    let topic = response.topics.first().expect("an answer for the topic");
    assert_eq!(topic.error_code, 0, "{:?}", topic.error_message);
    topic.topic_id
}

impl Cluster {
    /// Lets time pass until every broker says so.
    pub(super) fn wait_for_all(&mut self, what: &str, is_so: impl Fn(&MetadataResponse) -> bool) {
        let deadline = self.now().plus(Duration::from_millis(SETTLING_MS));
        let all = MetadataRequest { topics: None, ..Default::default() };
        for id in 1..=MACHINES {
            loop {
                let is_ready = self.machine(id).listens(super::machine::CLIENT_PORT);
                let asked = is_ready.then(|| self.ask(id, &all));
                let metadata = asked.unwrap_or_default();
                if is_so(&metadata) {
                    break;
                }
                let found = partitions_of(&metadata);
                assert!(
                    self.now() < deadline,
                    "the nodes do not {what}, says node {id}: {found:?}"
                );
                self.run_for(100);
            }
        }
    }

    /// One request on a connection of its own, as a tool would send it; time passes until its
    /// answer.
    ///
    /// # Panics
    /// If no answer comes: without faults a broker answers everything.
    pub fn ask<R: Request>(&mut self, id: usize, request: &R) -> R::Response {
        let asked = self.begin(id, request);
        self.answer::<R>(asked).unwrap_or_else(|| panic!("{} was refused", R::NAME))
    }

    fn begin<R: Request>(&mut self, id: usize, request: &R) -> Asked {
        let node = Arc::clone(self.machine(id).node.as_ref().expect("a running broker"));
        let info = ConnectionInfo { peer: ([10, 0, 0, 0], 1).into(), listener: "PLAINTEXT".into() };
        let mut connection = Connection::new(node, info);
        let mut wire = Wire::default();
        connection.read_buffer().extend_from_slice(&wire.request(request));
        connection.handle_input().expect("a well-formed request");
        self.look_after(id);
        Asked { connection, wire }
    }

    /// `None` if the broker ends the connection instead: nobody knows what became of the request.
    fn answer<R: Request>(&mut self, asked: Asked) -> Option<R::Response> {
        let Asked { connection, mut wire } = asked;
        let deadline = self.now().plus(Duration::from_millis(CALL_MS_MAX));
        loop {
            let responses = connection.responses();
            match responses.poll_ready(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(Some(chunks)) => {
                    let answers = wire.receive(&chunks.concat());
                    return Some(answers.first().expect("one answer").to());
                }
                Poll::Ready(None) => return None,
                Poll::Pending => assert!(self.step(deadline), "{} was never answered", R::NAME),
            }
        }
    }
}

/// A request on a connection of its own.
struct Asked {
    connection: Connection<SimEnv>,
    wire: Wire,
}

fn read_everything(cluster: &mut Cluster, topic_id: Uuid) -> FinalState {
    let mut end = FinalState::default();
    let listed = cluster.ask(1, &MetadataRequest { topics: None, ..Default::default() });
    end.topics = listed.topics.iter().filter_map(|t| Some(t.name.as_ref()?.to_string())).collect();
    let found = partitions_of(&listed).to_vec();
    for MetadataResponsePartition { partition_index: partition, leader_id, .. } in found {
        let leader = leader_id as usize;
        let start = offset_at(cluster, leader, partition, EARLIEST);
        let log_end = offset_at(cluster, leader, partition, LATEST);
        end.bounds.insert(partition, (start, log_end));
        for id in 1..=MACHINES {
            let (records, timestamps) = read(cluster, id, topic_id, partition, (start, log_end));
            if id == leader {
                let values = records.iter().map(|r| (r.offset, r.value.clone())).collect();
                end.records.insert(partition, values);
                end.timestamps.insert(partition, timestamps);
            }
            end.replicas.insert((partition, id as i32), records);
        }
    }
    read_committed(cluster, topic_id, &mut end);
    end
}

/// Where the group stands, by the coordinator that is found.
fn read_committed(cluster: &mut Cluster, topic_id: Uuid, end: &mut FinalState) {
    let find = FindCoordinatorRequest {
        coordinator_keys: vec![GROUP.into()],
        ..FindCoordinatorRequest::default()
    };
    let partition_indexes = (0..PARTITIONS).collect();
    let topic = OffsetFetchRequestTopics { topic_id, partition_indexes, ..Default::default() };
    let group = OffsetFetchRequestGroup {
        group_id: GROUP.into(),
        topics: Some(vec![topic]),
        member_epoch: -1,
        ..Default::default()
    };
    let fetch = OffsetFetchRequest { groups: vec![group], ..Default::default() };
    let deadline = cluster.now().plus(Duration::from_millis(SETTLING_MS));
    loop {
        let found = cluster.ask(1, &find).coordinators.remove(0);
        if found.error_code == 0 {
            let group = cluster.ask(found.node_id as usize, &fetch).groups.remove(0);
            if group.error_code == 0 {
                for partition in group.topics.iter().flat_map(|topic| &topic.partitions) {
                    let place = (GROUP.to_owned(), partition.partition_index);
                    end.committed.insert(place, partition.committed_offset);
                }
                return;
            }
        }
        assert!(cluster.now() < deadline, "nobody coordinates the group");
        cluster.run_for(100);
    }
}

fn offset_at(cluster: &mut Cluster, id: usize, partition: i32, timestamp: i64) -> i64 {
    let asked =
        ListOffsetsPartition { partition_index: partition, current_leader_epoch: -1, timestamp };
    let request = ListOffsetsRequest {
        replica_id: -1,
        topics: vec![ListOffsetsTopic { name: TOPIC.into(), partitions: vec![asked] }],
        ..Default::default()
    };
    let response = cluster.ask(id, &request);
    let found = &response.topics[0].partitions[0];
    assert_eq!(found.error_code, 0, "ListOffsets of {partition} at {timestamp}");
    found.offset
}

fn read(
    cluster: &mut Cluster,
    id: usize,
    topic_id: Uuid,
    partition: i32,
    (start, log_end): (i64, i64),
) -> (Vec<ReplicaRecord>, Vec<i64>) {
    let (mut found, mut timestamps) = (Vec::new(), Vec::new());
    let mut position = start;
    while position < log_end {
        let asked = FetchPartition {
            partition,
            current_leader_epoch: -1,
            fetch_offset: position,
            last_fetched_epoch: -1,
            partition_max_bytes: 1 << 16,
            ..Default::default()
        };
        let topic = FetchTopic { topic_id, partitions: vec![asked], ..Default::default() };
        let request = FetchRequest {
            max_bytes: 1 << 20,
            session_epoch: -1,
            topics: vec![topic],
            ..Default::default()
        };
        let response = cluster.ask(id, &request);
        let data = &response.responses[0].partitions[0];
        assert_eq!(data.error_code, 0, "fetch of {partition} at {position} from node {id}");
        let bytes = data.records.clone().unwrap_or_default();
        let before = position;
        for batch in batches(&bytes) {
            let Ok(batch) = batch else { break };
            assert_eq!(batch.verify_crc(), Ok(()), "a corrupt batch at {position}");
            let leader_epoch = batch.header().leader_epoch.0;
            for record in batch.records().expect("a readable batch") {
                let record = record.expect("a readable record");
                if record.offset.0 >= position {
                    let value = record.value.unwrap_or_default();
                    let value = String::from_utf8_lossy(&value).into_owned();
                    found.push(ReplicaRecord { offset: record.offset.0, leader_epoch, value });
                    timestamps.push(record.timestamp.0);
                }
            }
            position = position.max(batch.next_offset().0);
        }
        assert!(position > before, "node {id} gives nothing of {partition} at {position}");
    }
    (found, timestamps)
}
