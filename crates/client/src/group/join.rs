//! Joining: two rounds with the coordinator, and the leader's sharing out in between.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use protocol::Str;
use protocol::messages::join_group_request::JoinGroupRequestProtocol;
use protocol::messages::sync_group_request::SyncGroupRequestAssignment;
use protocol::messages::{JoinGroupRequest, JoinGroupResponse, SyncGroupRequest};
use types::{ErrorCode, Offset};

use super::GroupConsumer;
use crate::commits::Committed;
use crate::consumer::Reset;
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

impl GroupConsumer {
    /// Joins until the group has settled with us in it.
    pub(super) fn join(&mut self, client: &mut Client) -> Result<(), ClientError> {
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
        let known = known.into_iter().filter_map(|place| {
            let committed = committed.get(&place)?.clone();
            Some((place, committed))
        });
        self.committed = known.collect();
        self.done = self.committed.clone();
        self.unmarked = 0;
        // Where a new partition begins is worth committing: `latest` means another place later.
        for (place, found) in begins {
            let begin = Committed { offset: found.offset, ..Committed::outset() };
            self.done.insert(place, begin);
        }
        let begin = |(place, done): (&Place, &Committed)| (place.clone(), Offset(done.offset));
        self.reader.assign(self.done.iter().map(begin));
        Ok(())
    }
}

fn millis(duration: Duration) -> i32 {
    i32::try_from(duration.as_millis()).unwrap_or(i32::MAX)
}
