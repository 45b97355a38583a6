//! The appends of one turn.

use env::Disk;
use records::validate::{AppendOrigin, ValidatedBatch};
use storage::{Appended, PartitionLog};
use types::{Offset, WallTime};

use super::Partition;
use crate::partitions::owner::{
    Acks, Append, AppendDone, AppendRefused, Appends, Owner, TurnOutput, Waiter,
};
use crate::partitions::refused_runs::Run;

impl<D: Disk> Partition<D> {
    /// All batches of a turn with one write, each for itself accepted or refused.
    pub(super) fn append_all(
        &self,
        owner: &mut Owner<D>,
        appends: Appends,
        now: WallTime,
        output: &mut TurnOutput,
    ) {
        let appends = match appends {
            Appends::One(append) => return self.append_sole(owner, append, now, output),
            Appends::Many(none) if none.is_empty() => return,
            Appends::Many(many) => many,
        };
        let count = appends.len();
        let (mut batches, mut senders) = (Vec::with_capacity(count), Vec::with_capacity(count));
        output.replies.reserve(count);
        for append in appends {
            if let Some(why) = owner.refusal_of(&append) {
                output.replies.push((append.done, Err(why)));
                continue;
            }
            let (batch, sender) = Sender::part(append);
            batches.push(batch);
            senders.push(sender);
        }
        let context = self.append_context(AppendOrigin::Client, now);
        let results = match self.log_of(owner) {
            Ok(log) => log.append_all(batches, context),
            Err(why) => {
                for sender in senders {
                    self.refuse(owner, sender, why.clone(), now, output);
                }
                return;
            }
        };
        let turn = (log_end_of(owner), now);
        for (sender, result) in senders.into_iter().zip(results) {
            match result {
                Ok(appended) => {
                    self.note_in_turn(owner, sender, appended, turn, output);
                }
                Err(error) => {
                    self.refuse(owner, sender, AppendRefused::Log(error), now, output);
                }
            }
        }
    }

    /// The only batch of a turn.
    fn append_sole(
        &self,
        owner: &mut Owner<D>,
        append: Append,
        now: WallTime,
        output: &mut TurnOutput,
    ) {
        if let Some(why) = owner.refusal_of(&append) {
            return output.replies.push((append.done, Err(why)));
        }
        let (batch, sender) = Sender::part(append);
        let context = self.append_context(AppendOrigin::Client, now);
        let log = self.log_of(owner);
        match log.and_then(|log| log.append(batch, context).map_err(AppendRefused::Log)) {
            Ok(appended) => {
                let turn = (log_end_of(owner), now);
                self.note_in_turn(owner, sender, appended, turn, output);
            }
            Err(why) => self.refuse(owner, sender, why, now, output),
        }
    }

    fn refuse(
        &self,
        owner: &mut Owner<D>,
        sender: Sender,
        why: AppendRefused,
        now: WallTime,
        output: &mut TurnOutput,
    ) {
        let why = owner.refused.with_patience(why, now);
        let why = owner.refused.refuse(sender.run, why);
        if why.is_broken_sequence() && owner.refused.may_warn(now) {
            let (id, code) = (&self.id, why.error_code());
            log::warn!(
                target: "kafka.server.ReplicaManager",
                "{id} refused a batch · {why} · its client goes on; if records are missing or \
                 there twice, look into its log of this time · {code}"
            );
        }
        output.replies.push((sender.done, Err(why)));
    }

    /// A batch is in the log: its sender is answered, or waits until the gate has passed all of its
    /// turn. A duplicate's own end may lie before one that waits already.
    fn note_in_turn(
        &self,
        owner: &mut Owner<D>,
        sender: Sender,
        appended: Appended,
        turn: (Offset, WallTime),
        output: &mut TurnOutput,
    ) {
        let Sender { bytes, records, run, acks, done } = sender;
        let (end, now) = turn;
        owner.refused.handle_appended(run);
        if !appended.duplicate {
            self.metrics.note_appended(bytes, records);
            owner.note_appended(appended.last_offset.plus(1), bytes, now);
            output.appended_bytes += bytes;
        }
        let Some(leader) = owner.replica.leader() else { return };
        match acks {
            Acks::All if appended.last_offset >= leader.high_watermark() => {
                owner.acks.push(end, Waiter::Append(done, appended));
            }
            Acks::Leader if appended.last_offset >= leader.vouched_here() => {
                owner.leader_acks.push(end, Waiter::Append(done, appended));
            }
            _ => output.replies.push((done, Ok(appended))),
        }
    }
}

impl<D: Disk> Owner<D> {
    /// Why the batch is refused whatever the log holds, if it is.
    #[inline]
    fn refusal_of(&mut self, append: &Append) -> Option<AppendRefused> {
        let run = Run::of(append.batch.header());
        let too_few = || self.replica.leader().is_some_and(|leader| leader.is_under_min_isr());
        match append.acks == Acks::All && too_few() {
            true => Some(self.refused.refuse(run, AppendRefused::TooFewInSync)),
            false => self.refused.refusal_behind(run?),
        }
    }
}

fn log_end_of<D: Disk>(owner: &Owner<D>) -> Offset {
    owner.log.as_ref().map_or(owner.durable, PartitionLog::log_end)
}

/// What a turn keeps of an append while its batch is in the log's hands.
struct Sender {
    bytes: usize,
    records: i32,
    run: Option<Run>,
    acks: Acks,
    done: AppendDone,
}

impl Sender {
    fn part(append: Append) -> (ValidatedBatch, Sender) {
        let Append { batch, acks, done } = append;
        let (bytes, records) = (batch.size_bytes(), batch.records_count());
        let run = Run::of(batch.header());
        (batch, Sender { bytes, records, run, acks, done })
    }
}
