//! DescribeTopicPartitions (key 75), version 0.
//! Topics in name order, a page of partitions at a time (KIP-966).
//! Differs from Kafka: nothing known.

use std::collections::BTreeSet;
use std::sync::Arc;

use metadata::{ClusterImage, MetadataImage, TopicImage};
use protocol::Str;
use protocol::messages::describe_topic_partitions_request::DescribeTopicPartitionsRequest;
use protocol::messages::describe_topic_partitions_response::{
    Cursor, DescribeTopicPartitionsResponse, DescribeTopicPartitionsResponsePartition,
    DescribeTopicPartitionsResponseTopic,
};
use types::ErrorCode;

use super::metadata_api::ids;
use crate::authorized;
use crate::internal_topics::is_internal;
use crate::metadata_cache::MetadataCache;
use crate::network::Reply;
use crate::request::RequestContext;
use crate::settings::Settings;

pub fn handle(
    _ctx: &RequestContext,
    request: DescribeTopicPartitionsRequest,
    reply: Reply<DescribeTopicPartitionsResponse>,
    metadata: &MetadataCache,
    settings: &Settings,
) {
    let image = metadata.image();
    let page_max = settings.config.network.max_request_partition_size_limit;
    let mut page = Page {
        cluster: &image.cluster,
        left: request.response_partition_limit.min(page_max).max(1) as usize,
        topics: Vec::new(),
        next: None,
    };
    let (first_topic, first_partition) = match &request.cursor {
        Some(cursor) => (cursor.topic_name.clone(), cursor.partition_index.max(0)),
        None => (Str::default(), 0),
    };
    for name in names(&request, &image) {
        if *name < *first_topic {
            continue;
        }
        let from = if name == first_topic { first_partition } else { 0 };
        if !page.add(&name, image.topics.by_name(&name), from) {
            break;
        }
    }
    reply.send(DescribeTopicPartitionsResponse {
        topics: page.topics,
        next_cursor: page.next,
        ..Default::default()
    });
}

fn names(request: &DescribeTopicPartitionsRequest, image: &MetadataImage) -> BTreeSet<Str> {
    if request.topics.is_empty() {
        return image.topics.iter().map(|topic| (&*topic.name).into()).collect();
    }
    request.topics.iter().map(|topic| topic.name.clone()).collect()
}

/// A response that is filled up to its limit of partitions.
struct Page<'a> {
    cluster: &'a ClusterImage,
    left: usize,
    topics: Vec<DescribeTopicPartitionsResponseTopic>,
    next: Option<Cursor>,
}

impl Page<'_> {
    /// False once the page is full.
    fn add(&mut self, name: &Str, topic: Option<&Arc<TopicImage>>, from: i32) -> bool {
        if self.left == 0 {
            self.next = Some(Cursor { topic_name: name.clone(), partition_index: from });
            return false;
        }
        let Some(topic) = topic else {
            self.topics.push(missing(name));
            return true;
        };
        let rest = topic.partitions().skip_while(|(index, _)| *index < from);
        let partitions: Vec<_> =
            rest.take(self.left).map(|one| partition(one, self.cluster)).collect();
        self.left -= partitions.len();
        let next_partition = partitions.last().map_or(from, |last| last.partition_index + 1);
        self.topics.push(DescribeTopicPartitionsResponseTopic {
            name: Some(name.clone()),
            topic_id: topic.id,
            is_internal: is_internal(name),
            partitions,
            topic_authorized_operations: authorized::on_topic(true),
            ..Default::default()
        });
        if next_partition < topic.partition_count() {
            let topic_name = name.clone();
            self.next = Some(Cursor { topic_name, partition_index: next_partition });
            return false;
        }
        true
    }
}

fn missing(name: &Str) -> DescribeTopicPartitionsResponseTopic {
    let error = match controller::validate_topic_name(name) {
        Ok(()) => ErrorCode::UnknownTopicOrPartition,
        Err(_) => ErrorCode::InvalidTopicException,
    };
    DescribeTopicPartitionsResponseTopic {
        error_code: error.code(),
        name: Some(name.clone()),
        is_internal: is_internal(name),
        topic_authorized_operations: authorized::on_topic(true),
        ..Default::default()
    }
}

fn partition(
    (index, image): (i32, &Arc<metadata::PartitionImage>),
    cluster: &ClusterImage,
) -> DescribeTopicPartitionsResponsePartition {
    let error = match image.leader {
        Some(_) => ErrorCode::None,
        None => ErrorCode::LeaderNotAvailable,
    };
    DescribeTopicPartitionsResponsePartition {
        error_code: error.code(),
        partition_index: index,
        leader_id: image.leader.map_or(-1, |leader| leader.0),
        leader_epoch: image.leader_epoch.0,
        replica_nodes: ids(&image.replicas),
        isr_nodes: ids(&image.isr),
        eligible_leader_replicas: Some(ids(image.elr())),
        last_known_elr: Some(ids(image.last_known_elr())),
        offline_replicas: ids(&cluster.offline_replicas(image)),
    }
}
