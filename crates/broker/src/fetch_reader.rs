//! Reads what one fetch asks for, as often as it takes, and writes the response.

mod asked_by;
mod finding;
mod throttled;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::request::RequestContext;
use bytes::Bytes;
use env::Disk;
use metadata::MetadataImage;
use protocol::messages::fetch_request::FetchRequest;
use protocol::messages::fetch_response::{
    AbortedTransaction, EpochEndOffset, FetchResponse, FetchableTopicResponse, LeaderIdAndEpoch,
    NodeEndpoint, PartitionData,
};
use storage::ReadError;
use types::{BrokerId, ErrorCode, LeaderEpoch, MonoTime, Offset, WallTime};

use self::asked_by::{AskedBy, Racks};
use self::finding::{Found, is_unfinished};
use crate::fetch_sessions::{FetchContext, FetchTarget, FetchTopic, PartitionNews};
use crate::leader_hints::{LeaderAddress, LeaderHints};
use crate::metrics::Metrics;
use crate::partitions::{Partition, PartitionTable};
use crate::replicas::Throttles;
use crate::settings::Settings;

const READ_COMMITTED: i8 = 1;
const NO_OFFSET: i64 = -1;

/// The partitions of one fetch, found once and read once or twice.
pub struct FetchReader<D: Disk> {
    context: FetchContext,
    found: Vec<Found<D>>,
    partitions: Arc<PartitionTable<D>>,
    image: Arc<MetadataImage>,
    bytes_max: usize,
    read_committed: bool,
    leader_id: i32,
    /// For clients that know what to do with them.
    hints: Option<LeaderHints>,
    asked_by: AskedBy,
    /// Of a follower, while there is a limit.
    throttles: Option<Arc<Throttles>>,
    racks: Racks,
    mono: MonoTime,
    wall: WallTime,
}

/// What was read: one entry a target, in order.
#[derive(Debug)]
pub struct Reading {
    partitions: Vec<PartitionData>,
    bytes: usize,
}

/// What is left of the response for a partition.
#[derive(Clone, Copy)]
struct Room {
    bytes: usize,
    /// Nothing was read yet.
    is_first: bool,
}

/// Why a partition was not read.
enum Unread {
    Failed(ErrorCode),
    /// The disk would have to be waited for.
    NotAtHand,
}

impl From<ErrorCode> for Unread {
    fn from(error: ErrorCode) -> Unread {
        Unread::Failed(error)
    }
}

impl Reading {
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// True if some partition has something to say that cannot wait.
    pub fn has_error(&self) -> bool {
        let speaks = |p: &PartitionData| p.error_code != 0 || p.preferred_read_replica >= 0;
        self.partitions.iter().any(|p| speaks(p) || p.diverging_epoch.epoch >= 0)
    }
}

impl<D: Disk> FetchReader<D> {
    pub fn new(
        context: FetchContext,
        partitions: &Arc<PartitionTable<D>>,
        image: &Arc<MetadataImage>,
        request: &FetchRequest,
        settings: &Settings,
        hints: Option<LeaderHints>,
        ctx: &RequestContext,
    ) -> FetchReader<D> {
        let bytes_max = request.max_bytes.min(settings.fetch_bytes_max()).max(0) as usize;
        let mut reader = FetchReader {
            found: Vec::with_capacity(context.targets.len()),
            partitions: Arc::clone(partitions),
            image: Arc::clone(image),
            context,
            bytes_max,
            read_committed: request.isolation_level == READ_COMMITTED,
            leader_id: settings.broker_id().0,
            hints,
            asked_by: asked_by::of(request),
            throttles: None,
            racks: asked_by::racks(request, image, settings),
            mono: ctx.now,
            wall: ctx.wall,
        };
        reader.find_rest();
        reader
    }

    /// Reads every partition in turn until the response is full. The first batch of the first
    /// partition that has one is returned whatever its size, or a consumer would stop for ever.
    pub fn read(&self) -> Reading {
        let mut reading = self.begin_reading();
        self.read_rest(&mut reading);
        reading
    }

    pub fn begin_reading(&self) -> Reading {
        Reading { partitions: Vec::with_capacity(self.found.len()), bytes: 0 }
    }

    /// Reads up to the first partition that the disk would have to be waited for. Whether none was
    /// left.
    pub fn read_at_hand(&self, reading: &mut Reading) -> bool {
        self.read_on(reading, false)
    }

    /// Reads the partitions that were not read yet.
    pub fn read_rest(&self, reading: &mut Reading) {
        self.read_on(reading, true);
    }

    fn read_on(&self, reading: &mut Reading, waits: bool) -> bool {
        let all = self.context.targets.iter().zip(&self.found);
        for (target, found) in all.skip(reading.partitions.len()) {
            let room = Room {
                bytes: self.bytes_max.saturating_sub(reading.bytes),
                is_first: reading.bytes == 0,
            };
            let read = match &found.partition {
                Ok(partition) => self.read_partition(target, partition, room, waits),
                Err(error) => Err(Unread::Failed(*error)),
            };
            let data = match read {
                Ok(data) => data,
                Err(Unread::Failed(error)) => self.failed(target, error, found),
                Err(Unread::NotAtHand) => return false,
            };
            reading.bytes += data.records.as_ref().map_or(0, Bytes::len);
            reading.partitions.push(data);
        }
        true
    }

