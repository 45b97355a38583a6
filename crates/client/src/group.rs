//! Life in a group: join, be given partitions, stay, leave.
//!
//! The classic protocol with range assignment.

mod join;

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use protocol::Str;
use protocol::messages::leave_group_request::MemberIdentity;
use protocol::messages::{HeartbeatRequest, LeaveGroupRequest};
use types::ErrorCode;

use crate::commits::{Committed, Committer};
use crate::consumer::{Consumed, Reader, ReaderOptions, Reset};
use crate::error::ClientError;
use crate::offsets::Place;
use crate::routing::Client;

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
/// **Invariant:** what is committed lies behind records that were all [`mark`](Self::mark)ed.
#[derive(Debug)]
pub struct GroupConsumer {
    options: GroupOptions,
    member_id: String,
    /// -1 while not in the group.
    generation: i32,
    reader: Reader,
    /// Where each partition would be read on by whoever takes over.
    done: BTreeMap<Place, Committed>,
    /// What the coordinator knows of that.
    committed: BTreeMap<Place, Committed>,
    /// Records handed out by the last poll that are not marked yet.
    unmarked: usize,
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
            done: BTreeMap::new(),
            committed: BTreeMap::new(),
            unmarked: 0,
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
        self.pass_over_invisible();
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
        let records = self.reader.poll(client, wait)?;
        self.unmarked = records.len();
        Ok(records)
    }

    /// Offsets behind the last record that nobody sees (markers, compacted ones) are done, too.
    fn pass_over_invisible(&mut self) {
        if self.unmarked > 0 {
            return;
        }
        for (place, position) in self.reader.positions() {
            if let Some(done) = self.done.get_mut(place) {
                done.offset = done.offset.max(position.next.0);
            }
        }
    }

    /// Says that a record has been dealt with and may be committed.
    pub fn mark(&mut self, consumed: &Consumed) {
        let place = (consumed.topic.to_string(), consumed.partition);
        let committed = Committed {
            offset: consumed.record.offset.plus(1).0,
            leader_epoch: consumed.leader_epoch,
            metadata: String::new(),
        };
        self.unmarked = self.unmarked.saturating_sub(1);
        self.done.insert(place, committed);
    }

    /// Commits what is done.
    ///
    /// A rebalance that got ahead of it is no error: the partitions' new owners read again.
    pub fn commit(&mut self, client: &mut Client) -> Result<(), ClientError> {
        self.last_commit = Instant::now();
        let is_new =
            |(place, done): &(&Place, &Committed)| self.committed.get(*place) != Some(done);
        let new: BTreeMap<Place, Committed> =
            self.done.iter().filter(is_new).map(|(p, d)| (p.clone(), d.clone())).collect();
        if new.is_empty() {
            return Ok(());
        }
        match client.commit(&self.options.group, &self.committer(), &new) {
            Err(error) if self.must_rejoin(&error) => Ok(()),
            Err(error) => Err(error),
            Ok(()) => {
                self.committed.extend(new);
                Ok(())
            }
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
