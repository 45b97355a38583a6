//! OffsetFetch (key 9), versions 1–10.
//! How far groups have read. v2 null = all topics · v7 require stable · v8 several groups ·
//! v9 member epoch · v10 topic ids.
//! A coordinator that still loads says so; it never answers "no offset".
//! Differs from Kafka: a coordinator that the controller may have given up waits until it knows
//! that it was not, and is none after a while (docs/adr/0012, point 7).

use std::sync::Arc;

use env::Env;
use group_coordinator::refusal;
use metadata::MetadataImage;
use protocol::messages::offset_fetch_request::{
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopics,
};
use protocol::messages::offset_fetch_response::{
    OffsetFetchResponse, OffsetFetchResponseGroup, OffsetFetchResponsePartition,
    OffsetFetchResponsePartitions, OffsetFetchResponseTopic, OffsetFetchResponseTopics,
};
use types::ErrorCode;

use crate::coordinators::GroupHost;
use crate::metadata_cache::MetadataCache;
use crate::network::Reply;
use crate::request::RequestContext;

const GROUPS_SINCE: i16 = 8;
const TOPIC_IDS_SINCE: i16 = 10;
/// The first version with an error of its own; before, every partition carries it.
const GROUP_ERROR_SINCE: i16 = 2;

pub fn handle<E: Env>(
    ctx: &RequestContext,
    mut request: OffsetFetchRequest,
    reply: Reply<OffsetFetchResponse>,
    groups: &Arc<GroupHost<E>>,
    metadata: &MetadataCache,
) {
    if ctx.version < GROUPS_SINCE {
        request.groups = vec![sole_group(&mut request)];
    }
    let (here, image, version) = (Arc::clone(groups), metadata.image(), ctx.version);
    groups.once_leased(move || answer(version, request, reply, &here, &image));
}

fn answer<E: Env>(
    version: i16,
    request: OffsetFetchRequest,
    reply: Reply<OffsetFetchResponse>,
    groups: &GroupHost<E>,
    image: &MetadataImage,
) {
    let by_id = version >= TOPIC_IDS_SINCE;
    let (asked, stable) = (request.groups, request.require_stable);
    let fetched: Vec<_> =
        asked.iter().map(|g| fetch(g.clone(), groups, image, by_id, stable)).collect();
    let refused = asked.clone();
    groups.once_committed(asked.iter().map(|group| &*group.group_id), move |passed| {
        let mut fetched = match passed {
            Ok(()) => fetched,
            Err(_) => {
                let refuse = |group| refusal::fetch_offsets(group, ErrorCode::NotCoordinator);
                refused.iter().map(refuse).collect()
            }
        };
        reply.send(match version < GROUPS_SINCE {
            true => without_groups(fetched.pop().unwrap_or_default(), version),
            false => OffsetFetchResponse { groups: fetched, ..Default::default() },
        });
    });
}

fn sole_group(request: &mut OffsetFetchRequest) -> OffsetFetchRequestGroup {
    let named = |topic: protocol::messages::offset_fetch_request::OffsetFetchRequestTopic| {
        OffsetFetchRequestTopics {
            name: topic.name,
            partition_indexes: topic.partition_indexes,
            ..Default::default()
        }
    };
    OffsetFetchRequestGroup {
        group_id: std::mem::take(&mut request.group_id),
        topics: request.topics.take().map(|topics| topics.into_iter().map(named).collect()),
        ..Default::default()
    }
}

fn fetch<E: Env>(
    mut group: OffsetFetchRequestGroup,
    groups: &GroupHost<E>,
    image: &MetadataImage,
    by_id: bool,
    require_stable: bool,
) -> OffsetFetchResponseGroup {
    let missing = if by_id { take_unknown_ids(&mut group, image) } else { Vec::new() };
    let read = groups.read(&group.group_id, |shard| shard.fetch_offsets(&group, require_stable));
    let mut fetched = read.unwrap_or_else(|error| refusal::fetch_offsets(&group, error));
    if by_id && fetched.error_code == 0 {
        fetched.topics.retain_mut(|topic| match image.topics.by_name(&topic.name) {
            Some(found) => {
                topic.topic_id = found.id;
                true
            }
            // Its topic is gone; a client that speaks ids could not name it.
            None => false,
        });
        fetched.topics.extend(missing);
    }
    fetched
}

fn take_unknown_ids(
    group: &mut OffsetFetchRequestGroup,
    image: &MetadataImage,
) -> Vec<OffsetFetchResponseTopics> {
    let mut missing = Vec::new();
    let unknown = |index: &i32| OffsetFetchResponsePartitions {
        partition_index: *index,
        committed_offset: -1,
        committed_leader_epoch: -1,
        metadata: Some("".into()),
        error_code: ErrorCode::UnknownTopicId.code(),
    };
    for topics in group.topics.iter_mut() {
        topics.retain_mut(|topic| match image.topics.by_id(topic.topic_id) {
            Some(found) => {
                topic.name = (&*found.name).into();
                true
            }
            None => {
                missing.push(OffsetFetchResponseTopics {
                    topic_id: topic.topic_id,
                    partitions: topic.partition_indexes.iter().map(unknown).collect(),
                    ..Default::default()
                });
                false
            }
        });
    }
    missing
}

/// The one group of an old version, its fields at the top.
fn without_groups(group: OffsetFetchResponseGroup, version: i16) -> OffsetFetchResponse {
    let partition = |p: OffsetFetchResponsePartitions| OffsetFetchResponsePartition {
        partition_index: p.partition_index,
        committed_offset: p.committed_offset,
        committed_leader_epoch: p.committed_leader_epoch,
        metadata: p.metadata,
        error_code: if version < GROUP_ERROR_SINCE && group.error_code != 0 {
            group.error_code
        } else {
            p.error_code
        },
    };
    let topic = |topic: OffsetFetchResponseTopics| OffsetFetchResponseTopic {
        name: topic.name,
        partitions: topic.partitions.into_iter().map(partition).collect(),
    };
    OffsetFetchResponse {
        topics: group.topics.into_iter().map(topic).collect(),
        error_code: group.error_code,
        ..Default::default()
    }
}
