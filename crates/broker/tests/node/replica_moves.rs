//! AlterReplicaLogDirs: a partition moves to another directory while it is used, and is in one
//! place whatever happens on the way.

use env::{Disk, Env};
use env_sim::{Crash, Operation, SimEnv};
use protocol::messages::alter_replica_log_dirs_request::{
    AlterReplicaLogDir, AlterReplicaLogDirTopic,
};
use protocol::messages::describe_log_dirs_response::DescribeLogDirsPartition;
use protocol::messages::{AlterReplicaLogDirsRequest, DescribeLogDirsRequest};
use records::BatchBuilder;
use types::{ErrorCode, ProducerEpoch, ProducerId, Sequence};

use crate::harness::Broker;
use crate::shorthand::{ACKS_ALL, batch, error, fetch, produce, push};

const TWO: [&str; 2] = ["log.dirs=/a,/b", "metadata.log.dir=/m"];

/// One partition with some records, and the directories it is in and is not in.
fn one(env: SimEnv) -> (Broker, &'static str, &'static str) {
    let broker = Broker::on(env, &TWO);
    broker.create_topic("t", 1, &[("segment.bytes", "1048576")]);
    (0..20).for_each(|n| _ = broker.append("t", 0, &[&format!("{n} {}", "x".repeat(20_000))]));
    let (here, there) = if names(&broker, "/a").is_empty() { ("/b", "/a") } else { ("/a", "/b") };
    (broker, here, there)
}

/// The directories of `t` in a log directory, but for those that only wait to be removed.
fn names(broker: &Broker, dir: &str) -> Vec<String> {
    let entries = broker.env.disk().read_dir(dir.as_ref()).unwrap_or_default();
    let names = entries.into_iter().map(|entry| entry.name);
    let counts = |name: &String| name.starts_with("t-") && !name.ends_with("-delete");
    names.filter(counts).collect()
}

fn ask(topic: &str, partition: i32, path: &str) -> AlterReplicaLogDirsRequest {
    let topic = AlterReplicaLogDirTopic { name: topic.into(), partitions: vec![partition] };
    AlterReplicaLogDirsRequest {
        dirs: vec![AlterReplicaLogDir { path: path.into(), topics: vec![topic] }],
    }
}

fn alter(broker: &Broker, topic: &str, partition: i32, path: &str) -> ErrorCode {
    let answer = broker.call(2, &ask(topic, partition, path));
    assert_eq!(&*answer.results[0].topic_name, topic);
    error(answer.results[0].partitions[0].error_code)
}

/// What DescribeLogDirs says of `t` in a directory.
fn described(broker: &Broker, dir: &str) -> Vec<DescribeLogDirsPartition> {
    let dirs = broker.call(4, &DescribeLogDirsRequest { topics: None }).results;
    let here = dirs.into_iter().find(|found| &*found.log_dir == dir).expect("the directory");
    let topics = here.topics.into_iter().filter(|topic| &*topic.name == "t");
    topics.flat_map(|topic| topic.partitions).collect()
}

fn starts(values: &[String]) -> Vec<i32> {
    let number = |value: &String| value.split(' ').next().and_then(|word| word.parse().ok());
    values.iter().map(|value| number(value).expect("a number")).collect()
}

