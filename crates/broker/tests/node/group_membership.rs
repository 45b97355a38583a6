//! Members of a classic group, over the wire and through virtual time.

use bytes::Bytes;
use protocol::Str;
use protocol::messages::join_group_request::JoinGroupRequestProtocol;
use protocol::messages::leave_group_request::MemberIdentity;
use protocol::messages::sync_group_request::SyncGroupRequestAssignment;
use protocol::messages::{
    HeartbeatRequest, JoinGroupRequest, JoinGroupResponse, LeaveGroupRequest, SyncGroupRequest,
    SyncGroupResponse,
};
use types::ErrorCode;

use crate::harness::{Broker, Client};
use crate::shorthand::error;

const SESSION_MS: i32 = 10_000;
const REBALANCE_MS: i32 = 60_000;
/// `group.initial.rebalance.delay.ms` of the brokers here.
const DELAY_MS: u64 = 3_000;

fn join(member_id: &str) -> JoinGroupRequest {
    let protocol =
        JoinGroupRequestProtocol { name: "range".into(), metadata: Bytes::from_static(b"topics") };
    JoinGroupRequest {
        group_id: "g".into(),
        session_timeout_ms: SESSION_MS,
        rebalance_timeout_ms: REBALANCE_MS,
        member_id: member_id.into(),
        protocol_type: "consumer".into(),
        protocols: vec![protocol],
        ..JoinGroupRequest::default()
    }
}

/// A member with a connection for what waits.
struct Member {
    client: Client,
    id: Str,
    generation: i32,
}

impl Member {
    /// Asks for an id, and with it sends the join that waits.
    fn joining(broker: &Broker) -> Member {
        let told = broker.call(9, &join(""));
        assert_eq!(error(told.error_code), ErrorCode::MemberIdRequired);
        let mut member = Member { client: broker.client(), id: told.member_id, generation: -1 };
        member.rejoin();
        member
    }

    fn rejoin(&mut self) {
        self.client.send(9, &join(&self.id));
    }

    fn joined(&mut self) -> JoinGroupResponse {
        let joined = self.client.answer::<JoinGroupRequest>();
        assert_eq!(error(joined.error_code), ErrorCode::None);
        assert_eq!(joined.member_id, self.id);
        self.generation = joined.generation_id;
        joined
    }

