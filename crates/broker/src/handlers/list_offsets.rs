//! ListOffsets (key 2), versions 1–11.
//! The offset for a timestamp, or for one of the special ones below.
//! v2 isolation level · v4 leader epoch · v7 max timestamp · v8 earliest local · v9 latest tiered ·
//! v11 earliest pending upload.
//! The epoch returned is that of the offset, never that of today: committing a wrong epoch
//! blocks groups.
//! Nothing is tiered, so −5 and −6 find no offset.
//! Differs from Kafka: a leader that may have been replaced waits until it knows, for a log start
//! that it has not heard of would seem to go back. If it is cut off from its peers it tells nothing
//! (docs/adr/0012, points 7 and 8).

use std::sync::Arc;

use env::Disk;
use protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsRequest};
use protocol::messages::list_offsets_response::{
    ListOffsetsPartitionResponse, ListOffsetsResponse, ListOffsetsTopicResponse,
};
use types::{ErrorCode, LeaderEpoch, MonoTime, Offset, WallTime};

use crate::cluster::{Isolation, LeaseWait};
use crate::fetch_reader::check_epoch;
use crate::leader_hints::why_not_here;
use crate::metadata_cache::MetadataCache;
use crate::network::Reply;
use crate::partitions::{Partition, PartitionTable};
use crate::request::RequestContext;

const LATEST: i64 = -1;
const EARLIEST: i64 = -2;
const MAX_TIMESTAMP: i64 = -3;
const EARLIEST_LOCAL: i64 = -4;
const LATEST_TIERED: i64 = -5;
const EARLIEST_PENDING_UPLOAD: i64 = -6;
const READ_COMMITTED: i8 = 1;
/// The first version whose clients know OFFSET_NOT_AVAILABLE.
const OFFSET_NOT_AVAILABLE_SINCE: i16 = 5;

/// The first version that knows each special timestamp; older requests with it are refused.
const SPECIAL_SINCE: [(i64, i16); 4] =
    [(MAX_TIMESTAMP, 7), (EARLIEST_LOCAL, 8), (LATEST_TIERED, 9), (EARLIEST_PENDING_UPLOAD, 11)];

pub fn handle<D: Disk>(
    ctx: &RequestContext,
    request: ListOffsetsRequest,
    reply: Reply<ListOffsetsResponse>,
    partitions: &Arc<PartitionTable<D>>,
    metadata: &Arc<MetadataCache>,
    isolation: &Arc<Isolation>,
    lease_wait: &Arc<LeaseWait>,
) {
    let (version, is_cut_off) = (ctx.version, isolation.is_on(ctx.now));
    let may_be_old = !lease_wait.is_leased(ctx.now) && asks_for_shared(&request, partitions);
    if is_cut_off || !may_be_old {
        return answer(version, request, reply, partitions, metadata, is_cut_off);
    }
    let (partitions, metadata) = (Arc::clone(partitions), Arc::clone(metadata));
    let isolation = Arc::clone(isolation);
    let then = move |now: MonoTime| {
        answer(version, request, reply, &partitions, &metadata, isolation.is_on(now));
    };
    lease_wait.once(ctx.now, Box::new(then));
}

/// Whether it is about something that is led here and lies on other brokers, too.
fn asks_for_shared<D: Disk>(request: &ListOffsetsRequest, partitions: &PartitionTable<D>) -> bool {
    request.topics.iter().any(|topic| {
        topic.partitions.iter().any(|asked| {
            let found = partitions.find(&topic.name, asked.partition_index);
            found.is_ok_and(|found| found.leads() && found.has_other_replicas())
        })
    })
}

fn answer<D: Disk>(
    version: i16,
    request: ListOffsetsRequest,
    reply: Reply<ListOffsetsResponse>,
    partitions: &PartitionTable<D>,
    metadata: &MetadataCache,
    is_cut_off: bool,
) {
    let image = metadata.image();
    let committed = request.isolation_level == READ_COMMITTED;
    let topics = request.topics.into_iter().map(|topic| {
        let answer = |asked: &ListOffsetsPartition| {
            let found = partitions.find(&topic.name, asked.partition_index);
            let answer = found
                .map_err(|e| why_not_here(&image, &topic.name, asked.partition_index, e))
                .and_then(|partition| match is_cut_off && partition.may_be_led_elsewhere() {
                    true => Err(ErrorCode::NotLeaderOrFollower),
                    false => look_up(version, &partition, asked, committed),
                })
                .unwrap_or_else(|error| Found { error, ..Found::NOTHING });
            ListOffsetsPartitionResponse {
                partition_index: asked.partition_index,
                error_code: answer.error.code(),
                timestamp: answer.timestamp,
                offset: answer.offset.0,
                leader_epoch: answer.epoch.0,
            }
        };
        let partitions = topic.partitions.iter().map(answer).collect();
        ListOffsetsTopicResponse { name: topic.name.clone(), partitions }
    });
    reply.send(ListOffsetsResponse { topics: topics.collect(), ..Default::default() });
}

