//! A fetch that found too little waits on its partitions until enough arrives or its time is up.
//!
//! It completes when
//! A. records worth `min_bytes` are there: those found at first plus those appended since;
//! B. `max_wait` has passed;
//! C. a partition it waits on goes away or changes its leader.
//!
//! Source: Kafka `DelayedFetch`.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use env::Disk;
use types::MonoTime;

use crate::fetch_changes::{FetchChanges, WakeFetch};
use crate::partitions::Partition;
use crate::timers::{Expire, TimerId, Timers};

/// Reads all partitions again and answers. Called once.
type Finish = Box<dyn FnOnce() + Send>;

/// What a fetch waits to see more of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitsFor {
    /// What is committed: a consumer's.
    Shown,
    /// What is appended: a follower's.
    Appended,
}

/// The waiting itself; what to read and whom to answer is inside `finish`.
pub struct FetchWait<D: Disk> {
    waits_for: WaitsFor,
    missing_bytes: AtomicI64,
    state: Mutex<State<D>>,
}

/// Who tells the fetch that there is more.
pub enum WaitsOn<D: Disk> {
    Partitions(Vec<Arc<Partition<D>>>),
    /// All partitions of a session.
    Changes(Arc<FetchChanges>),
}

impl<D: Disk> Clone for WaitsOn<D> {
    fn clone(&self) -> WaitsOn<D> {
        match self {
            WaitsOn::Partitions(partitions) => WaitsOn::Partitions(partitions.clone()),
            WaitsOn::Changes(changes) => WaitsOn::Changes(Arc::clone(changes)),
        }
    }
}

struct State<D: Disk> {
    finish: Option<Finish>,
    waits_on: Option<WaitsOn<D>>,
    timer: Option<TimerId>,
    timers: Arc<Timers>,
}

impl<D: Disk> FetchWait<D> {
    /// Waits for `missing_bytes` more, until `deadline`.
    pub fn park(
        timers: &Arc<Timers>,
        deadline: MonoTime,
        (waits_for, missing_bytes): (WaitsFor, usize),
        waits_on: WaitsOn<D>,
        finish: Finish,
    ) -> Arc<FetchWait<D>> {
        let wait = Arc::new(FetchWait {
            waits_for,
            missing_bytes: AtomicI64::new(missing_bytes as i64),
            state: Mutex::new(State {
                finish: Some(finish),
                waits_on: Some(waits_on.clone()),
                timer: None,
                timers: Arc::clone(timers),
            }),
        });
        let timer = timers.register(deadline, Arc::clone(&wait) as Arc<dyn Expire>);
        wait.lock().timer = Some(timer);
        match &waits_on {
            WaitsOn::Partitions(partitions) => {
                partitions.iter().for_each(|on| on.add_fetch_wait(Arc::clone(&wait)));
            }
            WaitsOn::Changes(changes) => {
                changes.set_waiting(Arc::clone(&wait) as Arc<dyn WakeFetch>);
            }
        }
        if wait.lock().finish.is_none() {
            // It completed while it was being registered.
            wait.leave(&waits_on);
        }
        wait
    }

    /// Bytes were appended to one of the partitions, and bytes of it were committed.
    pub fn handle_more(self: &Arc<Self>, appended: usize, shown: usize) {
        let bytes = match self.waits_for {
            WaitsFor::Shown => shown,
            WaitsFor::Appended => appended,
        };
        if bytes == 0 {
            return;
        }
        let before = self.missing_bytes.fetch_sub(bytes as i64, Ordering::AcqRel);
        if before <= bytes as i64 {
            self.complete();
        }
    }

    pub fn is_of_follower(&self) -> bool {
        self.waits_for == WaitsFor::Appended
    }

    /// Answers now. Does nothing if that has happened already.
    pub fn complete(self: &Arc<Self>) {
        let mut state = self.lock();
        let Some(finish) = state.finish.take() else { return };
        let waits_on = state.waits_on.take();
        let (timer, timers) = (state.timer.take(), Arc::clone(&state.timers));
        drop(state);
        if let Some(timer) = timer {
            timers.cancel(timer);
        }
        if let Some(waits_on) = waits_on {
            self.leave(&waits_on);
        }
        finish();
    }

    fn leave(self: &Arc<Self>, waits_on: &WaitsOn<D>) {
        match waits_on {
            WaitsOn::Partitions(partitions) => {
                partitions.iter().for_each(|on| on.remove_fetch_wait(self));
            }
            WaitsOn::Changes(changes) => {
                changes.clear_waiting(&(Arc::clone(self) as Arc<dyn WakeFetch>));
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State<D>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<D: Disk> WakeFetch for FetchWait<D> {
    fn handle_appended(self: Arc<Self>, bytes: usize) {
        self.handle_more(bytes, 0);
    }

    fn complete(self: Arc<Self>) {
        FetchWait::complete(&self);
    }
}

impl<D: Disk> Expire for FetchWait<D> {
    fn expire(self: Arc<Self>, _now: MonoTime) {
        FetchWait::complete(&self);
    }
}
