//! Hard state: what the log says, and nothing else.

use std::collections::{BTreeMap, btree_map};
use std::sync::Arc;

use bytes::Bytes;
use types::{LeaderEpoch, Offset, ProducerId, TopicName, Uuid, WallTime};

use crate::records::GroupRecord;

/// A group's id: what the user calls `group.id`.
pub type GroupId = Arc<str>;
/// Names a member of a group; generated here, kept by the client while it lives.
pub type MemberId = Arc<str>;

/// Committed offsets by topic and partition.
///
/// **Invariant:** no topic is empty.
pub type OffsetsByTopic = BTreeMap<TopicName, BTreeMap<i32, CommittedOffset>>;

/// Every group of one partition of `__consumer_offsets`, as its records describe it.
///
/// **Invariant:** a pure function of the replayed records; [`apply`](Self::apply) and
/// [`end_transaction`](Self::end_transaction) are its only `&mut` methods.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GroupsState {
    groups: BTreeMap<GroupId, GroupLog>,
}

/// What the log says of one group.
///
/// **Invariant:** holds something: metadata, an offset or a pending offset. A group that holds
/// nothing does not exist.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GroupLog {
    /// `None` for a *simple* group: a consumer that assigns partitions by hand only stores offsets.
    pub metadata: Option<GroupMetadata>,
    pub offsets: OffsetsByTopic,
    /// Offsets of open transactions, which count once their producer's commit marker is written.
    pub pending: BTreeMap<ProducerId, OffsetsByTopic>,
}

/// A generation of a classic group that was agreed upon. Written when the leader's assignment
/// arrives, and when the last member is gone.
#[doc(alias = "GroupMetadataValue")]
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GroupMetadata {
    /// `consumer` for consumers, `connect` for Connect workers; `None` before anyone joined.
    pub protocol_type: Option<Arc<str>>,
    pub generation: i32,
    /// The assignment strategy that all members agreed on.
    pub protocol: Option<Arc<str>>,
    pub leader: Option<MemberId>,
    /// When the group entered its state; `None` in records of Kafka before 2.1.
    pub since: Option<WallTime>,
    pub members: BTreeMap<MemberId, MemberMetadata>,
}

/// A member as the log knows it: only the strategy that was chosen survives a restart.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MemberMetadata {
    pub instance_id: Option<Arc<str>>,
    pub client_id: Arc<str>,
    pub client_host: Arc<str>,
    pub rebalance_timeout_ms: i32,
    pub session_timeout_ms: i32,
    pub subscription: Bytes,
    pub assignment: Bytes,
}

/// How far a group has read a partition.
#[doc(alias = "OffsetAndMetadata")]
#[derive(Clone, Debug, PartialEq)]
pub struct CommittedOffset {
    /// The next record to read.
    pub offset: Offset,
    /// The leader epoch of the last record read: lets a consumer notice a truncated log. KIP-320.
    pub leader_epoch: LeaderEpoch,
    /// The client's own note.
    pub metadata: Arc<str>,
    pub committed_at: WallTime,
    /// Set by commits that carry a retention (OffsetCommit before v5); others follow the broker's.
    pub expires_at: Option<WallTime>,
    /// The topic of that name when it was committed; zero if the client did not say.
    pub topic_id: Uuid,
    /// Where the record stands, so that of a transactional and a plain commit the later one wins.
    pub record_offset: Offset,
}

impl GroupsState {
    pub fn group(&self, group: &str) -> Option<&GroupLog> {
        self.groups.get(group)
    }

