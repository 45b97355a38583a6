//! Whether a leader is one still, as the others say.

use raft::ReadState;

use super::RaftEngine;
use crate::{Epoch, MetadataLog};

/// Questions whether this node leads. Raft sends them along with a leader's heartbeats, also with
/// those that follow, and every answer counts for all questions before it.
#[derive(Debug, Default)]
pub(super) struct Confirmations {
    asked: u64,
    confirmed: u64,
}

impl Confirmations {
    pub(super) fn confirmed(&self) -> u64 {
        self.confirmed
    }

    pub(super) fn take_in(&mut self, answers: &[ReadState]) {
        for answer in answers {
            let number = <[u8; 8]>::try_from(answer.request_ctx.as_slice());
            let number = number.map_or(0, u64::from_be_bytes);
            self.confirmed = self.confirmed.max(number);
        }
    }
}

impl<L: MetadataLog> RaftEngine<L> {
    /// A number is never used again: an answer that comes late is to a question before.
    pub(super) fn ask_whether_it_leads(&mut self, epoch: Epoch) -> Option<u64> {
        // Raft answers nothing before a batch of the reign is committed: the one that announces it.
        self.reign_of(epoch)?;
        self.confirmations.asked += 1;
        let number = self.confirmations.asked;
        self.node.read_index(number.to_be_bytes().to_vec());
        self.settle();
        Some(number)
    }
}
