use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use std::{process, thread};

use env::{Background, Job, Lane};

/// On a virtual machine a thread that sleeps is woken after 30 to 60 µs; whoever waits for it sends
/// the next request after another trip over the network.
const LINGER: Duration = Duration::from_micros(150);

/// To wake a thread there and one here takes 60 to 100 µs; who waits for a disk longer than a few
/// times that could have done something else.
const HERE_MAX: Duration = Duration::from_micros(500);

/// The machine's threads: one a lane.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsBackground;

/// A thread that starts with the first job and ends with the last clone.
#[derive(Clone, Debug)]
pub struct OsLane {
    name: Arc<str>,
    queue: Arc<Mutex<Option<Sender<Job>>>>,
}

impl Background for OsBackground {
    type Lane = OsLane;

    fn lane(&self, name: &str) -> OsLane {
        OsLane { name: name.into(), queue: Arc::default() }
    }
}

impl Lane for OsLane {
    /// # Panics
    /// If the machine grants no thread: nothing here can go on without.
    fn run(&self, job: Job) {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let sender = queue.get_or_insert_with(|| {
            let (sender, jobs) = channel();
            let started = thread::Builder::new().name(self.name.to_string()).spawn(|| work(jobs));
            assert!(started.is_ok(), "cannot start thread {}: {started:?}", self.name);
            sender
        });
        // The thread ends only when its queue is gone.
        _ = sender.send(job);
    }

    fn run_here(&self, usually: Duration, job: Job) -> bool {
        let is_short = usually <= HERE_MAX;
        if is_short {
            finish(job);
        }
        is_short
    }

    fn linger(&self, until: &dyn Fn() -> bool) -> bool {
        look_out(until, LINGER)
    }
}

fn look_out(until: &dyn Fn() -> bool, most: Duration) -> bool {
    let began = Instant::now();
    while !until() {
        if began.elapsed() >= most {
            return false;
        }
        // Whoever else wants this core has it.
        thread::yield_now();
    }
    true
}

fn work(jobs: Receiver<Job>) {
    while let Ok(job) = jobs.recv() {
        finish(job);
    }
}

/// A job that panics has found a defect of ours. To go on without it would be to wait for ever for
/// what it was to do.
fn finish(job: Job) {
    if catch_unwind(AssertUnwindSafe(job)).is_err() {
        process::abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_jobs_of_a_lane_run_in_order_on_a_thread_of_its_name() {
        let lane = OsBackground.lane("io-0");
        let (done, results) = channel();
        for number in 0..100 {
            let done = done.clone();
            lane.run(Box::new(move || {
                let name = thread::current().name().map(str::to_owned);
                done.send((number, name)).unwrap();
            }));
        }
        drop((lane, done));
        let results: Vec<_> = results.iter().collect();
        let expected: Vec<_> = (0..100).map(|number| (number, Some("io-0".to_owned()))).collect();
        assert_eq!(results, expected);
    }

    #[test]
    fn lingering_ends_when_what_is_looked_for_is_there_or_the_time_is_up() {
        let looks = std::cell::Cell::new(0);
        let third = || looks.replace(looks.get() + 1) == 2;
        assert!(look_out(&third, Duration::from_secs(60)));
        assert_eq!(looks.get(), 3);
        assert!(!look_out(&|| false, Duration::ZERO));
    }

    #[test]
    fn only_what_is_over_soon_is_done_by_who_brings_it() {
        let lane = OsBackground.lane("io-0");
        let (done, results) = channel();
        let job = || -> Job {
            let done = done.clone();
            Box::new(move || done.send(thread::current().id()).unwrap())
        };
        assert!(lane.run_here(HERE_MAX, job()));
        assert_eq!(results.try_recv(), Ok(thread::current().id()));
        assert!(!lane.run_here(HERE_MAX * 2, job()));
        assert!(results.try_recv().is_err());
    }

    #[test]
    fn a_job_may_give_its_lane_another_one() {
        let lane = OsBackground.lane("io-0");
        let (done, results) = channel();
        let again = lane.clone();
        lane.run(Box::new(move || again.run(Box::new(move || done.send(1).unwrap()))));
        assert_eq!(results.recv(), Ok(1));
    }
}
