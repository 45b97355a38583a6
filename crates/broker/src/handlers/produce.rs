//! Produce (key 0), versions 3–13; 0–2 are advertised and refused (KAFKA-18659).
//! Appends one batch to each partition named; answers when each is acknowledged.
//! v7 allows zstd · v8 adds record errors · v9 flexible · v10 leader hints (KIP-951) · v13 names
//! topics by id (KIP-516).
//! acks=0 has no response: a failure cuts the connection instead.
//! Differs from Kafka: a leader that is cut off from its peers refuses what others could lead
//! (`Isolation`); transactional batches are refused (INVALID_TXN_STATE); an idempotent batch
//! behind one that was refused for a reason that passes is refused as that was, and soon after an
//! election one that leaves a gap in its producer's sequence is told NOT_LEADER_OR_FOLLOWER.

use std::sync::Arc;
use std::time::Duration;

use env::Disk;
use metadata::MetadataImage;
use protocol::messages::produce_request::{PartitionProduceData, ProduceRequest, TopicProduceData};
use protocol::messages::produce_response::ProduceResponse;
use records::BatchHeader;
use records::validate::validate_produce;
use types::ErrorCode;

use crate::cluster::Isolation;
use crate::internal_topics::is_internal;
use crate::leader_hints::{LeaderHints, why_not_here};
use crate::metadata_cache::MetadataCache;
use crate::metrics::Metrics;
use crate::network::Reply;
use crate::partitions::{Acks, Append, AppendDone, Partition, PartitionTable};
use crate::pending_produce::{PendingProduce, Refusal};
use crate::request::RequestContext;
use crate::timers::Timers;

const ACKS_ALL: i16 = -1;
const ACKS_NONE: i16 = 0;
const ACKS_LEADER: i16 = 1;
/// The first version whose clients understand zstd. Source: KIP-110.
const ZSTD_SINCE: i16 = 7;
/// From this version a client goes where an answer sends it. Source: KIP-951.
const HINTS_SINCE: i16 = 10;
/// The client id of Kafka's own admin tools, which alone may write internal topics.
const ADMIN_CLIENT_ID: &str = "__admin_client";

// One parameter a room; the table in `api.rs` is the only caller.
#[allow(clippy::too_many_arguments)]
pub fn handle<D: Disk>(
    ctx: &RequestContext,
    request: ProduceRequest,
    reply: Reply<ProduceResponse>,
    partitions: &PartitionTable<D>,
    metadata: &MetadataCache,
    isolation: &Isolation,
    timers: &Arc<Timers>,
    metrics: &Arc<Metrics>,
) {
    let image = metadata.image();
    let acks = request.acks;
    let forbidden = refusal_of_transactions(&request);
    let is_cut_off = isolation.is_on(ctx.now);
    let timeout = Duration::from_millis(request.timeout_ms.max(0) as u64);
    let topics = named(request, &image);
    let pending = {
        let listener = &ctx.connection.listener;
        let hints =
            (ctx.version >= HINTS_SINCE).then(|| LeaderHints::new(Arc::clone(&image), listener));
        PendingProduce::new(&topics, acks, reply, hints, Arc::clone(metrics))
    };
    let mut waits_for_others = false;
    for (t, mut topic) in topics.into_iter().enumerate() {
        for (p, data) in std::mem::take(&mut topic.partition_data).into_iter().enumerate() {
            let found = match forbidden {
                Some(error) => Err(error),
                None if !acks_are_valid(acks) => Err(ErrorCode::InvalidRequiredAcks),
                None => {
                    let found = find(ctx, partitions, &image, &topic, data.index)
                        .and_then(|found| lead_still(found, is_cut_off));
                    partitions.early_refusals.settle(&topic, &data, found, ctx.now)
                }
            };
            let found = found.map_err(|error| match error {
                ErrorCode::NotLeaderOrFollower => {
                    let here = partitions.get(&topic.name, data.index);
                    pending.not_leader(&topic.name, data.index, here.as_deref())
                }
                error => Refusal::from(error),
            });
            let pending = Arc::clone(&pending);
            match found.and_then(|partition| append_to(ctx, partition, data)) {
                Ok((partition, batch)) => {
                    waits_for_others |= acks == ACKS_ALL && partition.has_other_replicas();
                    let done = AppendDone::Part(pending, (t as u32, p as u32));
                    partition.submit(Append { batch, acks: acks_of(acks), done });
                    ctx.turns.note(partition, ctx.wall);
                }
                Err(refusal) => pending.refused((t as u32, p as u32), refusal),
            }
        }
    }
    if waits_for_others {
        pending.expire_at(ctx.now.plus(timeout), timers);
    }
    pending.all_submitted();
}

/// Topics that are named by id, with their names.
fn named(request: ProduceRequest, image: &MetadataImage) -> Vec<TopicProduceData> {
    let named = |mut topic: TopicProduceData| {
        if let (true, Some(found)) = (topic.name.is_empty(), image.topics.by_id(topic.topic_id)) {
            topic.name = (&*found.name).into();
        }
        topic
    };
    request.topic_data.into_iter().map(named).collect()
}

