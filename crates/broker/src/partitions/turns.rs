//! Turns that a connection owes to partitions: one for all the requests that it brought at once.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use types::WallTime;

/// A partition with a mailbox.
pub trait RunTurns: Send + Sync {
    /// Does what is in the mailbox, unless somebody is at it, who then takes it along. Says whether
    /// it is to be durable, and nobody has asked for a [`commit`](Self::commit) yet.
    fn run_due(&self, now: WallTime) -> bool;

    /// Sees to it that what was written becomes durable. `may_wait`: the thread may wait for the
    /// disk as long as that is fast.
    fn commit(&self, may_wait: bool);
}

/// Partitions to which the requests in hand have submitted something.
///
/// Requests of one read are taken to their partitions together, so that each partition writes what
/// it got with one system call (ADR 0006), and all of it becomes durable with one sync: a commit
/// that began with the first would keep the others waiting. Whoever submits notes it here; the
/// connection runs them before it goes on to anything that could tell the difference: another kind
/// of request, or the answers.
#[derive(Default)]
pub struct DueTurns {
    due: Mutex<Due>,
}

#[derive(Default)]
struct Due {
    partitions: Vec<Arc<dyn RunTurns>>,
    /// Have had their turn, and are to be committed.
    uncommitted: Vec<Arc<dyn RunTurns>>,
    /// When the last of them was noted: the time of its turn, which is not far.
    noted: WallTime,
}

impl DueTurns {
    /// The partition has something in its mailbox.
    pub fn note(&self, partition: Arc<dyn RunTurns>, now: WallTime) {
        let mut due = self.lock();
        due.noted = now;
        // Most clients send one partition after another; noted twice, its second turn is empty.
        if !due.partitions.last().is_some_and(|last| Arc::ptr_eq(last, &partition)) {
            due.partitions.push(partition);
        }
    }

    pub fn run(&self) {
        self.run_where(&|| false);
    }

    /// Runs them; with `may_wait`, records of a sole partition may be made durable on the spot.
    pub fn run_where(&self, may_wait: &dyn Fn() -> bool) {
        let uncommitted = loop {
            let mut due = self.lock();
            let Some(partition) = due.partitions.pop() else {
                break std::mem::take(&mut due.uncommitted);
            };
            let noted = due.noted;
            drop(due);
            if partition.run_due(noted) {
                self.lock().uncommitted.push(partition);
            }
        };
        let waits = uncommitted.len() == 1 && may_wait();
        uncommitted.iter().for_each(|partition| partition.commit(waits));
    }

    fn lock(&self) -> MutexGuard<'_, Due> {
        self.due.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for DueTurns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DueTurns").field("due", &self.lock().partitions.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes down what it is told to do.
    struct Told {
        name: &'static str,
        is_durable: bool,
        said: Arc<Mutex<Vec<String>>>,
    }

    impl RunTurns for Told {
        fn run_due(&self, _: WallTime) -> bool {
            self.said.lock().unwrap().push(format!("write {}", self.name));
            self.is_durable
        }

        fn commit(&self, may_wait: bool) {
            let how = if may_wait { "here" } else { "elsewhere" };
            self.said.lock().unwrap().push(format!("commit {} {how}", self.name));
        }
    }

    fn told(partitions: &[(&'static str, bool)], may_wait: bool) -> Vec<String> {
        let said: Arc<Mutex<Vec<String>>> = Arc::default();
        let turns = DueTurns::default();
        for &(name, is_durable) in partitions {
            let said = Arc::clone(&said);
            turns.note(Arc::new(Told { name, is_durable, said }), WallTime(1));
        }
        turns.run_where(&|| may_wait);
        let said = said.lock().unwrap();
        said.clone()
    }

    #[test]
    fn nothing_is_committed_before_all_is_written_and_on_the_spot_only_a_sole_partition() {
        let durable = [("a", true), ("b", false), ("c", true)];
        let expected =
            ["write c", "write b", "write a", "commit c elsewhere", "commit a elsewhere"];
        assert_eq!(told(&durable, true), expected);
        let sole = [("a", true), ("b", false)];
        assert_eq!(told(&sole, true), ["write b", "write a", "commit a here"]);
        assert_eq!(told(&sole, false), ["write b", "write a", "commit a elsewhere"]);
    }
}
