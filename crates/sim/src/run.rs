//! One run: set up, let things go wrong, heal, read everything back, judge.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use protocol::messages::MetadataRequest;
use protocol::messages::create_topics_request::{
    CreatableTopic, CreatableTopicConfig, CreateTopicsRequest,
};
use protocol::messages::fetch_request::{FetchPartition, FetchRequest, FetchTopic};
use protocol::messages::list_offsets_request::{
    ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic,
};
use protocol::messages::offset_fetch_request::{
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopics,
};
use records::batches;
use types::Uuid;

use crate::actors::consumer::Consumer;
use crate::actors::member::Member;
use crate::actors::producer::Producer;
use crate::actors::topics::Topics;
use crate::trace::Trace;
use crate::world::{Faults, Met, World};
use history::checkers;
use history::{Event, FinalState};

const TOPIC: &str = "events";
const PARTITIONS: i32 = 3;
const GROUPS: [&str; 2] = ["readers", "writers"];
const LATEST: i64 = -1;
const EARLIEST: i64 = -2;

/// Enough for a group to drop the members that a crash left behind and to agree anew.
const HEALING_MS: u64 = 12_000;
const FINISHING_MS: u64 = 2_000;

/// What a seed led to.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub broken: Vec<String>,
    pub trace: Trace,
    pub met: Met,
    pub records: usize,
    pub simulated_ms: u64,
}

/// Runs `seed` for `chaos_ms` of faults. A panic anywhere in it is a broken promise like others.
pub fn run(seed: u64, faults: Faults, chaos_ms: u64) -> Outcome {
    let mut world = World::new(seed, faults);
    let mut records = 0;
    let course = AssertUnwindSafe(|| {
        let end = live(&mut world, faults, chaos_ms);
        records = end.records.values().map(Vec::len).sum();
        let judged =
            checkers::all().into_iter().map(|(name, check)| (name, check(&world.history, &end)));
        judged
            .flat_map(|(name, broken)| {
                broken.into_iter().map(move |what| format!("{name}: {what}"))
            })
            .collect::<Vec<String>>()
    });
    let mut broken = match catch_unwind(course) {
        Ok(broken) => broken,
        Err(panic) => vec![format!("panic: {}", words_of(panic.as_ref()))],
    };
    broken.append(&mut world.complaints);
    Outcome {
        broken,
        trace: world.trace,
        met: world.met,
        records,
        simulated_ms: world.now().0 / 1_000_000,
    }
}

/// Faults, then peace, then an account of what is there.
fn live(world: &mut World, faults: Faults, chaos_ms: u64) -> FinalState {
    world.start();
    let topic_id = create_topic(world);
    create_offsets_topic(world);
    for partition in 0..PARTITIONS {
        let plain = format!("plain-{partition}");
        world.add(Box::new(Producer::new(&plain, topic_id, partition, false)));
        let idempotent = format!("once-{partition}");
        world.add(Box::new(Producer::new(&idempotent, topic_id, partition, true)));
        world.add(Box::new(Consumer::new(topic_id, partition)));
    }
    for group in GROUPS {
        world.add(Box::new(Member::new(group, topic_id, PARTITIONS)));
        world.add(Box::new(Member::new(group, topic_id, PARTITIONS)));
    }
    world.add(Box::new(Topics::new(1)));
    world.begin_faults(faults);
    world.run_for(chaos_ms);
    world.end_faults();
    world.history.note(Event::Healed);
    world.run_for(HEALING_MS);
    world.stop_actors();
    world.run_for(FINISHING_MS);
    if !world.all_done() {
        world.complaints.push("after the faults some client never got its answer".to_owned());
    }
    let end = read_everything(world, topic_id);
    world.end();
    end
}

pub(crate) fn words_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}

fn create_topic(world: &mut World) -> Uuid {
    // Small steps, so that segments roll and indexes have entries.
    let configs = [("segment.ms", "2000"), ("index.interval.bytes", "64")];
    let config = |(name, value): (&str, &str)| CreatableTopicConfig {
        name: name.into(),
        value: Some(value.into()),
    };
    let response = world.call(&CreateTopicsRequest {
        topics: vec![CreatableTopic {
            name: TOPIC.into(),
            num_partitions: PARTITIONS,
            replication_factor: 1,
            configs: configs.map(config).to_vec(),
            ..Default::default()
        }],
        timeout_ms: 30_000,
        ..Default::default()
    });
    let topic = response.topics.first().expect("an answer for the topic");
    assert_eq!(topic.error_code, 0, "{:?}", topic.error_message);
    topic.topic_id
}

