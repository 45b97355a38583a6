//! One group cannot take more than its bounds, whatever it is asked.

use bytes::Bytes;
use coordinator::{CoordinatorShard, LoadedRecord, Now, ReplyToken};
use group_coordinator::limits;
use group_coordinator::{
    ClientInfo, GroupCoordinatorConfig, GroupCoordinatorShard, JoinFacts, OffsetCommitFacts, Reply,
};
use protocol::Str;
use protocol::messages::join_group_request::JoinGroupRequestProtocol;
use protocol::messages::{JoinGroupRequest, OffsetCommitRequest};
use types::{ErrorCode, MonoTime, Offset, ProducerId, Uuid, WallTime};

const NOW: Now = Now { mono: MonoTime(0), wall: WallTime(1_700_000_000_000) };

struct Host {
    shard: GroupCoordinatorShard,
    asked: u64,
}

impl Host {
    fn new() -> Host {
        let mut shard = GroupCoordinatorShard::new(GroupCoordinatorConfig::default());
        shard.finish_loading(NOW);
        Host { shard, asked: 0 }
    }

    /// The error of the answer; none while the request is parked.
    fn join(&mut self, request: &JoinGroupRequest, member_id_required: bool) -> ErrorCode {
        self.asked += 1;
        let mut random = [0; 16];
        random[..8].copy_from_slice(&self.asked.to_be_bytes());
        let facts = JoinFacts { member_id_required, skip_assignment: true, fresh_id: Uuid(random) };
        let client = ClientInfo { client_id: "client", host: "/10.0.0.1" };
        let token = ReplyToken(self.asked);
        let decision = self.shard.join_group(NOW, client, facts, request, token);
        for record in &decision.records {
            let (offset, transaction) = (Offset(0), ProducerId::NONE);
            self.shard.replay(LoadedRecord { offset, transaction, record });
        }
        match decision.replies.as_slice() {
            [] => ErrorCode::None,
            [(_, Reply::JoinGroup(join))] => {
                ErrorCode::from_code(join.error_code).expect("an error of Kafka's")
            }
            replies => panic!("{replies:?}"),
        }
    }
}

fn request(protocols: Vec<JoinGroupRequestProtocol>) -> JoinGroupRequest {
    JoinGroupRequest {
        group_id: Str::from("g"),
        session_timeout_ms: 10_000,
        rebalance_timeout_ms: 10_000,
        protocol_type: Str::from("consumer"),
        protocols,
        ..JoinGroupRequest::default()
    }
}

fn protocol(name: &str, bytes: usize) -> JoinGroupRequestProtocol {
    JoinGroupRequestProtocol { name: Str::from(name), metadata: Bytes::from(vec![0; bytes]) }
}

#[test]
fn a_member_offers_a_bounded_number_of_strategies() {
    let offer = |count: usize| (0..count).map(|at| protocol(&at.to_string(), 0)).collect();
    let mut host = Host::new();
    let most = limits::PROTOCOLS_PER_MEMBER_MAX;
    assert_eq!(host.join(&request(offer(most + 1)), false), ErrorCode::InvalidRequest);
    assert_eq!(host.join(&request(offer(most)), false), ErrorCode::None);
}

#[test]
fn a_member_holds_a_bounded_number_of_bytes() {
    let mut host = Host::new();
    let most = limits::SUBSCRIPTION_BYTES_PER_MEMBER_MAX;
    let too_much = request(vec![protocol("range", most), protocol("sticky", 1)]);
    assert_eq!(host.join(&too_much, false), ErrorCode::InvalidRequest);
    assert_eq!(host.join(&request(vec![protocol("range", most)]), false), ErrorCode::None);
}

#[test]
fn a_group_holds_a_bounded_number_of_bytes() {
    let mut host = Host::new();
    let bytes = limits::SUBSCRIPTION_BYTES_PER_MEMBER_MAX;
    let large = request(vec![protocol("range", bytes)]);
    for _ in 0..limits::SUBSCRIPTION_BYTES_PER_GROUP_MAX / bytes {
        assert_eq!(host.join(&large, false), ErrorCode::None);
    }
    assert_eq!(host.join(&large, false), ErrorCode::GroupMaxSizeReached);
    host.shard.check();
}

#[test]
fn ids_that_were_handed_out_are_bounded() {
    let mut host = Host::new();
    let small = request(vec![protocol("range", 0)]);
    for _ in 0..limits::PENDING_MEMBERS_PER_GROUP_MAX {
        assert_eq!(host.join(&small, true), ErrorCode::MemberIdRequired);
    }
    assert_eq!(host.join(&small, true), ErrorCode::GroupMaxSizeReached);
}

#[test]
fn names_that_no_record_can_hold_are_refused() {
    let mut host = Host::new();
    let long = "x".repeat(limits::NAME_BYTES_MAX + 1);
    let strategy = request(vec![protocol(&long, 0)]);
    assert_eq!(host.join(&strategy, false), ErrorCode::InvalidRequest);
    let instance = JoinGroupRequest {
        group_instance_id: Some(Str::from(long.as_str())),
        ..request(vec![protocol("range", 0)])
    };
    assert_eq!(host.join(&instance, false), ErrorCode::InvalidRequest);
    let group = JoinGroupRequest { group_id: Str::from(long.as_str()), ..request(Vec::new()) };
    assert_eq!(host.join(&group, false), ErrorCode::InvalidGroupId);

    let commit = OffsetCommitRequest { group_id: Str::from(long.as_str()), ..Default::default() };
    let facts = OffsetCommitFacts { group_id_not_found: true };
    let decision = host.shard.commit_offsets(NOW, facts, &commit, ReplyToken(0));
    assert!(decision.records.is_empty());
}
