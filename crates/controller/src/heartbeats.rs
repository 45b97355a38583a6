use std::time::Duration;

use metadata::{BrokerEpoch, BrokerImage};
use protocol::messages::broker_heartbeat_request::BrokerHeartbeatRequest;
use protocol::messages::broker_heartbeat_response::BrokerHeartbeatResponse;
use protocol::metadata_records::BrokerRegistrationChangeRecord;
use types::{BrokerId, ErrorCode, MonoTime, Offset, Uuid};

use crate::{Controller, ControllerResult};

/// `in_controlled_shutdown` in a change record.
const IN_CONTROLLED_SHUTDOWN: i8 = 1;

/// What a broker is to the cluster. Source: Kafka `BrokerControlState`.
#[doc(alias = "BrokerControlState")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum BrokerState {
    Fenced,
    InService,
    /// Hands over what it leads.
    ShuttingDown,
    /// Has nothing left to do.
    MayStop,
}

impl Controller {
    /// This node's engine leads: from now on the controller hears heartbeats and judges silence.
    pub fn handle_reign_started(&mut self, now: MonoTime) {
        let (image, own) = (self.image(), self.node_id());
        self.liveness.start_reign(now, &image, own);
    }

    /// The node that led before this reign had been silent for so long when it began, as far as
    /// this node heard it; a broker in its process has said nothing either. For `missed` no
    /// majority had heard it. To be called when the reign has just begun.
    pub fn handle_deposed_leader(&mut self, id: BrokerId, silent: Duration, missed: Duration) {
        self.liveness.begin_silent(id, silent, missed);
    }

    /// Another node leads, or nobody does: what was heard is worth nothing any more.
    pub fn handle_reign_ended(&mut self) {
        self.liveness.end_reign();
    }

    /// A heartbeat has arrived. To be called for every one, also for those that waited too long to
    /// be answered: the broker lives, whatever becomes of its request.
    pub fn handle_broker_heartbeat(&mut self, request: &BrokerHeartbeatRequest, now: MonoTime) {
        let (id, epoch) = (BrokerId(request.broker_id), BrokerEpoch(request.broker_epoch));
        if self.check_broker_epoch(id, epoch).is_ok() {
            self.liveness.touch(id, epoch, now);
            let applied = Offset(request.current_metadata_offset);
            self.liveness.note(id, applied, request.want_shut_down);
        }
    }

    /// The connection over which a broker sends its heartbeats has ended without its having asked
    /// to stop. The next heartbeat, over whatever connection, clears it of the suspicion.
    pub fn handle_broker_connection_lost(
        &mut self,
        id: BrokerId,
        epoch: BrokerEpoch,
        now: MonoTime,
    ) {
        self.liveness.lose_connection(id, epoch, now);
    }

    /// The broker's process is gone for certain: its host refuses connections to where it listened.
    pub fn handle_broker_gone(&mut self, id: BrokerId, epoch: BrokerEpoch) {
        self.liveness.lose_process(id, epoch);
    }

    /// A broker in service whose session has ended: to be fenced by
    /// [`fence_silent_broker`](Self::fence_silent_broker); then ask again. To be called after what
    /// has arrived was taken in.
    pub fn poll_stale_broker(&mut self, now: MonoTime) -> Option<(BrokerId, BrokerEpoch)> {
        let image = self.image();
        let id = self.liveness.stale(now, &image)?;
        image.cluster.broker(id).map(|broker| (id, broker.epoch))
    }

    /// Takes a broker that [`poll_stale_broker`](Self::poll_stale_broker) has named out of service,
    /// unless it has been heard of since, has registered anew, or is out already. Says whether it
    /// did.
    pub fn fence_silent_broker(&self, id: BrokerId, epoch: BrokerEpoch) -> ControllerResult<bool> {
        let is_fenced = self.view().cluster.broker(id).is_some_and(|broker| broker.fenced);
        if is_fenced || !self.liveness.is_stale(id, epoch) {
            return ControllerResult::reply_only(false);
        }
        self.fence_broker(id, epoch).map(|fenced| fenced.is_ok())
    }

    /// When to call [`poll_stale_broker`](Self::poll_stale_broker) next; `None` outside a reign.
    pub fn poll_stale_deadline(&self) -> Option<MonoTime> {
        self.liveness.next_look()
    }

