//! Random clients, failing appends and restarts, against what must always hold.

#[path = "properties/host.rs"]
mod host;
#[path = "properties/records.rs"]
mod records;

use std::time::Duration;

use proptest::prelude::*;

use host::{Host, JoinAs};

const GROUPS: usize = 2;
const CLIENTS: usize = 4;
const PARTITIONS: i32 = 3;

#[derive(Clone, Debug)]
enum Event {
    Join {
        client: usize,
        as_static: bool,
        how: JoinAs,
        protocols: usize,
    },
    Sync {
        client: usize,
    },
    Heartbeat {
        client: usize,
    },
    Leave {
        client: usize,
    },
    RemoveInstance {
        client: usize,
    },
    Commit {
        client: usize,
        partition: i32,
        offset: i64,
    },
    CommitWithoutGroup {
        group: usize,
        partition: i32,
        offset: i64,
    },
    DeleteOffset {
        group: usize,
        partition: i32,
    },
    DeleteGroup {
        group: usize,
    },
    DeletePartition {
        partition: i32,
    },
    /// The client becomes another process.
    Forget {
        client: usize,
    },
    Tick {
        ms: u64,
    },
    /// The next append fails.
    FailAppend,
    Restart,
}

fn event() -> impl Strategy<Value = Event> {
    let client = 0..CLIENTS;
    let group = 0..GROUPS;
    let how = prop_oneof![Just(JoinAs::V3), Just(JoinAs::V8), Just(JoinAs::V9)];
    let protocols = prop_oneof![4 => Just(0), 1 => 1..4usize];
    prop_oneof![
        10 => (client.clone(), any::<bool>(), how, protocols).prop_map(
            |(client, as_static, how, protocols)| Event::Join { client, as_static, how, protocols }
        ),
        8 => client.clone().prop_map(|client| Event::Sync { client }),
        4 => client.clone().prop_map(|client| Event::Heartbeat { client }),
        2 => client.clone().prop_map(|client| Event::Leave { client }),
        1 => client.clone().prop_map(|client| Event::RemoveInstance { client }),
        4 => (client.clone(), 0..PARTITIONS, 0..100i64).prop_map(
            |(client, partition, offset)| Event::Commit { client, partition, offset }
        ),
        1 => (group.clone(), 0..PARTITIONS, 0..100i64).prop_map(
            |(group, partition, offset)| Event::CommitWithoutGroup { group, partition, offset }
        ),
        1 => (group.clone(), 0..PARTITIONS)
            .prop_map(|(group, partition)| Event::DeleteOffset { group, partition }),
        1 => group.prop_map(|group| Event::DeleteGroup { group }),
        1 => (0..PARTITIONS).prop_map(|partition| Event::DeletePartition { partition }),
        1 => client.prop_map(|client| Event::Forget { client }),
        6 => (0..7_000u64).prop_map(|ms| Event::Tick { ms }),
        1 => (20_000..60_000u64).prop_map(|ms| Event::Tick { ms }),
        1 => Just(Event::FailAppend),
        1 => Just(Event::Restart),
    ]
}

fn run(host: &mut Host, event: &Event) {
    match *event {
        Event::Join { client, as_static, how, protocols } => {
            host.join(client, as_static, how, protocols);
        }
        Event::Sync { client } => host.sync(client),
        Event::Heartbeat { client } => host.heartbeat(client),
        Event::Leave { client } => host.leave(client),
        Event::RemoveInstance { client } => host.remove_instance(client),
        Event::Commit { client, partition, offset } => host.commit(client, partition, offset),
        Event::CommitWithoutGroup { group, partition, offset } => {
            host.commit_without_group(group, partition, offset);
        }
        Event::DeleteOffset { group, partition } => host.delete_offset(group, partition),
        Event::DeleteGroup { group } => host.delete_group(group),
        Event::DeletePartition { partition } => host.delete_partition(partition),
        Event::Forget { client } => host.forget(client),
        Event::Tick { ms } => host.tick(Duration::from_millis(ms)),
        Event::FailAppend => host.fail_next_append(),
        Event::Restart => host.restart(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 256,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// The host asserts after every event: invariants of the groups; one answer a token, none late;
    /// one owner a partition and generation; committed offsets as a map would hold them; and that
    /// a shard that replays the log is where the running one is.
    #[test]
    fn groups_keep_their_promises(
        events in prop::collection::vec(event(), 1..120),
        size_max in prop_oneof![3 => Just(100usize), 1 => 1..4usize],
        initial_delay_ms in prop_oneof![Just(0), Just(3_000)],
    ) {
        let mut host = Host::new(size_max, initial_delay_ms);
        for event in &events {
            run(&mut host, event);
            host.check();
        }
        host.tick(Duration::from_secs(120));
        host.check();
        host.nobody_waits();
    }
}
