//! What a broker does while it leads.

use std::time::Duration;

use replication::{
    FetchAnswer, FetchFrom, FollowerFetch, IsrOutcome, LogEnds, PartitionLeader, PartitionState,
    Replica, check_fetch_epoch, diverging_epoch,
};
use types::{BrokerEpoch, BrokerId, EpochEnd, ErrorCode, Offset, PartitionEpoch};

use crate::broker::{Broker, Parked, Waiting};
use crate::defect::Defect;
use crate::disk::Disk;
use crate::message::{Alarm, CONTROLLER, Message, NodeId, Produced, Record, Tag};
use crate::stage::Stage;

const PARK: Duration = Duration::from_millis(500);
const ALTER_TIMEOUT: Duration = Duration::from_millis(700);
const RECORDS_MAX: usize = 20;

impl Broker {
    pub(crate) fn begin_reign(&mut self, state: &PartitionState, ends: LogEnds) {
        let leader =
            self.process.as_mut().and_then(|process| process.replica.as_mut()?.leader_mut());
        if let Some(leader) = leader {
            leader.handle_append(ends.log_end);
            leader.handle_durable(ends.durable);
        }

        let latest = self.disk.epochs.latest();
        if latest.is_none_or(|latest| latest.epoch < state.leader_epoch) {
            self.disk.epochs.assign(state.leader_epoch, self.disk.log_end());
        }
    }

    pub(crate) fn serve_fetch(
        &mut self,
        follower: NodeId,
        id: u64,
        broker_epoch: BrokerEpoch,
        asked: FetchFrom,
        stage: &mut Stage,
    ) {
        let Some(process) = &mut self.process else { return };
        let Some(leader) = process.replica.as_mut().and_then(Replica::leader_mut) else {
            return answer(self.id, follower, id, error(ErrorCode::NotLeaderOrFollower), stage);
        };
        let fenced = check_fetch_epoch(asked.leader_epoch, leader.leader_epoch());
        if let Some(code) = fenced.filter(|_| !stage.has(Defect::FetchEpochUnchecked)) {
            stage.met.fenced_fetches += 1;
            return answer(self.id, follower, id, error(code), stage);
        }
        if let Some(end) = divergence(&self.disk, &asked, stage) {
            stage.met.divergences += 1;
            let high_watermark = leader.high_watermark();
            let diverging =
                FetchAnswer { diverging: Some(end), high_watermark, ..error(ErrorCode::None) };
            return answer(self.id, follower, id, diverging, stage);
        }
        if asked.offset > self.disk.log_end() {
            return answer(self.id, follower, id, error(ErrorCode::OffsetOutOfRange), stage);
        }
        let replica = BrokerId(follower as i32);
        let (offset, log_start) = (asked.offset, asked.log_start);
        let fetch = FollowerFetch { replica, broker_epoch, offset, log_start };
        if stage.has(Defect::JoinsAtHighWatermark) {
            // As if it had had everything once, and so kept up.
            let all = FollowerFetch { offset: leader.log_end(), ..fetch };
            leader.handle_fetch(&all, stage.now);
        }
        leader.handle_fetch(&fetch, stage.now);
        process.parked.push(Parked { follower, id, from: asked });
        stage.ring(PARK, self.id, self.life, Alarm::ParkedTimeout { id });
        if stage.weather.reassigns {
            // Whole logs are copied, and not in the time of a hundred waits.
            self.answer_parked(None, stage);
        }
    }

