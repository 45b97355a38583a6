use std::collections::VecDeque;

use types::Offset;

/// Replies that wait until the log is acknowledged up to their last record, in offset order.
///
/// "Acknowledged" is one gate whatever feeds it: in sync on the replicas, durable here. A waiter
/// neither knows nor cares which of the two came last.
///
/// **Invariant:** ends never decrease from front to back, because appends are pushed in log order.
#[doc(alias = "DelayedProduce")]
#[derive(Debug)]
pub struct AckWaiters<T> {
    waiting: VecDeque<(Offset, T)>,
}

impl<T> Default for AckWaiters<T> {
    fn default() -> Self {
        AckWaiters { waiting: VecDeque::new() }
    }
}

impl<T> AckWaiters<T> {
    /// Parks `reply` until everything below `end` is acknowledged.
    ///
    /// # Panics
    /// If `end` lies before an earlier push: appends came out of order.
    pub fn push(&mut self, end: Offset, reply: T) {
        assert!(self.waiting.back().is_none_or(|(last, _)| *last <= end), "acks out of order");
        self.waiting.push_back((end, reply));
    }

    /// Takes every reply whose records all lie below `acknowledged`.
    pub fn release_below(&mut self, acknowledged: Offset) -> impl Iterator<Item = T> + '_ {
        let ready = self.waiting.partition_point(|(end, _)| *end <= acknowledged);
        self.waiting.drain(..ready).map(|(_, reply)| reply)
    }

    /// Takes every reply: leadership or the disk is gone.
    pub fn drain(&mut self) -> impl Iterator<Item = T> + '_ {
        self.waiting.drain(..).map(|(_, reply)| reply)
    }

    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_are_released_in_order_and_only_when_all_their_records_are_acknowledged() {
        let mut waiters = AckWaiters::default();
        waiters.push(Offset(3), "a");
        waiters.push(Offset(3), "b");
        waiters.push(Offset(8), "c");
        assert_eq!(waiters.release_below(Offset(2)).count(), 0);
        assert_eq!(waiters.release_below(Offset(7)).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(waiters.release_below(Offset(8)).collect::<Vec<_>>(), ["c"]);
        assert!(waiters.is_empty());
    }
}
