//! OffsetCommit (key 8), versions 2–10.
//! Stores how far a group has read. v6 leader epoch · v7 instance id · v10 topic ids.
//! Topics that do not exist are answered here; the rest goes to the group's coordinator.
//! Differs from Kafka: nothing known.

use env::Env;
use group_coordinator::{OffsetCommitFacts, Reply as GroupReply, refusal};
use metadata::MetadataImage;
use protocol::messages::offset_commit_request::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use protocol::messages::offset_commit_response::{OffsetCommitResponse, OffsetCommitResponseTopic};
use types::ErrorCode;

use crate::coordinators::GroupHost;
use crate::metadata_cache::MetadataCache;
use crate::network::Reply;
use crate::request::RequestContext;

const GROUP_ID_NOT_FOUND_SINCE: i16 = 9;
const TOPIC_IDS_SINCE: i16 = 10;

pub fn handle<E: Env>(
    ctx: &RequestContext,
    mut request: OffsetCommitRequest,
    reply: Reply<OffsetCommitResponse>,
    groups: &GroupHost<E>,
    metadata: &MetadataCache,
) {
    let by_id = ctx.version >= TOPIC_IDS_SINCE;
    let missing = take_missing_topics(&mut request, by_id, &metadata.image());
    if request.topics.is_empty() && !missing.is_empty() {
        return reply.send(OffsetCommitResponse { topics: missing, ..Default::default() });
    }
    let facts = OffsetCommitFacts { group_id_not_found: ctx.version >= GROUP_ID_NOT_FOUND_SINCE };
    let asked = request.clone();
    groups.ask(
        &asked.group_id,
        |shard, now, token| shard.commit_offsets(now, facts, &asked, token),
        Box::new(move |answer| {
            let mut response = match answer {
                Ok(GroupReply::OffsetCommit(response)) => response,
                Ok(other) => return reply.defect(&other),
                Err(error) => refusal::commit_offsets(&request, error),
            };
            response.topics.extend(missing);
            reply.send(response);
        }),
    );
}

/// Takes the topics and partitions that do not exist out of the request and answers them; names
/// those topics that came by id.
fn take_missing_topics(
    request: &mut OffsetCommitRequest,
    by_id: bool,
    image: &MetadataImage,
) -> Vec<OffsetCommitResponseTopic> {
    let (mut no_topic, mut no_partition) =
        (OffsetCommitRequest::default(), OffsetCommitRequest::default());
    request.topics.retain_mut(|topic| {
        let found = match by_id {
            true => image.topics.by_id(topic.topic_id),
            false => image.topics.by_name(&topic.name),
        };
        let Some(found) = found else {
            no_topic.topics.push(topic.clone());
            return false;
        };
        topic.name = (&*found.name).into();
        let is_there =
            |p: &mut OffsetCommitRequestPartition| found.partition(p.partition_index).is_some();
        let missing = topic.partitions.extract_if(.., |p| !is_there(p)).collect::<Vec<_>>();
        if missing.is_empty() {
            return true;
        }
        let rest = OffsetCommitRequestTopic { partitions: missing, ..topic.clone() };
        no_partition.topics.push(rest);
        !topic.partitions.is_empty()
    });
    let unknown = ErrorCode::UnknownTopicOrPartition;
    let unknown_topic = if by_id { ErrorCode::UnknownTopicId } else { unknown };
    let mut answered = refusal::commit_offsets(&no_topic, unknown_topic).topics;
    answered.extend(refusal::commit_offsets(&no_partition, unknown).topics);
    answered
}