struct Found {
    error: ErrorCode,
    timestamp: i64,
    offset: Offset,
    epoch: LeaderEpoch,
}

impl Found {
    const NOTHING: Found = Found {
        error: ErrorCode::None,
        timestamp: -1,
        offset: Offset::NONE,
        epoch: LeaderEpoch::NONE,
    };
}

fn look_up<D: Disk>(
    version: i16,
    partition: &Partition<D>,
    asked: &ListOffsetsPartition,
    committed: bool,
) -> Result<Found, ErrorCode> {
    let special = SPECIAL_SINCE.iter().find(|(timestamp, _)| *timestamp == asked.timestamp);
    if special.is_some_and(|(_, since)| version < *since)
        || asked.timestamp < EARLIEST_PENDING_UPLOAD
    {
        return Err(ErrorCode::UnsupportedVersion);
    }
    partition.check_leads()?;
    check_epoch(asked.current_leader_epoch, partition.leader_epoch())?;
    if asked.timestamp == LATEST && !partition.knows_latest_offset() {
        // A fresh leader would seem to go back (KIP-207).
        return Err(match version >= OFFSET_NOT_AVAILABLE_SINCE {
            true => ErrorCode::OffsetNotAvailable,
            false => ErrorCode::LeaderNotAvailable,
        });
    }
    let log = &partition.reader();
    let visible_end =
        if committed { partition.last_stable_offset() } else { partition.high_watermark() };
    let at = |offset: Offset, epoch| Found { offset, epoch, ..Found::NOTHING };
    match asked.timestamp {
        LATEST => Ok(at(visible_end, partition.leader_epoch())),
        EARLIEST | EARLIEST_LOCAL => {
            let start = log.log_start();
            Ok(at(start, log.leader_epoch_at(start).unwrap_or(partition.leader_epoch())))
        }
        LATEST_TIERED | EARLIEST_PENDING_UPLOAD => Ok(Found::NOTHING),
        timestamp => {
            let found = if timestamp == MAX_TIMESTAMP {
                log.max_timestamp()
            } else {
                log.offset_for_timestamp(WallTime(timestamp))
            };
            let found = found.map_err(|error| error.error_code())?;
            let visible = found.filter(|record| record.offset < visible_end);
            Ok(visible.map_or(Found::NOTHING, |record| Found {
                error: ErrorCode::None,
                timestamp: record.timestamp.0,
                offset: record.offset,
                epoch: record.leader_epoch.unwrap_or(LeaderEpoch::NONE),
            }))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll, Waker};
    use std::time::Duration;

    use bytes::Bytes;
    use env::{Clock, Env};
    use env_sim::SimEnv;
    use protocol::messages::list_offsets_request::ListOffsetsTopic;
    use protocol::{ApiKey, Message};
    use replication::PartitionState;
    use types::{BrokerId, PartitionEpoch};

    use super::*;
    use crate::cluster::Lease;
    use crate::limits::{LEASE_LOOK, LEASE_WAIT_MAX};
    use crate::network::{ConnectionInfo, ResponseQueue};
    use crate::node::Node;
    use crate::request::Door;
    use crate::tests;

    const VERSION: i16 = 5;
    const SESSION: Duration = Duration::from_millis(1_200);

    /// A broker without a lease that leads what lies on broker 2 as well.
    struct World {
        node: Arc<Node<SimEnv>>,
        env: SimEnv,
        lease: Arc<Lease>,
        isolation: Arc<Isolation>,
        lease_wait: Arc<LeaseWait>,
        responses: Arc<ResponseQueue>,
    }

    /// Broker 1 leads what lies on these.
    fn lead(node: &Node<SimEnv>, partition_epoch: i32, replicas: &[i32]) {
        let replicas: Vec<BrokerId> = replicas.iter().copied().map(BrokerId).collect();
        let state = PartitionState {
            leader: Some(BrokerId(1)),
            leader_epoch: LeaderEpoch(5),
            partition_epoch: PartitionEpoch(partition_epoch),
            isr: replicas.clone(),
            replicas,
            recovering: false,
        };
        let (now, wall) = (node.env().clock().mono(), node.env().clock().wall());
        let partition = node.partitions.get("t", 0).expect("made with the topic");
        partition.handle_partition_state(&state, now, wall).expect("a sound disk");
    }

    impl World {
        fn without_lease() -> World {
            let env = SimEnv::new(7);
            let node = tests::lone_with_topic(&env, 1);
            lead(&node, 5, &[1, 2]);
            let now = env.clock().mono();
            let lease = Arc::new(Lease::unlimited());
            lease.end();
            let isolation = Arc::new(Isolation::new(Arc::clone(&lease), SESSION));
            isolation.note_followed(now);
            let lease_wait = LeaseWait::new(&node.timers, &lease);
            World { node, env, lease, isolation, lease_wait, responses: Arc::default() }
        }

        fn ask(&self) {
            let peer = ([10, 0, 0, 0], 1).into();
            let ctx = RequestContext {
                connection: Arc::new(ConnectionInfo { peer, listener: "PLAINTEXT".into() }),
                door: Door::Clients,
                connected: None,
                turns: Arc::default(),
                key: ApiKey::ListOffsets,
                version: VERSION,
                client_id: None,
                now: self.env.clock().mono(),
                wall: self.env.clock().wall(),
            };
            let (current_leader_epoch, timestamp) = (-1, EARLIEST);
            let first =
                ListOffsetsPartition { partition_index: 0, current_leader_epoch, timestamp };
            let topics = vec![ListOffsetsTopic { name: "t".into(), partitions: vec![first] }];
            let request = ListOffsetsRequest { topics, ..Default::default() };
            let reply = Reply::new(self.responses.open_slot(), ctx.key, ctx.version, 1);
            let Node { partitions, metadata, .. } = &*self.node;
            handle(&ctx, request, reply, partitions, metadata, &self.isolation, &self.lease_wait);
        }

        /// What it has answered after so long.
        fn told_after(&self, time: Duration) -> Option<(ErrorCode, i64)> {
            let now = self.env.clock().mono().plus(time);
            self.env.clock().set(now);
            self.node.timers.expire(now);
            let mut cx = Context::from_waker(Waker::noop());
            let Poll::Ready(answer) = self.responses.poll_ready(&mut cx) else { return None };
            const PREFIX_AND_HEADER_BYTES: usize = 8;
            let frame = answer.expect("no end of the connection").concat();
            let body = Bytes::from(frame).split_off(PREFIX_AND_HEADER_BYTES);
            let mut told = ListOffsetsResponse::from_bytes(body, VERSION).expect("an answer");
            let first = told.topics.remove(0).partitions.remove(0);
            Some((ErrorCode::from_code(first.error_code).expect("a known error"), first.offset))
        }
    }

    #[test]
    fn who_asks_a_leader_without_a_lease_waits_until_it_has_one() {
        let world = World::without_lease();
        world.ask();
        assert_eq!(world.told_after(Duration::from_millis(100)), None);
        world.lease.renew(world.env.clock().mono(), SESSION);
        assert_eq!(world.told_after(LEASE_LOOK), Some((ErrorCode::None, 0)));
        world.ask();
        assert_eq!(world.told_after(Duration::ZERO), Some((ErrorCode::None, 0)), "at once");
    }

    #[test]
    fn while_no_controller_answers_a_leader_that_is_followed_tells_in_the_end() {
        let world = World::without_lease();
        world.ask();
        assert_eq!(world.told_after(LEASE_WAIT_MAX - SESSION), None);
        world.isolation.note_followed(world.env.clock().mono().plus(SESSION / 2));
        assert_eq!(world.told_after(SESSION), Some((ErrorCode::None, 0)));
    }

    #[test]
    fn a_leader_that_is_not_followed_either_tells_nothing() {
        let world = World::without_lease();
        world.ask();
        let refused = Some((ErrorCode::NotLeaderOrFollower, -1));
        assert_eq!(world.told_after(LEASE_WAIT_MAX), refused);
        world.ask();
        assert_eq!(world.told_after(Duration::ZERO), refused, "cut off by now: at once");
    }

    #[test]
    fn what_lies_on_no_other_broker_is_told_without_a_lease() {
        let world = World::without_lease();
        lead(&world.node, 6, &[1]);
        world.ask();
        assert_eq!(world.told_after(Duration::ZERO), Some((ErrorCode::None, 0)));
    }
}