    /// Answers those for whom there is something, `timed_out`, and everybody once it leads no more.
    pub(crate) fn answer_parked(&mut self, timed_out: Option<u64>, stage: &mut Stage) {
        let Some(process) = &mut self.process else { return };
        let leader = process.replica.as_ref().and_then(Replica::leader);
        let end = self.disk.log_end();
        let goes = |parked: &Parked| {
            timed_out == Some(parked.id)
                || parked.from.offset < end
                || leader.is_none_or(|leader| leader.leader_epoch() != parked.from.leader_epoch)
        };
        let (going, staying) = process.parked.drain(..).partition(goes);
        process.parked = staying;
        let going: Vec<Parked> = going;
        for Parked { follower, id, from } in going {
            let Some(leader) = process.replica.as_ref().and_then(Replica::leader) else {
                answer(self.id, follower, id, error(ErrorCode::NotLeaderOrFollower), stage);
                continue;
            };
            if leader.leader_epoch() != from.leader_epoch {
                answer(self.id, follower, id, error(ErrorCode::FencedLeaderEpoch), stage);
                continue;
            }
            let at = from.offset.0 as usize;
            let all = &self.disk.records[at.min(self.disk.records.len())..];
            let most = 1 + stage.chance.below(RECORDS_MAX as u64) as usize;
            let records: Vec<Record> = all.iter().take(most).copied().collect();
            let fetched =
                FetchAnswer { high_watermark: leader.high_watermark(), ..error(ErrorCode::None) };
            stage.send(self.id, follower, Message::Fetched { id, answer: fetched, records });
        }
    }

    pub(crate) fn produce(&mut self, client: NodeId, tags: Vec<Tag>, stage: &mut Stage) {
        let Some(process) = &mut self.process else { return };
        let first = tags[0].number;
        let leader = process.replica.as_mut().and_then(Replica::leader_mut);
        let Some(leader) = leader.filter(|leader| !leader.is_under_min_isr()) else {
            let refused = Message::Produced { first, result: Produced::Refused };
            return stage.send(self.id, client, refused);
        };
        let (base, count) = (self.disk.log_end(), tags.len());
        for tag in tags {
            self.disk.append(Record { epoch: leader.leader_epoch(), tag });
        }
        let end = self.disk.log_end();
        leader.handle_append(end);
        if stage.has(Defect::LeaderCountsMemory) {
            leader.handle_durable(end);
        }
        process.waiting.push_back(Waiting { end, base, client, first, count });
        self.answer_parked(None, stage);
    }

    /// Shows what is committed and acknowledges it.
    pub(crate) fn settle_gate(&mut self, stage: &mut Stage) {
        let Some(process) = &mut self.process else { return };
        let Some(leader) = process.replica.as_mut().and_then(Replica::leader_mut) else { return };
        let before = leader.high_watermark();
        if let Some(passed) = leader.poll_high_watermark() {
            stage.note_committed(self.id, &self.disk.records, before, passed);
            process.shown = process.shown.max(passed);
        }
        let high_watermark = leader.high_watermark();
        let too_few = leader.is_under_min_isr();
        while let Some(first) = process.waiting.front() {
            let is_committed = first.end <= high_watermark;
            if !is_committed && !too_few {
                break;
            }
            let Some(waiting) = process.waiting.pop_front() else { break };
            let Waiting { base, client, first, count, end } = waiting;
            let result = if is_committed { Produced::At(base) } else { Produced::Unknown };
            stage.met.acked += if is_committed { count as u64 } else { 0 };
            if is_committed {
                stage.met.acks.push((base, end));
            }
            stage.send(self.id, client, Message::Produced { first, result });
        }
    }

    pub(crate) fn settle_isr(&mut self, stage: &mut Stage) {
        let Some(process) = &mut self.process else { return };
        let (Some(image), Some(broker_epoch)) = (process.image.clone(), process.epoch) else {
            return;
        };
        let Some(leader) = process.replica.as_mut().and_then(Replica::leader_mut) else { return };
        if process.altering.is_some() {
            return;
        }
        let Some(proposal) = leader.poll_isr_change(|id| image.live.get(&id).copied(), stage.now)
        else {
            return;
        };
        let asked = proposal.partition_epoch;
        if stage.has(Defect::NoMaximalIsr) {
            // As if nothing were on its way.
            give_up(leader, asked, stage);
        }
        process.next_id += 1;
        let attempt = process.next_id;
        process.altering = Some((asked, attempt));
        stage.send(self.id, CONTROLLER, Message::AlterPartition { broker_epoch, proposal });
        stage.ring(ALTER_TIMEOUT, self.id, self.life, Alarm::AlterTimeout { asked, attempt });
    }

