//! Committed offsets and the groups that hold them, as clients and tools see them at each version.

use bytes::{BufMut, Bytes, BytesMut};
use env::Env;
use protocol::messages::join_group_request::JoinGroupRequestProtocol;
use protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use protocol::messages::offset_delete_request::{
    OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use protocol::messages::offset_fetch_request::{
    OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics,
};
use protocol::messages::{
    DeleteGroupsRequest, DescribeGroupsRequest, JoinGroupRequest, ListGroupsRequest,
    OffsetCommitRequest, OffsetDeleteRequest, OffsetFetchRequest, SyncGroupRequest,
};
use types::{ErrorCode, Uuid};

use crate::harness::Broker;
use crate::shorthand::error;

/// A broker with the topic `t` of two partitions, and its id.
fn broker() -> (Broker, Uuid) {
    let broker = Broker::start();
    broker.create_offsets_topic();
    let id = broker.create_topic("t", 2, &[]);
    (broker, id)
}

fn commit_request(group: &str, offset: i64) -> OffsetCommitRequest {
    let partition = OffsetCommitRequestPartition {
        partition_index: 0,
        committed_offset: offset,
        committed_metadata: Some("note".into()),
        ..OffsetCommitRequestPartition::default()
    };
    let topic = OffsetCommitRequestTopic {
        name: "t".into(),
        partitions: vec![partition],
        ..OffsetCommitRequestTopic::default()
    };
    OffsetCommitRequest { group_id: group.into(), topics: vec![topic], ..Default::default() }
}

/// Commits partition 0 of `t` without being a member.
fn commit(broker: &Broker, group: &str, offset: i64) -> ErrorCode {
    let answer = broker.call(9, &commit_request(group, offset));
    error(answer.topics[0].partitions[0].error_code)
}

fn fetch_request(version: i16, group: &str, id: Uuid) -> OffsetFetchRequest {
    let partition_indexes = vec![0, 1];
    if version < 8 {
        let topic = OffsetFetchRequestTopic { name: "t".into(), partition_indexes };
        let topics = Some(vec![topic]);
        return OffsetFetchRequest { group_id: group.into(), topics, ..Default::default() };
    }
    let (name, topic_id) = if version >= 10 { ("", id) } else { ("t", Uuid::ZERO) };
    let topic = OffsetFetchRequestTopics { name: name.into(), topic_id, partition_indexes };
    let group = OffsetFetchRequestGroup {
        group_id: group.into(),
        topics: Some(vec![topic]),
        ..OffsetFetchRequestGroup::default()
    };
    OffsetFetchRequest { groups: vec![group], ..Default::default() }
}

/// (offset, metadata, error) of the partitions asked for.
fn committed(
    broker: &Broker,
    version: i16,
    group: &str,
    id: Uuid,
) -> Vec<(i64, String, ErrorCode)> {
    let mut answer = broker.call(version, &fetch_request(version, group, id));
    assert_eq!(answer.error_code, 0);
    let metadata = |text: &Option<protocol::Str>| text.as_deref().unwrap_or_default().to_owned();
    if version < 8 {
        let partitions = &answer.topics[0].partitions;
        let facts = partitions
            .iter()
            .map(|p| (p.committed_offset, metadata(&p.metadata), error(p.error_code)));
        return facts.collect();
    }
    let group = answer.groups.remove(0);
    assert_eq!(group.error_code, 0);
    let topic = &group.topics[0];
    assert_eq!(topic.topic_id, if version >= 10 { id } else { Uuid::ZERO });
    let partitions = topic.partitions.iter();
    let facts =
        partitions.map(|p| (p.committed_offset, metadata(&p.metadata), error(p.error_code)));
    facts.collect()
}

#[test]
fn offsets_are_committed_at_every_version() {
    let (broker, id) = broker();
    for version in 2..=10_i16 {
        let mut request = commit_request("g", i64::from(version));
        if version >= 10 {
            request.topics[0].name = "".into();
            request.topics[0].topic_id = id;
        }
        let answer = broker.call(version, &request);
        let partition = &answer.topics[0].partitions[0];
        assert_eq!((partition.partition_index, partition.error_code), (0, 0), "v{version}");
        assert_eq!(committed(&broker, 9, "g", id)[0].0, i64::from(version));
    }
}

/// Kafka tells OffsetFetch another error: old consumers do not know the first. Source: Kafka
/// `GroupCoordinatorService.handleOffsetFetchException`.
#[test]
fn a_commit_that_is_not_acknowledged_in_time_is_answered_so_and_kept_all_the_same() {
    let broker = Broker::with(&["offsets.commit.timeout.ms=700"]);
    broker.create_offsets_topic();
    let id = broker.create_topic("t", 2, &[]);
    assert_eq!(commit(&broker, "g", 5), ErrorCode::None);
    let (mut committer, mut reader) = (broker.client(), broker.client());
    committer.send_without_commits(9, &commit_request("g", 7));
    reader.send_without_commits(9, &fetch_request(9, "g", id));
    broker.pass_ms_without_commits(699);
    assert!(committer.try_answer::<OffsetCommitRequest>().is_none());
    assert!(reader.try_answer::<OffsetFetchRequest>().is_none(), "it may yet be 7");
    broker.pass_ms_without_commits(1);
    let told = committer.answer::<OffsetCommitRequest>();
    let told = error(told.topics[0].partitions[0].error_code);
    assert_eq!(told, ErrorCode::CoordinatorNotAvailable);
    let told = reader.answer::<OffsetFetchRequest>();
    assert_eq!(error(told.groups[0].error_code), ErrorCode::NotCoordinator);

    broker.env.background().run_due();
    assert!(committer.frame().is_none() && reader.frame().is_none(), "answered once");
    let kept = broker.call(9, &fetch_request(9, "g", id));
    assert_eq!(kept.groups[0].topics[0].partitions[0].committed_offset, 7);
}

#[test]
fn a_committed_offset_is_told_at_every_version_and_never_forgotten_by_a_restart() {
    let (mut broker, id) = broker();
    assert_eq!(commit(&broker, "g", 42), ErrorCode::None);
    let expected = [(42, "note".to_owned(), ErrorCode::None), (-1, String::new(), ErrorCode::None)];
    for stop in [None, Some(Broker::kill_and_restart as fn(&mut Broker)), Some(Broker::restart)] {
        if let Some(stop) = stop {
            stop(&mut broker);
        }
        for version in 1..=10 {
            assert_eq!(committed(&broker, version, "g", id), expected, "v{version}");
        }
    }
}

#[test]
fn all_offsets_of_a_group_are_asked_for_with_null_from_version_2_on() {
    let (broker, id) = broker();
    commit(&broker, "g", 42);
    for version in 2..=7 {
        let request =
            OffsetFetchRequest { group_id: "g".into(), topics: None, ..Default::default() };
        let topics = broker.call(version, &request).topics;
        assert_eq!((topics.len(), topics[0].partitions.len()), (1, 1), "v{version}");
        assert_eq!(topics[0].partitions[0].committed_offset, 42);
    }
    for version in 8..=10 {
        let all = |group: &str| OffsetFetchRequestGroup {
            group_id: group.into(),
            topics: None,
            ..OffsetFetchRequestGroup::default()
        };
        let request =
            OffsetFetchRequest { groups: vec![all("g"), all("nobody")], ..Default::default() };
        let groups = broker.call(version, &request).groups;
        assert_eq!((&*groups[0].group_id, &*groups[1].group_id), ("g", "nobody"));
        assert_eq!(groups[0].topics[0].partitions[0].committed_offset, 42, "v{version}");
        assert_eq!(groups[0].topics[0].topic_id, if version >= 10 { id } else { Uuid::ZERO });
        assert_eq!((groups[1].error_code, groups[1].topics.len()), (0, 0));
    }
}

#[test]
fn a_group_nobody_knows_has_no_offsets_and_no_error() {
    let (broker, id) = broker();
    for version in 1..=10 {
        let told = committed(&broker, version, "nobody", id);
        assert_eq!(told, vec![(-1, String::new(), ErrorCode::None); 2], "v{version}");
    }
}

#[test]
fn commits_for_what_does_not_exist_are_refused_and_the_rest_is_kept() {
    let (broker, id) = broker();
    let mut request = commit_request("g", 5);
    let mut elsewhere = request.topics[0].clone();
    elsewhere.name = "nowhere".into();
    request.topics.push(elsewhere);
    let mut beyond = request.topics[0].clone();
    beyond.partitions[0].partition_index = 9;
    request.topics.push(beyond);
    let answer = broker.call(9, &request);
    let mut codes = Vec::new();
    for topic in &answer.topics {
        for partition in &topic.partitions {
            codes.push((&*topic.name, partition.partition_index, error(partition.error_code)));
        }
    }
    codes.sort_unstable();
    let unknown = ErrorCode::UnknownTopicOrPartition;
    assert_eq!(codes, [("nowhere", 0, unknown), ("t", 0, ErrorCode::None), ("t", 9, unknown)]);
    assert_eq!(committed(&broker, 9, "g", id)[0].0, 5);
}

#[test]
fn a_commit_of_a_stranger_to_a_group_with_members_is_refused() {
    let (broker, _) = broker();
    stable_group(&broker, "g");
    let stranger = OffsetCommitRequest {
        generation_id_or_member_epoch: 1,
        member_id: "stranger".into(),
        ..commit_request("g", 5)
    };
    let answer = broker.call(9, &stranger);
    assert_eq!(error(answer.topics[0].partitions[0].error_code), ErrorCode::UnknownMemberId);
    let code = commit(&broker, "g", 5);
    assert_eq!(code, ErrorCode::UnknownMemberId, "no commits past the members");
}

#[test]
fn a_member_commits_in_its_generation_only() {
    let (mut broker, id) = broker();
    let member_id = stable_group(&broker, "g");
    let as_member = |generation| OffsetCommitRequest {
        generation_id_or_member_epoch: generation,
        member_id: member_id.clone(),
        ..commit_request("g", 7)
    };
    let code = |broker: &Broker, generation| {
        error(broker.call(9, &as_member(generation)).topics[0].partitions[0].error_code)
    };
    assert_eq!(code(&broker, 1), ErrorCode::None);
    assert_eq!(code(&broker, 2), ErrorCode::IllegalGeneration);
    broker.kill_and_restart();
    assert_eq!(code(&broker, 1), ErrorCode::None, "the member is known after a restart");
    assert_eq!(committed(&broker, 9, "g", id)[0].0, 7);
}

#[test]
fn offsets_of_a_deleted_topic_are_gone_for_the_next_topic_of_its_name() {
    let (mut broker, _) = broker();
    commit(&broker, "g", 42);
    broker.delete_topic("t");
    let id = broker.create_topic("t", 2, &[]);
    assert_eq!(committed(&broker, 9, "g", id)[0].0, -1);
    broker.kill_and_restart();
    assert_eq!(committed(&broker, 10, "g", id)[0].0, -1);
}

fn delete_offset(broker: &Broker, group: &str) -> (ErrorCode, Option<ErrorCode>) {
    let partition = OffsetDeleteRequestPartition { partition_index: 0 };
    let topic = OffsetDeleteRequestTopic { name: "t".into(), partitions: vec![partition] };
    let request = OffsetDeleteRequest { group_id: group.into(), topics: vec![topic] };
    let answer = broker.call(0, &request);
    let of_partition = answer.topics.first().map(|topic| error(topic.partitions[0].error_code));
    (error(answer.error_code), of_partition)
}

#[test]
fn an_offset_is_deleted_unless_the_group_is_subscribed_to_its_topic() {
    let (mut broker, id) = broker();
    commit(&broker, "g", 42);
    assert_eq!(delete_offset(&broker, "g"), (ErrorCode::None, Some(ErrorCode::None)));
    assert_eq!(committed(&broker, 9, "g", id)[0].0, -1);
    broker.kill_and_restart();
    assert_eq!(committed(&broker, 9, "g", id)[0].0, -1);
    assert_eq!(delete_offset(&broker, "nobody"), (ErrorCode::GroupIdNotFound, None));
    stable_group(&broker, "subscribed");
    let subscribed = ErrorCode::GroupSubscribedToTopic;
    assert_eq!(delete_offset(&broker, "subscribed"), (ErrorCode::None, Some(subscribed)));
}

#[test]
fn an_empty_group_is_deleted_with_its_offsets_and_one_with_members_is_not() {
    let (mut broker, id) = broker();
    for version in 0..=2 {
        commit(&broker, "g", 42);
        stable_group(&broker, &format!("busy{version}"));
        let names = ["g".into(), "nobody".into(), format!("busy{version}").into()];
        let request = DeleteGroupsRequest { groups_names: names.to_vec() };
        let results = broker.call(version, &request).results;
        let codes: Vec<_> = results.iter().map(|result| error(result.error_code)).collect();
        let expected = [ErrorCode::None, ErrorCode::GroupIdNotFound, ErrorCode::NonEmptyGroup];
        assert_eq!(codes, expected, "v{version}");
        assert_eq!(committed(&broker, 9, "g", id)[0].0, -1);
    }
    broker.kill_and_restart();
    assert_eq!(committed(&broker, 9, "g", id)[0].0, -1);
}

#[test]
fn groups_are_listed_with_state_and_type_and_filtered_by_them() {
    let (broker, _) = broker();
    commit(&broker, "empty", 1);
    stable_group(&broker, "stable");
    for version in 0..=5 {
        let answer = broker.call(version, &ListGroupsRequest::default());
        let mut groups: Vec<_> = answer
            .groups
            .iter()
            .map(|g| (&*g.group_id, &*g.protocol_type, &*g.group_state, &*g.group_type))
            .collect();
        groups.sort_unstable();
        let state = |name| if version >= 4 { name } else { "" };
        let kind = if version >= 5 { "classic" } else { "" };
        let expected =
            [("empty", "", state("Empty"), kind), ("stable", "consumer", state("Stable"), kind)];
        assert_eq!(groups, expected, "v{version}");
    }
    let listed = |states: &[&str], types: &[&str]| {
        let strings = |names: &[&str]| names.iter().map(|name| (*name).into()).collect();
        let request =
            ListGroupsRequest { states_filter: strings(states), types_filter: strings(types) };
        broker.call(5, &request).groups.len()
    };
    assert_eq!((listed(&["Stable"], &[]), listed(&["stable", "empty"], &[])), (1, 2));
    assert_eq!((listed(&[], &["classic"]), listed(&[], &["consumer"])), (2, 0));
}

#[test]
fn groups_are_described_with_their_members() {
    let (broker, _) = broker();
    let member_id = stable_group(&broker, "g");
    for version in 0..=6 {
        let request = DescribeGroupsRequest {
            groups: vec!["g".into(), "nobody".into()],
            ..Default::default()
        };
        let groups = broker.call(version, &request).groups;
        let group = &groups[0];
        assert_eq!((group.error_code, &*group.group_state), (0, "Stable"), "v{version}");
        assert_eq!((&*group.protocol_type, &*group.protocol_data), ("consumer", "range"));
        let member = &group.members[0];
        assert_eq!(member.member_id, member_id);
        assert_eq!((&*member.client_id, &*member.client_host), ("test", "/127.0.0.1"));
        assert_eq!(member.member_metadata, subscription());
        let unknown = &groups[1];
        assert_eq!(&*unknown.group_state, "Dead");
        let expected = if version >= 6 { ErrorCode::GroupIdNotFound } else { ErrorCode::None };
        assert_eq!(error(unknown.error_code), expected, "v{version}");
        assert_eq!(unknown.error_message.is_some(), version >= 6);
    }
}

#[test]
fn offsets_expire_a_week_after_the_last_commit_or_member() {
    const DAY_MS: u64 = 24 * 60 * 60 * 1000;
    let (mut broker, id) = broker();
    commit(&broker, "by-hand", 42);
    let member_id = stable_group(&broker, "with-members");
    let with_member = OffsetCommitRequest {
        generation_id_or_member_epoch: 1,
        member_id,
        ..commit_request("with-members", 42)
    };
    assert_eq!(broker.call(9, &with_member).topics[0].partitions[0].error_code, 0);
    // Its session ends after a minute; then the group is empty.
    broker.pass_ms(6 * DAY_MS);
    assert_eq!(committed(&broker, 9, "by-hand", id)[0].0, 42);
    broker.kill_and_restart();
    assert_eq!(committed(&broker, 9, "with-members", id)[0].0, 42);
    broker.pass_ms(DAY_MS + DAY_MS / 24);
    assert_eq!(committed(&broker, 9, "by-hand", id)[0].0, -1);
    assert_eq!(committed(&broker, 9, "with-members", id)[0].0, -1);
    broker.kill_and_restart();
    assert_eq!(committed(&broker, 9, "by-hand", id)[0].0, -1, "nothing comes back");
    assert!(broker.call(5, &ListGroupsRequest::default()).groups.is_empty());
}

#[test]
fn when_the_offsets_topic_is_deleted_its_groups_have_no_coordinator() {
    let (broker, _) = broker();
    commit(&broker, "g", 42);
    let mut client = broker.client();
    let join = JoinGroupRequest {
        group_id: "g".into(),
        session_timeout_ms: 60_000,
        protocol_type: "consumer".into(),
        protocols: vec![JoinGroupRequestProtocol { name: "range".into(), ..Default::default() }],
        ..JoinGroupRequest::default()
    };
    client.send(3, &join);
    assert_eq!(client.frame(), None, "the join waits");
    broker.delete_topic("__consumer_offsets");
    let answer = client.answer::<JoinGroupRequest>();
    assert_eq!(error(answer.error_code), ErrorCode::NotCoordinator);
    assert_eq!(commit(&broker, "g", 43), ErrorCode::NotCoordinator);
    broker.create_offsets_topic();
    assert_eq!(commit(&broker, "g", 43), ErrorCode::None);
}

/// A consumer's subscription to `t`, as clients write it.
fn subscription() -> Bytes {
    let mut bytes = BytesMut::new();
    bytes.put_i16(0);
    bytes.put_i32(1);
    bytes.put_i16(1);
    bytes.put_slice(b"t");
    bytes.put_i32(-1);
    bytes.freeze()
}

/// A group of one that reads `t`; returns its member.
fn stable_group(broker: &Broker, group: &str) -> protocol::Str {
    let protocol = JoinGroupRequestProtocol { name: "range".into(), metadata: subscription() };
    let join = JoinGroupRequest {
        group_id: group.into(),
        session_timeout_ms: 60_000,
        rebalance_timeout_ms: 60_000,
        protocol_type: "consumer".into(),
        protocols: vec![protocol],
        ..JoinGroupRequest::default()
    };
    let joined = broker.call_waiting(3, &join);
    assert_eq!((joined.error_code, joined.generation_id), (0, 1));
    let sync = SyncGroupRequest {
        group_id: group.into(),
        generation_id: 1,
        member_id: joined.member_id.clone(),
        ..SyncGroupRequest::default()
    };
    assert_eq!(broker.call(3, &sync).error_code, 0);
    joined.member_id
}
