//! Metadata (key 3), versions 0–13.
//! Brokers, topics and leaders: what a client asks before anything else.
//! v0 empty array = all topics, later null = all · v4 auto-creation · v7 leader epochs ·
//! v10 topic ids · v12 look-up by id.
//! Differs from Kafka: if the controller is in this process, an auto-created topic is there in the
//! first answer, not in the second; a leader whose connection to a follower here has just ended is
//! none for a moment (`LostLeaders`), then its successor is waited for (`MetadataWait`); and this
//! broker, when it is cut off, leads nothing that others could, and names itself only for the rest
//! (`Isolation`). A broker that was fenced for its silence is named for a moment.

use std::collections::BTreeSet;
use std::sync::Arc;

use env::Env;
use metadata::{MetadataImage, PartitionImage, TopicImage};
use protocol::Str;
use protocol::messages::metadata_request::{MetadataRequest, MetadataRequestTopic};
use protocol::messages::metadata_response::{
    MetadataResponse, MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use types::{BrokerId, ErrorCode, Uuid};

use crate::authorized;
use crate::auto_creation;
use crate::cluster::ToController;
use crate::internal_topics::is_internal;
use crate::limits::{LOST_LEADER_NOTICED_IN, METADATA_ASKED_ANEW_AFTER, NEXT_LEADER_WAIT_MAX};
use crate::metadata_cache::MetadataCache;
use crate::metadata_wait::{MetadataQuestion, MetadataWait, Unheard};
use crate::network::Reply;
use crate::replicas::LostLeaders;
use crate::request::RequestContext;
use crate::settings::Settings;
use crate::timers::Timers;

const NOBODY: i32 = -1;

// One parameter a room; the table in `api.rs` is the only caller.
#[allow(clippy::too_many_arguments)]
pub fn handle<E: Env>(
    ctx: &RequestContext,
    request: MetadataRequest,
    reply: Reply<MetadataResponse>,
    metadata: &Arc<MetadataCache>,
    lost_leaders: &Arc<LostLeaders>,
    timers: &Arc<Timers>,
    to_controller: &ToController<E>,
    settings: &Settings,
) {
    let may_create =
        request.allow_auto_topic_creation && settings.config.topics.auto_create_topics_enable;
    let wanted = wanted(ctx.version, request.topics);
    let mut refused = Vec::new();
    if let (true, Some(wanted)) = (may_create, &wanted) {
        refused = create_missing(wanted, metadata, to_controller, settings);
    }
    let question = Question {
        wanted,
        refused,
        with_operations: request.include_topic_authorized_operations,
        cluster_operations: authorized::on_cluster(request.include_cluster_authorized_operations),
        listener: Arc::clone(&ctx.connection.listener),
        cluster_id: settings.cluster_id,
        here: settings.broker_id(),
        reply,
    };
    let image = metadata.image();
    let unheard = Unheard::at(ctx.now, lost_leaders);
    let was_lost = || question.names_any(&image, &lost_leaders.lost_before(ctx.now));
    let times = if !unheard.lost.is_empty() && was_lost() {
        (ctx.now, ctx.now, ctx.now.plus(NEXT_LEADER_WAIT_MAX))
    } else {
        let is_known = !unheard.lost.is_empty() || unheard.is_cut_off;
        if is_known || !may_have_lost(ctx, &question, &image) {
            return question.tell(&image, unheard);
        }
        let look_at = ctx.now.plus(LOST_LEADER_NOTICED_IN);
        (ctx.now, look_at, look_at)
    };
    MetadataWait::park(lost_leaders, metadata, timers, Box::new(question), times);
}

/// Whether the client may ask because it has lost a leader, of which this broker knows nothing yet.
fn may_have_lost(ctx: &RequestContext, question: &Question, image: &MetadataImage) -> bool {
    let asks_anew =
        ctx.connected.is_some_and(|since| ctx.now.since(since) >= METADATA_ASKED_ANEW_AFTER);
    let others = || {
        let in_service = image.cluster.unfenced_brokers().map(|broker| broker.id);
        in_service.filter(|id| *id != question.here).collect::<BTreeSet<_>>()
    };
    asks_anew
        && image.cluster.unfenced_brokers().nth(1).is_some()
        && question.names_any(image, &others())
}

/// What a client wants to know, and who it is.
struct Question {
    wanted: Option<Vec<Asked>>,
    refused: Vec<(Str, ErrorCode)>,
    with_operations: bool,
    cluster_operations: i32,
    listener: Arc<str>,
    cluster_id: Uuid,
    here: BrokerId,
    reply: Reply<MetadataResponse>,
}

impl MetadataQuestion for Question {
    fn names_any(&self, image: &MetadataImage, leaders: &BTreeSet<BrokerId>) -> bool {
        let is_of_any = |topic: &Arc<TopicImage>| {
            topic.partitions().any(|(_, partition)| successor_may_come(partition, leaders))
        };
        match &self.wanted {
            None => image.topics.iter().any(is_of_any),
            Some(wanted) => wanted.iter().filter_map(|asked| asked.of(image)).any(is_of_any),
        }
    }

    fn answer(self: Box<Self>, image: &MetadataImage, unheard: Unheard) {
        self.tell(image, unheard);
    }
}

impl Question {
    fn tell(self, image: &MetadataImage, unheard: Unheard) {
        let Unheard { mut lost, named, is_cut_off } = unheard;
        if is_cut_off {
            lost.insert(self.here);
        }
        let mut brokers = self.brokers(image, &named);
        let ids = brokers.iter().map(|broker| broker.node_id);
        let heard = ids.filter(|id| !named.contains(&BrokerId(*id)));
        let controller_id = asked_as_controller(self.here, is_cut_off, heard);
        let told = Told { image, lost, with_operations: self.with_operations };
        let topics: Vec<_> = match self.wanted {
            None => image.topics.iter().map(|topic| told.found(topic)).collect(),
            Some(wanted) => {
                wanted.into_iter().map(|asked| told.answer(asked, &self.refused)).collect()
            }
        };
        let mut partitions = topics.iter().flat_map(|topic| &topic.partitions);
        if is_cut_off && !partitions.any(|partition| partition.leader_id == self.here.0) {
            // Who leads next others know: they are to be asked.
            brokers.retain(|broker| broker.node_id != self.here.0);
        }
        self.reply.send(MetadataResponse {
            brokers,
            cluster_id: Some(self.cluster_id.to_string().into()),
            controller_id,
            topics,
            cluster_authorized_operations: self.cluster_operations,
            ..Default::default()
        });
    }

    fn brokers(
        &self,
        image: &MetadataImage,
        named: &BTreeSet<BrokerId>,
    ) -> Vec<MetadataResponseBroker> {
        let known = image.cluster.brokers();
        let told = known.filter(|broker| !broker.fenced || named.contains(&broker.id));
        let reachable = told.filter_map(|broker| {
            let endpoint = broker.endpoint(&self.listener)?;
            Some(MetadataResponseBroker {
                node_id: broker.id.0,
                host: (&*endpoint.host).into(),
                port: i32::from(endpoint.port),
                rack: broker.rack.as_deref().map(Into::into),
            })
        });
        reachable.collect()
    }
}

/// Whom clients are to ask for what the controller does, of those of whom they are told: any broker
/// passes it on, and this one if it is among them. librdkafka waits for another for as long as its
/// metadata lives. Source: Kafka `KRaftMetadataCache.getRandomAliveBroker`.
pub(super) fn asked_as_controller(
    here: BrokerId,
    is_cut_off: bool,
    told: impl Iterator<Item = i32>,
) -> i32 {
    told.min_by_key(|id| (*id == here.0) == is_cut_off).unwrap_or(NOBODY)
}

/// Whether one of these leads, and another could. Where nobody else can, waiting is in vain.
fn successor_may_come(partition: &PartitionImage, leaders: &BTreeSet<BrokerId>) -> bool {
    partition.isr.len() > 1 && partition.leader.is_some_and(|leader| leaders.contains(&leader))
}

/// A topic as the client asks for it: by name, or from v12 by id alone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Asked {
    Name(Str),
    Id(Uuid),
}