/// Transactional records without a transactional id are not authorized for anything, and then
/// neither is the rest of the request; with one, there is no transaction here that they belong to.
fn refusal_of_transactions(request: &ProduceRequest) -> Option<ErrorCode> {
    if request.transactional_id.is_some() {
        return Some(ErrorCode::InvalidTxnState);
    }
    let mut all = request.topic_data.iter().flat_map(|topic| &topic.partition_data);
    let is_transactional = |data: &PartitionProduceData| {
        let first = data.records.as_deref().map(BatchHeader::parse);
        first.is_some_and(|header| header.is_ok_and(|header| header.is_transactional()))
    };
    all.any(is_transactional).then_some(ErrorCode::TransactionalIdAuthorizationFailed)
}

fn acks_of(acks: i16) -> Acks {
    match acks {
        ACKS_ALL => Acks::All,
        ACKS_LEADER => Acks::Leader,
        _ => Acks::None,
    }
}

fn acks_are_valid(acks: i16) -> bool {
    matches!(acks, ACKS_ALL | ACKS_NONE | ACKS_LEADER)
}

fn find<D: Disk>(
    ctx: &RequestContext,
    partitions: &PartitionTable<D>,
    image: &MetadataImage,
    topic: &TopicProduceData,
    index: i32,
) -> Result<Arc<Partition<D>>, ErrorCode> {
    let name: &str = &topic.name;
    if is_internal(name) && ctx.client_id() != ADMIN_CLIENT_ID {
        return Err(ErrorCode::InvalidTopicException);
    }
    let found = partitions.find(name, index).map_err(|error| match error {
        ErrorCode::UnknownTopicOrPartition if name.is_empty() => ErrorCode::UnknownTopicId,
        error => why_not_here(image, name, index, error),
    })?;
    found.check_leads()?;
    Ok(found)
}

/// Nothing is written that would be cut once the next leader is heard of.
fn lead_still<D: Disk>(
    partition: Arc<Partition<D>>,
    is_cut_off: bool,
) -> Result<Arc<Partition<D>>, ErrorCode> {
    match is_cut_off && partition.may_be_led_elsewhere() {
        true => Err(ErrorCode::NotLeaderOrFollower),
        false => Ok(partition),
    }
}

type Prepared<D> = (Arc<Partition<D>>, records::validate::ValidatedBatch);

fn append_to<D: Disk>(
    ctx: &RequestContext,
    partition: Arc<Partition<D>>,
    data: PartitionProduceData,
) -> Result<Prepared<D>, Refusal> {
    partition.metrics.produce_requests.increment();
    let mut rules = partition.produce_rules();
    rules.zstd_allowed = ctx.version >= ZSTD_SINCE;
    let batch = validate_produce(data.records.unwrap_or_default(), &rules, ctx.wall)?;
    Ok((partition, batch))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use env::{Clock, Env};
    use env_sim::SimEnv;
    use protocol::frame::{self, PREFIX_BYTES};
    use records::{BatchBuilder, NewRecord};

    use super::*;
    use crate::api::{self, Caller};
    use crate::network::ResponseQueue;
    use crate::partitions::DueTurns;
    use crate::request::Door;
    use crate::tests;

    fn request(env: &SimEnv) -> Bytes {
        let timestamp = env.clock().wall();
        let mut batch = BatchBuilder::new();
        batch.push(NewRecord { timestamp, key: None, value: Some(&[7; 10_000]), headers: &[] });
        let data = PartitionProduceData { index: 0, records: Some(batch.build().into_bytes()) };
        let topic =
            TopicProduceData { name: "t".into(), partition_data: vec![data], ..Default::default() };
        let request = ProduceRequest {
            acks: ACKS_ALL,
            timeout_ms: 30_000,
            topic_data: vec![topic],
            ..Default::default()
        };
        let frame = frame::request(&request, 12, 1, Some("client".into())).expect("a request");
        Bytes::from(frame.concat()).slice(PREFIX_BYTES..)
    }

    /// Found by counting page faults: the topic's name in the answer kept the whole request.
    #[test]
    fn a_request_that_waits_for_the_disk_is_no_longer_in_memory() {
        let env = SimEnv::new(7);
        let node = tests::lone_with_topic(&env, 1);
        let caller = Caller::here(&node.settings.config, Door::Clients);
        let turns: Arc<DueTurns> = Arc::default();
        let responses: Arc<ResponseQueue> = Arc::default();
        let frame = request(&env);
        let slot = responses.open_slot();
        api::dispatch(&node, &caller, &turns, frame.clone(), slot).expect("a request");
        turns.run();
        assert_eq!(responses.ready_bytes(), 0, "it waits");
        assert_eq!(node.partitions.get("t", 0).expect("made").reader().log_end().0, 1);
        assert!(frame.is_unique(), "somebody holds the request");
    }
}
