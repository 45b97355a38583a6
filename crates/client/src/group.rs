//! Life in a group: join, be given partitions, stay, leave.
//!
//! The classic protocol with range assignment.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use protocol::Str;
use protocol::messages::join_group_request::JoinGroupRequestProtocol;
use protocol::messages::leave_group_request::MemberIdentity;
use protocol::messages::sync_group_request::SyncGroupRequestAssignment;
use protocol::messages::{
    HeartbeatRequest, JoinGroupRequest, JoinGroupResponse, LeaveGroupRequest, SyncGroupRequest,
};
use types::{ErrorCode, Offset};

use crate::commits::{Committed, Committer};
use crate::consumer::{Consumed, Reader, ReaderOptions, Reset};
use crate::error::ClientError;
use crate::metadata::TopicsWanted;
use crate::offsets::{OffsetAt, Place};
use crate::range::{Subscriber, assign_by_range};
use crate::routing::Client;
use crate::subscription::{
    read_assignment, read_subscription, write_assignment, write_subscription,
};

const PROTOCOL_TYPE: &str = "consumer";
const RANGE: &str = "range";

/// How a member behaves.
#[derive(Clone, Debug)]
pub struct GroupOptions {
    pub group: String,
    /// Set for a member that keeps its partitions over a restart. KIP-345.
    pub instance_id: Option<String>,
    pub topics: Vec<String>,
    pub session_timeout: Duration,
    pub rebalance_timeout: Duration,
    pub heartbeat_interval: Duration,
    /// Where a partition begins that the group has never committed.
    pub reset: Reset,
    pub reader: ReaderOptions,
    /// `None` means that only [`GroupConsumer::commit`] commits.
    pub commit_interval: Option<Duration>,
}

impl GroupOptions {
    /// Kafka's defaults of a Java consumer.
    pub fn new(group: &str, topics: Vec<String>) -> GroupOptions {
        GroupOptions {
            group: group.to_owned(),
            instance_id: None,
            topics,
            session_timeout: Duration::from_secs(45),
            rebalance_timeout: Duration::from_secs(300),
            heartbeat_interval: Duration::from_secs(3),
            reset: Reset::Latest,
            reader: ReaderOptions::default(),
            commit_interval: Some(Duration::from_secs(5)),
        }
    }
}

/// A member of a group that reads what the group gives it.
///
/// **Invariant:** only records that were [`mark`](Self::mark)ed are committed.
#[derive(Debug)]
pub struct GroupConsumer {
    options: GroupOptions,
    member_id: String,
    /// -1 while not in the group.
    generation: i32,
    reader: Reader,
    /// The next offset of each partition whose records were handed on.
    marked: BTreeMap<Place, Committed>,
    last_heartbeat: Instant,
    last_commit: Instant,
}

impl GroupConsumer {
    pub fn new(options: GroupOptions) -> GroupConsumer {
        let reader = Reader::new(ReaderOptions { reset: options.reset, ..options.reader });
        let now = Instant::now();
        GroupConsumer {
            options,
            member_id: String::new(),
            generation: -1,
            reader,
            marked: BTreeMap::new(),
            last_heartbeat: now,
            last_commit: now,
        }
    }

    /// The partitions that this member has now.
    pub fn assignment(&self) -> impl Iterator<Item = &Place> {
        self.reader.positions().keys()
    }

    /// What is being read, with positions.
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// Stays in the group and waits up to `wait` for records.
    pub fn poll(
        &mut self,
        client: &mut Client,
        wait: Duration,
    ) -> Result<Vec<Consumed>, ClientError> {
        if self.generation < 0 {
            self.join(client)?;
        }
        if self.last_heartbeat.elapsed() >= self.options.heartbeat_interval {
            self.heartbeat(client)?;
        }
        let is_due = |every: Duration| self.last_commit.elapsed() >= every;
        if self.options.commit_interval.is_some_and(is_due) {
            self.commit(client)?;
        }
        if self.generation < 0 {
            return Ok(Vec::new());
        }
        let wait = wait.min(self.options.heartbeat_interval);
        if self.reader.positions().is_empty() {
            thread::sleep(wait);
            return Ok(Vec::new());
        }
        self.reader.poll(client, wait)
    }

    /// Says that a record has been dealt with and may be committed.
    pub fn mark(&mut self, consumed: &Consumed) {
        let place = (consumed.topic.to_string(), consumed.partition);
        let committed = Committed {
            offset: consumed.record.offset.plus(1).0,
            leader_epoch: consumed.leader_epoch,
            metadata: String::new(),
        };
        self.marked.insert(place, committed);
    }