    fn sync(&mut self, assignments: &[(&Str, &'static str)]) {
        let assignment = |(id, part): &(&Str, &'static str)| SyncGroupRequestAssignment {
            member_id: (*id).clone(),
            assignment: Bytes::from_static(part.as_bytes()),
        };
        let request = SyncGroupRequest {
            group_id: "g".into(),
            generation_id: self.generation,
            member_id: self.id.clone(),
            protocol_type: Some("consumer".into()),
            protocol_name: Some("range".into()),
            assignments: assignments.iter().map(assignment).collect(),
            ..SyncGroupRequest::default()
        };
        self.client.send(5, &request);
    }

    fn assigned(&mut self) -> Bytes {
        let answer: SyncGroupResponse = self.client.answer::<SyncGroupRequest>();
        assert_eq!(error(answer.error_code), ErrorCode::None);
        answer.assignment
    }

    fn heartbeat(&self, broker: &Broker) -> ErrorCode {
        let request = HeartbeatRequest {
            group_id: "g".into(),
            generation_id: self.generation,
            member_id: self.id.clone(),
            ..HeartbeatRequest::default()
        };
        error(broker.call(4, &request).error_code)
    }

    fn reconnect(&mut self, broker: &Broker) {
        self.client = broker.client();
    }
}

fn broker() -> Broker {
    let broker = Broker::start();
    broker.create_offsets_topic();
    broker
}

/// A stable group of one.
fn alone(broker: &Broker) -> Member {
    let mut member = Member::joining(broker);
    broker.pass_ms(DELAY_MS);
    member.joined();
    let id = member.id.clone();
    member.sync(&[(&id, "everything")]);
    assert_eq!(&member.assigned()[..], b"everything");
    member
}

/// A stable group of two, the leader first.
fn pair(broker: &Broker) -> (Member, Member) {
    let (mut a, mut b) = (Member::joining(broker), Member::joining(broker));
    broker.pass_ms(2 * DELAY_MS);
    let leads = a.joined().leader == a.id;
    b.joined();
    let (mut leader, mut other) = if leads { (a, b) } else { (b, a) };
    other.sync(&[]);
    assert_eq!(other.client.frame(), None, "only the leader knows who gets what");
    let (leader_id, other_id) = (leader.id.clone(), other.id.clone());
    leader.sync(&[(&leader_id, "first half"), (&other_id, "second half")]);
    assert_eq!(&leader.assigned()[..], b"first half");
    assert_eq!(&other.assigned()[..], b"second half");
    (leader, other)
}

#[test]
fn the_first_join_waits_for_the_initial_rebalance_delay() {
    let broker = broker();
    let mut member = Member::joining(&broker);
    broker.pass_ms(DELAY_MS - 1);
    assert_eq!(member.client.frame(), None);
    broker.pass_ms(1);
    let joined = member.joined();
    assert_eq!((joined.generation_id, &joined.leader), (1, &member.id));
    assert_eq!(joined.protocol_name.as_deref(), Some("range"));
    assert_eq!(joined.members.len(), 1);
    assert_eq!(&joined.members[0].metadata[..], b"topics");
    assert!(!joined.skip_assignment);
}

#[test]
fn members_that_join_during_the_delay_share_one_generation() {
    let broker = broker();
    let (mut a, mut b) = (Member::joining(&broker), Member::joining(&broker));
    broker.pass_ms(2 * DELAY_MS);
    let (first, second) = (a.joined(), b.joined());
    assert_eq!((first.generation_id, second.generation_id), (1, 1));
    assert_eq!(first.leader, second.leader);
    let known = [&first, &second].map(|joined| joined.members.len());
    assert!(known == [2, 0] || known == [0, 2], "the leader alone hears of the members: {known:?}");
}

#[test]
fn a_member_that_comes_later_makes_the_others_rejoin_at_their_next_heartbeat() {
    let broker = broker();
    let mut first = alone(&broker);
    assert_eq!(first.heartbeat(&broker), ErrorCode::None);
    let mut second = Member::joining(&broker);
    assert_eq!(first.heartbeat(&broker), ErrorCode::RebalanceInProgress);
    first.rejoin();
    let (first, second) = (first.joined(), second.joined());
    assert_eq!((first.generation_id, second.generation_id), (2, 2), "no delay this time");
}

#[test]
fn a_silent_member_is_dropped_after_its_session_timeout_and_not_before() {
    let broker = broker();
    let (leader, other) = pair(&broker);
    for _ in 0..4 {
        broker.pass_ms(SESSION_MS as u64 / 5);
        assert_eq!(leader.heartbeat(&broker), ErrorCode::None, "the silent one has time left");
    }
    broker.pass_ms(SESSION_MS as u64 / 5 + 1);
    assert_eq!(leader.heartbeat(&broker), ErrorCode::RebalanceInProgress);
    assert_eq!(other.heartbeat(&broker), ErrorCode::UnknownMemberId);
}

#[test]
fn a_member_that_does_not_rejoin_is_out_when_the_rebalance_timeout_is_over() {
    let broker = broker();
    let (mut leader, other) = pair(&broker);
    leader.rejoin();
    let mut waited = 0;
    // The other one is alive; it just does not rejoin.
    while leader.client.frame().is_none() {
        assert_eq!(other.heartbeat(&broker), ErrorCode::RebalanceInProgress);
        broker.pass_ms(1_000);
        waited += 1_000;
        assert!(waited <= REBALANCE_MS, "{waited}");
    }
    assert!(waited >= REBALANCE_MS - 1_000, "{waited}");
    assert_eq!(other.heartbeat(&broker), ErrorCode::UnknownMemberId);
}

#[test]
fn a_generation_goes_on_after_the_coordinator_was_killed() {
    let mut broker = broker();
    let (leader, other) = pair(&broker);
    for stop in [Broker::kill_and_restart, Broker::restart] {
        stop(&mut broker);
        assert_eq!(leader.heartbeat(&broker), ErrorCode::None);
        assert_eq!(other.heartbeat(&broker), ErrorCode::None);
    }
    // And the session goes on counting.
    for _ in 0..3 {
        broker.pass_ms(SESSION_MS as u64 / 2);
        leader.heartbeat(&broker);
    }
    assert_eq!(other.heartbeat(&broker), ErrorCode::UnknownMemberId);
    assert_eq!(leader.heartbeat(&broker), ErrorCode::RebalanceInProgress);
}

#[test]
fn a_sync_after_a_restart_gets_the_same_assignment() {
    let mut broker = broker();
    let (mut leader, mut other) = pair(&broker);
    broker.kill_and_restart();
    leader.reconnect(&broker);
    other.reconnect(&broker);
    leader.sync(&[]);
    other.sync(&[]);
    assert_eq!(&leader.assigned()[..], b"first half");
    assert_eq!(&other.assigned()[..], b"second half");
}

#[test]
fn a_restart_in_the_middle_of_a_rebalance_ends_in_a_new_generation() {
    let mut broker = broker();
    let (mut leader, mut other) = pair(&broker);
    leader.rejoin();
    assert_eq!(leader.client.frame(), None);
    broker.kill_and_restart();
    leader.reconnect(&broker);
    other.reconnect(&broker);
    leader.rejoin();
    other.rejoin();
    broker.pass_ms(REBALANCE_MS as u64);
    assert_eq!((leader.joined().generation_id, other.joined().generation_id), (2, 2));
}

#[test]
fn strangers_and_stale_generations_are_refused() {
    let broker = broker();
    let mut member = alone(&broker);
    member.generation = 7;
    assert_eq!(member.heartbeat(&broker), ErrorCode::IllegalGeneration);
    member.id = "stranger".into();
    assert_eq!(member.heartbeat(&broker), ErrorCode::UnknownMemberId);
    let joined = broker.call(9, &join("stranger"));
    assert_eq!(error(joined.error_code), ErrorCode::UnknownMemberId);
    let other_type = JoinGroupRequest { protocol_type: "connect".into(), ..join("") };
    let code = error(broker.call(3, &other_type).error_code);
    assert_eq!(code, ErrorCode::InconsistentGroupProtocol);
    let short = JoinGroupRequest { session_timeout_ms: 1, ..join("") };
    assert_eq!(error(broker.call(9, &short).error_code), ErrorCode::InvalidSessionTimeout);
    let nameless = JoinGroupRequest { group_id: "".into(), ..join("") };
    assert_eq!(error(broker.call(9, &nameless).error_code), ErrorCode::InvalidGroupId);
}

#[test]
fn members_join_and_sync_at_every_version() {
    let broker = broker();
    for version in 0..=9_i16 {
        let group: Str = format!("g{version}").into();
        let mut request = JoinGroupRequest { group_id: group.clone(), ..join("") };
        if version >= 4 {
            let told = broker.call(version, &request);
            assert_eq!(error(told.error_code), ErrorCode::MemberIdRequired, "v{version}");
            request.member_id = told.member_id;
        }
        let joined = broker.call_waiting(version, &request);
        assert_eq!((joined.error_code, joined.generation_id), (0, 1), "v{version}");
        assert_eq!(joined.leader, joined.member_id);
        assert_eq!(joined.members.len(), 1);
        assert_eq!(joined.protocol_name.as_deref(), Some("range"));
        let wants_type = version >= 7;
        assert_eq!(joined.protocol_type.as_deref(), wants_type.then_some("consumer"));

        let sync_version = version.min(5);
        let with_protocol = |name: &str| (sync_version >= 5).then(|| name.into());
        let sync = SyncGroupRequest {
            group_id: group.clone(),
            generation_id: 1,
            member_id: joined.member_id.clone(),
            protocol_type: with_protocol("consumer"),
            protocol_name: with_protocol("range"),
            assignments: vec![SyncGroupRequestAssignment {
                member_id: joined.member_id.clone(),
                assignment: Bytes::from_static(b"all"),
            }],
            ..SyncGroupRequest::default()
        };
        let synced = broker.call(sync_version, &sync);
        assert_eq!((synced.error_code, &synced.assignment[..]), (0, &b"all"[..]), "v{version}");
        let heartbeat = HeartbeatRequest {
            group_id: group.clone(),
            generation_id: 1,
            member_id: joined.member_id.clone(),
            ..HeartbeatRequest::default()
        };
        assert_eq!(broker.call(version.min(4), &heartbeat).error_code, 0);
        leave_at(&broker, version.min(5), &group, &joined.member_id);
    }
}

/// Leaves twice: the second time there is nobody to leave.
fn leave_at(broker: &Broker, version: i16, group: &Str, member_id: &Str) {
    let identity = MemberIdentity { member_id: member_id.clone(), ..MemberIdentity::default() };
    let request = match version {
        0..=2 => LeaveGroupRequest { member_id: member_id.clone(), ..Default::default() },
        _ => LeaveGroupRequest { members: vec![identity], ..Default::default() },
    };
    let request = LeaveGroupRequest { group_id: group.clone(), ..request };
    let left = broker.call(version, &request);
    assert_eq!(left.error_code, 0, "v{version}");
    let again = broker.call(version, &request);
    if version >= 3 {
        assert_eq!((left.members[0].error_code, &left.members[0].member_id), (0, member_id));
        assert_eq!(again.error_code, 0, "the error is the member's own");
        assert_eq!(error(again.members[0].error_code), ErrorCode::UnknownMemberId);
    } else {
        assert!(left.members.is_empty());
        assert_eq!(error(again.error_code), ErrorCode::UnknownMemberId);
    }
}

#[test]
fn when_a_member_leaves_the_others_hear_of_it_at_once() {
    let broker = broker();
    let (leader, other) = pair(&broker);
    leave_at(&broker, 5, &"g".into(), &leader.id);
    assert_eq!(other.heartbeat(&broker), ErrorCode::RebalanceInProgress);
}

#[test]
fn a_static_member_comes_back_without_a_rebalance_and_its_ghost_is_fenced() {
    let broker = broker();
    let named = JoinGroupRequest { group_instance_id: Some("i".into()), ..join("") };
    let joined = broker.call_waiting(9, &named);
    assert_eq!((joined.error_code, joined.generation_id), (0, 1), "no round trip for an id");
    let sync = |member_id: &Str| SyncGroupRequest {
        group_id: "g".into(),
        generation_id: 1,
        member_id: member_id.clone(),
        group_instance_id: Some("i".into()),
        protocol_type: Some("consumer".into()),
        protocol_name: Some("range".into()),
        assignments: vec![SyncGroupRequestAssignment {
            member_id: member_id.clone(),
            assignment: Bytes::from_static(b"mine"),
        }],
    };
    assert_eq!(broker.call(5, &sync(&joined.member_id)).error_code, 0);

    let back = broker.call(9, &named);
    assert_eq!((back.error_code, back.generation_id), (0, 1), "the generation is the same");
    assert_ne!(back.member_id, joined.member_id);
    assert!(back.skip_assignment);
    let synced = broker.call(5, &SyncGroupRequest { assignments: vec![], ..sync(&back.member_id) });
    assert_eq!(&synced.assignment[..], b"mine");
    let ghost = HeartbeatRequest {
        group_id: "g".into(),
        generation_id: 1,
        member_id: joined.member_id,
        group_instance_id: Some("i".into()),
    };
    assert_eq!(error(broker.call(4, &ghost).error_code), ErrorCode::FencedInstanceId);
}

#[test]
fn without_the_offsets_topic_nobody_coordinates() {
    let broker = Broker::start();
    assert_eq!(error(broker.call(9, &join("")).error_code), ErrorCode::NotCoordinator);
}