#[test]
fn a_partition_moves_with_everything_in_it_while_it_is_written() {
    let (mut broker, here, there) = one(SimEnv::new(7));
    // So slow that a piece takes a second.
    broker.reconfigure("replica.alter.log.dirs.io.max.bytes.per.second=200000");
    broker.restart();
    let idempotent = |sequence| {
        let producer = (ProducerId(9), ProducerEpoch(0), Sequence(sequence));
        let builder = BatchBuilder::new().producer(producer.0, producer.1, producer.2);
        let records = push(builder, &[&format!("{} {}", 20 + sequence, "x".repeat(20_000))]);
        let answer = broker.produce(&produce("t", 0, ACKS_ALL, records.build().bytes().clone()));
        assert_eq!(error(answer.error_code), ErrorCode::None);
        answer.base_offset
    };
    (0..40).for_each(|sequence| _ = idempotent(sequence));
    assert_eq!(alter(&broker, "t", 0, there), ErrorCode::None);
    let on_its_way = described(&broker, there);
    assert!(on_its_way[0].is_future_key && on_its_way[0].offset_lag > 0, "{on_its_way:?}");
    assert!(names(&broker, there)[0].ends_with("-future"), "{:?}", names(&broker, there));
    assert_eq!(names(&broker, here), ["t-0"]);
    // It is used meanwhile, and asking again changes nothing.
    (40..60).for_each(|sequence| _ = idempotent(sequence));
    assert_eq!(alter(&broker, "t", 0, there), ErrorCode::None);
    let mut waiting = broker.client();
    let long = protocol::messages::FetchRequest { max_wait_ms: 60_000, ..fetch("t", 0, 80) };
    waiting.send(11, &long);
    broker.pass_ms(30_000);
    assert_eq!(names(&broker, there), ["t-0"]);
    assert_eq!(names(&broker, here), [""; 0]);
    assert_eq!(described(&broker, here).len(), 0);
    assert!(!described(&broker, there)[0].is_future_key);
    assert_eq!(starts(&broker.read_all("t", 0)), (0..80).collect::<Vec<_>>());
    // Whoever waited for records gets them; the producer's sequences went along.
    assert_eq!(idempotent(58), 78, "a repeat is known");
    assert_eq!(idempotent(60), 80);
    let woken = waiting.answer::<protocol::messages::FetchRequest>();
    assert!(woken.responses[0].partitions[0].records.as_ref().is_some_and(|r| !r.is_empty()));
    broker.restart();
    assert_eq!(starts(&broker.read_all("t", 0)), (0..81).collect::<Vec<_>>());
    assert_eq!(names(&broker, there), ["t-0"]);
}

#[test]
fn naming_the_directory_that_it_is_in_ends_a_move() {
    let (mut broker, here, there) = one(SimEnv::new(7));
    broker.reconfigure("replica.alter.log.dirs.io.max.bytes.per.second=1");
    broker.restart();
    (0..60)
        .for_each(|n| _ = broker.append("t", 0, &[&format!("{} {}", 20 + n, "x".repeat(20_000))]));
    assert_eq!(alter(&broker, "t", 0, there), ErrorCode::None);
    assert_eq!(names(&broker, there).len(), 1);
    assert_eq!(alter(&broker, "t", 0, here), ErrorCode::None);
    assert_eq!(names(&broker, there), [""; 0]);
    assert_eq!(described(&broker, there).len(), 0);
    assert_eq!(starts(&broker.read_all("t", 0)), (0..80).collect::<Vec<_>>());
    // Deleting the topic ends one too.
    assert_eq!(alter(&broker, "t", 0, there), ErrorCode::None);
    broker.delete_topic("t");
    broker.pass_ms(1000);
    assert_eq!(names(&broker, there), [""; 0]);
}

#[test]
fn a_move_that_a_stop_cut_short_begins_anew() {
    for is_clean in [true, false] {
        let (mut broker, here, there) = one(SimEnv::new(7));
        broker.reconfigure("replica.alter.log.dirs.io.max.bytes.per.second=1");
        broker.restart();
        (0..60).for_each(|_| _ = broker.append("t", 0, &[&format!("0 {}", "x".repeat(20_000))]));
        assert_eq!(alter(&broker, "t", 0, there), ErrorCode::None);
        broker.reconfigure("replica.alter.log.dirs.io.max.bytes.per.second=100000000");
        match is_clean {
            true => broker.restart(),
            false => broker.kill_and_restart(),
        }
        broker.pass_ms(10_000);
        assert_eq!(names(&broker, there), ["t-0"]);
        assert_eq!(names(&broker, here), [""; 0]);
        assert_eq!(broker.read_all("t", 0).len(), 80);
    }
}