    /// Commits what was marked.
    ///
    /// A rebalance that got ahead of it is no error: the partitions' new owners read again.
    pub fn commit(&mut self, client: &mut Client) -> Result<(), ClientError> {
        self.last_commit = Instant::now();
        if self.marked.is_empty() {
            return Ok(());
        }
        let marked = std::mem::take(&mut self.marked);
        match client.commit(&self.options.group, &self.committer(), &marked) {
            Err(error) if self.must_rejoin(&error) => Ok(()),
            other => other,
        }
    }

    /// Commits and leaves the group, so that others take over at once.
    pub fn close(&mut self, client: &mut Client) -> Result<(), ClientError> {
        if self.generation < 0 {
            return Ok(());
        }
        let committed = match self.options.commit_interval {
            Some(_) => self.commit(client),
            None => Ok(()),
        };
        // A static member does not leave: it is expected back. KIP-345.
        if self.options.instance_id.is_none() && self.generation >= 0 {
            self.leave(client)?;
        }
        self.generation = -1;
        committed
    }

    fn committer(&self) -> Committer {
        Committer {
            generation: self.generation,
            member_id: self.member_id.clone(),
            instance_id: self.options.instance_id.clone(),
        }
    }

    /// Notes what an error says about our membership; true if joining again is the answer.
    fn must_rejoin(&mut self, error: &ClientError) -> bool {
        match error.broker_code() {
            Some(ErrorCode::RebalanceInProgress) => self.generation = -1,
            Some(ErrorCode::IllegalGeneration | ErrorCode::UnknownMemberId) => {
                self.generation = -1;
                self.member_id.clear();
            }
            _ => return false,
        }
        true
    }

    fn heartbeat(&mut self, client: &mut Client) -> Result<(), ClientError> {
        let request = HeartbeatRequest {
            group_id: Str::from(&self.options.group),
            generation_id: self.generation,
            member_id: Str::from(&self.member_id),
            group_instance_id: self.options.instance_id.as_ref().map(Str::from),
        };
        let group = self.options.group.clone();
        let result = client.with_retries(|client| {
            let answer = client.on_coordinator(&group, |connection| connection.call(&request))?;
            match answer.error_code {
                0 => Ok(()),
                code => Err(ClientError::broker(format!("stay in group {group}"), code, None)),
            }
        });
        self.last_heartbeat = Instant::now();
        match result {
            Err(error) if error.is_broker(ErrorCode::RebalanceInProgress) => {
                self.commit(client)?;
                self.generation = -1;
                Ok(())
            }
            Err(error) if self.must_rejoin(&error) => Ok(()),
            other => other,
        }
    }

    /// Joins until the group has settled with us in it.
    fn join(&mut self, client: &mut Client) -> Result<(), ClientError> {
        let mut retry = client.retry();
        loop {
            match self.join_once(client) {
                Ok(()) => return Ok(()),
                // The id that we were just given counts; try with it at once. KIP-394.
                Err(error) if error.is_broker(ErrorCode::MemberIdRequired) => {}
                Err(error) if self.must_rejoin(&error) => retry.pause_or(error)?,
                Err(error) => {
                    retry.after(error)?;
                    client.refresh_again()?;
                }
            }
        }
    }

    fn join_once(&mut self, client: &mut Client) -> Result<(), ClientError> {
        let answer = self.send_join(client)?;
        let what = format!("join group {}", self.options.group);
        if answer.error_code == ErrorCode::MemberIdRequired.code() {
            self.member_id = answer.member_id.to_string();
        }
        if answer.error_code != 0 {
            return Err(ClientError::broker(what, answer.error_code, None));
        }
        self.member_id = answer.member_id.to_string();
        self.generation = answer.generation_id;
        let assignments = if answer.leader == answer.member_id && !answer.skip_assignment {
            self.assign(client, &answer)?
        } else {
            Vec::new()
        };
        let places = self.sync(client, &answer, assignments)?;
        self.last_heartbeat = Instant::now();
        self.start_reading(client, places)
    }

    fn send_join(&mut self, client: &mut Client) -> Result<JoinGroupResponse, ClientError> {
        let request = JoinGroupRequest {
            group_id: Str::from(&self.options.group),
            session_timeout_ms: millis(self.options.session_timeout),
            rebalance_timeout_ms: millis(self.options.rebalance_timeout),
            member_id: Str::from(&self.member_id),
            group_instance_id: self.options.instance_id.as_ref().map(Str::from),
            protocol_type: Str::from(PROTOCOL_TYPE),
            protocols: vec![JoinGroupRequestProtocol {
                name: Str::from(RANGE),
                metadata: write_subscription(&self.options.topics)?,
            }],
            ..JoinGroupRequest::default()
        };
        let patience = self.options.rebalance_timeout;
        client.on_coordinator(&self.options.group, |connection| {
            let version = connection.version::<JoinGroupRequest>(i16::MAX)?;
            let pending = connection.send(&request, version)?;
            connection.receive::<JoinGroupRequest>(pending, patience)
        })
    }

