//! Many threads that wait for a disk at the same time.

use std::panic::resume_unwind;
use std::sync::{Mutex, PoisonError};
use std::thread;

/// Most of them sleep: more than there are cores, and enough for a disk to have its queue full.
const THREADS_MAX: usize = 16;

/// What `work` makes of each item, in their order.
pub(super) fn all<T: Send, R: Send>(items: Vec<T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    let threads = items.len().min(THREADS_MAX);
    let left = Mutex::new(items.into_iter().enumerate());
    let next = || left.lock().unwrap_or_else(PoisonError::into_inner).next();
    let some = || {
        let mut done = Vec::new();
        while let Some((number, item)) = next() {
            done.push((number, work(item)));
        }
        done
    };
    let mut done = thread::scope(|scope| {
        let start = |_| thread::Builder::new().name("disk".into()).spawn_scoped(scope, some);
        // Where the machine grants no more of them, those that there are do it all.
        let others: Vec<_> = (1..threads).map_while(|number| start(number).ok()).collect();
        let mut done = some();
        for other in others {
            done.extend(other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        done
    });
    done.sort_unstable_by_key(|(number, _)| *number);
    done.into_iter().map(|(_, made)| made).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Barrier;

    #[test]
    fn many_wait_at_the_same_time_and_what_they_made_is_in_order() {
        let all_are_here = Barrier::new(THREADS_MAX);
        let made = all((0..THREADS_MAX * 8).collect(), |number| {
            all_are_here.wait();
            number * 2
        });
        assert_eq!(made, (0..THREADS_MAX * 8).map(|number| number * 2).collect::<Vec<_>>());
        assert_eq!(all(Vec::<u8>::new(), |byte| byte), []);
    }
}