    fn read_partition(
        &self,
        target: &FetchTarget,
        partition: &Partition<D>,
        room: Room,
        waits: bool,
    ) -> Result<PartitionData, Unread> {
        partition.check_here().map_err(|why| match (&target.topic, why) {
            (FetchTopic::Id(_), ErrorCode::UnknownTopicOrPartition) => ErrorCode::UnknownTopicId,
            (_, why) => why,
        })?;
        check_epoch(target.current_leader_epoch, partition.leader_epoch())?;
        if let AskedBy::Follower { .. } = self.asked_by {
            partition.check_leads()?;
        }
        let log = &partition.reader();
        let (log_start, log_end) = (log.log_start(), log.log_end());
        let high_watermark = partition.high_watermark();
        let stable = partition.last_stable_offset();
        let mut data = PartitionData {
            partition_index: target.partition,
            high_watermark: high_watermark.0,
            last_stable_offset: stable.0,
            log_start_offset: log_start.0,
            preferred_read_replica: -1,
            records: Some(Bytes::new()),
            ..Default::default()
        };
        if let Some(diverging) = diverging_epoch(target, partition)? {
            data.diverging_epoch = diverging;
            return Ok(data);
        }
        let from = Offset(target.fetch_offset);
        if from < log_start || from > log_end {
            return Err(ErrorCode::OffsetOutOfRange.into());
        }
        if let Some(nearer) = self.nearer_replica(partition, from) {
            data.preferred_read_replica = nearer.0;
            return Ok(data);
        }
        let up_to = match self.asked_by {
            AskedBy::Follower { .. } => log_end,
            AskedBy::Consumer { .. } if self.read_committed => stable,
            AskedBy::Consumer { .. } => high_watermark,
        };
        let bytes_max = room.bytes.min(target.bytes_max.max(0) as usize);
        if from < up_to && (bytes_max > 0 || room.is_first) && !self.is_held_back(partition) {
            let read = match waits {
                true => log.read(from, bytes_max, up_to, room.is_first).map(Some),
                false => log.read_at_hand(from, bytes_max, up_to, room.is_first),
            };
            let slice = read.map_err(|error| report(partition, &error))?;
            data.records = Some(slice.ok_or(Unread::NotAtHand)?.bytes);
        }
        data.aborted_transactions = match self.read_committed {
            true => Some(aborted(partition, from, up_to)?),
            false => None,
        };
        Ok(data)
    }

    fn failed(&self, target: &FetchTarget, error: ErrorCode, found: &Found<D>) -> PartitionData {
        let partition = found.partition.as_ref().ok();
        let mut data = PartitionData {
            partition_index: target.partition,
            error_code: error.code(),
            high_watermark: NO_OFFSET,
            last_stable_offset: NO_OFFSET,
            log_start_offset: NO_OFFSET,
            preferred_read_replica: -1,
            records: Some(Bytes::new()),
            aborted_transactions: None,
            ..Default::default()
        };
        if let (ErrorCode::FencedLeaderEpoch, Some(partition)) = (error, partition) {
            let leader_epoch = partition.leader_epoch().0;
            data.current_leader = LeaderIdAndEpoch { leader_id: self.leader_id, leader_epoch };
        }
        if matches!(error, ErrorCode::NotLeaderOrFollower | ErrorCode::FencedLeaderEpoch)
            && let Some(hints) = &self.hints
            && let Some(hint) =
                hints.of(&found.name, target.partition, partition.map(|partition| &**partition))
            && let Some(hint) = match error {
                ErrorCode::FencedLeaderEpoch => Some(hint),
                _ => hint.other_than(BrokerId(self.leader_id)),
            }
        {
            data.current_leader = LeaderIdAndEpoch {
                leader_id: hint.leader.map_or(-1, |leader| leader.0),
                leader_epoch: hint.leader_epoch.0,
            };
        }
        if let (ErrorCode::OffsetOutOfRange, Some(partition), AskedBy::Follower { .. }) =
            (error, partition, &self.asked_by)
        {
            // It begins anew where this log starts.
            data.log_start_offset = partition.reader().log_start().0;
        }
        data
    }

