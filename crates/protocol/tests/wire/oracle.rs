//! The published codec as an oracle: what either encodes, the other must read and repeat.

use bytes::{Bytes, BytesMut};
use kafka_protocol::messages as theirs;
use kafka_protocol::protocol::{Decodable, Encodable, Message};
use protocol::ApiKey;

use crate::dice::Dice;
use crate::exercise::Exercise;
use crate::{sample, schema};

const SAMPLES: usize = 16;

/// A message as the oracle has it.
struct Oracle {
    name: &'static str,
    first: i16,
    last: i16,
    echo: fn(Bytes, i16) -> Result<Bytes, String>,
}

macro_rules! oracles {
    ($($name:ident)*) => {
        const ORACLES: &[Oracle] = &[$(oracle::<theirs::$name>(stringify!($name)),)*];
    };
}

oracles! {
    AddOffsetsToTxnRequest AddOffsetsToTxnResponse AddPartitionsToTxnRequest
    AddPartitionsToTxnResponse AddRaftVoterRequest AddRaftVoterResponse
    AllocateProducerIdsRequest AllocateProducerIdsResponse AlterClientQuotasRequest
    AlterClientQuotasResponse AlterConfigsRequest AlterConfigsResponse
    AlterPartitionReassignmentsRequest AlterPartitionReassignmentsResponse
    AlterPartitionRequest AlterPartitionResponse AlterReplicaLogDirsRequest
    AlterReplicaLogDirsResponse AlterShareGroupOffsetsRequest AlterShareGroupOffsetsResponse
    AlterUserScramCredentialsRequest AlterUserScramCredentialsResponse ApiVersionsRequest
    ApiVersionsResponse AssignReplicasToDirsRequest AssignReplicasToDirsResponse
    BeginQuorumEpochRequest BeginQuorumEpochResponse BrokerHeartbeatRequest
    BrokerHeartbeatResponse BrokerRegistrationRequest BrokerRegistrationResponse
    ConsumerGroupDescribeRequest ConsumerGroupDescribeResponse ConsumerGroupHeartbeatRequest
    ConsumerGroupHeartbeatResponse ConsumerProtocolAssignment ConsumerProtocolSubscription
    ControllerRegistrationRequest ControllerRegistrationResponse CreateAclsRequest
    CreateAclsResponse CreateDelegationTokenRequest CreateDelegationTokenResponse
    CreatePartitionsRequest CreatePartitionsResponse CreateTopicsRequest
    CreateTopicsResponse DefaultPrincipalData DeleteAclsRequest DeleteAclsResponse
    DeleteGroupsRequest DeleteGroupsResponse DeleteRecordsRequest DeleteRecordsResponse
    DeleteShareGroupOffsetsRequest DeleteShareGroupOffsetsResponse
    DeleteShareGroupStateRequest DeleteShareGroupStateResponse DeleteTopicsRequest
    DeleteTopicsResponse DescribeAclsRequest DescribeAclsResponse
    DescribeClientQuotasRequest DescribeClientQuotasResponse DescribeClusterRequest
    DescribeClusterResponse DescribeConfigsRequest DescribeConfigsResponse
    DescribeDelegationTokenRequest DescribeDelegationTokenResponse DescribeGroupsRequest
    DescribeGroupsResponse DescribeLogDirsRequest DescribeLogDirsResponse
    DescribeProducersRequest DescribeProducersResponse DescribeQuorumRequest
    DescribeQuorumResponse DescribeShareGroupOffsetsRequest
    DescribeShareGroupOffsetsResponse DescribeTopicPartitionsRequest
    DescribeTopicPartitionsResponse DescribeTransactionsRequest DescribeTransactionsResponse
    DescribeUserScramCredentialsRequest DescribeUserScramCredentialsResponse
    ElectLeadersRequest ElectLeadersResponse EndQuorumEpochRequest EndQuorumEpochResponse
    EndTxnRequest EndTxnResponse EnvelopeRequest EnvelopeResponse
    ExpireDelegationTokenRequest ExpireDelegationTokenResponse FetchRequest FetchResponse
    FetchSnapshotRequest FetchSnapshotResponse FindCoordinatorRequest
    FindCoordinatorResponse GetTelemetrySubscriptionsRequest
    GetTelemetrySubscriptionsResponse HeartbeatRequest HeartbeatResponse
    IncrementalAlterConfigsRequest IncrementalAlterConfigsResponse InitProducerIdRequest
    InitProducerIdResponse InitializeShareGroupStateRequest
    InitializeShareGroupStateResponse JoinGroupRequest JoinGroupResponse LeaveGroupRequest
    LeaveGroupResponse ListConfigResourcesRequest ListConfigResourcesResponse
    ListGroupsRequest ListGroupsResponse ListOffsetsRequest ListOffsetsResponse
    ListPartitionReassignmentsRequest ListPartitionReassignmentsResponse
    ListTransactionsRequest ListTransactionsResponse MetadataRequest MetadataResponse
    OffsetCommitRequest OffsetCommitResponse OffsetDeleteRequest OffsetDeleteResponse
    OffsetFetchRequest OffsetFetchResponse OffsetForLeaderEpochRequest
    OffsetForLeaderEpochResponse ProduceRequest ProduceResponse PushTelemetryRequest
    PushTelemetryResponse ReadShareGroupStateRequest ReadShareGroupStateResponse
    ReadShareGroupStateSummaryRequest ReadShareGroupStateSummaryResponse
    RemoveRaftVoterRequest RemoveRaftVoterResponse RenewDelegationTokenRequest
    RenewDelegationTokenResponse RequestHeader ResponseHeader SaslAuthenticateRequest
    SaslAuthenticateResponse SaslHandshakeRequest SaslHandshakeResponse
    ShareAcknowledgeRequest ShareAcknowledgeResponse ShareFetchRequest ShareFetchResponse
    ShareGroupDescribeRequest ShareGroupDescribeResponse ShareGroupHeartbeatRequest
    ShareGroupHeartbeatResponse SyncGroupRequest SyncGroupResponse TxnOffsetCommitRequest
    TxnOffsetCommitResponse UnregisterBrokerRequest UnregisterBrokerResponse
    UpdateFeaturesRequest UpdateFeaturesResponse UpdateRaftVoterRequest
    UpdateRaftVoterResponse VoteRequest VoteResponse WriteShareGroupStateRequest
    WriteShareGroupStateResponse WriteTxnMarkersRequest WriteTxnMarkersResponse
    KRaftVersionRecord LeaderChangeMessage SnapshotFooterRecord SnapshotHeaderRecord
    VotersRecord EndTxnMarker
}

