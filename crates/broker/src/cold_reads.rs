//! Reads that wait for the disk, beside those who serve.
//!
//! A consumer that is days behind reads what no cache holds any more. Were it read where requests
//! are served, everybody else on that thread would wait for the disk as well.

use std::sync::atomic::{AtomicUsize, Ordering};

use env::{Background, Env, Job, Lane};

use crate::limits::COLD_READ_LANES;
use crate::removals::LaneOf;

/// A few lanes that read.
pub struct ColdReads<E: Env> {
    lanes: Vec<LaneOf<E>>,
    next: AtomicUsize,
}

impl<E: Env> ColdReads<E> {
    pub fn new(env: &E) -> ColdReads<E> {
        let lane = |number| env.background().lane(&format!("cold read {number}"));
        ColdReads { lanes: (0..COLD_READ_LANES).map(lane).collect(), next: AtomicUsize::default() }
    }

    /// Reads, and answers, later.
    pub fn run(&self, job: Job) {
        let next = self.next.fetch_add(1, Ordering::Relaxed);
        self.lanes[next % self.lanes.len()].run(job);
    }
}
