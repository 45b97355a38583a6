//! What this broker is to the partition, and what that has it do.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use env::Disk;
use replication::{
    FetchAnswer, FetchFrom, FetchStep, FollowerFetch, IsrOutcome, IsrProposal, PartitionState,
    RoleChange,
};
use storage::{AppendError, StorageError};
use types::{BrokerEpoch, BrokerId, ErrorCode, MonoTime, Offset, PartitionEpoch, WallTime};

use super::{Partition, Place, gate, lock};
use crate::leader_hints::LeaderHint;
use crate::partitions::owner::{AppendRefused, Owner, TurnOutput, ends_of};

/// What became of a leader's answer.
#[derive(Clone, Debug)]
pub enum Followed {
    /// Nothing, or nothing that changes when the next fetch goes out.
    Idle,
    /// The log goes further, or less far: fetch on, once what it has is as durable as it is to be.
    Moved,
    /// It stands still until somebody has looked; in words.
    Stopped(String),
}

impl<D: Disk> Partition<D> {
    /// # Errors
    /// `NOT_LEADER_OR_FOLLOWER`, or why the partition is not here any more.
    pub fn check_leads(&self) -> Result<(), ErrorCode> {
        self.check_here()?;
        match self.leads() {
            true => Ok(()),
            false => Err(ErrorCode::NotLeaderOrFollower),
        }
    }

    pub fn leads(&self) -> bool {
        self.leads.load(Ordering::Acquire)
    }

    /// Whom it follows; `None` if it leads, or if nobody leads.
    pub fn followed_leader(&self) -> Option<BrokerId> {
        self.look().replica.follower()?.leader()
    }

    /// Who leads, as far as this replica knows.
    pub fn current_leader(&self) -> LeaderHint {
        let replica = &self.look().replica;
        let leader = replica.current_leader();
        LeaderHint { leader, leader_epoch: replica.leader_epoch() }
    }

    /// Who else leads, as far as this replica knows.
    #[cold]
    pub fn leader_elsewhere(&self) -> Option<LeaderHint> {
        (!self.leads()).then(|| self.current_leader())
    }

    /// Whether something that came from the leader is on its way to the disk and is not vouched for
    /// before it is there.
    pub fn is_syncing(&self) -> bool {
        let owner = self.look();
        owner.replica.follower().is_some() && owner.wants_sync()
    }

    /// Whether `broker` is in the in-sync set as the controller has committed it; false unless this
    /// broker leads.
    pub fn is_in_sync(&self, broker: BrokerId) -> bool {
        self.look().replica.leader().is_some_and(|leader| leader.isr().contains(&broker))
    }

    /// Whether it is led here as far as is known here, and others are in sync that the controller
    /// could have lead it.
    pub fn may_be_led_elsewhere(&self) -> bool {
        self.leads() && self.look().replica.leader().is_some_and(|leader| leader.isr().len() > 1)
    }

    /// Whoever waits for other replicas is told to look for another leader. What was appended for
    /// them stays, as after every change of the leader.
    pub fn refuse_waiters_for_others(&self, now: WallTime) {
        self.own(now, |owner, output| {
            owner.refuse_gate_waiters(&AppendRefused::NotLeader, output);
        });
    }

    /// Whether it lies on other brokers, too.
    pub fn has_other_replicas(&self) -> bool {
        self.has_others.load(Ordering::Acquire)
    }

    /// The metadata says so. Whoever waits for a leader that is none any more is told.
    ///
    /// # Errors
    /// The log cannot note the epoch that begins; it takes nothing more.
    pub fn handle_partition_state(
        &self,
        state: &PartitionState,
        now: MonoTime,
        wall: WallTime,
    ) -> Result<RoleChange, StorageError> {
        let (change, noted) = self.own(wall, |owner, output| {
            let Some(log) = &owner.log else { return (RoleChange::Stale, Ok(())) };
            let ends = ends_of(log, owner.durable);
            let change = owner.replica.handle_partition_state(state, ends, now);
            let noted = self.change_role(owner, (change, state), wall, output);
            (change, noted)
        });
        match change {
            RoleChange::Stale => return Ok(change),
            // They were asked under an earlier epoch.
            RoleChange::Elected | RoleChange::Follows => self.complete_fetch_waits(),
            // Who has become a replica may have fetched before it was known here.
            RoleChange::SameReign => self.note_changed(0),
        }
        self.check_deletions();
        noted.map(|()| change)
    }

