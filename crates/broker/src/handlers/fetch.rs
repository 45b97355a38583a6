//! Fetch (key 1), versions 4–18.
//! Reads from each partition, or waits until there is enough to read.
//! v7 sessions (KIP-227) · v9 leader epoch · v12 flexible, divergence · v13 topic ids · v15 replica
//! state · v16 leader hints (KIP-951). A follower's fetch also says how far it is (ADR 11).
//! Differs from Kafka: a leader that is cut off from its peers refuses consumers (`Isolation`).

use std::sync::{Arc, Weak};
use std::time::Duration;

use env::{Disk, Env};
use metadata::MetadataImage;
use protocol::Str;
use protocol::messages::FetchResponse;
use protocol::messages::fetch_request::FetchRequest;
use types::{BrokerId, ErrorCode, MonoTime};

use crate::cluster::Isolation;
use crate::cold_reads::ColdReads;
use crate::fetch_reader::{FetchReader, Reading};
use crate::fetch_sessions::{ChangesSeen, FetchSessions, FetchTarget, FetchTopic, SessionRequest};
use crate::fetch_wait::{FetchWait, WaitsOn};
use crate::leader_hints::LeaderHints;
use crate::limits::{FETCH_WAIT_MS_MAX, FETCH_WAIT_PARTITIONS_MAX, LOOK_AT_ALL_EVERY};
use crate::metadata_cache::MetadataCache;
use crate::metrics::Metrics;
use crate::network::Reply;
use crate::partitions::PartitionTable;
use crate::replicas::{ExpectedFollowers, Throttles};
use crate::request::RequestContext;
use crate::settings::Settings;
use crate::timers::{Expire, Timers};

/// From this version a request names topics by id only. Source: KIP-516.
const TOPIC_IDS_SINCE: i16 = 13;
/// From this version a client goes where an answer sends it. Source: KIP-951.
const HINTS_SINCE: i16 = 16;

// One parameter a room; the table in `api.rs` is the only caller.
#[allow(clippy::too_many_arguments)]
pub fn handle<E: Env>(
    ctx: &RequestContext,
    request: FetchRequest,
    reply: Reply<FetchResponse>,
    partitions: &Arc<PartitionTable<E::Disk>>,
    metadata: &MetadataCache,
    sessions: &FetchSessions,
    cold_reads: &ColdReads<E>,
    timers: &Arc<Timers>,
    settings: &Settings,
    metrics: &Arc<Metrics>,
    throttles: &Arc<Throttles>,
    isolation: &Isolation,
    expected: &Arc<ExpectedFollowers>,
) {
    let by_topic_id = ctx.version >= TOPIC_IDS_SINCE;
    let image = metadata.image();
    let mut session = session_request(&request, by_topic_id, &image);
    if by_topic_id && request.replica_state.replica_id >= 0 && !throttles.leader.is_on() {
        let lag_time_max = settings.config.replication.lag_time_max;
        session.look_at_all_every = Some(LOOK_AT_ALL_EVERY.min(lag_time_max / 4));
    }
    let context = match sessions.begin(session, ctx.now, || settings.random()) {
        Ok(context) => context,
        Err(error) => return reply.send(refusal(error)),
    };
    let mut reader = {
        let knows_hints = ctx.version >= HINTS_SINCE;
        let listener = &ctx.connection.listener;
        let hints = knows_hints.then(|| LeaderHints::new(Arc::clone(&image), listener));
        FetchReader::new(context, partitions, &image, &request, settings, hints, ctx)
            .throttled_by(throttles)
    };
    let follower = reader.follower();
    match follower.is_some() {
        true => isolation.note_followed(ctx.now),
        false if isolation.is_on(ctx.now) => reader.refuse_what_may_be_led_elsewhere(),
        false => {}
    }
    let wait_ms = request.max_wait_ms.clamp(0, FETCH_WAIT_MS_MAX);
    let asked = Asked {
        min_bytes: request.min_bytes.max(0) as usize,
        may_wait: wait_ms > 0,
        deadline: ctx.now.plus(Duration::from_millis(wait_ms as u64)),
        follower: follower.map(|broker| (broker, Arc::clone(expected), ctx.now)),
        timers: Arc::clone(timers),
        metrics: Arc::clone(metrics),
    };
    let before = reader.progress_bytes();
    reader.note_progress();
    let mut reading = reader.begin_reading();
    match reader.read_at_hand(&mut reading) {
        true => asked.answer(reader, reading, before, reply),
        false => cold_reads.run(Box::new(move || {
            reader.read_rest(&mut reading);
            asked.answer(reader, reading, before, reply);
        })),
    }
}

/// How long a fetch may take to find how much, and what that needs.
struct Asked {
    min_bytes: usize,
    may_wait: bool,
    deadline: MonoTime,
    /// Who asks, and when; `None` for a consumer.
    follower: Option<(BrokerId, Arc<ExpectedFollowers>, MonoTime)>,
    timers: Arc<Timers>,
    metrics: Arc<Metrics>,
}