    pub fn groups(&self) -> btree_map::Iter<'_, GroupId, GroupLog> {
        self.groups.iter()
    }

    /// Groups with an id after `cursor`, in order; all of them for `None`.
    pub fn groups_after(
        &self,
        cursor: Option<&str>,
    ) -> impl Iterator<Item = (&GroupId, &GroupLog)> {
        use std::ops::Bound;
        let start = cursor.map_or(Bound::Unbounded, Bound::Excluded);
        self.groups.range::<str, _>((start, Bound::Unbounded))
    }

    pub fn offset(&self, group: &str, topic: &str, partition: i32) -> Option<&CommittedOffset> {
        self.groups.get(group)?.offsets.get(topic)?.get(&partition)
    }

    /// A record of the log takes effect.
    pub(crate) fn apply(&mut self, at: Offset, transaction: ProducerId, record: GroupRecord) {
        match record {
            GroupRecord::Metadata { group, value } => self.apply_metadata(group, value),
            GroupRecord::Offset { group, topic, partition, value: Some(mut value) } => {
                value.record_offset = at;
                let group = self.groups.entry(group).or_default();
                let offsets = match transaction {
                    ProducerId::NONE => &mut group.offsets,
                    producer => group.pending.entry(producer).or_default(),
                };
                offsets.entry(topic).or_default().insert(partition, value);
            }
            GroupRecord::Offset { group, topic, partition, value: None } => {
                self.remove_offset(&group, &topic, partition);
            }
        }
    }

    fn apply_metadata(&mut self, group: GroupId, value: Option<GroupMetadata>) {
        match value {
            Some(metadata) => self.groups.entry(group).or_default().metadata = Some(metadata),
            None => {
                if let Some(log) = self.groups.get_mut(&group) {
                    log.metadata = None;
                    self.forget_if_nothing(&group);
                }
            }
        }
    }

    fn remove_offset(&mut self, group: &str, topic: &str, partition: i32) {
        let Some(log) = self.groups.get_mut(group) else { return };
        remove(&mut log.offsets, topic, partition);
        // A deleted offset stays deleted when an older transaction commits later.
        log.pending.retain(|_, offsets| {
            remove(offsets, topic, partition);
            !offsets.is_empty()
        });
        self.forget_if_nothing(group);
    }

    /// The transaction of `producer` ends: its offsets become the group's, or vanish.
    pub(crate) fn end_transaction(&mut self, producer: ProducerId, committed: bool) {
        let mut touched = Vec::new();
        for (id, group) in &mut self.groups {
            let Some(pending) = group.pending.remove(&producer) else { continue };
            if committed {
                materialize(&mut group.offsets, pending);
            }
            touched.push(id.clone());
        }
        for id in touched {
            self.forget_if_nothing(&id);
        }
    }

    fn forget_if_nothing(&mut self, group: &str) {
        if self.groups.get(group).is_some_and(GroupLog::is_nothing) {
            self.groups.remove(group);
        }
    }
}

impl CommittedOffset {
    /// Whether it was committed for the topic that has this id: a topic that was deleted and made
    /// again must not inherit it. An unknown id is any topic's.
    pub fn is_of(&self, topic_id: Uuid) -> bool {
        self.topic_id.is_zero() || topic_id.is_zero() || self.topic_id == topic_id
    }
}

impl GroupLog {
    fn is_nothing(&self) -> bool {
        self.metadata.is_none() && self.offsets.is_empty() && self.pending.is_empty()
    }

    /// Whether an open transaction may still change this offset.
    pub fn has_pending_offset(&self, topic: &str, partition: i32) -> bool {
        self.pending
            .values()
            .any(|offsets| offsets.get(topic).is_some_and(|topic| topic.contains_key(&partition)))
    }
}

fn remove(offsets: &mut OffsetsByTopic, topic: &str, partition: i32) {
    if let Some(partitions) = offsets.get_mut(topic) {
        partitions.remove(&partition);
        if partitions.is_empty() {
            offsets.remove(topic);
        }
    }
}

/// Moves `pending` into `offsets`, unless a plain commit was written after it.
fn materialize(offsets: &mut OffsetsByTopic, pending: OffsetsByTopic) {
    for (topic, partitions) in pending {
        let into = offsets.entry(topic).or_default();
        for (partition, offset) in partitions {
            let newer = into
                .get(&partition)
                .is_none_or(|existing| existing.record_offset < offset.record_offset);
            if newer {
                into.insert(partition, offset);
            }
        }
    }
}