impl Asked {
    fn of<'a>(&self, image: &'a MetadataImage) -> Option<&'a Arc<TopicImage>> {
        match self {
            Asked::Name(name) => image.topics.by_name(name),
            Asked::Id(id) => image.topics.by_id(*id),
        }
    }
}

/// `None`: all topics.
fn wanted(version: i16, topics: Option<Vec<MetadataRequestTopic>>) -> Option<Vec<Asked>> {
    let topics = topics?;
    if version == 0 && topics.is_empty() {
        return None;
    }
    // Java's admin client sends an empty name beside an id.
    let asked = |topic: MetadataRequestTopic| match topic.name {
        Some(name) if topic.topic_id.is_zero() => Asked::Name(name),
        _ => Asked::Id(topic.topic_id),
    };
    // Each is answered once, however often it is named.
    let mut named = BTreeSet::new();
    Some(topics.into_iter().map(asked).filter(|asked| named.insert(asked.clone())).collect())
}

/// Creates the named topics that do not exist; returns those that could not be created.
fn create_missing<E: Env>(
    wanted: &[Asked],
    metadata: &MetadataCache,
    to_controller: &ToController<E>,
    settings: &Settings,
) -> Vec<(Str, ErrorCode)> {
    let image = metadata.image();
    let missing: BTreeSet<&Str> = wanted
        .iter()
        .filter_map(|asked| match asked {
            Asked::Name(name) if image.topics.by_name(name).is_none() => Some(name),
            _ => None,
        })
        .collect();
    if missing.is_empty() {
        return Vec::new();
    }
    // Made by another node it is there when the client asks again.
    auto_creation::create(missing.into_iter().cloned(), to_controller, settings).unwrap_or_default()
}

