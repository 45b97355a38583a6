//! OffsetFetch (key 9): where a group is to read on.

use protocol::Str;
use protocol::messages::offset_fetch_request::{OffsetFetchRequestGroup, OffsetFetchRequestTopics};
use protocol::messages::offset_fetch_response::{
    OffsetFetchResponseGroup, OffsetFetchResponsePartitions, OffsetFetchResponseTopics,
};
use types::{ErrorCode, LeaderEpoch, Offset};

use crate::state::{CommittedOffset, GroupLog, GroupsState};

/// The offsets that one group of a request asks for; all of them if it names no topics.
///
/// A partition without an offset is answered with −1 and no error, also for a group that is not
/// there: the consumer's `auto.offset.reset` decides.
///
/// Source: Kafka `OffsetMetadataManager.fetchOffsets`, `fetchAllOffsets`.
pub(crate) fn fetch_offsets(
    hard: &GroupsState,
    request: &OffsetFetchRequestGroup,
    require_stable: bool,
) -> OffsetFetchResponseGroup {
    let log = hard.group(&request.group_id);
    let topics = match (&request.topics, log) {
        (Some(topics), log) => {
            topics.iter().map(|topic| named_topic(log, topic, require_stable)).collect()
        }
        (None, Some(log)) => all_topics(log, require_stable),
        (None, None) => Vec::new(),
    };
    OffsetFetchResponseGroup {
        group_id: request.group_id.clone(),
        topics,
        ..OffsetFetchResponseGroup::default()
    }
}

fn named_topic(
    log: Option<&GroupLog>,
    topic: &OffsetFetchRequestTopics,
    require_stable: bool,
) -> OffsetFetchResponseTopics {
    let offset = |index: &i32| {
        let offset = log.and_then(|log| log.offsets.get(&*topic.name)?.get(index));
        offset.filter(|offset| offset.is_of(topic.topic_id))
    };
    let partition = |index: &i32| {
        let unstable =
            require_stable && log.is_some_and(|log| log.has_pending_offset(&topic.name, *index));
        answer(*index, offset(index), unstable)
    };
    OffsetFetchResponseTopics {
        name: topic.name.clone(),
        topic_id: topic.topic_id,
        partitions: topic.partition_indexes.iter().map(partition).collect(),
    }
}

fn all_topics(log: &GroupLog, require_stable: bool) -> Vec<OffsetFetchResponseTopics> {
    let topic = |(name, offsets): (&types::TopicName, &std::collections::BTreeMap<_, _>)| {
        let partition = |(index, offset): (&i32, &CommittedOffset)| {
            let unstable = require_stable && log.has_pending_offset(name, *index);
            answer(*index, Some(offset), unstable)
        };
        OffsetFetchResponseTopics {
            name: Str::from(&**name),
            partitions: offsets.iter().map(partition).collect(),
            ..OffsetFetchResponseTopics::default()
        }
    };
    log.offsets.iter().map(topic).collect()
}

fn answer(
    partition_index: i32,
    offset: Option<&CommittedOffset>,
    unstable: bool,
) -> OffsetFetchResponsePartitions {
    let known = offset.filter(|_| !unstable);
    OffsetFetchResponsePartitions {
        partition_index,
        committed_offset: known.map_or(Offset::NONE, |offset| offset.offset).0,
        committed_leader_epoch: known.map_or(LeaderEpoch::NONE, |offset| offset.leader_epoch).0,
        metadata: Some(Str::from(known.map_or("", |offset| &offset.metadata))),
        error_code: if unstable { ErrorCode::UnstableOffsetCommit } else { ErrorCode::None }.code(),
    }
}