/// What the oracle does not have: they are younger than it.
const UNKNOWN_TO_THE_ORACLE: [&str; 8] = [
    "DescribeCompactionRequest",
    "DescribeCompactionResponse",
    "QuorumMessageRequest",
    "QuorumMessageResponse",
    "StreamsGroupDescribeRequest",
    "StreamsGroupDescribeResponse",
    "StreamsGroupHeartbeatRequest",
    "StreamsGroupHeartbeatResponse",
];

/// Records that begin with a version of their own, which the oracle goes by.
const VERSION_INSIDE: [&str; 2] = ["LeaderChangeMessage", "VotersRecord"];

const fn oracle<M: Message + Decodable + Encodable>(name: &'static str) -> Oracle {
    Oracle { name, first: M::VERSIONS.min, last: M::VERSIONS.max, echo: echo::<M> }
}

fn echo<M: Decodable + Encodable>(mut bytes: Bytes, version: i16) -> Result<Bytes, String> {
    let value = M::decode(&mut bytes, version).map_err(|error| format!("decode: {error:#}"))?;
    let mut encoded = BytesMut::new();
    value.encode(&mut encoded, version).map_err(|error| format!("encode: {error:#}"))?;
    match bytes.is_empty() {
        true => Ok(encoded.freeze()),
        false => Err(format!("{} bytes left over", bytes.len())),
    }
}

#[test]
fn the_oracle_and_we_write_the_same_bytes() {
    let mut dice = Dice::new(2);
    let schema = schema::all();
    let mut versions_compared = 0;
    let mut differences = Vec::new();
    for oracle in ORACLES {
        let ours = Exercise::find(oracle.name).expect(oracle.name);
        let definition = schema.iter().find(|d| d.message.name == oracle.name).unwrap();
        for version in ours.versions().filter(|v| (oracle.first..=oracle.last).contains(v)) {
            versions_compared += 1;
            for _ in 0..SAMPLES {
                let mut sample = sample::sample(&definition.message, version, &mut dice);
                if VERSION_INSIDE.contains(&oracle.name) {
                    sample[..2].copy_from_slice(&version.to_be_bytes());
                }
                let mine = ours.echo(Bytes::from(sample), version).unwrap();
                let theirs = (oracle.echo)(mine.clone(), version);
                let name = oracle.name;
                if theirs.as_ref() != Ok(&mine) {
                    differences.push(format!("{name} v{version}: {theirs:?} != {mine:?}"));
                }
            }
        }
    }
    assert_eq!(differences, Vec::<String>::new());
    assert!(versions_compared > 400, "only {versions_compared} versions were compared");
}

#[test]
fn every_message_has_an_oracle_unless_it_is_known_to_have_none() {
    for definition in schema::all().iter().filter(|d| d.room == "messages") {
        let name = definition.message.name.as_str();
        let has_oracle = ORACLES.iter().any(|oracle| oracle.name == name);
        assert_eq!(has_oracle, !UNKNOWN_TO_THE_ORACLE.contains(&name), "{name}");
    }
}

#[test]
fn header_versions_are_those_of_the_oracle() {
    for key in ApiKey::ALL {
        let Ok(theirs) = theirs::ApiKey::try_from(key.as_i16()) else { continue };
        for version in key.versions() {
            let request = theirs.request_header_version(version);
            let response = theirs.response_header_version(version);
            assert_eq!(key.request_header_version(version), request, "{key} v{version}");
            assert_eq!(key.response_header_version(version), response, "{key} v{version}");
        }
    }
}
