//! What a drive gave: how much, how fast, and what it took.

use std::time::Duration;

use client::ClientError;
use hdrhistogram::Histogram;

use crate::limits::LATENCY_MAX;

/// What there was in the window, and what of the broker it took.
pub struct Outcome {
    pub window: Duration,
    pub produced: Volume,
    pub fetched: Volume,
    /// From the intended time of a request to its answer.
    pub produce_latency: Histogram<u64>,
    /// From the intended time of a request to its records at a reader.
    pub delivery_latency: Histogram<u64>,
    /// From the intended time until this program had a look: the referee's own fault.
    pub lateness: Histogram<u64>,
    /// Requests of the window that had no answer when patience ended.
    pub unanswered: u64,
    pub server: Option<ServerUse>,
    pub own_cpu: Duration,
}

/// What the operating system says of the broker.
#[derive(Clone, Copy, Debug, Default)]
pub struct ServerUse {
    pub cpu: Duration,
    /// The most of several looks.
    pub rss_bytes_max: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Volume {
    pub requests: u64,
    pub records: u64,
    pub bytes: u64,
}

impl Outcome {
    pub fn new(window: Duration, has_server: bool) -> Result<Outcome, ClientError> {
        Ok(Outcome {
            window,
            produced: Volume::default(),
            fetched: Volume::default(),
            produce_latency: histogram()?,
            delivery_latency: histogram()?,
            lateness: histogram()?,
            unanswered: 0,
            server: has_server.then(ServerUse::default),
            own_cpu: Duration::ZERO,
        })
    }
}

impl Volume {
    pub fn add(&mut self, records: i64, bytes: u64) {
        self.requests += 1;
        self.records += records.max(0) as u64;
        self.bytes += bytes;
    }
}

fn histogram() -> Result<Histogram<u64>, ClientError> {
    const DIGITS: u8 = 3;
    let most = LATENCY_MAX.as_nanos() as u64;
    Histogram::new_with_bounds(1_000, most, DIGITS)
        .map_err(|error| ClientError::usage("count latencies", error.to_string()))
}

/// Counts a latency; one above the bound counts as the bound.
pub fn record(histogram: &mut Histogram<u64>, nanos: u64) {
    histogram.saturating_record(nanos);
}
