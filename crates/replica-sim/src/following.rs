//! What a broker does while it follows.

use std::time::Duration;

use replication::{FetchAnswer, FetchStep, Replica};
use types::{ErrorCode, LeaderEpoch, Offset};

use crate::broker::Broker;
use crate::defect::Defect;
use crate::message::{Alarm, Message, NodeId, Record};
use crate::stage::Stage;

const FETCH_TIMEOUT: Duration = Duration::from_millis(1_500);

impl Broker {
    pub(crate) fn settle_fetch(&mut self, stage: &mut Stage) {
        let Some(process) = &mut self.process else { return };
        let Some(broker_epoch) = process.epoch else { return };
        let Some(follower) = process.replica.as_ref().and_then(Replica::follower) else { return };
        if process.fetching.is_some() {
            return;
        }
        let mut ends = self.disk.ends();
        if stage.has(Defect::FollowerVouchesForMemory) {
            ends.durable = ends.log_end;
        }
        let Some(mut from) = follower.poll_fetch(ends, stage.now) else { return };
        let leader = from.leader.0 as NodeId;
        process.next_id += 1;
        let id = process.next_id;
        process.fetching = Some((id, from));
        let compared_once = stage.has(Defect::OneLineageQuery) && process.compared;
        if stage.has(Defect::LastEpochForgotten) || compared_once {
            from.last_fetched_epoch = LeaderEpoch::NONE;
        }
        stage.send(self.id, leader, Message::Fetch { id, broker_epoch, from });
        stage.ring(FETCH_TIMEOUT, self.id, self.life, Alarm::FetchTimeout { id });
    }

    pub(crate) fn fetch_timed_out(&mut self, id: u64, stage: &mut Stage) {
        let Some(process) = &mut self.process else { return };
        if process.fetching.is_some_and(|(open, _)| open == id) {
            process.fetching = None;
            if let Some(follower) = process.replica.as_mut().and_then(Replica::follower_mut) {
                follower.handle_failed(stage.now);
            }
        }
    }

    pub(crate) fn follow(
        &mut self,
        id: u64,
        answer: &FetchAnswer,
        records: Vec<Record>,
        stage: &mut Stage,
    ) {
        let Some(process) = &mut self.process else { return };
        let Some((_, asked)) = process.fetching.filter(|(open, _)| *open == id) else { return };
        process.fetching = None;
        let Some(follower) = process.replica.as_mut().and_then(Replica::follower_mut) else {
            return;
        };
        process.compared |= answer.error == ErrorCode::None;
        if stage.has(Defect::TruncationToZero) && answer.error == ErrorCode::NotLeaderOrFollower {
            process.cuts += 1;
            process.is_syncing = false;
            return self.disk.truncate_to(Offset::ZERO);
        }
        if answer.error == ErrorCode::None {
            process.shown = process.shown.max(answer.high_watermark);
        }
        if stage.has(Defect::HighWatermarkBeforeTruncation)
            && answer.diverging.is_some()
            && !std::mem::replace(&mut process.has_dawdled, true)
        {
            // Consumers read before it is cut.
            return;
        }
        let disk = &mut self.disk;
        let end_of = |epoch| disk.end_of(epoch);
        match follower.handle_answer(&asked, answer, disk.ends(), end_of, stage.now) {
            FetchStep::Ignore => {}
            FetchStep::Append { .. } => {
                for record in records {
                    disk.append(record);
                }
                follower.handle_appended(answer, disk.log_end());
            }
            FetchStep::Truncate { to } => {
                stage.met.truncations += 1;
                process.cuts += 1;
                process.is_syncing = false;
                disk.truncate_to(to);
            }
            FetchStep::RestartAt { .. } => {
                stage.broken("a log that starts at 0 starts later".into())
            }
            FetchStep::Stop(why) => {
                let who = self.id;
                stage.broken(format!("broker {who} stands still: {why:?}"));
            }
        }
    }
}