    fn change_role(
        &self,
        owner: &mut Owner<D>,
        (change, state): (RoleChange, &PartitionState),
        wall: WallTime,
        output: &mut TurnOutput,
    ) -> Result<(), StorageError> {
        let mut noted = Ok(());
        match change {
            RoleChange::Stale => return Ok(()),
            RoleChange::SameReign => {}
            RoleChange::Elected => {
                self.leader_epoch.store(state.leader_epoch.0, Ordering::Release);
                self.leads.store(true, Ordering::Release);
                if owner.replica.has_others() {
                    owner.refused.handle_elected(state.leader_epoch, wall);
                }
                // Nobody asks a sole replica before it has written something.
                if let (true, Some(log)) = (owner.replica.has_others(), owner.log.as_mut()) {
                    log.expect_beginnings(owner.refused.patience());
                    noted = log.begin_epoch(state.leader_epoch);
                }
            }
            RoleChange::Follows => {
                self.leads.store(false, Ordering::Release);
                self.leader_epoch.store(state.leader_epoch.0, Ordering::Release);
                owner.refuse_waiters(&AppendRefused::NotLeader, output);
            }
        }
        self.has_others.store(state.replicas.len() > 1, Ordering::Release);
        self.settle_turn(owner, output);
        noted
    }

    /// A follower's log agrees with this one below the offset it fetches from.
    pub fn handle_follower_fetch(&self, fetch: FollowerFetch, now: MonoTime, wall: WallTime) {
        lock(&self.mailbox).fetches.push((fetch, now));
        self.run_turns(wall);
    }

    /// Whoever is not in sync may have caught up.
    pub(super) fn hear_of_follower(
        &self,
        owner: &mut Owner<D>,
        fetch: &FollowerFetch,
        at: MonoTime,
    ) {
        if let Some(leader) = owner.replica.leader_mut()
            && leader.handle_fetch(fetch, at)
            && !leader.isr().contains(&fetch.replica)
        {
            self.isr_hint.store(true, Ordering::Release);
        }
    }

    /// The change of the in-sync set to ask the controller for, if it is time to.
    pub fn poll_isr_change(
        &self,
        epoch_of: impl Fn(BrokerId) -> Option<BrokerEpoch>,
        now: MonoTime,
    ) -> Option<IsrProposal> {
        self.look().replica.leader_mut()?.poll_isr_change(epoch_of, now)
    }

    /// What became of the proposal made at `asked`.
    pub fn handle_isr_outcome(
        &self,
        asked: PartitionEpoch,
        outcome: &IsrOutcome,
        now: MonoTime,
        wall: WallTime,
    ) {
        self.own(wall, |owner, output| {
            if let Some(leader) = owner.replica.leader_mut() {
                leader.handle_isr_outcome(asked, outcome, now);
            }
            self.settle_turn(owner, output);
        });
    }

    /// Whether the end of the log may be told: see
    /// [`PartitionLeader::knows_latest_offset`](replication::PartitionLeader::knows_latest_offset).
    pub fn knows_latest_offset(&self) -> bool {
        self.look().replica.leader().is_none_or(|leader| leader.knows_latest_offset())
    }

