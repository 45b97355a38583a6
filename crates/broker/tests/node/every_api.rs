//! Every row of the table of APIs, at every version.

use protocol::messages::*;
use protocol::{ApiKey, Request};

use crate::harness::Broker;
use crate::shorthand::{ACKS_ALL, batch, fetch, fetch_by_id, produce, values};

/// The request type of every API that is served; each becomes `$with::<Request>(broker)`.
macro_rules! every_request {
    ($with:ident, $broker:expr) => {
        every_request!($with, $broker,
            ProduceRequest, FetchRequest, ListOffsetsRequest, MetadataRequest, OffsetCommitRequest,
            OffsetFetchRequest, FindCoordinatorRequest, JoinGroupRequest, HeartbeatRequest,
            LeaveGroupRequest, SyncGroupRequest, DescribeGroupsRequest, ListGroupsRequest,
            SaslHandshakeRequest, ApiVersionsRequest, CreateTopicsRequest, DeleteTopicsRequest,
            DeleteRecordsRequest, InitProducerIdRequest, OffsetForLeaderEpochRequest,
            DescribeConfigsRequest, AlterConfigsRequest, AlterReplicaLogDirsRequest,
            DescribeLogDirsRequest,
            SaslAuthenticateRequest, CreatePartitionsRequest, DeleteGroupsRequest,
            ElectLeadersRequest, IncrementalAlterConfigsRequest,
            AlterPartitionReassignmentsRequest, ListPartitionReassignmentsRequest,
            OffsetDeleteRequest, DescribeQuorumRequest, DescribeClusterRequest,
            DescribeProducersRequest, DescribeTopicPartitionsRequest, AlterPartitionRequest,
            UpdateFeaturesRequest, EnvelopeRequest, FetchSnapshotRequest,
            BrokerRegistrationRequest,
            BrokerHeartbeatRequest, UnregisterBrokerRequest, AllocateProducerIdsRequest,
            ControllerRegistrationRequest, AssignReplicasToDirsRequest, QuorumMessageRequest,
            AddRaftVoterRequest, RemoveRaftVoterRequest, UpdateRaftVoterRequest,
            DescribeCompactionRequest)
    };
    ($with:ident, $broker:expr, $($request:ident),+) => {{
        $($with::<$request>($broker);)+
        let tried = [$(<$request as Request>::KEY),+];
        let served: Vec<ApiKey> = broker::api::SERVED.iter().map(|api| api.key).collect();
        assert_eq!(tried[..], served, "the list of requests in this file is not the table's");
    }};
}

/// Sends the request that has nothing in it, at each version that is served.
fn ask_for_nothing<R: Request>(broker: &Broker) {
    let row = broker::api::served(R::KEY).expect("served");
    for version in row.version_min..=row.version_max {
        let mut client = broker.client();
        client.send(version, &R::default());
        if client.try_answer::<R>().is_none() {
            let is_silent_by_nature = R::KEY == ApiKey::Produce;
            assert!(
                is_silent_by_nature || !client.is_open(),
                "{} v{version} is neither answered nor cut",
                R::NAME
            );
        }
    }
}

#[test]
fn a_request_with_nothing_in_it_is_answered_or_cut_at_every_version() {
    let broker = Broker::start();
    every_request!(ask_for_nothing, &broker);
    broker.create_topic("still-served", 1, &[]);
    assert_eq!(broker.append("still-served", 0, &["a"]), 0);
}

/// Cuts each request short at every length, and garbles its body: nothing may panic.
fn ask_in_pieces<R: Request>(broker: &Broker) {
    let row = broker::api::served(R::KEY).expect("served");
    for version in row.version_min..=row.version_max {
        let whole = protocol::frame::request(&R::default(), version, 1, None).expect("encodes");
        let whole = whole.concat();
        for length in 4..whole.len() {
            let mut cut = whole[..length].to_vec();
            cut[..4].copy_from_slice(&(length as i32 - 4).to_be_bytes());
            broker.client().send_bytes(&cut);
        }
        for position in 14..whole.len() {
            let mut garbled = whole.clone();
            garbled[position] ^= 0x81;
            broker.client().send_bytes(&garbled);
        }
    }
}

#[test]
fn a_request_that_is_cut_short_or_garbled_harms_nobody() {
    let broker = Broker::start();
    broker.create_topic("t", 1, &[]);
    every_request!(ask_in_pieces, &broker);
    assert_eq!(broker.append("t", 0, &["a"]), 0);
}

#[test]
fn produce_and_fetch_carry_records_at_every_version() {
    let broker = Broker::start();
    let id = broker.create_topic("t", 1, &[]);
    let mut sent = Vec::new();
    for version in 3..=13 {
        let mut request = produce("t", 0, ACKS_ALL, batch(&[&format!("v{version}")]));
        if version >= 13 {
            request.topic_data[0].name = "".into();
            request.topic_data[0].topic_id = id;
        }
        let answer = broker.produce_at(version, &request);
        assert_eq!((answer.error_code, answer.base_offset), (0, i64::from(version) - 3));
        sent.push(format!("v{version}"));
    }
    for version in 4..=18 {
        let request = if version >= 13 { fetch_by_id(id, 0, 0) } else { fetch("t", 0, 0) };
        let answer = broker.call(version, &request).responses.remove(0);
        assert_eq!(values(&answer.partitions[0]), sent, "fetch v{version}");
        assert_eq!(answer.partitions[0].high_watermark, 11);
    }
}

/// Captures of real clients are asked for by a list; here it is held against the table.
#[test]
fn the_codec_is_tested_with_captures_of_every_version_served() {
    let list = include_str!("../../../protocol/testdata/wire/served.txt");
    for api in broker::api::SERVED {
        let (name, first, last) = (snake_case(api.key.name()), api.version_min, api.version_max);
        let range = if first == last { format!("{first}") } else { format!("{first}-{last}") };
        let is_listed = list.lines().any(|line| line == format!("{name} {range}"));
        let is_excused = list.lines().any(|line| line.starts_with(&format!("# Not here: {name} ")));
        assert!(is_listed || is_excused, "served.txt lacks the line `{name} {range}`");
    }
}

fn snake_case(name: &str) -> String {
    let mut words = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !words.is_empty() {
            words.push('_');
        }
        words.push(c.to_ascii_lowercase());
    }
    words
}
