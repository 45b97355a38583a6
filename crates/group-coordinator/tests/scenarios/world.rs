//! A shard with its log, its clock and its clients.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use coordinator::{
    CoordinatorRecord, CoordinatorShard, Decision, Hosted, LoadedRecord, Now, Replayed, ReplyToken,
};
use group_coordinator::state::CommittedOffset;
use group_coordinator::{
    ClientInfo, DescribeFacts, GroupCoordinatorConfig, GroupCoordinatorShard, JoinFacts,
    ListFilter, OffsetCommitFacts, Reply, records, refusal,
};
use protocol::Str;
use protocol::messages::join_group_request::JoinGroupRequestProtocol;
use protocol::messages::leave_group_request::MemberIdentity;
use protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use protocol::messages::offset_delete_request::{
    OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use protocol::messages::offset_fetch_request::{OffsetFetchRequestGroup, OffsetFetchRequestTopics};
use protocol::messages::sync_group_request::SyncGroupRequestAssignment;
use protocol::messages::{
    HeartbeatRequest, JoinGroupRequest, LeaveGroupRequest, OffsetCommitRequest,
    OffsetDeleteRequest, SyncGroupRequest,
};
use types::{ErrorCode, LeaderEpoch, MonoTime, Offset, ProducerId, TopicPartition, Uuid, WallTime};

use crate::command::{Command, duration, list, partition};
use crate::render::{self, Names};

pub struct World {
    config: GroupCoordinatorConfig,
    shard: Hosted<GroupCoordinatorShard>,
    now: Now,
    log: Vec<(ProducerId, CoordinatorRecord)>,
    next_append_fails: Option<ErrorCode>,
    tokens: u64,
    /// Who waits for which token.
    waiting: BTreeMap<ReplyToken, String>,
    ids_made: u8,
    /// Member id by the client's name, and the other way round.
    member_ids: BTreeMap<String, String>,
    names: Names,
    /// The generation that a client last heard of.
    generations: BTreeMap<String, i32>,
    out: Vec<String>,
}

impl World {
    pub fn new() -> World {
        let config = GroupCoordinatorConfig::default();
        let mut world = World {
            shard: Hosted::loading(GroupCoordinatorShard::new(config.clone())),
            config,
            // A date, so that retention has a past to count from.
            now: Now { mono: MonoTime(0), wall: WallTime(1_700_000_000_000) },
            log: Vec::new(),
            next_append_fails: None,
            tokens: 0,
            waiting: BTreeMap::new(),
            ids_made: 0,
            member_ids: BTreeMap::new(),
            names: Names::new(),
            generations: BTreeMap::new(),
            out: Vec::new(),
        };
        world.shard.finish_loading(world.now);
        world
    }

    pub fn event(&mut self, event: &str) -> Vec<String> {
        let command = Command::parse(event);
        match command.verb {
            "config" => self.configure(&command),
            "join" => self.join(&command),
            "sync" => self.sync(&command),
            "heartbeat" => self.heartbeat(&command),
            "leave" => self.leave(&command),
            "commit" => self.commit(&command),
            "fetch" => self.fetch(&command),
            "delete-offsets" => self.delete_offsets(&command),
            "delete-groups" => self.delete_groups(&command),
            "describe" => self.describe(&command),
            "list" => self.list(&command),
            "delete-partitions" => self.delete_partitions(&command),
            "tick" => self.tick(duration(command.thing(0))),
            "forget" => self.forget(&command),
            "fail-next-append" => self.fail_next_append(&command),
            "restart" => self.restart(),
            "load" => self.load(),
            "unload" => self.unload(),
            "in-log" => self.write_foreign(&command),
            "transaction" => self.transaction(&command),
            other => panic!("no event {other}"),
        }
        if let Ok(shard) = self.shard.active_ref() {
            shard.check();
        }
        std::mem::take(&mut self.out)
    }

    fn configure(&mut self, command: &Command<'_>) {
        for (key, value) in command.options() {
            let ms = || i32::try_from(duration(value).as_millis()).expect("milliseconds");
            match key {
                "group.max.size" => self.config.group_size_max = value.parse().expect("a size"),
                "group.initial.rebalance.delay" => self.config.initial_rebalance_delay_ms = ms(),
                "offsets.retention" => self.config.offsets_retention = duration(value),
                "offset.metadata.max" => {
                    self.config.offset_metadata_units_max = value.parse().expect("a size");
                }
                other => panic!("no config {other}"),
            }
        }
        if let Ok(shard) = self.shard.active() {
            shard.set_config(self.config.clone());
        }
        self.out.push("done".to_owned());
    }

    fn token(&mut self, who: &str) -> ReplyToken {
        self.tokens += 1;
        self.waiting.insert(ReplyToken(self.tokens), who.to_owned());
        ReplyToken(self.tokens)
    }

    /// Asks the shard as a host does; a shard that may not answer is answered for.
    fn ask(
        &mut self,
        who: &str,
        refused: impl FnOnce(ErrorCode) -> Reply,
        ask: impl FnOnce(&mut GroupCoordinatorShard, Now, ReplyToken) -> Decision<Reply>,
    ) {
        let token = self.token(who);
        let now = self.now;
        let decision = match self.shard.active() {
            Ok(shard) => ask(shard, now, token),
            Err(error) => Decision::reply(token, refused(error)),
        };
        self.settle(decision);
        if self.waiting.contains_key(&token) {
            self.out.push("parked".to_owned());
        }
    }

    /// What a host does with a decision.
    fn settle(&mut self, decision: Decision<Reply>) {
        let error = self.next_append_fails.take_if(|_| !decision.records.is_empty());
        let now = self.now;
        if let Some(error) = error {
            self.out.push(format!("log refuses: {error}"));
            let shard = self.shard.active().expect("only an active shard decides");
            let taken_back = shard.handle_append_failed(now, decision, error);
            return self.settle(taken_back);
        }
        for record in decision.records {
            self.learn_names(&record);
            self.out.push(render::record(&self.names, &record));
            self.append(ProducerId::NONE, record);
        }
        let answer = |(token, reply)| {
            (self.waiting.remove(&token).expect("a token is answered once"), reply)
        };
        let answers: Vec<(String, Reply)> = decision.replies.into_iter().map(answer).collect();
        answers.iter().for_each(|(who, reply)| self.learn(who, reply));
        for (who, reply) in answers {
            let text = render::reply(&self.names, &reply);
            self.out.push(format!("{who}: {text}"));
        }
    }

    fn append(&mut self, transaction: ProducerId, record: CoordinatorRecord) {
        let offset = Offset(self.log.len() as i64);
        let loaded = LoadedRecord { offset, transaction, record: &record };
        let replayed = match self.shard.active() {
            Ok(shard) => shard.replay(loaded),
            Err(_) => self.shard.load(loaded),
        };
        match replayed {
            Replayed::Applied => {}
            other => self.out.push(format!("{other:?}")),
        }
        self.log.push((transaction, record));
    }

    fn learn(&mut self, who: &str, reply: &Reply) {
        let Reply::JoinGroup(join) = reply else { return };
        if join.error_code == 0 || join.error_code == ErrorCode::MemberIdRequired.code() {
            self.member_ids.insert(who.to_owned(), join.member_id.to_string());
            self.names.insert(join.member_id.to_string(), who.to_owned());
        }
        if join.error_code == 0 {
            self.generations.insert(who.to_owned(), join.generation_id);
        }
    }

    /// The log may name a member before its client hears its id.
    fn learn_names(&mut self, record: &CoordinatorRecord) {
        let Ok(records::GroupRecord::Metadata { value: Some(value), .. }) = records::decode(record)
        else {
            return;
        };
        for (id, member) in &value.members {
            self.names.entry(id.to_string()).or_insert_with(|| member.client_id.to_string());
        }
    }

    fn member_id(&self, name: &str) -> String {
        match name {
            "-" => String::new(),
            name => self.member_ids.get(name).cloned().unwrap_or_else(|| name.to_owned()),
        }
    }

    fn join(&mut self, command: &Command<'_>) {
        let (group, who) = (command.thing(0), command.thing(1));
        self.ids_made += 1;
        let facts = JoinFacts {
            member_id_required: !command.flag("v3"),
            skip_assignment: !command.flag("v3") && !command.flag("v8"),
            fresh_id: Uuid([self.ids_made; 16]),
        };
        let protocols = list(command.option("protocols").unwrap_or("range:t"));
        let request = JoinGroupRequest {
            group_id: Str::from(if group == "-" { "" } else { group }),
            session_timeout_ms: command.millis("session", 10_000),
            rebalance_timeout_ms: command.millis("rebalance", 60_000),
            member_id: match command.option("id") {
                Some(id) => Str::from(id),
                None => Str::from(self.member_ids.get(who).map_or("", |id| id)),
            },
            group_instance_id: command.option("instance").map(Str::from),
            protocol_type: Str::from(command.option("type").unwrap_or("consumer")),
            protocols: protocols.into_iter().map(protocol).collect(),
            ..JoinGroupRequest::default()
        };
        let host = format!("/{who}");
        let client = ClientInfo { client_id: who, host: &host };
        self.ask(
            who,
            |error| refusal::join_group(&request, error).into(),
            |shard, now, token| shard.join_group(now, client, facts, &request, token),
        );
    }

    fn sync(&mut self, command: &Command<'_>) {
        let (group, who) = (command.thing(0), command.thing(1));
        let assignments = list(command.option("assign").unwrap_or("")).into_iter().map(|one| {
            let (member, assignment) = one.split_once(':').expect("member:assignment");
            SyncGroupRequestAssignment {
                member_id: Str::from(self.member_id(member)),
                assignment: Bytes::copy_from_slice(assignment.as_bytes()),
            }
        });
        let request = SyncGroupRequest {
            group_id: Str::from(if group == "-" { "" } else { group }),
            generation_id: self.generation(command, who),
            member_id: Str::from(self.member_id(who)),
            group_instance_id: command.option("instance").map(Str::from),
            protocol_type: command.option("type").map(Str::from),
            protocol_name: command.option("protocol").map(Str::from),
            assignments: assignments.collect(),
        };
        self.ask(
            who,
            |error| refusal::sync_group(error).into(),
            |shard, now, token| shard.sync_group(now, &request, token),
        );
    }

    fn generation(&self, command: &Command<'_>, who: &str) -> i32 {
        let heard = self.generations.get(who).copied().unwrap_or(-1);
        command.number("gen").unwrap_or(heard)
    }

    fn heartbeat(&mut self, command: &Command<'_>) {
        let (group, who) = (command.thing(0), command.thing(1));
        let request = HeartbeatRequest {
            group_id: Str::from(if group == "-" { "" } else { group }),
            generation_id: self.generation(command, who),
            member_id: Str::from(self.member_id(who)),
            group_instance_id: command.option("instance").map(Str::from),
        };
        self.ask(
            who,
            |error| refusal::heartbeat(error).into(),
            |shard, now, token| shard.heartbeat(now, &request, token),
        );
    }

    /// `leave g a b`, or `leave g instance=i` for an administrator's removal.
    fn leave(&mut self, command: &Command<'_>) {
        let group = command.thing(0);
        let mut members: Vec<MemberIdentity> = Vec::new();
        for who in command.things.iter().skip(1) {
            members.push(MemberIdentity {
                member_id: Str::from(self.member_id(who)),
                group_instance_id: command.option("as-instance").map(Str::from),
                ..MemberIdentity::default()
            });
        }
        for instance in list(command.option("instance").unwrap_or("")) {
            let group_instance_id = Some(Str::from(instance));
            members.push(MemberIdentity { group_instance_id, ..MemberIdentity::default() });
        }
        let request = LeaveGroupRequest {
            group_id: Str::from(if group == "-" { "" } else { group }),
            members,
            ..LeaveGroupRequest::default()
        };
        let who = command.things.get(1).copied().unwrap_or("admin").to_owned();
        self.ask(
            &who,
            |error| refusal::leave_group(error).into(),
            |shard, now, token| shard.leave_group(now, &request, token),
        );
    }

    /// `commit g a t-0=5@3/note`: offset, leader epoch, metadata. `-` is in no group.
    fn commit(&mut self, command: &Command<'_>) {
        let (group, who) = (command.thing(0), command.thing(1));
        let mut topics: Vec<OffsetCommitRequestTopic> = Vec::new();
        let offsets = command.options().filter(|(key, _)| key.contains('-') && *key != "topic-id");
        for (key, value) in offsets {
            let (topic, index) = partition(key);
            let (rest, note) = value.split_once('/').unwrap_or((value, ""));
            let (offset, epoch) = rest.split_once('@').unwrap_or((rest, "-1"));
            let committed = OffsetCommitRequestPartition {
                partition_index: index,
                committed_offset: offset.parse().expect("an offset"),
                committed_leader_epoch: epoch.parse().expect("an epoch"),
                committed_metadata: Some(Str::from(note)),
            };
            match topics.iter_mut().find(|there| &*there.name == topic) {
                Some(there) => there.partitions.push(committed),
                None => topics.push(OffsetCommitRequestTopic {
                    name: Str::from(topic),
                    topic_id: topic_id(command),
                    partitions: vec![committed],
                }),
            }
        }
        let retention = command.option("retention").map(|text| duration(text).as_millis() as i64);
        let request = OffsetCommitRequest {
            group_id: Str::from(group),
            generation_id_or_member_epoch: self.generation(command, who),
            member_id: Str::from(self.member_id(who)),
            group_instance_id: command.option("instance").map(Str::from),
            retention_time_ms: retention.unwrap_or(-1),
            topics,
        };
        let facts = OffsetCommitFacts { group_id_not_found: !command.flag("v8") };
        self.ask(
            who,
            |error| refusal::commit_offsets(&request, error).into(),
            |shard, now, token| shard.commit_offsets(now, facts, &request, token),
        );
    }

    /// `fetch g t-0 t-1`, or `fetch g` for all; `stable` refuses what a transaction may change.
    fn fetch(&mut self, command: &Command<'_>) {
        let wanted: Vec<_> = command.things.iter().skip(1).filter(|w| **w != "stable").collect();
        let topic = |word: &&&str| {
            let (topic, index) = partition(word);
            OffsetFetchRequestTopics {
                name: Str::from(topic),
                topic_id: topic_id(command),
                partition_indexes: vec![index],
            }
        };
        let request = OffsetFetchRequestGroup {
            group_id: Str::from(command.thing(0)),
            topics: (!wanted.is_empty()).then(|| wanted.iter().map(topic).collect()),
            ..OffsetFetchRequestGroup::default()
        };
        let fetched = match self.shard.active_ref() {
            Ok(shard) => shard.fetch_offsets(&request, command.flag("stable")),
            Err(error) => refusal::fetch_offsets(&request, error),
        };
        self.out.push(render::fetched(&fetched));
    }

    fn delete_offsets(&mut self, command: &Command<'_>) {
        let group = command.thing(0);
        let topics = command.things.iter().skip(1).map(|word| {
            let (topic, partition_index) = partition(word);
            OffsetDeleteRequestTopic {
                name: Str::from(topic),
                partitions: vec![OffsetDeleteRequestPartition { partition_index }],
            }
        });
        let request = OffsetDeleteRequest {
            group_id: Str::from(if group == "-" { "" } else { group }),
            topics: topics.collect(),
        };
        self.ask(
            "admin",
            |error| refusal::delete_offsets(error).into(),
            |shard, now, token| shard.delete_offsets(now, &request, token),
        );
    }

    fn delete_groups(&mut self, command: &Command<'_>) {
        let ids: Vec<Str> = command.things.iter().map(|id| Str::from(*id)).collect();
        self.ask(
            "admin",
            |error| refusal::delete_groups(&ids, error).into(),
            |shard, now, token| shard.delete_groups(now, &ids, token),
        );
    }

    fn describe(&mut self, command: &Command<'_>) {
        let ids = command.things.iter().filter(|word| **word != "v5");
        let ids: Vec<Str> = ids.map(|id| Str::from(*id)).collect();
        let facts = DescribeFacts { unknown_is_error: !command.flag("v5") };
        let groups = match self.shard.active_ref() {
            Ok(shard) => shard.describe_groups(&ids, facts),
            Err(error) => refusal::describe_groups(&ids, error),
        };
        let names = &self.names;
        self.out.extend(groups.iter().map(|group| render::described(names, group)));
    }

    fn list(&mut self, command: &Command<'_>) {
        let words = |key| -> Vec<Str> {
            list(command.option(key).unwrap_or("")).into_iter().map(Str::from).collect()
        };
        let filter = ListFilter::new(&words("states"), &words("types"));
        let groups = match self.shard.active_ref() {
            Ok(shard) => shard.list_groups(&filter),
            Err(error) => return self.out.push(error.to_string()),
        };
        let line = groups.iter().map(|group| {
            let kind = match &*group.protocol_type {
                "" => "-",
                kind => kind,
            };
            let (id, state) = (&*group.group_id, &*group.group_state);
            format!("{id} {state} {} {kind}", &*group.group_type)
        });
        self.out.extend(line);
    }

    fn delete_partitions(&mut self, command: &Command<'_>) {
        let gone = command.things.iter().map(|word| {
            let (topic, index) = partition(word);
            TopicPartition::new(topic, index)
        });
        let gone: Vec<_> = gone.collect();
        let now = self.now;
        let shard = self.shard.active().expect("an active shard");
        let decision = shard.partitions_deleted(now, &gone);
        self.settle(decision);
    }

    /// Lets time pass; what falls due happens at its moment.
    fn tick(&mut self, span: Duration) {
        let end = self.now.mono.plus(span);
        let start = self.now.mono;
        while let Ok(shard) = self.shard.active_ref()
            && let Some(due) = shard.poll_timeout()
            && due <= end
        {
            self.advance_to(due.max(self.now.mono));
            let now = self.now;
            let said = self.out.len();
            let decision = self.shard.active().expect("an active shard").handle_timeout(now);
            self.settle(decision);
            let after = self.now.mono.since(start);
            for line in self.out.iter_mut().skip(said) {
                *line = format!("+{} {line}", readable(after));
            }
        }
        self.advance_to(end);
    }

    fn advance_to(&mut self, to: MonoTime) {
        let passed = to.since(self.now.mono);
        self.now.mono = to;
        self.now.wall.0 += passed.as_millis() as i64;
    }

    /// The client is another process from now on: it has no member id.
    fn forget(&mut self, command: &Command<'_>) {
        self.member_ids.remove(command.thing(0));
        self.generations.remove(command.thing(0));
        self.out.push("done".to_owned());
    }

    fn fail_next_append(&mut self, command: &Command<'_>) {
        let named = ErrorCode::ALL.iter().find(|error| error.name() == command.thing(0));
        self.next_append_fails = Some(*named.expect("an error name"));
        self.out.push("done".to_owned());
    }

    fn unload(&mut self) {
        let decision = self.shard.close();
        assert!(decision.records.is_empty(), "an unloaded shard writes nothing");
        self.settle(decision);
    }

    /// The process is replaced: soft state is gone, the log is not. `load` ends the loading.
    fn restart(&mut self) {
        self.waiting.clear();
        self.shard = Hosted::loading(GroupCoordinatorShard::new(self.config.clone()));
        for (at, (transaction, record)) in self.log.iter().enumerate() {
            let offset = Offset(at as i64);
            let replayed =
                self.shard.load(LoadedRecord { offset, transaction: *transaction, record });
            if replayed != Replayed::Applied {
                self.out.push(format!("{replayed:?}"));
            }
        }
        self.out.push("loading".to_owned());
    }

    fn load(&mut self) {
        self.shard.finish_loading(self.now);
        self.out.push("active".to_owned());
    }

    /// A record of another broker: `in-log kind=42` of a newer one, `in-log g t-0=5 producer=7` of
    /// an open transaction.
    fn write_foreign(&mut self, command: &Command<'_>) {
        if let Some(kind) = command.number("kind") {
            let key = Bytes::copy_from_slice(&(kind as i16).to_be_bytes());
            return self.append(ProducerId::NONE, CoordinatorRecord { key, value: None });
        }
        let producer = command.number("producer").map_or(-1, i64::from);
        for (key, value) in command.options().filter(|(key, _)| key.contains('-')) {
            let (topic, index) = partition(key);
            let committed = CommittedOffset {
                offset: Offset(value.parse().expect("an offset")),
                leader_epoch: LeaderEpoch::NONE,
                metadata: Arc::from(""),
                committed_at: self.now.wall,
                expires_at: None,
                topic_id: Uuid::ZERO,
                record_offset: Offset::NONE,
            };
            let record = records::offset_commit(command.thing(0), topic, index, &committed);
            self.append(ProducerId(producer), record);
        }
        self.out.push("done".to_owned());
    }

    fn transaction(&mut self, command: &Command<'_>) {
        let producer = ProducerId(command.number("producer").expect("a producer").into());
        let committed = command.flag("commit");
        match self.shard.active() {
            Ok(shard) => shard.replay_end_transaction(producer, committed),
            Err(_) => self.shard.load_end_transaction(producer, committed),
        }
        self.out.push("done".to_owned());
    }
}

/// `topic-id=7`: the topic that is meant by the name.
fn topic_id(command: &Command<'_>) -> Uuid {
    command.number("topic-id").map_or(Uuid::ZERO, |id| Uuid([id as u8; 16]))
}

/// `range:t1+t2` offers strategy `range` with a consumer's subscription to `t1` and `t2`.
fn protocol(text: &str) -> JoinGroupRequestProtocol {
    let (name, topics) = text.split_once(':').unwrap_or((text, ""));
    let topics: Vec<&str> = topics.split('+').filter(|topic| !topic.is_empty()).collect();
    let mut metadata = 1i16.to_be_bytes().to_vec();
    metadata.extend((topics.len() as i32).to_be_bytes());
    for topic in topics {
        metadata.extend((topic.len() as i16).to_be_bytes());
        metadata.extend(topic.as_bytes());
    }
    metadata.extend((-1i32).to_be_bytes());
    JoinGroupRequestProtocol { name: Str::from(name), metadata: Bytes::from(metadata) }
}

fn readable(span: Duration) -> String {
    let ms = span.as_millis();
    match (ms / 60_000, ms % 60_000) {
        (0, ms) if ms % 1_000 != 0 => format!("{ms}ms"),
        (0, ms) => format!("{}s", ms / 1_000),
        (minutes, ms) => format!("{minutes}m{}s", ms / 1_000),
    }
}
