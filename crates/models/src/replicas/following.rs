//! What a broker does while it follows, and how it learns what it is.

use replication::{
    FetchAnswer, FetchFrom, FetchStep, FollowerFetch, Replica, RoleChange, check_fetch_epoch,
    diverging_epoch,
};
use types::{BrokerId, EpochEnd, ErrorCode, LeaderEpoch, Offset};

use crate::replicas::BROKERS;
use crate::replicas::decider::{Metadata, life_epoch};
use crate::replicas::defect::Defect;
use crate::replicas::model::{EARLY, NOW, ReplicasModel, begin_reign, tell_the_rest};
use crate::replicas::world::{Answer, Disk, Record, World};

impl ReplicasModel {
    /// Asks its leader; the answer replaces one that is on its way, which is thereby lost.
    pub(super) fn fetch(&self, world: &mut World, follower: usize) {
        let here = &mut world.brokers[follower];
        let Some(process) = &mut here.process else { return };
        let mut ends = here.disk.ends();
        if self.has(Defect::FollowerVouchesForMemory) {
            ends.durable = ends.log_end;
        }
        let asks = process.replica.follower().and_then(|follower| follower.poll_fetch(ends, EARLY));
        let Some(asked) = asks else { return };
        let mut says = asked;
        if self.has(Defect::LastEpochForgotten) || process.has_compared {
            says.last_fetched_epoch = LeaderEpoch::NONE;
        }
        let life = here.life;
        let served = self.serve(world, follower, life, &says);
        let here = &mut world.brokers[follower];
        let Some(process) = &mut here.process else { return };
        match served {
            Some((answer, records)) => {
                process.has_compared = self.has(Defect::OneLineageQuery);
                let changes = answer.diverging.is_some()
                    || !records.is_empty()
                    || answer.high_watermark > process.replica.high_watermark();
                process.answer = changes.then_some(Answer { asked, answer, records });
                if !self.bounds.slow {
                    self.hear(world, follower);
                }
            }
            // An error: it will ask again.
            None if self.has(Defect::TruncationToZero) => here.disk.truncate_to(Offset::ZERO),
            None => process.answer = None,
        }
    }

    fn serve(
        &self,
        world: &mut World,
        follower: usize,
        life: u8,
        asked: &FetchFrom,
    ) -> Option<(FetchAnswer, Vec<Record>)> {
        let id = asked.leader.0 as usize;
        let broker = &mut world.brokers[id];
        let leader = broker.process.as_mut()?.replica.leader_mut()?;
        if check_fetch_epoch(asked.leader_epoch, leader.leader_epoch()).is_some() {
            return None;
        }
        let mut answer = FetchAnswer {
            error: ErrorCode::None,
            diverging: self.divergence(&broker.disk, asked),
            high_watermark: leader.high_watermark(),
            log_start: Offset::ZERO,
        };
        if answer.diverging.is_some() {
            return Some((answer, Vec::new()));
        }
        let fetch = FollowerFetch {
            replica: BrokerId(follower as i32),
            broker_epoch: life_epoch(follower, life),
            offset: asked.offset,
            log_start: asked.log_start,
        };
        if self.has(Defect::JoinsAtHighWatermark) {
            // As if it had had everything once, and so kept up.
            let all = FollowerFetch { offset: leader.log_end(), ..fetch };
            leader.handle_fetch(&all, NOW);
        }
        leader.handle_fetch(&fetch, NOW);
        let records = broker.disk.records.get(asked.offset.0 as usize..)?.to_vec();
        self.open_gate(world, id);
        let leader = world.brokers[id].process.as_ref()?.replica.leader()?;
        answer.high_watermark = leader.high_watermark();
        Some((answer, records))
    }

    fn divergence(&self, disk: &Disk, asked: &FetchFrom) -> Option<EpochEnd> {
        let end_of = |epoch| disk.end_of(epoch);
        let end = diverging_epoch(asked.last_fetched_epoch, asked.offset, end_of)?;
        match self.has(Defect::OneLineageQuery) {
            true => Some(EpochEnd { epoch: asked.last_fetched_epoch, ..end }),
            false => Some(end),
        }
    }