/// The process or the power dies at any of the steps that end a move.
#[test]
fn wherever_a_crash_strikes_there_is_one_copy_with_everything() {
    let mut moved = 0;
    for deadly in 1..160 {
        let crash = if deadly % 2 == 0 { Crash::Kill } else { Crash::PowerLoss };
        let (mut broker, _, there) = one(SimEnv::new(deadly));
        broker.restart();
        broker.env.disk().die_after(deadly);
        let mut client = broker.client();
        client.send(2, &ask("t", 0, there));
        broker.env.background().run_due();
        drop(client);
        broker.crash_and_restart(crash);
        broker.pass_ms(10_000);
        let live = |dir| names(&broker, dir).iter().filter(|name| *name == "t-0").count();
        assert_eq!(live("/a") + live("/b"), 1, "death at {deadly}");
        moved += live(there);
        assert_eq!(starts(&broker.read_all("t", 0)), (0..20).collect::<Vec<_>>(), "{deadly}");
        broker.append("t", 0, &["20 more"]);
        broker.kill_and_restart();
        assert_eq!(starts(&broker.read_all("t", 0)), (0..21).collect::<Vec<_>>(), "{deadly}");
    }
    assert!(moved > 20, "{moved}");
}

#[test]
fn back_and_forth_nothing_of_an_earlier_stay_comes_up_again() {
    let (mut broker, here, there) = one(SimEnv::new(7));
    for (round, dir) in [there, here, there, here].into_iter().enumerate() {
        assert_eq!(alter(&broker, "t", 0, dir), ErrorCode::None);
        broker.pass_ms(2000);
        assert_eq!(names(&broker, dir), ["t-0"], "{round}");
        broker.append("t", 0, &[&format!("{} more", 20 + round)]);
        broker.crash_and_restart(Crash::PowerLoss);
        assert_eq!(names(&broker, dir), ["t-0"], "{round}");
    }
    // What came after the last move was on no disk before the power went, or was.
    let kept = starts(&broker.read_all("t", 0));
    assert_eq!(kept[..20], (0..20).collect::<Vec<_>>());
    assert!(kept.is_sorted_by(|one, next| one < next), "{kept:?}");
}

#[test]
fn what_cannot_be_moved_is_refused_in_kafka_s_words() {
    let (broker, here, there) = one(SimEnv::new(7));
    assert_eq!(alter(&broker, "t", 0, "/elsewhere"), ErrorCode::LogDirNotFound);
    assert_eq!(alter(&broker, "t", 7, there), ErrorCode::UnknownTopicOrPartition);
    assert_eq!(alter(&broker, "no", 0, there), ErrorCode::UnknownTopicOrPartition);
    assert_eq!(alter(&broker, &"t".repeat(249), 0, there), ErrorCode::InvalidTopicException);
    broker.env.disk().fail(Operation::Write, there, "");
    assert_eq!(alter(&broker, "t", 0, there), ErrorCode::KafkaStorageError);
    broker.pass_ms(1);
    assert_eq!(alter(&broker, "t", 0, there), ErrorCode::KafkaStorageError, "it is out of use");
    assert_eq!(names(&broker, here), ["t-0"]);
    assert_eq!(broker.read_all("t", 0).len(), 20, "the original is as it was");
}

#[test]
fn a_rotten_batch_is_not_carried_along() {
    let (broker, here, there) = one(SimEnv::new(7));
    let segment = format!("{here}/t-0/00000000000000000000.log");
    broker.env.disk().rot(segment.as_ref(), 300, 1);
    assert_eq!(alter(&broker, "t", 0, there), ErrorCode::None);
    broker.pass_ms(10_000);
    assert_eq!(names(&broker, here), ["t-0"], "the only copy stays where it is");
    assert_eq!(names(&broker, there), [""; 0]);
    assert_eq!(
        error(broker.produce(&produce("t", 0, ACKS_ALL, batch(&["more"]))).error_code),
        ErrorCode::None
    );
}

#[test]
fn a_move_into_a_full_directory_waits_for_room() {
    let (broker, here, there) = one(SimEnv::new(7));
    broker.env.disk().set_capacity_under(there, 100_000);
    assert_eq!(alter(&broker, "t", 0, there), ErrorCode::None);
    broker.pass_ms(20_000);
    assert_eq!(names(&broker, here), ["t-0"]);
    assert!(described(&broker, there)[0].is_future_key);
    broker.env.disk().set_capacity_under(there, u64::MAX);
    broker.pass_ms(20_000);
    assert_eq!(names(&broker, there), ["t-0"]);
    assert_eq!(starts(&broker.read_all("t", 0)), (0..20).collect::<Vec<_>>());
}
