//! A host with its log and a few clients, which checks what it sees.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use coordinator::{
    CoordinatorRecord, CoordinatorShard, Decision, LoadedRecord, Now, Replayed, ReplyToken,
};
use group_coordinator::records::GroupRecord;
use group_coordinator::{
    ClientInfo, DescribeFacts, GroupCoordinatorConfig, GroupCoordinatorShard, JoinFacts,
    OffsetCommitFacts, Reply, records,
};
use protocol::Str;
use protocol::messages::describe_groups_response::DescribedGroup;
use protocol::messages::join_group_request::JoinGroupRequestProtocol;
use protocol::messages::leave_group_request::MemberIdentity;
use protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use protocol::messages::offset_delete_request::{
    OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use protocol::messages::offset_fetch_request::OffsetFetchRequestGroup;
use protocol::messages::sync_group_request::SyncGroupRequestAssignment;
use protocol::messages::{
    HeartbeatRequest, JoinGroupRequest, LeaveGroupRequest, OffsetCommitRequest,
    OffsetDeleteRequest, SyncGroupRequest,
};
use types::{ErrorCode, MonoTime, Offset, ProducerId, TopicPartition, Uuid, WallTime};

const TOPIC: &str = "t";
const SESSION_MS: i32 = 10_000;
const REBALANCE_MS: i32 = 25_000;
/// No request is parked for longer: the round's end, or the generation's.
const PARKED_AT_MOST: Duration = Duration::from_millis(REBALANCE_MS as u64);

#[derive(Clone, Copy, Debug)]
pub enum JoinAs {
    V3,
    V8,
    V9,
}

#[derive(Clone, Debug, Default)]
struct Client {
    /// Counts its processes: what one asked, the next does not hear.
    process: u64,
    member_id: Str,
    instance_id: Option<Str>,
    generation: i32,
    /// Whom it assigns, if it leads.
    members: Vec<Str>,
}

/// What a request in flight was.
#[derive(Clone, Debug)]
enum Asked {
    Join,
    /// The instance, or the member: who owns what is assigned.
    Sync {
        group: String,
        generation: i32,
        owner: String,
    },
    Commit {
        group: String,
        partition: i32,
        offset: i64,
    },
    DeleteOffset {
        group: String,
        partition: i32,
    },
    DeleteGroup {
        group: String,
    },
    Other,
}

pub struct Host {
    config: GroupCoordinatorConfig,
    shard: GroupCoordinatorShard,
    log: Vec<CoordinatorRecord>,
    now: Now,
    fail_next: bool,
    tokens: u64,
    in_flight: BTreeMap<ReplyToken, (usize, u64, Asked, MonoTime)>,
    clients: Vec<Client>,
    /// What a map of committed offsets would hold.
    offsets: BTreeMap<(String, i32), i64>,
    owners: BTreeMap<(String, i32, String), String>,
    /// Generations count anew after a restart: the round that was lost had one.
    lives: u32,
}

fn group_of(client: usize) -> String {
    group(client % super::GROUPS)
}

fn group(index: usize) -> String {
    format!("group-{index}")
}

impl Host {
    pub fn new(size_max: usize, initial_rebalance_delay_ms: i32) -> Host {
        let config = GroupCoordinatorConfig {
            group_size_max: size_max,
            initial_rebalance_delay_ms,
            ..GroupCoordinatorConfig::default()
        };
        let now = Now { mono: MonoTime(0), wall: WallTime(1_700_000_000_000) };
        let mut shard = GroupCoordinatorShard::new(config.clone());
        shard.finish_loading(now);
        Host {
            config,
            shard,
            log: Vec::new(),
            now,
            fail_next: false,
            tokens: 0,
            in_flight: BTreeMap::new(),
            clients: vec![Client::default(); super::CLIENTS],
            offsets: BTreeMap::new(),
            owners: BTreeMap::new(),
            lives: 0,
        }
    }

    fn ask(&mut self, client: usize, asked: Asked) -> ReplyToken {
        self.tokens += 1;
        let token = ReplyToken(self.tokens);
        let process = self.clients[client].process;
        self.in_flight.insert(token, (client, process, asked, self.now.mono));
        token
    }

    fn settle(&mut self, decision: Decision<Reply>) {
        if self.fail_next && !decision.records.is_empty() {
            self.fail_next = false;
            let error = ErrorCode::NotEnoughReplicas;
            let taken_back = self.shard.handle_append_failed(self.now, decision, error);
            assert!(taken_back.records.is_empty(), "taking back writes nothing");
            return self.settle(taken_back);
        }
        for record in decision.records {
            let offset = Offset(self.log.len() as i64);
            let loaded = LoadedRecord { offset, transaction: ProducerId::NONE, record: &record };
            assert_eq!(self.shard.replay(loaded), Replayed::Applied);
            if let Ok(GroupRecord::Metadata { group, value: None }) = records::decode(&record) {
                // A group of that name counts its generations from the beginning.
                self.owners.retain(|(of, _, _), _| **of != *group);
            }
            self.log.push(record);
        }
        for (token, reply) in decision.replies {
            let asked = self.in_flight.remove(&token);
            let (client, process, asked, since) = asked.expect("a token is answered once");
            let waited = self.now.mono.since(since);
            assert!(waited <= PARKED_AT_MOST, "{asked:?} waited {waited:?}");
            if matches!(asked, Asked::Join) && self.clients[client].process != process {
                continue;
            }
            self.hear(client, asked, reply);
        }
    }

    fn hear(&mut self, client: usize, asked: Asked, reply: Reply) {
        match (asked, reply) {
            (Asked::Join, Reply::JoinGroup(join)) => {
                let is_new_id = join.error_code == ErrorCode::MemberIdRequired.code();
                let client = &mut self.clients[client];
                if join.error_code == 0 || is_new_id {
                    client.member_id = join.member_id;
                    client.generation = join.generation_id;
                    client.members = join.members.into_iter().map(|m| m.member_id).collect();
                }
            }
            (Asked::Sync { group, generation, owner }, Reply::SyncGroup(sync)) => {
                if sync.error_code == 0 && !sync.assignment.is_empty() {
                    let partition = String::from_utf8(sync.assignment.to_vec()).expect("text");
                    let key = (group, generation, format!("{}/{partition}", self.lives));
                    let holder = self.owners.entry(key).or_insert_with(|| owner.clone());
                    assert_eq!(*holder, owner, "a partition has one owner in a generation");
                }
            }
            (Asked::Commit { group, partition, offset }, Reply::OffsetCommit(commit)) => {
                if commit.topics[0].partitions[0].error_code == 0 {
                    self.offsets.insert((group, partition), offset);
                }
            }
            (Asked::DeleteOffset { group, partition }, Reply::OffsetDelete(delete)) => {
                if delete.error_code == 0 && delete.topics[0].partitions[0].error_code == 0 {
                    self.offsets.remove(&(group, partition));
                }
            }
            (Asked::DeleteGroup { group }, Reply::DeleteGroups(results)) => {
                if results[0].error_code == 0 {
                    self.offsets.retain(|(of, _), _| *of != group);
                }
            }
            (Asked::Other, Reply::Heartbeat(_) | Reply::LeaveGroup(_)) => {}
            (asked, reply) => panic!("{asked:?} was answered with {reply:?}"),
        }
    }

    pub fn join(&mut self, client: usize, as_static: bool, how: JoinAs, protocols: usize) {
        let token = self.ask(client, Asked::Join);
        let mut random = [0; 16];
        random[..8].copy_from_slice(&self.tokens.to_be_bytes());
        let facts = JoinFacts {
            member_id_required: !matches!(how, JoinAs::V3),
            skip_assignment: matches!(how, JoinAs::V9),
            fresh_id: Uuid(random),
        };
        let asking = &mut self.clients[client];
        if asking.member_id.is_empty() {
            // Two processes with the same instance are a mistake that users make.
            asking.instance_id = as_static.then(|| Str::from(format!("instance-{}", client / 3)));
        }
        let request = JoinGroupRequest {
            group_id: Str::from(group_of(client)),
            session_timeout_ms: SESSION_MS,
            rebalance_timeout_ms: REBALANCE_MS,
            member_id: asking.member_id.clone(),
            group_instance_id: asking.instance_id.clone(),
            protocol_type: Str::from("consumer"),
            protocols: offered(protocols),
            ..JoinGroupRequest::default()
        };
        let client = ClientInfo { client_id: "client", host: "/10.0.0.1" };
        let decision = self.shard.join_group(self.now, client, facts, &request, token);
        self.settle(decision);
    }

    pub fn sync(&mut self, client: usize) {
        let asking = self.clients[client].clone();
        let token = self.ask(
            client,
            Asked::Sync {
                group: group_of(client),
                generation: asking.generation,
                owner: owner(&asking.member_id),
            },
        );
        let assign = |(at, member_id): (usize, &Str)| SyncGroupRequestAssignment {
            member_id: member_id.clone(),
            assignment: Bytes::from(format!("partition-{at}")),
        };
        let request = SyncGroupRequest {
            group_id: Str::from(group_of(client)),
            generation_id: asking.generation,
            member_id: asking.member_id,
            group_instance_id: asking.instance_id,
            assignments: asking.members.iter().enumerate().map(assign).collect(),
            ..SyncGroupRequest::default()
        };
        let decision = self.shard.sync_group(self.now, &request, token);
        self.settle(decision);
    }

    pub fn heartbeat(&mut self, client: usize) {
        let token = self.ask(client, Asked::Other);
        let asking = &self.clients[client];
        let request = HeartbeatRequest {
            group_id: Str::from(group_of(client)),
            generation_id: asking.generation,
            member_id: asking.member_id.clone(),
            group_instance_id: asking.instance_id.clone(),
        };
        let decision = self.shard.heartbeat(self.now, &request, token);
        self.settle(decision);
    }

    pub fn leave(&mut self, client: usize) {
        let member_id = self.clients[client].member_id.clone();
        self.remove(client, MemberIdentity { member_id, ..MemberIdentity::default() });
    }

    pub fn remove_instance(&mut self, client: usize) {
        let group_instance_id = self.clients[client].instance_id.clone();
        self.remove(client, MemberIdentity { group_instance_id, ..MemberIdentity::default() });
    }

    fn remove(&mut self, client: usize, identity: MemberIdentity) {
        let token = self.ask(client, Asked::Other);
        let request = LeaveGroupRequest {
            group_id: Str::from(group_of(client)),
            members: vec![identity],
            ..LeaveGroupRequest::default()
        };
        let decision = self.shard.leave_group(self.now, &request, token);
        self.settle(decision);
    }

    pub fn commit(&mut self, client: usize, partition: i32, offset: i64) {
        let group = group_of(client);
        let token = self.ask(client, Asked::Commit { group: group.clone(), partition, offset });
        let asking = self.clients[client].clone();
        let request = OffsetCommitRequest {
            generation_id_or_member_epoch: asking.generation,
            member_id: asking.member_id.clone(),
            group_instance_id: asking.instance_id,
            ..commit_of(&group, partition, offset)
        };
        let before = self.describe(&group);
        let decision = self.commit_offsets(&request, token);
        if !decision.records.is_empty() && asking.generation >= 0 {
            let is_member = before.members.iter().any(|m| m.member_id == asking.member_id);
            assert!(is_member, "{} commits for {before:?}", &*asking.member_id);
            assert_ne!(&*before.group_state, "CompletingRebalance");
        }
        self.settle(decision);
    }

    pub fn commit_without_group(&mut self, index: usize, partition: i32, offset: i64) {
        let group = group(index);
        let token = self.ask(0, Asked::Commit { group: group.clone(), partition, offset });
        let before = self.describe(&group);
        let decision = self.commit_offsets(&commit_of(&group, partition, offset), token);
        if !decision.records.is_empty() {
            assert!(before.members.is_empty(), "an outsider commits for {before:?}");
        }
        self.settle(decision);
    }

    fn commit_offsets(
        &mut self,
        request: &OffsetCommitRequest,
        token: ReplyToken,
    ) -> Decision<Reply> {
        let facts = OffsetCommitFacts { group_id_not_found: true };
        self.shard.commit_offsets(self.now, facts, request, token)
    }

    pub fn delete_offset(&mut self, index: usize, partition: i32) {
        let group = group(index);
        let token = self.ask(0, Asked::DeleteOffset { group: group.clone(), partition });
        let request = OffsetDeleteRequest {
            group_id: Str::from(group),
            topics: vec![OffsetDeleteRequestTopic {
                name: Str::from(TOPIC),
                partitions: vec![OffsetDeleteRequestPartition { partition_index: partition }],
            }],
        };
        let decision = self.shard.delete_offsets(self.now, &request, token);
        self.settle(decision);
    }

    pub fn delete_group(&mut self, index: usize) {
        let token = self.ask(0, Asked::DeleteGroup { group: group(index) });
        let decision = self.shard.delete_groups(self.now, &[Str::from(group(index))], token);
        self.settle(decision);
    }

    pub fn delete_partition(&mut self, partition: i32) {
        let gone = [TopicPartition::new(TOPIC, partition)];
        let decision = self.shard.partitions_deleted(self.now, &gone);
        let fails = self.fail_next && !decision.records.is_empty();
        self.settle(decision);
        if !fails {
            self.offsets.retain(|(_, of), _| *of != partition);
        }
    }

    pub fn forget(&mut self, client: usize) {
        let process = self.clients[client].process + 1;
        self.clients[client] = Client { process, ..Client::default() };
    }

    pub fn fail_next_append(&mut self) {
        self.fail_next = true;
    }

    pub fn tick(&mut self, span: Duration) {
        let end = self.now.mono.plus(span);
        while let Some(due) = self.shard.poll_timeout()
            && due <= end
        {
            self.advance_to(due.max(self.now.mono));
            let decision = self.shard.handle_timeout(self.now);
            self.settle(decision);
        }
        self.advance_to(end);
    }

    fn advance_to(&mut self, to: MonoTime) {
        self.now.wall.0 += to.since(self.now.mono).as_millis() as i64;
        self.now.mono = to;
    }

    /// The process ends and another reads the log. Clients go on; what they asked is lost.
    pub fn restart(&mut self) {
        let decision = self.shard.unload();
        assert!(decision.records.is_empty(), "a shard that goes writes nothing");
        self.settle(decision);
        assert!(self.in_flight.is_empty(), "a shard that goes answers all");
        self.shard = self.reloaded();
        self.lives += 1;
    }

    fn reloaded(&self) -> GroupCoordinatorShard {
        let mut shard = GroupCoordinatorShard::new(self.config.clone());
        for (at, record) in self.log.iter().enumerate() {
            let offset = Offset(at as i64);
            let loaded = LoadedRecord { offset, transaction: ProducerId::NONE, record };
            assert_eq!(shard.replay(loaded), Replayed::Applied);
        }
        shard.finish_loading(self.now);
        shard
    }

    fn describe(&self, group: &str) -> DescribedGroup {
        let facts = DescribeFacts { unknown_is_error: true };
        self.shard.describe_groups(&[Str::from(group)], facts).remove(0)
    }

    pub fn check(&self) {
        self.shard.check();
        let reloaded = self.reloaded();
        assert_eq!(reloaded.state(), self.shard.state(), "the log tells another story");
        for index in 0..super::GROUPS {
            let described = self.describe(&group(index));
            if &*described.group_state == "Stable" {
                let facts = DescribeFacts { unknown_is_error: true };
                let mut after = reloaded.describe_groups(&[Str::from(group(index))], facts);
                let mut after = after.remove(0);
                if after.members.len() > self.config.group_size_max {
                    continue;
                }
                after.group_state = described.group_state.clone();
                assert_eq!(after, described, "a stable group survives a restart as it is");
            }
            self.check_offsets(&group(index));
        }
    }

    fn check_offsets(&self, group: &str) {
        let request = OffsetFetchRequestGroup { group_id: Str::from(group), ..Default::default() };
        let request = OffsetFetchRequestGroup { topics: None, ..request };
        let fetched = self.shard.fetch_offsets(&request, false);
        let fetched: BTreeMap<i32, i64> = fetched
            .topics
            .iter()
            .flat_map(|topic| &topic.partitions)
            .map(|partition| (partition.partition_index, partition.committed_offset))
            .collect();
        let model = self.offsets.iter().filter(|((of, _), _)| of == group);
        let model: BTreeMap<i32, i64> = model.map(|((_, at), offset)| (*at, *offset)).collect();
        assert_eq!(fetched, model, "offsets of {group}");
    }

    pub fn nobody_waits(&self) {
        assert!(self.in_flight.is_empty(), "{:?}", self.in_flight);
    }
}

/// Incarnations of a static member follow each other as one owner.
fn owner(member_id: &str) -> String {
    let instance = member_id.starts_with("instance-").then(|| member_id.get(..10)).flatten();
    instance.unwrap_or(member_id).to_owned()
}

fn commit_of(group: &str, partition: i32, offset: i64) -> OffsetCommitRequest {
    OffsetCommitRequest {
        group_id: Str::from(group),
        topics: vec![OffsetCommitRequestTopic {
            name: Str::from(TOPIC),
            partitions: vec![OffsetCommitRequestPartition {
                partition_index: partition,
                committed_offset: offset,
                ..OffsetCommitRequestPartition::default()
            }],
            ..OffsetCommitRequestTopic::default()
        }],
        ..OffsetCommitRequest::default()
    }
}

fn offered(choice: usize) -> Vec<JoinGroupRequestProtocol> {
    let names: &[&str] = match choice {
        0 => &["range", "sticky"],
        1 => &["sticky", "range"],
        2 => &["range"],
        _ => &["sticky", "sticky", "other"],
    };
    let subscription = b"\0\0\0\0\0\x01\0\x01u\xff\xff\xff\xff";
    let offer = |name: &&str| JoinGroupRequestProtocol {
        name: Str::from(*name),
        metadata: Bytes::from_static(subscription),
    };
    names.iter().map(offer).collect()
}