    pub(super) fn hear(&self, world: &mut World, follower: usize) {
        let here = &mut world.brokers[follower];
        let Some(process) = &mut here.process else { return };
        let Some(Answer { asked, answer, records }) = process.answer.take() else { return };
        let Some(machine) = process.replica.follower_mut() else { return };
        if self.has(Defect::HighWatermarkBeforeTruncation) {
            let shown = std::mem::replace(&mut process.shown, answer.high_watermark);
            if shown < answer.high_watermark && answer.diverging.is_some() {
                // Consumers read before it is cut.
                return;
            }
        }
        let disk = &mut here.disk;
        let end_of = |epoch| disk.end_of(epoch);
        match machine.handle_answer(&asked, &answer, disk.ends(), end_of, NOW) {
            FetchStep::Ignore => {}
            FetchStep::Append { .. } => {
                records.into_iter().for_each(|record| disk.append(record));
                if !self.bounds.slow && !self.has(Defect::FollowerVouchesForMemory) {
                    disk.durable = disk.records.len();
                }
                machine.handle_appended(&answer, disk.log_end());
            }
            FetchStep::Truncate { to } => disk.truncate_to(to),
            FetchStep::RestartAt { .. } => world.broken("a log that starts at 0 starts later"),
            FetchStep::Stop(_) => world.broken("a leader lacks what was committed"),
        }
    }

    pub(super) fn learn(&self, world: &mut World, broker: usize) {
        let now = world.metadata;
        let Some(process) = &mut world.brokers[broker].process else { return };
        let before = std::mem::replace(&mut process.seen, now);
        let advances =
            (before.leader_epoch, before.partition_epoch) < (now.leader_epoch, now.partition_epoch);
        if self.has(Defect::StaleMetadata) && advances {
            process.seen_before = Some(before);
        }
        self.take_role(world, broker, &now);
        if advances && self.defect.is_none() {
            // A message from before that comes after it.
            let (change, again) = (self.told(world, broker, &before), "stale metadata is taken in");
            if change != RoleChange::Stale {
                world.broken(again);
            }
        }
    }

    /// Within a reign a follower hears of changes at once: they change nothing of what it does.
    pub(super) fn tell_followers(&self, world: &mut World) {
        let reign = world.metadata.leader_epoch;
        for broker in 0..BROKERS {
            let process = world.brokers[broker].process.as_ref();
            let follows = process.is_some_and(|process| {
                process.replica.follower().is_some() && process.seen.leader_epoch == reign
            });
            if follows {
                self.learn(world, broker);
            }
        }
    }

    pub(super) fn learn_again(&self, world: &mut World, broker: usize) {
        let me = BrokerId(broker as i32);
        let here = &mut world.brokers[broker];
        let Some(process) = &mut here.process else { return };
        let Some(before) = process.seen_before.take() else { return };
        let high_watermark = process.replica.high_watermark();
        let (state, ends, rules) = (before.partition_state(), here.disk.ends(), self.rules());
        process.replica = Replica::new(me, &state, ends, high_watermark, rules, NOW);
        process.altering = None;
        process.answer = None;
    }

    fn told(&self, world: &World, broker: usize, metadata: &Metadata) -> RoleChange {
        let here = &world.brokers[broker];
        let Some(process) = &here.process else { return RoleChange::Stale };
        let state = metadata.partition_state();
        process.replica.clone().handle_partition_state(&state, here.disk.ends(), NOW)
    }

    fn take_role(&self, world: &mut World, broker: usize, metadata: &Metadata) {
        let here = &mut world.brokers[broker];
        let Some(process) = &mut here.process else { return };
        let (state, ends) = (metadata.partition_state(), here.disk.ends());
        let told = self.as_told(ends, process.replica.high_watermark());
        let change = process.replica.handle_partition_state(&state, told, NOW);
        if matches!(change, RoleChange::Elected | RoleChange::Follows) {
            process.altering = None;
            process.answer = None;
            process.has_compared = false;
        }
        if change == RoleChange::Elected
            && let Some(leader) = process.replica.leader_mut()
        {
            tell_the_rest(leader, ends);
            begin_reign(&mut here.disk, metadata);
        }
        self.open_gate(world, broker);
    }
}