fn create_offsets_topic(world: &mut World) {
    let response = world.call(&protocol::messages::FindCoordinatorRequest {
        coordinator_keys: GROUPS.iter().map(|group| (*group).into()).collect(),
        ..Default::default()
    });
    assert!(response.coordinators.iter().all(|c| c.error_code == 0), "{response:?}");
}

fn read_everything(world: &mut World, topic_id: Uuid) -> FinalState {
    let mut end = FinalState::default();
    for partition in 0..PARTITIONS {
        let bounds = (offset_at(world, partition, EARLIEST), offset_at(world, partition, LATEST));
        end.bounds.insert(partition, bounds);
        read_partition(world, topic_id, partition, bounds, &mut end);
        let timestamps = end.timestamps.get(&partition).cloned().unwrap_or_default();
        let asked = timestamps.iter().step_by(7).flat_map(|t| [*t, t + 1]);
        let found = asked.map(|t| (t, offset_at(world, partition, t))).collect();
        end.by_timestamp.insert(partition, found);
    }
    for group in GROUPS {
        read_commits(world, topic_id, group, &mut end);
    }
    let listed = world.call(&MetadataRequest { topics: None, ..Default::default() });
    end.topics = listed.topics.iter().filter_map(|t| Some(t.name.as_ref()?.to_string())).collect();
    end
}

fn offset_at(world: &mut World, partition: i32, timestamp: i64) -> i64 {
    let asked =
        ListOffsetsPartition { partition_index: partition, current_leader_epoch: -1, timestamp };
    let response = world.call(&ListOffsetsRequest {
        replica_id: -1,
        topics: vec![ListOffsetsTopic { name: TOPIC.into(), partitions: vec![asked] }],
        ..Default::default()
    });
    let found = &response.topics[0].partitions[0];
    assert_eq!(found.error_code, 0, "ListOffsets of {partition} at {timestamp}");
    found.offset
}

fn read_partition(
    world: &mut World,
    topic_id: Uuid,
    partition: i32,
    (start, log_end): (i64, i64),
    end: &mut FinalState,
) {
    let mut position = start;
    let records = end.records.entry(partition).or_default();
    let timestamps = end.timestamps.entry(partition).or_default();
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
        let response = world.call(&FetchRequest {
            max_bytes: 1 << 20,
            session_epoch: -1,
            topics: vec![topic],
            ..Default::default()
        });
        let data = &response.responses[0].partitions[0];
        assert_eq!(data.error_code, 0, "fetch of {partition} at {position}");
        let bytes = data.records.clone().unwrap_or_default();
        let before = position;
        for batch in batches(&bytes) {
            let Ok(batch) = batch else { break };
            assert_eq!(batch.verify_crc(), Ok(()), "a corrupt batch at {position}");
            for record in batch.records().expect("a readable batch") {
                let record = record.expect("a readable record");
                if record.offset.0 >= position {
                    let value = record.value.unwrap_or_default();
                    records.push((record.offset.0, String::from_utf8_lossy(&value).into_owned()));
                    timestamps.push(record.timestamp.0);
                }
            }
            position = position.max(batch.next_offset().0);
        }
        assert!(position > before, "partition {partition} gives nothing at {position}");
    }
}

fn read_commits(world: &mut World, topic_id: Uuid, group: &str, end: &mut FinalState) {
    let topic = OffsetFetchRequestTopics {
        topic_id,
        partition_indexes: (0..PARTITIONS).collect(),
        ..Default::default()
    };
    let response = world.call(&OffsetFetchRequest {
        groups: vec![OffsetFetchRequestGroup {
            group_id: group.into(),
            topics: Some(vec![topic]),
            ..Default::default()
        }],
        ..Default::default()
    });
    let found = &response.groups[0];
    assert_eq!(found.error_code, 0, "OffsetFetch of {group}");
    for partition in found.topics.iter().flat_map(|topic| &topic.partitions) {
        let place = (group.to_owned(), partition.partition_index);
        end.committed.insert(place, partition.committed_offset);
    }
}