impl Asked {
    /// `before` is how far the partitions were before they were read.
    fn answer<D: Disk>(
        self,
        reader: FetchReader<D>,
        reading: Reading,
        before: u64,
        reply: Reply<FetchResponse>,
    ) {
        if !self.may_wait || !is_worth_waiting(&reader, &reading, self.min_bytes) {
            return reply.send(reader.respond(reading, &self.metrics));
        }
        let missing = self.min_bytes.saturating_sub(reading.bytes());
        match reader.changes().cloned() {
            Some(seen) => self.wait_for_changes(reader, missing, &seen, reply),
            None => self.wait_on_partitions(reader, missing, before, reply),
        }
    }

    fn wait_on_partitions<D: Disk>(
        self,
        reader: FetchReader<D>,
        missing: usize,
        before: u64,
        reply: Reply<FetchResponse>,
    ) {
        let missing = (reader.waits_for(), missing);
        let (waits_on, reader) = (WaitsOn::Partitions(reader.partitions()), Arc::new(reader));
        let (later, metrics) = (Arc::clone(&reader), self.metrics);
        let finish = Box::new(move || reply.send(later.respond(later.read(), &metrics)));
        let deadline = reader.held_back_until().map_or(self.deadline, |at| at.min(self.deadline));
        let wait = FetchWait::park(&self.timers, deadline, missing, waits_on, finish);
        note_waiting(self.follower, &wait, &self.timers);
        // What was shown between the reading and the parking woke nobody.
        let missed = reader.progress_bytes().saturating_sub(before) as usize;
        wait.handle_more(missed, missed);
    }

    /// For whatever comes to the session's partitions.
    fn wait_for_changes<D: Disk>(
        self,
        mut reader: FetchReader<D>,
        missing: usize,
        seen: &ChangesSeen,
        reply: Reply<FetchResponse>,
    ) {
        let missing = (reader.waits_for(), missing);
        let metrics = self.metrics;
        let finish = Box::new(move || {
            let reading = reader.read_changed();
            reply.send(reader.respond(reading, &metrics));
        });
        let waits_on = WaitsOn::<D>::Changes(Arc::clone(&seen.changes));
        let wait = FetchWait::park(&self.timers, self.deadline, missing, waits_on, finish);
        note_waiting(self.follower, &wait, &self.timers);
        wait.handle_more(seen.missed_bytes(), 0);
    }
}

fn note_waiting<D: Disk>(
    follower: Option<(BrokerId, Arc<ExpectedFollowers>, MonoTime)>,
    wait: &Arc<FetchWait<D>>,
    timers: &Timers,
) {
    let Some((broker, expected, now)) = follower else { return };
    let weak: Weak<FetchWait<D>> = Arc::downgrade(wait);
    if let Some(at) = expected.note_waiting(broker, weak, now) {
        timers.register(at, Arc::clone(wait) as Arc<dyn Expire>);
    }
}

fn is_worth_waiting<D: Disk>(reader: &FetchReader<D>, reading: &Reading, min_bytes: usize) -> bool {
    let waits_on = reader.partition_count();
    !reading.has_error()
        && reading.bytes() < min_bytes
        && (1..=FETCH_WAIT_PARTITIONS_MAX).contains(&waits_on)
}

fn refusal(error: ErrorCode) -> FetchResponse {
    FetchResponse { error_code: error.code(), ..Default::default() }
}

fn session_request(
    request: &FetchRequest,
    by_topic_id: bool,
    image: &MetadataImage,
) -> SessionRequest {
    let named = |name: &Str, id: types::Uuid| {
        if by_topic_id { FetchTopic::Id(id) } else { FetchTopic::Name(name.clone()) }
    };
    let named_partitions = request.topics.iter().map(|topic| topic.partitions.len()).sum();
    let mut targets = Vec::with_capacity(named_partitions);
    for topic in &request.topics {
        let key = named(&topic.topic, topic.topic_id);
        let found = if by_topic_id { image.topics.by_id(topic.topic_id) } else { None };
        let name = found.map(|topic| Str::from(&*topic.name));
        targets.extend(topic.partitions.iter().map(|p| FetchTarget {
            topic: key.clone(),
            name: name.clone(),
            partition: p.partition,
            current_leader_epoch: p.current_leader_epoch,
            fetch_offset: p.fetch_offset,
            last_fetched_epoch: p.last_fetched_epoch,
            log_start: p.log_start_offset,
            bytes_max: p.partition_max_bytes,
        }));
    }
    let forgotten = request.forgotten_topics_data.iter().flat_map(|topic| {
        let key = named(&topic.topic, topic.topic_id);
        topic.partitions.iter().map(move |p| (key.clone(), *p))
    });
    SessionRequest {
        session_id: request.session_id,
        session_epoch: request.session_epoch,
        by_topic_id,
        targets,
        forgotten: forgotten.collect(),
        look_at_all_every: None,
    }
}