    pub(crate) fn hear_altered(
        &mut self,
        asked: PartitionEpoch,
        outcome: &IsrOutcome,
        stage: &mut Stage,
    ) {
        let Some(process) = &mut self.process else { return };
        if process.altering.is_some_and(|(open, _)| open == asked) {
            process.altering = None;
        }
        let Some(leader) = process.replica.as_mut().and_then(Replica::leader_mut) else { return };
        leader.handle_isr_outcome(asked, outcome, stage.now);
        if let IsrOutcome::Committed { leader_epoch, partition_epoch, isr } = outcome
            && stage.has(Defect::NoMaximalIsr)
            && *leader_epoch == leader.leader_epoch()
            && let Some(image) = &process.image
        {
            let mut state = image.state.clone();
            state.leader_epoch = *leader_epoch;
            state.partition_epoch = *partition_epoch;
            state.isr.clone_from(isr);
            leader.handle_partition_state(&state);
        }
    }

    pub(crate) fn alter_timed_out(
        &mut self,
        asked: PartitionEpoch,
        attempt: u64,
        stage: &mut Stage,
    ) {
        let Some(process) = &mut self.process else { return };
        if process.altering != Some((asked, attempt)) {
            return;
        }
        process.altering = None;
        stage.met.unanswered += 1;
        if let Some(leader) = process.replica.as_mut().and_then(Replica::leader_mut) {
            let outcome = match stage.has(Defect::DoubtForgotten) {
                // It is sent again, and nobody remembers that it was sent before.
                true => IsrOutcome::Refused(ErrorCode::NotController),
                false => IsrOutcome::Unanswered,
            };
            leader.handle_isr_outcome(asked, &outcome, stage.now);
        }
    }

    /// Any replica serves consumers, below what it knows to be committed.
    pub(crate) fn read(&mut self, client: NodeId, from: Offset, stage: &mut Stage) {
        let Some(process) = &self.process else { return };
        let known = process.replica.as_ref().map_or(Offset::ZERO, Replica::high_watermark);
        let known = match stage.has(Defect::HighWatermarkBeforeTruncation) {
            true => known.max(process.shown),
            false => known,
        };
        let end = known.min(self.disk.log_end()).0 as usize;
        let start = (from.0 as usize).min(end);
        let tags = self.disk.records[start..end.min(start + 50)].iter().map(|r| r.tag).collect();
        stage.send(self.id, client, Message::ReadAnswer { from, tags });
    }
}

fn give_up(leader: &mut PartitionLeader, asked: PartitionEpoch, stage: &Stage) {
    let refused = IsrOutcome::Refused(ErrorCode::IneligibleReplica);
    leader.handle_isr_outcome(asked, &refused, stage.now);
}

fn divergence(disk: &Disk, asked: &FetchFrom, stage: &Stage) -> Option<EpochEnd> {
    let end = diverging_epoch(asked.last_fetched_epoch, asked.offset, |epoch| disk.end_of(epoch))?;
    match stage.has(Defect::OneLineageQuery) {
        true => Some(EpochEnd { epoch: asked.last_fetched_epoch, ..end }),
        false => Some(end),
    }
}

fn error(error: ErrorCode) -> FetchAnswer {
    let (high_watermark, log_start) = (Offset::NONE, Offset::ZERO);
    FetchAnswer { error, diverging: None, high_watermark, log_start }
}

fn answer(from: NodeId, to: NodeId, id: u64, answer: FetchAnswer, stage: &mut Stage) {
    stage.send(from, to, Message::Fetched { id, answer, records: Vec::new() });
}
