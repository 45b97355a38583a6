use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use types::{ErrorCode, ProducerId};

/// Hands out producer ids from a block that the controller has given this broker.
///
/// **Invariant:** an id is handed out once in the life of the cluster: what is left of a block is
/// lost with the process.
#[doc(alias = "RPCProducerIdManager")]
#[derive(Debug, Default)]
pub struct ProducerIds {
    block: Mutex<Range<i64>>,
}

impl ProducerIds {
    /// The next id; asks for another block when this one is used up.
    ///
    /// # Errors
    /// Those of `allocate`.
    pub fn next(
        &self,
        allocate: impl FnOnce() -> Result<Range<i64>, ErrorCode>,
    ) -> Result<ProducerId, ErrorCode> {
        let mut block = self.block.lock().unwrap_or_else(PoisonError::into_inner);
        if block.is_empty() {
            *block = allocate()?;
        }
        block.next().map(ProducerId).ok_or(ErrorCode::UnknownServerError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_a_block_are_handed_out_once_then_another_block_is_asked_for() {
        let ids = ProducerIds::default();
        let mut blocks = vec![2000..2001, 1000..1002];
        let mut next = || ids.next(|| blocks.pop().ok_or(ErrorCode::NotController));
        assert_eq!(next(), Ok(ProducerId(1000)));
        assert_eq!(next(), Ok(ProducerId(1001)));
        assert_eq!(next(), Ok(ProducerId(2000)));
        assert_eq!(next(), Err(ErrorCode::NotController));
    }
}
