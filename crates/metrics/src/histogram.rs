use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::exposition::Samples;
use crate::group::{Kind, Metric};
use crate::value::nanos;

/// Where the buckets of a histogram end, in the unit that is recorded.
#[derive(Debug)]
pub struct Buckets {
    /// Upper ends, which belong to their bucket; strictly growing. One bucket without end follows.
    pub bounds: &'static [u64],
    /// How many of the recorded unit make one of the unit that is shown.
    pub per_unit: f64,
}

/// Times from 50 µs to 10 s, recorded in nanoseconds and shown in seconds.
pub const SECONDS: Buckets = Buckets {
    bounds: &[
        50_000,
        100_000,
        250_000,
        500_000,
        1_000_000,
        2_500_000,
        5_000_000,
        10_000_000,
        25_000_000,
        50_000_000,
        100_000_000,
        250_000_000,
        500_000_000,
        1_000_000_000,
        2_500_000_000,
        10_000_000_000,
    ],
    per_unit: 1e9,
};

/// Counts from 1 to 1,024 in powers of two: how many went together.
pub const SIZES: Buckets =
    Buckets { bounds: &[1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024], per_unit: 1.0 };

/// How often values fell into which bucket.
///
/// **Invariant:** the count of all is the sum of the buckets: it is not kept beside them.
#[derive(Debug)]
pub struct Histogram {
    buckets: &'static Buckets,
    counts: Box<[AtomicU64]>,
    sum: AtomicU64,
}

impl Histogram {
    pub fn new(buckets: &'static Buckets) -> Histogram {
        let counts = (0..=buckets.bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Histogram { buckets, counts, sum: AtomicU64::new(0) }
    }

    pub fn observe(&self, value: u64) {
        let bucket = self.buckets.bounds.partition_point(|bound| *bound < value);
        self.counts[bucket].fetch_add(1, Ordering::Relaxed);
        self.sum.fetch_add(value, Ordering::Relaxed);
    }

    /// For buckets that are recorded in nanoseconds.
    pub fn observe_time(&self, time: Duration) {
        self.observe(nanos(time));
    }

    pub fn count(&self) -> u64 {
        self.counts.iter().map(|count| count.load(Ordering::Relaxed)).sum()
    }

    /// Of all values, in the unit recorded.
    pub fn sum(&self) -> u64 {
        self.sum.load(Ordering::Relaxed)
    }
}

impl Metric for Histogram {
    const KIND: Kind = Kind::Histogram;

    fn sample(&self, into: &mut Samples<'_>) {
        let unit = self.buckets.per_unit;
        let ends = self.buckets.bounds.iter().map(|bound| (*bound as f64 / unit).to_string());
        let mut below = 0;
        for (count, end) in self.counts.iter().zip(ends.chain(["+Inf".to_owned()])) {
            below += count.load(Ordering::Relaxed);
            into.labelled_value("_bucket", &[("le", &end)], below);
        }
        into.labelled_value("_sum", &[], self.sum() as f64 / unit);
        // Not `count()`: it may have grown since, and the last bucket must say the same.
        into.labelled_value("_count", &[], below);
    }
}
