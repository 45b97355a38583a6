//! One round: one case on one broker, from making its topics to deleting them.

mod tell;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::net::{SocketAddr, TcpStream};
use std::ops::ControlFlow;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use client::{ClientError, ErrorKind};
use hdrhistogram::Histogram;

use tell::{mebibytes, tell};

use crate::cases::{Case, Pace, Readers};
use crate::evict::evict;
use crate::figures::{Figure, Unit};
use crate::frames::ACKS_ALL;
use crate::link::{End, Frame, Reader, Side};
use crate::target::{Ground, Place, Target};
use crate::traffic::{Beat, Timing, Traffic};
use crate::{answers, batches, frames, process};

/// Different batches that are built for a case.
const BATCHES: usize = 16;
/// Requests sent before answers are read, where nothing is measured in them.
const FILL_DEPTH: usize = 16;
/// Connections or partitions from which on their own cost is worth a figure.
const MANY: usize = 1_000;
const IDLE: Duration = Duration::from_secs(2);
/// Reading from the disk ends when all is read, and is given this many windows for it.
const COLD_WINDOWS: u32 = 3;

/// What a round gave.
pub struct Played {
    pub figures: Vec<Figure>,
    /// Latencies with a name: `produce`, `delivery`.
    pub curves: Vec<(&'static str, Histogram<u64>)>,
}

/// How a round is run.
#[derive(Clone, Copy, Debug)]
pub struct Orders {
    pub timing: Timing,
    /// Requests a second at saturation of the first broker, for the cases that are a share of it.
    pub saturation: Option<f64>,
}

pub type Watch<'a> = &'a mut dyn FnMut(f64) -> ControlFlow<()>;

/// Plays `case` on `target`; its topics go, however it ends.
pub fn play(
    target: &mut Target,
    case: &Case,
    orders: Orders,
    watch: Watch<'_>,
) -> Result<Played, ClientError> {
    let partitions = case.partitions + case.backlog_partitions();
    let ground = target.make_ground(&unique_name(case), partitions, case.durability)?;
    let played = play_on(target, case, &ground, orders, watch);
    let cleared = target.clear(&ground);
    let played = played?;
    cleared?;
    Ok(played)
}

fn unique_name(case: &Case) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("ottla-bench-{}-{}", case.name, now.as_millis())
}

fn play_on(
    target: &Target,
    case: &Case,
    ground: &Ground,
    orders: Orders,
    watch: Watch<'_>,
) -> Result<Played, ClientError> {
    let mut figures = Vec::new();
    let (written, backlog) = ground.places.split_at(case.partitions);
    let batches: Vec<_> = (0..BATCHES as u64).map(|seed| batches::build(case, seed)).collect();
    let frame = |(at, place): (usize, &Place)| {
        let (batch, records) = &batches[at % BATCHES];
        let bytes = frames::produce(place.at(), batch, ACKS_ALL, target.versions.produce)?;
        Ok(Frame { bytes, batch_bytes: batch.len() as u64, records: *records })
    };
    let all: Vec<Frame> =
        written.iter().enumerate().map(frame).collect::<Result<_, ClientError>>()?;
    if written.len() >= MANY {
        many_partitions(target, ground, &all, &mut figures)?;
    }
    let mut traffic = Traffic::new(all, target.versions, case.depth)?;
    traffic.pid = target.pid;
    for (address, side) in writers(case, written) {
        traffic.open(address, side)?;
    }
    if case.connections >= MANY {
        idle_memory(target, &mut figures);
    }
    let mut timing = orders.timing;
    match case.readers {
        Readers::None => {}
        Readers::Tail { readers } => {
            for _ in 0..readers {
                let reader = reader(target, &written[0], 1 << 20, End::Wait)?;
                traffic.open(written[0].leader, Side::Reader(reader))?;
            }
        }
        Readers::Backlog { fetch_bytes, bytes_each, is_cold, .. } => {
            let filled = backlog.iter().enumerate().map(|pair| {
                let frame = frame(pair)?;
                fill(target, pair.1, &frame, bytes_each / frame.batch_bytes)
            });
            let ends: Vec<i64> = filled.collect::<Result<_, ClientError>>()?;
            if is_cold {
                timing.warm_up = Duration::ZERO;
                timing.window *= COLD_WINDOWS;
                figures.push(evicted(target, backlog));
            }
            for (place, end) in backlog.iter().zip(ends) {
                let end = if is_cold { End::Stop(end) } else { End::Around(end) };
                let reader = reader(target, place, fetch_bytes, end)?;
                traffic.open(place.leader, Side::Reader(reader))?;
            }
        }
    }
    let outcome = traffic.run(beat(case, orders.saturation)?, timing, watch)?;
    tell(case, &outcome, &mut figures);
    let mut curves = Vec::new();
    for (name, histogram) in
        [("produce", outcome.produce_latency), ("delivery", outcome.delivery_latency)]
    {
        if !histogram.is_empty() {
            curves.push((name, histogram));
        }
    }
    Ok(Played { figures, curves })
}

impl Place {
    fn at(&self) -> (&str, i32) {
        (&self.topic, self.partition)
    }
}