/// What is known, and what the client wants to hear of it.
struct Told<'a> {
    image: &'a MetadataImage,
    lost: BTreeSet<BrokerId>,
    with_operations: bool,
}

impl Told<'_> {
    fn answer(&self, asked: Asked, refused: &[(Str, ErrorCode)]) -> MetadataResponseTopic {
        if let Some(topic) = asked.of(self.image) {
            return self.found(topic);
        }
        let (name, id) = match asked {
            Asked::Name(name) => (Some(name), Uuid::ZERO),
            Asked::Id(id) => (None, id),
        };
        let error = match &name {
            None => ErrorCode::UnknownTopicId,
            Some(name) => refused
                .iter()
                .find(|(refused, _)| refused == name)
                .map_or_else(|| why_missing(name), |(_, error)| *error),
        };
        let is_internal = name.as_deref().is_some_and(is_internal);
        let with_operations = self.with_operations && name.is_some();
        MetadataResponseTopic {
            error_code: error.code(),
            name,
            topic_id: id,
            is_internal,
            topic_authorized_operations: authorized::on_topic(with_operations),
            ..Default::default()
        }
    }

    fn found(&self, topic: &Arc<TopicImage>) -> MetadataResponseTopic {
        MetadataResponseTopic {
            error_code: ErrorCode::None.code(),
            name: Some((&*topic.name).into()),
            topic_id: topic.id,
            is_internal: is_internal(&topic.name),
            partitions: topic
                .partitions()
                .map(|(index, image)| self.partition(index, image))
                .collect(),
            topic_authorized_operations: authorized::on_topic(self.with_operations),
        }
    }

    fn partition(&self, index: i32, image: &PartitionImage) -> MetadataResponsePartition {
        let leader = image.leader.filter(|_| !successor_may_come(image, &self.lost));
        let error = match leader {
            Some(_) => ErrorCode::None,
            None => ErrorCode::LeaderNotAvailable,
        };
        MetadataResponsePartition {
            error_code: error.code(),
            partition_index: index,
            leader_id: leader.map_or(-1, |leader| leader.0),
            leader_epoch: image.leader_epoch.0,
            replica_nodes: ids(&image.replicas),
            isr_nodes: ids(&image.isr),
            offline_replicas: ids(&self.image.cluster.offline_replicas(image)),
        }
    }
}

fn why_missing(name: &str) -> ErrorCode {
    match controller::validate_topic_name(name) {
        Ok(()) => ErrorCode::UnknownTopicOrPartition,
        Err(_) => ErrorCode::InvalidTopicException,
    }
}

pub fn ids(brokers: &[BrokerId]) -> Vec<i32> {
    brokers.iter().map(|id| id.0).collect()
}

#[cfg(test)]
mod tests {
    use metadata::{MetadataDelta, MetadataRecord};
    use protocol::metadata_records::{PartitionRecord, TopicRecord};

    use super::*;

    /// One topic; the partitions are led by broker 1, with these in sync.
    fn image(in_sync: &[&[i32]]) -> MetadataImage {
        let topic_id = Uuid([7; 16]);
        let topic = TopicRecord { name: "t".into(), topic_id };
        let partitions = in_sync.iter().enumerate().map(|(index, isr)| PartitionRecord {
            partition_id: index as i32,
            topic_id,
            replicas: vec![1, 2],
            isr: isr.to_vec(),
            leader: 1,
            ..PartitionRecord::default()
        });
        let base = MetadataImage::empty();
        let mut delta = MetadataDelta::default();
        let records = std::iter::once(topic.into()).chain(partitions.map(MetadataRecord::from));
        for record in records {
            delta.replay(&base, &record).expect("it follows");
        }
        base.apply(&delta, base.provenance)
    }

    fn leaders(image: &MetadataImage, lost: &[i32]) -> Vec<(i32, i16)> {
        let lost = lost.iter().map(|id| BrokerId(*id)).collect();
        let told = Told { image, lost, with_operations: false };
        let topic = told.answer(Asked::Name("t".into()), &[]);
        topic.partitions.iter().map(|p| (p.leader_id, p.error_code)).collect()
    }

    #[test]
    fn a_lost_leader_is_none_where_another_can_take_over() {
        let image = image(&[&[1, 2], &[1]]);
        let none = ErrorCode::LeaderNotAvailable.code();
        assert_eq!(leaders(&image, &[]), [(1, 0), (1, 0)]);
        assert_eq!(leaders(&image, &[2]), [(1, 0), (1, 0)]);
        assert_eq!(leaders(&image, &[1]), [(-1, none), (1, 0)]);
    }
}
