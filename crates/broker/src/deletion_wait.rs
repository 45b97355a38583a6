//! A deletion of records waits until every live replica's log starts where it is to.
//!
//! It completes when each of its partitions
//! A. starts there on all live replicas, or
//! B. is not led here any more;
//! or when its time is up: what is still waited for then is told REQUEST_TIMED_OUT, and goes on.
//!
//! Source: Kafka `DelayedDeleteRecords`, `Partition.lowWatermarkIfLeader`.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use env::Disk;
use protocol::messages::delete_records_response::{
    DeleteRecordsPartitionResult, DeleteRecordsResponse,
};
use types::{BrokerId, ErrorCode, MonoTime, Offset};

use crate::metadata_cache::MetadataCache;
use crate::network::Reply;
use crate::partitions::Partition;
use crate::timers::{Expire, TimerId, Timers};

/// A partition whose followers have not all heard of it.
pub struct Deleting<D: Disk> {
    /// Of the topic and the partition in the response.
    pub place: (usize, usize),
    pub partition: Arc<Partition<D>>,
    pub before: Offset,
}

/// One request and who it waits for.
#[doc(alias = "DelayedDeleteRecords")]
pub struct DeletionWait<D: Disk> {
    metadata: Arc<MetadataCache>,
    timers: Arc<Timers>,
    partitions: Vec<Arc<Partition<D>>>,
    state: Mutex<State<D>>,
}

struct State<D: Disk> {
    open: Option<Open<D>>,
    timer: Option<TimerId>,
}

struct Open<D: Disk> {
    response: DeleteRecordsResponse,
    reply: Reply<DeleteRecordsResponse>,
    pending: Vec<Deleting<D>>,
}

impl<D: Disk> DeletionWait<D> {
    /// Answers with `response` once nothing is `pending`, at `deadline` at the latest. The response
    /// has an answer for every partition; those of `pending` are replaced.
    pub fn park(
        metadata: Arc<MetadataCache>,
        (timers, deadline): (&Arc<Timers>, MonoTime),
        pending: Vec<Deleting<D>>,
        response: DeleteRecordsResponse,
        reply: Reply<DeleteRecordsResponse>,
    ) {
        let partitions: Vec<_> = pending.iter().map(|d| Arc::clone(&d.partition)).collect();
        let wait = Arc::new(DeletionWait {
            metadata,
            timers: Arc::clone(timers),
            partitions,
            state: Mutex::new(State { open: Some(Open { response, reply, pending }), timer: None }),
        });
        let timer = timers.register(deadline, Arc::clone(&wait) as Arc<dyn Expire>);
        wait.lock().timer = Some(timer);
        for partition in &wait.partitions {
            partition.add_deletion_wait(Arc::clone(&wait));
        }
        // What was heard between the deletion and now told nobody.
        wait.check();
        if wait.lock().open.is_none() {
            // It completed while it was being registered.
            wait.leave();
        }
    }

    /// Looks again at what is still waited for.
    pub fn check(self: &Arc<Self>) {
        let mut state = self.lock();
        let Some(Open { response, pending, .. }) = state.open.as_mut() else { return };
        let image = self.metadata.image();
        let is_live = |id: BrokerId| image.cluster.broker(id).is_some_and(|b| !b.fenced);
        pending.retain(|deleting| {
            let low = deleting.partition.low_watermark(is_live);
            if low.is_ok_and(|low| low < deleting.before) {
                return true;
            }
            fill(result_at(response, deleting.place), low);
            false
        });
        if pending.is_empty() {
            self.complete(state);
        }
    }

    fn complete(self: &Arc<Self>, mut state: MutexGuard<'_, State<D>>) {
        let Some(open) = state.open.take() else { return };
        let timer = state.timer.take();
        drop(state);
        if let Some(timer) = timer {
            self.timers.cancel(timer);
        }
        self.leave();
        open.reply.send(open.response);
    }

    fn leave(self: &Arc<Self>) {
        for partition in &self.partitions {
            partition.remove_deletion_wait(self);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<D>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<D: Disk> Expire for DeletionWait<D> {
    fn expire(self: Arc<Self>, _now: MonoTime) {
        let mut state = self.lock();
        if let Some(Open { response, pending, .. }) = state.open.as_mut() {
            for deleting in pending.drain(..) {
                let result = result_at(response, deleting.place);
                result.error_code = ErrorCode::RequestTimedOut.code();
            }
        }
        self.complete(state);
    }
}

/// What a client is told of a partition: its low watermark, or why there is none.
pub fn fill(result: &mut DeleteRecordsPartitionResult, low: Result<Offset, ErrorCode>) {
    result.low_watermark = low.unwrap_or(Offset::NONE).0;
    result.error_code = low.err().unwrap_or_default().code();
}

fn result_at(
    response: &mut DeleteRecordsResponse,
    (topic, partition): (usize, usize),
) -> &mut DeleteRecordsPartitionResult {
    &mut response.topics[topic].partitions[partition]
}