    /// The response, without what the session's client knows already. Counts what it sends.
    pub fn respond(&self, reading: Reading, metrics: &Metrics) -> FetchResponse {
        let mut topics: Vec<FetchableTopicResponse> = Vec::new();
        let node_endpoints = self.leader_endpoints(&reading.partitions);
        let targets = self.context.targets.iter().zip(&self.found);
        self.record_throttled(&reading.partitions);
        for ((target, found), data) in targets.zip(reading.partitions) {
            count(found, &data, metrics);
            let has_records = data.records.as_ref().is_some_and(|r| !r.is_empty());
            if self.context.changes().is_some() && is_unfinished(target, found, &data) {
                self.context.look_again_at(target);
            }
            if !self.context.is_news(
                target,
                news(&data),
                has_records || data.preferred_read_replica >= 0,
            ) {
                continue;
            }
            match topics.last_mut() {
                Some(last) if last.topic == found.name && last.topic_id == found.id => {
                    last.partitions.push(data);
                }
                _ => topics.push(FetchableTopicResponse {
                    topic: found.name.clone(),
                    topic_id: found.id,
                    partitions: vec![data],
                }),
            }
        }
        FetchResponse {
            session_id: self.context.session_id,
            responses: topics,
            node_endpoints,
            ..Default::default()
        }
    }

    /// Where the leaders are that are named.
    fn leader_endpoints(&self, partitions: &[PartitionData]) -> Vec<NodeEndpoint> {
        let Some(hints) = &self.hints else { return Vec::new() };
        let failed = partitions.iter().filter(|data| data.error_code != 0);
        let named: BTreeSet<i32> = failed.map(|data| data.current_leader.leader_id).collect();
        let endpoint = |node_id: i32| {
            let LeaderAddress { host, port, rack } = hints.address_of(BrokerId(node_id))?;
            Some(NodeEndpoint { node_id, host, port, rack })
        };
        named.into_iter().filter_map(endpoint).collect()
    }

    /// How many partitions it may wait for.
    pub fn partition_count(&self) -> usize {
        self.context.partition_count
    }
}

fn count<D: Disk>(found: &Found<D>, data: &PartitionData, metrics: &Metrics) {
    let of_partition = found.partition.as_ref().map(|partition| &*partition.metrics);
    let counts = of_partition.unwrap_or(&metrics.topics.others);
    counts.fetch_requests.increment();
    counts.bytes_out.add(data.records.as_ref().map_or(0, Bytes::len) as u64);
    counts.failed_fetch_requests.add(u64::from(data.error_code != 0));
}

fn news(data: &PartitionData) -> PartitionNews {
    PartitionNews {
        error: data.error_code,
        diverges: data.diverging_epoch.epoch >= 0,
        high_watermark: data.high_watermark,
        last_stable_offset: data.last_stable_offset,
        log_start_offset: data.log_start_offset,
    }
}

/// The code for the client; damage is told the operator once.
fn report<D: Disk>(partition: &Partition<D>, error: &ReadError) -> ErrorCode {
    if let ReadError::Corrupt { at, is_first: true, .. } = error {
        log::error!(
            target: "kafka.log.UnifiedLog",
            "cannot serve offset {at} of {} · {error} · other offsets are served; consumers must \
             skip this one, or restore the partition from a copy; check the disk · CORRUPT_MESSAGE",
            partition.id
        );
    }
    error.error_code()
}

/// A client that knows an older leader is fenced; one that knows a newer leader must ask elsewhere
/// or again. Source: KIP-320.
pub fn check_epoch(asked: i32, current: LeaderEpoch) -> Result<(), ErrorCode> {
    match LeaderEpoch(asked) {
        LeaderEpoch::NONE => Ok(()),
        asked if asked < current => Err(ErrorCode::FencedLeaderEpoch),
        asked if asked > current => Err(ErrorCode::UnknownLeaderEpoch),
        _ => Ok(()),
    }
}

/// Where the client's log and ours part, if the epoch it read last ended before its offset here.
///
/// # Errors
/// `OFFSET_OUT_OF_RANGE`: nothing is known here of that epoch, nor of one after it. Source: Kafka
/// `Partition.readRecords`.
fn diverging_epoch<D: Disk>(
    target: &FetchTarget,
    partition: &Partition<D>,
) -> Result<Option<EpochEndOffset>, ErrorCode> {
    if target.last_fetched_epoch < 0 {
        return Ok(None);
    }
    let asked = LeaderEpoch(target.last_fetched_epoch);
    let end = partition.epoch_end(asked).ok_or(ErrorCode::OffsetOutOfRange)?;
    if Offset(target.fetch_offset) < partition.reader().log_start() {
        return Err(ErrorCode::OffsetOutOfRange);
    }
    let diverges = end.epoch < asked || end.end_offset < Offset(target.fetch_offset);
    Ok(diverges.then_some(EpochEndOffset { epoch: end.epoch.0, end_offset: end.end_offset.0 }))
}

fn aborted<D: Disk>(
    partition: &Partition<D>,
    from: Offset,
    up_to: Offset,
) -> Result<Vec<AbortedTransaction>, ErrorCode> {
    let found = partition.reader().aborted_transactions(from, up_to);
    let found = found.map_err(|error: ReadError| error.error_code())?;
    let entry = |txn: storage::AbortedTransaction| AbortedTransaction {
        producer_id: txn.producer_id.0,
        first_offset: txn.first_offset.0,
    };
    Ok(found.into_iter().map(entry).collect())
}