fn beat(case: &Case, saturation: Option<f64>) -> Result<Beat, ClientError> {
    match (case.pace, saturation) {
        (Pace::Silent | Pace::Saturate, _) => Ok(Beat::Answered),
        (Pace::PerSecond(rate), _) => Ok(Beat::PerSecond(rate)),
        (Pace::OfSaturation(share), Some(most)) => Ok(Beat::PerSecond(most * share)),
        (Pace::OfSaturation(_), None) => {
            let what = format!("run the case {}", case.name);
            let case = crate::cases::SATURATION;
            Err(ClientError::usage(what, format!("{case}, of which it is a share, gave no rate")))
        }
    }
}

/// Connections and the frames that each sends: partitions are spread over the connections to their
/// leader, connections over the partitions if there are more of them.
fn writers(case: &Case, places: &[Place]) -> Vec<(SocketAddr, Side)> {
    let mut by_leader: BTreeMap<SocketAddr, Vec<usize>> = BTreeMap::new();
    for (at, place) in places.iter().enumerate() {
        by_leader.entry(place.leader).or_default().push(at);
    }
    if case.connections == 0 || by_leader.is_empty() {
        return Vec::new();
    }
    let each = case.connections.div_ceil(by_leader.len());
    let mut writers = Vec::with_capacity(case.connections);
    for (leader, owned) in by_leader {
        for connection in 0..each {
            let mut frames: Vec<usize> =
                owned.iter().copied().skip(connection).step_by(each).collect();
            if frames.is_empty() {
                frames.push(owned[connection % owned.len()]);
            }
            writers.push((leader, Side::Writer { frames, at: 0 }));
        }
    }
    writers
}

fn reader(
    target: &Target,
    place: &Place,
    fetch_bytes: usize,
    end: End,
) -> Result<Reader, ClientError> {
    let (mut request, offset_at) = frames::fetch(place.at(), fetch_bytes, target.versions.fetch)?;
    request[offset_at..offset_at + 8].fill(0);
    Ok(Reader { request, offset_at, position: 0, end, fetch_bytes })
}

/// What so many partitions cost before anything is measured in them.
fn many_partitions(
    target: &Target,
    ground: &Ground,
    frames: &[Frame],
    figures: &mut Vec<Figure>,
) -> Result<(), ClientError> {
    figures.push(Figure::less("made in", Unit::Milliseconds, millis(ground.made_in)));
    let took = write_to_each(target, &ground.places, frames)?;
    figures.push(Figure::less("first written in", Unit::Milliseconds, millis(took)));
    idle_cpu(target, figures);
    Ok(())
}

/// Writes a batch to each partition: what a broker does when a partition is written to for the
/// first time belongs to its making, whenever the broker does it.
fn write_to_each(
    target: &Target,
    places: &[Place],
    frames: &[Frame],
) -> Result<Duration, ClientError> {
    let began = Instant::now();
    let mut by_leader: BTreeMap<SocketAddr, Vec<&Frame>> = BTreeMap::new();
    for (place, frame) in places.iter().zip(frames) {
        by_leader.entry(place.leader).or_default().push(frame);
    }
    for (leader, frames) in by_leader {
        write_all(target, leader, &frames)
            .map_err(|error| disconnected("write to each partition".to_owned(), &error))?;
    }
    Ok(began.elapsed())
}

/// Writes `requests` of `frame`; the offset at which the partition then ends.
fn fill(target: &Target, place: &Place, frame: &Frame, requests: u64) -> Result<i64, ClientError> {
    let frames = vec![frame; requests as usize];
    write_all(target, place.leader, &frames).map_err(|error| {
        disconnected(format!("fill {}-{}", place.topic, place.partition), &error)
    })?;
    Ok(requests as i64 * frame.records)
}

fn write_all(target: &Target, leader: SocketAddr, frames: &[&Frame]) -> io::Result<()> {
    let mut socket = TcpStream::connect(leader)?;
    socket.set_nodelay(true)?;
    for together in frames.chunks(FILL_DEPTH) {
        for frame in together {
            socket.write_all(&frame.bytes)?;
        }
        for _ in together {
            let answer = frames::read_one(&socket)?;
            match answers::produce_error(&answer, target.versions.produce) {
                Some(0) => {}
                code => return Err(io::Error::other(format!("error code {code:?}"))),
            }
        }
    }
    Ok(())
}

fn disconnected(what: String, error: &io::Error) -> ClientError {
    ClientError::new(ErrorKind::Disconnected, what, error.to_string())
}

/// How much of the backlog was thrown out of memory; 0 without the right to.
fn evicted(target: &Target, backlog: &[Place]) -> Figure {
    let topic = backlog.first().map_or("", |place| &place.topic);
    let bytes = target.pid.and_then(|pid| evict(pid, topic).ok()).unwrap_or(0);
    Figure::note("evicted before", Unit::Mebibytes, mebibytes(bytes))
}

fn idle_cpu(target: &Target, figures: &mut Vec<Figure>) {
    let used = || target.pid.and_then(|pid| process::usage(pid).ok());
    let (before, began) = (used(), Instant::now());
    std::thread::sleep(IDLE);
    if let (Some(before), Some(after)) = (before, used()) {
        let cpu = after.cpu.saturating_sub(before.cpu).as_secs_f64();
        let percent = cpu * 100.0 / began.elapsed().as_secs_f64();
        figures.push(Figure::less("idle CPU", Unit::CpuPercent, percent));
    }
}

fn idle_memory(target: &Target, figures: &mut Vec<Figure>) {
    if let Some(usage) = target.pid.and_then(|pid| process::usage(pid).ok()) {
        let memory = mebibytes(usage.rss_bytes);
        figures.push(Figure::less("memory, connected and idle", Unit::Mebibytes, memory));
    }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
