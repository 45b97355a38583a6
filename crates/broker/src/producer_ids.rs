use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use types::{ErrorCode, ProducerId};

use crate::limits::PRODUCER_IDS_WAITING_MAX;

/// Who gets an id, or why not.
pub type OnProducerId = Box<dyn FnOnce(Result<ProducerId, ErrorCode>) + Send>;

/// Hands out producer ids from a block that the controller has given this broker.
///
/// **Invariant:** an id is handed out once in the life of the cluster: what is left of a block is
/// lost with the process.
#[doc(alias = "RPCProducerIdManager")]
#[derive(Default)]
pub struct ProducerIds {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    block: Range<i64>,
    /// They came when the block was used up. The first of them has asked for another.
    waiting: Vec<OnProducerId>,
}

impl ProducerIds {
    /// Hands out the next id, now or when there is another block. Returns true if the caller is to
    /// ask for one, and to bring it to [`handle_block`](Self::handle_block).
    #[must_use]
    pub fn next(&self, done: OnProducerId) -> bool {
        let mut state = self.lock();
        if let Some(id) = state.block.next() {
            drop(state);
            done(Ok(ProducerId(id)));
            return false;
        }
        if state.waiting.len() >= PRODUCER_IDS_WAITING_MAX {
            drop(state);
            done(Err(ErrorCode::CoordinatorLoadInProgress));
            return false;
        }
        state.waiting.push(done);
        state.waiting.len() == 1
    }

    /// Another block, or why there is none. Returns true if it was too small for those who wait.
    #[must_use]
    pub fn handle_block(&self, block: Result<Range<i64>, ErrorCode>) -> bool {
        let mut state = self.lock();
        let mut given = Vec::new();
        match block {
            Ok(block) => {
                state.block = block;
                while !state.waiting.is_empty()
                    && let Some(id) = state.block.next()
                {
                    given.push((state.waiting.remove(0), Ok(ProducerId(id))));
                }
            }
            Err(error) => given.extend(state.waiting.drain(..).map(|done| (done, Err(error)))),
        }
        let asks_again = !state.waiting.is_empty();
        drop(state);
        given.into_iter().for_each(|(done, id)| done(id));
        asks_again
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    type Given = Arc<Mutex<Vec<Result<i64, ErrorCode>>>>;

    fn next(ids: &ProducerIds, given: &Given) -> bool {
        let given = Arc::clone(given);
        ids.next(Box::new(move |id| given.lock().unwrap().push(id.map(|id| id.0))))
    }

    #[test]
    fn ids_of_a_block_are_handed_out_once_then_another_block_is_asked_for_once() {
        let (ids, given) = (ProducerIds::default(), Given::default());
        assert!(next(&ids, &given));
        assert!(!next(&ids, &given), "the first one has asked");
        assert!(!ids.handle_block(Ok(1000..1003)));
        assert!(!next(&ids, &given));
        assert!(next(&ids, &given));
        assert!(!ids.handle_block(Err(ErrorCode::NotController)));
        let error = Err(ErrorCode::NotController);
        assert_eq!(*given.lock().unwrap(), [Ok(1000), Ok(1001), Ok(1002), error]);
    }

    #[test]
    fn a_block_that_is_too_small_is_used_up_and_the_rest_waits_for_the_next() {
        let (ids, given) = (ProducerIds::default(), Given::default());
        assert!(next(&ids, &given));
        assert!(!next(&ids, &given));
        assert!(ids.handle_block(Ok(7..8)));
        assert!(!ids.handle_block(Ok(20..30)));
        assert_eq!(*given.lock().unwrap(), [Ok(7), Ok(20)]);
    }
}