    /// The leader's task: share the partitions among the members.
    fn assign(
        &self,
        client: &mut Client,
        joined: &JoinGroupResponse,
    ) -> Result<Vec<SyncGroupRequestAssignment>, ClientError> {
        let mut subscribers = Vec::with_capacity(joined.members.len());
        for member in &joined.members {
            subscribers.push(Subscriber {
                member_id: member.member_id.to_string(),
                instance_id: member.group_instance_id.as_ref().map(Str::to_string),
                topics: read_subscription(&member.metadata)?,
            });
        }
        let mut topics: Vec<String> =
            subscribers.iter().flat_map(|subscriber| subscriber.topics.clone()).collect();
        topics.sort();
        topics.dedup();
        let cluster = client.refresh(TopicsWanted::Named(topics))?;
        let counts = cluster.topics.values().map(|topic| {
            (topic.name.clone(), i32::try_from(topic.partitions.len()).unwrap_or(i32::MAX))
        });
        let assigned = assign_by_range(&subscribers, &counts.collect());
        let assignment = |(member_id, places): (String, Vec<Place>)| {
            let assignment = write_assignment(&places)?;
            Ok(SyncGroupRequestAssignment { member_id: Str::from(member_id), assignment })
        };
        assigned.into_iter().map(assignment).collect()
    }

    fn sync(
        &mut self,
        client: &mut Client,
        joined: &JoinGroupResponse,
        assignments: Vec<SyncGroupRequestAssignment>,
    ) -> Result<Vec<Place>, ClientError> {
        let request = SyncGroupRequest {
            group_id: Str::from(&self.options.group),
            generation_id: joined.generation_id,
            member_id: joined.member_id.clone(),
            group_instance_id: self.options.instance_id.as_ref().map(Str::from),
            protocol_type: Some(Str::from(PROTOCOL_TYPE)),
            protocol_name: Some(Str::from(RANGE)),
            assignments,
        };
        let patience = self.options.rebalance_timeout;
        let answer = client.on_coordinator(&self.options.group, |connection| {
            let version = connection.version::<SyncGroupRequest>(i16::MAX)?;
            let pending = connection.send(&request, version)?;
            connection.receive::<SyncGroupRequest>(pending, patience)
        })?;
        match answer.error_code {
            0 => read_assignment(&answer.assignment),
            code => {
                let what = format!("join group {}", self.options.group);
                Err(ClientError::broker(what, code, None))
            }
        }
    }

    /// Begins at the committed offsets, or where the options say if there are none.
    fn start_reading(
        &mut self,
        client: &mut Client,
        places: Vec<Place>,
    ) -> Result<(), ClientError> {
        let mut topics: Vec<String> = places.iter().map(|(topic, _)| topic.clone()).collect();
        topics.dedup();
        client.refresh(TopicsWanted::Named(topics))?;
        let committed = match places.is_empty() {
            true => BTreeMap::new(),
            false => client.committed(&self.options.group, Some(&places))?,
        };
        let (known, new): (Vec<Place>, Vec<Place>) =
            places.into_iter().partition(|place| committed.contains_key(place));
        let at = match self.options.reset {
            Reset::Earliest => OffsetAt::Earliest,
            Reset::Latest => OffsetAt::Latest,
            Reset::Fail if new.is_empty() => OffsetAt::Latest,
            Reset::Fail => {
                let group = &self.options.group;
                let (topic, partition) = &new[0];
                let what = format!("read {topic}-{partition} in group {group}");
                let why = "the group has committed no offset for it and no reset is allowed";
                return Err(ClientError::usage(what, why));
            }
        };
        let wanted: BTreeMap<Place, OffsetAt> = new.into_iter().map(|place| (place, at)).collect();
        let begins = client.list_offsets(&wanted)?;
        let known = known.into_iter().map(|place| {
            let offset = committed.get(&place).map_or(0, |committed| committed.offset);
            (place, Offset(offset))
        });
        let new = begins.into_iter().map(|(place, found)| (place, Offset(found.offset)));
        self.reader.assign(known.chain(new));
        Ok(())
    }

    fn leave(&self, client: &mut Client) -> Result<(), ClientError> {
        client.on_coordinator(&self.options.group, |connection| {
            let version = connection.version::<LeaveGroupRequest>(i16::MAX)?;
            let group_id = Str::from(&self.options.group);
            let member_id = Str::from(&self.member_id);
            let request = if version >= 3 {
                let member = MemberIdentity { member_id, ..MemberIdentity::default() };
                LeaveGroupRequest { group_id, members: vec![member], ..Default::default() }
            } else {
                LeaveGroupRequest { group_id, member_id, ..Default::default() }
            };
            connection.call_at(&request, version).map(|_| ())
        })
    }
}

fn millis(duration: Duration) -> i32 {
    i32::try_from(duration.as_millis()).unwrap_or(i32::MAX)
}
