//! Whoever has the baton does the work, for all who have brought something (ADR 0006).

use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use env::Disk;
use types::WallTime;

use super::{Partition, lock};
use crate::partitions::owner::{Owner, TurnOutput};
use crate::partitions::turns::RunTurns;

/// The owner, and the baton that says who works for all.
///
/// Two locks, for who finds the baton taken goes away and leaves what it brought to who has it: it
/// may only be taken by those who look into the mailbox afterwards. Whoever only looks takes the
/// owner without it, and the others wait for so long.
pub(super) struct Baton<D: Disk> {
    taken: Mutex<()>,
    owner: Mutex<Owner<D>>,
}

struct Held<'a, D: Disk> {
    // First, that nobody who finds the baton free has to wait.
    owner: MutexGuard<'a, Owner<D>>,
    _taken: MutexGuard<'a, ()>,
}

impl<D: Disk> Baton<D> {
    pub(super) fn new(owner: Owner<D>) -> Baton<D> {
        Baton { taken: Mutex::default(), owner: Mutex::new(owner) }
    }

    fn take(&self) -> Held<'_, D> {
        let taken = lock(&self.taken);
        Held { owner: lock(&self.owner), _taken: taken }
    }

    fn try_take(&self) -> Option<Held<'_, D>> {
        let taken = match self.taken.try_lock() {
            Ok(taken) => taken,
            Err(TryLockError::Poisoned(poisoned)) => PoisonError::into_inner(poisoned),
            Err(TryLockError::WouldBlock) => return None,
        };
        Some(Held { owner: lock(&self.owner), _taken: taken })
    }
}

impl<D: Disk> Deref for Held<'_, D> {
    type Target = Owner<D>;

    fn deref(&self) -> &Owner<D> {
        &self.owner
    }
}

impl<D: Disk> DerefMut for Held<'_, D> {
    fn deref_mut(&mut self) -> &mut Owner<D> {
        &mut self.owner
    }
}

impl<D: Disk> Partition<D> {
    /// For something short that brings nobody an answer and touches no file.
    pub(super) fn look(&self) -> MutexGuard<'_, Owner<D>> {
        lock(&self.baton.owner)
    }

    /// Does something with the baton in hand, then what it leaves to do, then what others have
    /// brought meanwhile.
    pub(super) fn own<T>(
        &self,
        now: WallTime,
        act: impl FnOnce(&mut Owner<D>, &mut TurnOutput) -> T,
    ) -> T {
        let mut output = TurnOutput::default();
        let mut held = self.baton.take();
        let result = act(&mut held, &mut output);
        drop(held);
        self.deliver(output);
        if !lock(&self.mailbox).is_empty() {
            self.run_turns(now);
        }
        result
    }

    /// Returns how many were answered.
    pub(super) fn run_turns(&self, now: WallTime) -> usize {
        let (answered, wants_sync) = self.take_turns(now);
        if wants_sync {
            self.request_commit();
        }
        answered
    }

    /// How many were answered, and whether a commit is to be asked for.
    fn take_turns(&self, now: WallTime) -> (usize, bool) {
        let (mut answered, mut wants_sync) = (0, false);
        loop {
            let Some(mut held) = self.baton.try_take() else { return (answered, wants_sync) };
            let work = lock(&self.mailbox).take();
            let mut output = self.turn(&mut held, work, now);
            drop(held);
            wants_sync |= std::mem::take(&mut output.wants_sync);
            answered += self.deliver(output);
            if lock(&self.mailbox).is_empty() {
                return (answered, wants_sync);
            }
        }
    }
}

impl<D: Disk> RunTurns for Partition<D> {
    fn run_due(&self, now: WallTime) -> bool {
        self.take_turns(now).1
    }

    fn commit(&self, may_wait: bool) {
        match may_wait {
            true => self.commit_here(),
            false => self.request_commit(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::sync::mpsc;
    use std::time::{Duration, Instant};

    use env::{Clock, Env};
    use env_sim::SimEnv;
    use records::validate::ValidatedBatch;
    use records::{BatchBuilder, NewRecord};
    use replication::PartitionState;
    use types::{BrokerId, LeaderEpoch, PartitionEpoch};

    use crate::partitions::owner::{Acks, Append, AppendDone};
    use crate::tests;

    #[test]
    fn what_is_brought_while_somebody_looks_is_done_all_the_same() {
        let env = SimEnv::new(7);
        let node = tests::lone_with_topic(&env, 1);
        let (now, wall) = (env.clock().mono(), env.clock().wall());
        let partition = node.partitions.get("t", 0).expect("made with the topic");
        let replicas = vec![BrokerId(1), BrokerId(2)];
        let state = PartitionState {
            leader: Some(BrokerId(1)),
            leader_epoch: LeaderEpoch(1),
            partition_epoch: PartitionEpoch(1),
            isr: replicas.clone(),
            replicas,
            recovering: false,
        };
        partition.handle_partition_state(&state, now, wall).expect("a sound disk");
        let mut builder = BatchBuilder::new();
        builder.push(NewRecord { timestamp: wall, key: None, value: Some(b"v"), headers: &[] });
        let batch = ValidatedBatch::trusted(builder.build());
        let (tell, told) = mpsc::channel();
        let done = AppendDone::Call(Box::new(move |result| {
            tell.send(result.is_ok()).expect("somebody listens");
        }));
        std::thread::scope(|threads| {
            let bring = Cell::new(Some(|| {
                partition.submit(Append { batch, acks: Acks::None, done });
                partition.run_turns(wall);
            }));
            let looked = partition.low_watermark(|_| {
                let Some(bring) = bring.take() else { return true };
                let brings = threads.spawn(bring);
                // Who brings it waits for the one who looks, or has gone away.
                let began = Instant::now();
                while !brings.is_finished() && began.elapsed() < Duration::from_millis(100) {
                    std::thread::yield_now();
                }
                true
            });
            assert!(looked.is_ok());
        });
        assert_eq!(told.try_recv(), Ok(true), "appended");
    }
}
