//! What the controller knows, and what its engine has said.

use consensus::{EngineEvent, Epoch, Gate, GateVerdict, NodeId, QuorumStatus};
use controller::Controller;
use metadata::Loaded;
use types::{MonoTime, Offset};

use crate::metadata_log;

pub(super) struct State {
    pub(super) gate: Gate,
    pub(super) controller: Controller,
    pub(super) reign: Option<Epoch>,
    /// Up to where batches of this node's last reign were committed while it led.
    pub(super) committed_by_us: (Epoch, Offset),
    /// The reign has written what it must before it decides anything.
    pub(super) is_activated: bool,
    /// A reign that has not begun to write that.
    pub(super) opening: Option<Epoch>,
    /// As the engine last said; `None` once closed.
    pub(super) quorum: Option<QuorumStatus>,
}

/// What came of asking the engine.
#[derive(Default)]
pub(super) struct Told {
    pub(super) steps: Vec<Loaded>,
    pub(super) is_snapshot_due: bool,
    pub(super) leader: Option<(Option<NodeId>, Epoch)>,
}

/// What became of a proposal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Committed,
    Open,
    /// The reign has ended first; another leader may have put something else there.
    Unknown,
}

impl State {
    /// Whether decisions are made here.
    pub(super) fn leads(&self) -> bool {
        self.reign.is_some() && self.is_activated
    }

    /// What became of what this node, leading in `epoch`, has put below `end`. What is committed
    /// there later is another's.
    pub(super) fn fate(&self, epoch: Epoch, end: Offset) -> Fate {
        let (reign, committed) = self.committed_by_us;
        match reign == epoch && committed >= end {
            true => Fate::Committed,
            false if self.reign == Some(epoch) => Fate::Open,
            false => Fate::Unknown,
        }
    }

    pub(super) fn take_in(
        &mut self,
        event: EngineEvent,
        told: &mut Told,
        now: MonoTime,
        is_quorum: bool,
    ) -> Result<(), String> {
        match event {
            EngineEvent::Leader { epoch, .. } => {
                self.reign = Some(epoch);
                self.committed_by_us = (epoch, self.gate.next());
                self.is_activated = !is_quorum;
                self.opening = is_quorum.then_some(epoch);
                self.controller.handle_reign_started(now);
                told.leader = Some((None, epoch));
            }
            EngineEvent::Follow { epoch, leader } => {
                self.reign = None;
                self.controller.handle_reign_ended();
                told.leader = Some((leader, epoch));
            }
            EngineEvent::Fatal(error) => return Err(format!("the metadata log failed: {error}")),
            // The host reads the snapshot, and installs it before this is asked.
            EngineEvent::Installed(_) => return Err("a snapshot was not installed".to_owned()),
            EngineEvent::Committed(batch) => match self.gate.admit(&batch) {
                GateVerdict::Apply => {
                    if self.reign == Some(batch.epoch) {
                        self.committed_by_us = (batch.epoch, batch.next_offset());
                    }
                    let replay = |at, records: &[_]| self.controller.replay(at, records);
                    told.steps.extend(metadata_log::replay(&batch, replay)?);
                }
                GateVerdict::Drop => return Err("the gate dropped a batch".to_owned()),
            },
        }
        Ok(())
    }
}