    /// Answers a heartbeat, and takes the broker in or out of service as it wishes and may.
    ///
    /// A broker comes into service once it has applied its own registration, and its having been
    /// fenced: before, it may believe that it leads what others lead by now. One that wants to
    /// stop leaves all in-sync sets first, and may stop when every active broker has applied that:
    /// then nobody is sent to it any more.
    ///
    /// # Errors
    /// In the answer: `STALE_BROKER_EPOCH`.
    ///
    /// Source: Kafka `ReplicationControlManager.processBrokerHeartbeat`,
    /// `BrokerHeartbeatManager.calculateNextBrokerState`.
    pub fn broker_heartbeat(
        &self,
        request: &BrokerHeartbeatRequest,
    ) -> ControllerResult<BrokerHeartbeatResponse> {
        let (id, epoch) = (BrokerId(request.broker_id), BrokerEpoch(request.broker_epoch));
        let broker = match self.check_broker_epoch(id, epoch) {
            Ok(broker) => broker,
            Err(error) => {
                return ControllerResult::reply_only(BrokerHeartbeatResponse {
                    error_code: error.code.code(),
                    ..BrokerHeartbeatResponse::default()
                });
            }
        };
        let is_caught_up = request.current_metadata_offset >= epoch.0;
        let current = state_of(broker);
        let next = self.next_state(broker, current, request, is_caught_up);
        let reply = BrokerHeartbeatResponse {
            error_code: ErrorCode::None.code(),
            is_caught_up,
            is_fenced: matches!(next, BrokerState::Fenced | BrokerState::MayStop),
            should_shut_down: next == BrokerState::MayStop,
            ..BrokerHeartbeatResponse::default()
        };
        let keeps_serving = matches!(next, BrokerState::InService | BrokerState::ShuttingDown);
        if keeps_serving && has_newly_offline(broker, &request.offline_log_dirs) {
            // One change at a time: the next heartbeat asks for the rest.
            let is_fenced = current == BrokerState::Fenced;
            let offline = self.directories_offline(id, epoch, &request.offline_log_dirs);
            return offline.map(|_| BrokerHeartbeatResponse { is_fenced, ..reply });
        }
        match (current, next) {
            (BrokerState::Fenced, BrokerState::InService) => {
                self.unfence_broker(id, epoch).map(|_| reply)
            }
            (BrokerState::InService, BrokerState::ShuttingDown) => {
                self.begin_controlled_shutdown(broker).map(|()| reply)
            }
            (
                BrokerState::InService | BrokerState::ShuttingDown,
                BrokerState::Fenced | BrokerState::MayStop,
            ) => self.fence_broker(id, epoch).map(|_| reply),
            _ => ControllerResult::reply_only(reply),
        }
    }

    fn next_state(
        &self,
        broker: &BrokerImage,
        current: BrokerState,
        request: &BrokerHeartbeatRequest,
        is_caught_up: bool,
    ) -> BrokerState {
        use BrokerState::{Fenced, InService, MayStop, ShuttingDown};
        let leads_any = || self.broker_partitions.leads_any(broker.id);
        let applied = request.current_metadata_offset;
        let knows_it = || applied >= self.liveness.fenced_offset(broker.id).0;
        match current {
            Fenced if request.want_shut_down => MayStop,
            Fenced if !request.want_fence && is_caught_up && knows_it() => InService,
            Fenced => Fenced,
            InService if request.want_fence && request.want_shut_down => MayStop,
            InService if request.want_fence => Fenced,
            InService if request.want_shut_down && leads_any() => ShuttingDown,
            InService if request.want_shut_down => MayStop,
            InService => InService,
            ShuttingDown if leads_any() => ShuttingDown,
            ShuttingDown => {
                let handed_over = self.liveness.shutdown_offset(broker.id);
                let seen_by_all = self.liveness.lowest_active_offset(self.view());
                if handed_over <= seen_by_all { MayStop } else { ShuttingDown }
            }
            MayStop => MayStop,
        }
    }

    fn begin_controlled_shutdown(&self, broker: &BrokerImage) -> ControllerResult<()> {
        let change = BrokerRegistrationChangeRecord {
            broker_id: broker.id.0,
            broker_epoch: broker.epoch.0,
            in_controlled_shutdown: IN_CONTROLLED_SHUTDOWN,
            ..BrokerRegistrationChangeRecord::default()
        };
        let mut records = vec![change.into()];
        records.extend(self.leave_partitions(broker.id));
        ControllerResult::atomic(records, ())
    }
}

fn has_newly_offline(broker: &BrokerImage, offline: &[Uuid]) -> bool {
    offline.iter().any(|dir| broker.log_dirs.contains(dir))
}

fn state_of(broker: &BrokerImage) -> BrokerState {
    match (broker.fenced, broker.in_controlled_shutdown) {
        (true, _) => BrokerState::Fenced,
        (false, true) => BrokerState::ShuttingDown,
        (false, false) => BrokerState::InService,
    }
}