    /// Where a consumer in `client_rack` should read `offset` instead of here.
    pub fn read_replica_for<'a>(
        &self,
        client_rack: &str,
        offset: Offset,
        rack_of: impl Fn(BrokerId) -> Option<&'a str>,
        now: MonoTime,
    ) -> Option<BrokerId> {
        self.look().replica.leader()?.read_replica_for(client_rack, offset, rack_of, now)
    }

    /// What is to be fetched from the leader now.
    pub fn poll_fetch(&self, now: MonoTime) -> Option<FetchFrom> {
        let owner = self.look();
        let log = owner.log.as_ref().filter(|_| !owner.is_broken)?;
        let ends = ends_of(log, owner.durable);
        owner.replica.follower()?.poll_fetch(ends, now)
    }

    /// The leader's answer to `asked`. The records are as it has them: nothing is unpacked. Whoever
    /// brings it sees to a [commit](Self::commit_if_wanted): an answer is about many partitions.
    ///
    /// # Errors
    /// A batch is damaged, or the log takes nothing more.
    pub fn handle_fetched(
        &self,
        asked: &FetchFrom,
        answer: &FetchAnswer,
        records: Bytes,
        now: MonoTime,
        wall: WallTime,
    ) -> Result<Followed, AppendError> {
        self.own(wall, |owner, output| {
            self.follow(owner, asked, answer, records, (now, wall), output)
        })
    }

    fn follow(
        &self,
        owner: &mut Owner<D>,
        asked: &FetchFrom,
        answer: &FetchAnswer,
        records: Bytes,
        (now, wall): (MonoTime, WallTime),
        output: &mut TurnOutput,
    ) -> Result<Followed, AppendError> {
        let Owner { log: Some(log), replica, durable, .. } = owner else {
            return Ok(Followed::Idle);
        };
        let Some(follower) = replica.follower_mut() else { return Ok(Followed::Idle) };
        let ends = ends_of(log, *durable);
        let end_of = |epoch| log.epoch_end_offset(epoch);
        match follower.handle_answer(asked, answer, ends, end_of, now) {
            FetchStep::Ignore => return Ok(Followed::Idle),
            FetchStep::Stop(why) => return Ok(Followed::Stopped(format!("{why:?}"))),
            FetchStep::Truncate { to } => {
                log.truncate_to(to, wall).map_err(AppendError::Storage)?;
                *durable = (*durable).min(log.log_end());
            }
            FetchStep::RestartAt { offset } => {
                log.reset_to(offset, wall).map_err(AppendError::Storage)?;
                *durable = log.log_end();
            }
            FetchStep::Append { log_start } => {
                return self.append_fetched(owner, answer, records, log_start, wall, output);
            }
        }
        // What was committed may have been given up with what was cut.
        let high_watermark = replica.high_watermark();
        log.note_high_watermark(high_watermark);
        self.high_watermark.store(high_watermark.0, Ordering::Release);
        owner.hidden.clear();
        self.forget_commits();
        Ok(Followed::Moved)
    }

    /// A commit that is under way saw records that were cut: what it says is not of those that take
    /// their place.
    fn forget_commits(&self) {
        let place = self.place.load_full();
        let number = place.number + 1;
        let (reader, commit) = (place.reader.clone(), place.commit.clone());
        let on_commit = gate::listener(&self.this, number);
        self.place.store(Arc::new(Place { dir: place.dir, reader, commit, on_commit, number }));
        lock(&self.mailbox).committed = None;
    }

    fn append_fetched(
        &self,
        owner: &mut Owner<D>,
        answer: &FetchAnswer,
        records: Bytes,
        log_start: Offset,
        wall: WallTime,
        output: &mut TurnOutput,
    ) -> Result<Followed, AppendError> {
        let Some(log) = owner.log.as_mut() else { return Ok(Followed::Idle) };
        let (bytes, before) = (records.len(), log.log_end());
        if !records.is_empty() {
            log.append_as_follower(records, wall)?;
        }
        let log_end = log.log_end();
        if log.log_start() < log_start.min(log_end) {
            log.advance_log_start(log_start.min(log_end)).map_err(AppendError::Storage)?;
        }
        if before < log_end {
            owner.note_appended(log_end, bytes, wall);
            output.appended_bytes += bytes;
        }
        let follower = owner.replica.follower_mut();
        if let Some(passed) = follower.and_then(|f| f.handle_appended(answer, log_end)) {
            self.show_below(owner, passed, output);
        }
        Ok(if before < log_end { Followed::Moved } else { Followed::Idle })
    }

    /// Opens the gate, and lets go of those for whom too few replicas are in sync by now.
    fn settle_turn(&self, owner: &mut Owner<D>, output: &mut TurnOutput) {
        self.open_gate(owner, output);
        if owner.replica.leader().is_some_and(|leader| leader.is_under_min_isr()) {
            owner.refuse_gate_waiters(&AppendRefused::TooFewInSyncAfterAppend, output);
        }
    }
}

