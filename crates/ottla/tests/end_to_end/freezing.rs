//! Nodes that stand still and wake up with what they knew.

use std::time::Duration;

use client::{Connection, Options};
use protocol::messages::offset_fetch_request::{OffsetFetchRequestGroup, OffsetFetchRequestTopics};
use protocol::messages::{
    FindCoordinatorRequest, OffsetFetchRequest, OffsetFetchResponse, find_coordinator_response,
};
use types::ErrorCode;

use crate::cluster::Cluster;

const GROUP: &str = "g";
/// The first version that names several groups, and no topic ids.
const VERSION: i16 = 8;

fn connect(address: &str) -> Option<Connection> {
    Connection::open(address, &Options::default()).ok()
}

/// The node that coordinates the group, as another tells it.
fn coordinator(cluster: &Cluster, asked: usize) -> Option<usize> {
    let request = FindCoordinatorRequest {
        coordinator_keys: vec![GROUP.into()],
        ..FindCoordinatorRequest::default()
    };
    let response = connect(cluster.address(asked))?.call_at(&request, 4).ok()?;
    let find_coordinator_response::Coordinator { error_code, node_id, .. } =
        response.coordinators.into_iter().next()?;
    (error_code == 0).then(|| usize::try_from(node_id).expect("a node"))
}

fn committed() -> OffsetFetchRequest {
    let topics = OffsetFetchRequestTopics {
        name: "t".into(),
        partition_indexes: vec![0],
        ..OffsetFetchRequestTopics::default()
    };
    let group = OffsetFetchRequestGroup {
        group_id: GROUP.into(),
        topics: Some(vec![topics]),
        ..OffsetFetchRequestGroup::default()
    };
    OffsetFetchRequest { groups: vec![group], ..OffsetFetchRequest::default() }
}

fn told(response: &OffsetFetchResponse) -> Result<i64, i16> {
    let group = &response.groups[0];
    match group.error_code {
        0 => Ok(group.topics[0].partitions[0].committed_offset),
        refused => Err(refused),
    }
}

fn commit(cluster: &Cluster, offset: &str) {
    let seek = ["group", "seek", GROUP, "--topic", "t", "--to", offset, "--execute"];
    cluster.wait_for("a commit", |c| c.json(&seek, ""));
}

#[test]
fn a_coordinator_that_wakes_up_does_not_tell_what_was_committed_before_it_froze() {
    let cluster = Cluster::start(3);
    cluster.wait_for("three brokers", |c| c.brokers().filter(|brokers| *brokers == 3));
    let create = ["topic", "create", "t", "-p", "1", "--replication-factor", "3"];
    assert!(cluster.json(&create, "").is_some(), "{}", cluster.logs());
    cluster.wait_for("three replicas in sync", |c| c.in_sync("t").filter(|count| *count == 3));
    cluster.produce(&["a", "b", "c"]);
    commit(&cluster, "1");
    let frozen = cluster.wait_for("a coordinator", |c| coordinator(c, 1));
    let asked = frozen % 3 + 1;
    let mut line = connect(cluster.address(frozen)).expect("a coordinator that listens");
    let before = line.call_at(&committed(), VERSION).expect("an answer");
    assert_eq!(told(&before), Ok(1));

    cluster.freeze(frozen);
    cluster.wait_for("another coordinator", |c| {
        coordinator(c, asked).filter(|other| *other != frozen)
    });
    commit(&cluster, "2");
    // It waits in the socket: the first thing that is seen on waking.
    let asked = line.send(&committed(), VERSION).expect("sent");
    cluster.wake(frozen);
    let after = line.receive::<OffsetFetchRequest>(asked, Duration::ZERO).expect("an answer");
    assert_eq!(told(&after), Err(ErrorCode::NotCoordinator.code()), "{}", cluster.logs());
}
