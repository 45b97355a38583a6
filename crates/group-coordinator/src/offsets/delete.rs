//! OffsetDelete (key 47), and offsets of topics and groups that are deleted.

use coordinator::{CoordinatorRecord, ReplyToken};
use protocol::messages::offset_delete_response::{
    OffsetDeleteResponsePartition, OffsetDeleteResponseTopic,
};
use protocol::messages::{OffsetDeleteRequest, OffsetDeleteResponse};
use std::collections::BTreeSet;
use types::{ErrorCode, TopicPartition};

use crate::classic::ClassicGroupState as State;
use crate::records;
use crate::state::{GroupLog, OffsetsByTopic};
use crate::turn::Turn;

impl Turn<'_> {
    pub fn delete_offsets(&mut self, request: &OffsetDeleteRequest, token: ReplyToken) {
        let reply = match self.check_offset_delete(request) {
            Ok(()) => {
                let topics = request.topics.iter();
                let topics = topics.map(|topic| {
                    let partitions = topic.partitions.iter().map(|p| p.partition_index);
                    OffsetDeleteResponseTopic {
                        name: topic.name.clone(),
                        partitions: self.delete_of_topic(
                            &request.group_id,
                            &topic.name,
                            partitions,
                        ),
                    }
                });
                OffsetDeleteResponse { topics: topics.collect(), ..OffsetDeleteResponse::default() }
            }
            Err(error) => {
                OffsetDeleteResponse { error_code: error.code(), ..OffsetDeleteResponse::default() }
            }
        };
        self.answer(token, reply);
    }

    /// A group with members may lose offsets of topics that it does not read, which we can tell of
    /// consumer groups alone. Source: Kafka `ClassicGroup.validateOffsetDelete`.
    fn check_offset_delete(&self, request: &OffsetDeleteRequest) -> Result<(), ErrorCode> {
        if request.group_id.is_empty() {
            return Err(ErrorCode::InvalidGroupId);
        }
        if !self.knows_group(&request.group_id) {
            return Err(ErrorCode::GroupIdNotFound);
        }
        match self.soft.groups.get(&*request.group_id) {
            Some(group) if group.state != State::Empty && !group.uses_consumer_protocol() => {
                Err(ErrorCode::NonEmptyGroup)
            }
            _ => Ok(()),
        }
    }

    fn delete_of_topic(
        &mut self,
        group: &str,
        topic: &str,
        partitions: impl Iterator<Item = i32>,
    ) -> Vec<OffsetDeleteResponsePartition> {
        let live = self.soft.groups.get(group);
        let subscribed = live.is_some_and(|group| group.is_subscribed_to(topic));
        let mut results = Vec::new();
        for partition_index in partitions {
            let there = self.hard.group(group).is_some_and(|log| {
                has(&log.offsets, topic, partition_index)
                    || log.has_pending_offset(topic, partition_index)
            });
            let error =
                if subscribed { ErrorCode::GroupSubscribedToTopic } else { ErrorCode::None };
            if there && !subscribed {
                self.append(records::offset_tombstone(group, topic, partition_index));
            }
            results
                .push(OffsetDeleteResponsePartition { partition_index, error_code: error.code() });
        }
        results
    }

    /// Partitions are gone, so nobody can read on from there; a topic of the same name made later
    /// must not inherit the offsets.
    pub fn partitions_deleted(&mut self, deleted: &[TopicPartition]) {
        self.decision.atomic = false;
        let hard = self.hard;
        for (group, log) in hard.groups() {
            for gone in deleted {
                let (topic, partition) = (&*gone.topic, gone.partition);
                if has(&log.offsets, topic, partition) || log.has_pending_offset(topic, partition) {
                    self.append(records::offset_tombstone(group, topic, partition));
                }
            }
        }
    }
}

/// What deletes every offset of a group, committed or pending.
pub(crate) fn tombstones(group: &str, log: &GroupLog) -> Vec<CoordinatorRecord> {
    let mut partitions = BTreeSet::new();
    for offsets in log.pending.values().chain([&log.offsets]) {
        for (topic, indexes) in offsets {
            partitions.extend(indexes.keys().map(|index| (topic, *index)));
        }
    }
    let tombstone =
        |(topic, index): (&types::TopicName, i32)| records::offset_tombstone(group, topic, index);
    partitions.into_iter().map(tombstone).collect()
}

fn has(offsets: &OffsetsByTopic, topic: &str, partition: i32) -> bool {
    offsets.get(topic).is_some_and(|partitions| partitions.contains_key(&partition))
}