#[cfg(test)]
mod tests {
    use env::{Clock, Env};
    use env_sim::SimEnv;
    use records::{BatchBuilder, NewRecord};
    use types::{EpochEnd, LeaderEpoch};

    use super::*;
    use crate::tests;

    fn batch(offset: i64, wall: WallTime) -> Vec<u8> {
        let builder = BatchBuilder::new().base_offset(Offset(offset)).leader_epoch(LeaderEpoch(5));
        let mut builder = builder;
        builder.push(NewRecord { timestamp: wall, key: None, value: Some(b"v"), headers: &[] });
        builder.build().bytes().to_vec()
    }

    /// Follows broker 2 after an unclean election: three records that are committed, in a log that
    /// starts at `log_start`.
    fn follow<D: Disk>(
        partition: &Partition<D>,
        log_start: i64,
        (now, wall): (MonoTime, WallTime),
    ) -> (FetchFrom, FetchAnswer) {
        let state = PartitionState {
            leader: Some(BrokerId(2)),
            leader_epoch: LeaderEpoch(5),
            partition_epoch: PartitionEpoch(5),
            replicas: vec![BrokerId(1), BrokerId(2)],
            isr: vec![BrokerId(2)],
            recovering: true,
        };
        partition.handle_partition_state(&state, now, wall).expect("a sound disk");
        let asked = partition.poll_fetch(now).expect("nothing is on its way");
        let answer = FetchAnswer {
            error: ErrorCode::None,
            diverging: None,
            high_watermark: Offset(3),
            log_start: Offset(log_start),
        };
        let records = [batch(0, wall), batch(1, wall), batch(2, wall)].concat();
        partition.handle_fetched(&asked, &answer, records.into(), now, wall).expect("sound");
        assert_eq!(partition.high_watermark(), Offset(3));
        (FetchFrom { offset: Offset(3), ..asked }, answer)
    }

    #[test]
    fn what_an_unclean_election_cut_is_no_longer_shown_as_committed() {
        let env = SimEnv::new(7);
        let node = tests::lone_with_topic(&env, 1);
        let (now, wall) = (env.clock().mono(), env.clock().wall());
        let partition = node.partitions.get("t", 0).expect("made with the topic");
        let (asked, answer) = follow(&partition, 0, (now, wall));
        let asked = FetchFrom { last_fetched_epoch: LeaderEpoch(5), ..asked };
        let end = EpochEnd { epoch: LeaderEpoch(5), end_offset: Offset(1) };
        let answer = FetchAnswer { diverging: Some(end), ..answer };
        partition.handle_fetched(&asked, &answer, Bytes::new(), now, wall).expect("sound");
        assert_eq!(partition.reader().log_end(), Offset(1));
        assert_eq!(partition.high_watermark(), Offset(1));
    }

    #[test]
    fn a_log_that_a_deletion_emptied_begins_anew_under_a_leader_that_lost_its_own() {
        let env = SimEnv::new(7);
        let node = tests::lone_with_topic(&env, 1);
        let (now, wall) = (env.clock().mono(), env.clock().wall());
        let partition = node.partitions.get("t", 0).expect("made with the topic");
        let (asked, answer) = follow(&partition, 3, (now, wall));
        assert_eq!(partition.reader().log_start(), Offset(3), "all of it is deleted");
        let lost = FetchAnswer {
            error: ErrorCode::OffsetOutOfRange,
            high_watermark: Offset(-1),
            log_start: Offset(0),
            ..answer
        };
        let nothing = Bytes::new();
        partition.handle_fetched(&asked, &lost, nothing, now, wall).expect("sound");
        assert_eq!(partition.high_watermark(), Offset(0));
        let asked = partition.poll_fetch(now).expect("at once");
        assert_eq!((asked.offset, asked.log_start), (Offset(0), Offset(0)));
        let answer = FetchAnswer { high_watermark: Offset(1), log_start: Offset(0), ..answer };
        let records = batch(0, wall).into();
        partition.handle_fetched(&asked, &answer, records, now, wall).expect("sound");
        assert_eq!(partition.high_watermark(), Offset(1));
    }
}
