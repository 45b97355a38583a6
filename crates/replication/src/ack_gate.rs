use types::Offset;

use crate::HighWatermark;

/// What an acknowledgement of `acks=all` promises: the topic property `durability`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Durability {
    /// On disk.
    #[default]
    Fsync,
    /// In the memory of at least two in-sync replicas; on disk where there is only one.
    Replicated,
    /// In the page cache of the in-sync replicas, as in Apache Kafka.
    PageCache,
}

/// What the gate goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GateRules {
    pub durability: Durability,
    /// `flush.messages`: under [`Durability::PageCache`], the append that makes this many records
    /// undurable is held until they are not.
    pub flush_messages: i64,
}

/// How far the other replicas are that must hold a record before it is committed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum InSync {
    /// There are none: the leader is the whole in-sync set.
    #[default]
    Alone,
    /// Each of them holds the log up to here, as durably as the topic asks.
    UpTo(Offset),
    /// Not known yet, or too few: nothing more is committed until that changes (KIP-966).
    Unknown,
}

/// The one gate that acknowledges, for everything a promise may ask for: durable here up to an
/// offset, in sync there up to another.
///
/// **Invariant:** `position <= log_end`, and it never moves back within a leader epoch, whatever
/// the rules become.
/// **Source:** the high watermark of Kafka's `Partition.maybeIncrementLeaderHW`, which knows the
/// replicas' log ends only; `flush.messages` as in `UnifiedLog.append`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AckGate {
    rules: GateRules,
    position: HighWatermark,
    log_end: Offset,
    durable: Offset,
    in_sync: InSync,
    /// The last offset up to which a sync was called for by `flush.messages`, and where the gate
    /// stands meanwhile.
    flush: Option<Flush>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Flush {
    held_at: Offset,
    up_to: Offset,
}

impl AckGate {
    /// The gate of a log all of which is durable.
    pub fn open_at(log_end: Offset, rules: GateRules) -> AckGate {
        AckGate::at(log_end, log_end, log_end, rules)
    }

    /// The gate of a log that is known to be committed up to `high_watermark`.
    ///
    /// # Panics
    /// If either lies past the log end.
    pub fn at(
        high_watermark: Offset,
        durable: Offset,
        log_end: Offset,
        rules: GateRules,
    ) -> AckGate {
        assert!(high_watermark <= log_end && durable <= log_end, "past the log end {log_end}");
        let position = HighWatermark::at(high_watermark);
        AckGate { rules, position, log_end, durable, in_sync: InSync::Alone, flush: None }
    }

    /// The high watermark.
    pub fn position(&self) -> Offset {
        self.position.offset()
    }

    pub fn log_end(&self) -> Offset {
        self.log_end
    }

    /// How far this replica alone could vouch: what acks=1 waits for. Never behind the position.
    pub fn vouched_here(&self) -> Offset {
        let here = match (self.rules.durability, self.in_sync) {
            // Others hold it as well, or it does not count.
            (Durability::Replicated, InSync::UpTo(_) | InSync::Unknown) => self.log_end,
            _ => self.durable_enough(),
        };
        here.max(self.position())
    }

    /// Whether somebody waits for a sync: what is appended is not as durable as it is to be.
    pub fn wants_sync(&self) -> bool {
        match self.rules.durability {
            Durability::Replicated if matches!(self.in_sync, InSync::UpTo(_)) => false,
            Durability::Fsync | Durability::Replicated => self.durable < self.log_end,
            Durability::PageCache => self.flush.is_some(),
        }
    }

    /// The log ends at `log_end` now. Appends are told one by one.
    ///
    /// # Panics
    /// If it moved back: a leader's log only grows.
    pub fn handle_append(&mut self, log_end: Offset) {
        assert!(self.log_end <= log_end, "a leader's log moved back to {log_end}");
        let before = std::mem::replace(&mut self.log_end, log_end);
        let synced_or_called = self.flush.map_or(self.durable, |flush| flush.up_to);
        if log_end.since(synced_or_called) >= self.rules.flush_messages {
            let held_at = self.flush.map_or(before, |flush| flush.held_at);
            self.flush = Some(Flush { held_at, up_to: log_end });
        }
    }

    /// Everything below `offset` survives power loss here.
    pub fn handle_durable(&mut self, offset: Offset) {
        self.durable = self.durable.max(offset.min(self.log_end));
        if self.flush.is_some_and(|flush| flush.up_to <= self.durable) {
            self.flush = None;
        }
    }

    /// What comes goes by these rules. An append that `flush.messages` held stays held until its
    /// sync is through: any property of the topic may have been altered.
    pub fn set_rules(&mut self, rules: GateRules) {
        self.rules = rules;
    }

    /// The other replicas are so far.
    pub fn set_in_sync(&mut self, in_sync: InSync) {
        self.in_sync = in_sync;
    }

    /// Moves the gate as far as it may go; says where it is if it moved.
    pub fn poll_opened(&mut self) -> Option<Offset> {
        let candidate = match (self.in_sync, self.rules.durability) {
            (InSync::Unknown, _) => return None,
            (InSync::Alone, _) => self.durable_enough(),
            (InSync::UpTo(there), Durability::Replicated) => there.min(self.log_end),
            (InSync::UpTo(there), _) => there.min(self.durable_enough()),
        };
        self.position.advance_to(candidate, self.log_end)
    }

    fn durable_enough(&self) -> Offset {
        match self.rules.durability {
            Durability::Fsync | Durability::Replicated => self.durable,
            Durability::PageCache => self.flush.map_or(self.log_end, |flush| flush.held_at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(durability: Durability, flush_messages: i64) -> AckGate {
        AckGate::open_at(Offset(10), GateRules { durability, flush_messages })
    }

    #[test]
    fn with_fsync_nothing_passes_before_it_is_durable() {
        for durability in [Durability::Fsync, Durability::Replicated] {
            let mut gate = gate(durability, i64::MAX);
            assert!(!gate.wants_sync());
            gate.handle_append(Offset(13));
            assert!(gate.wants_sync());
            assert_eq!(gate.poll_opened(), None);
            gate.handle_durable(Offset(12));
            assert_eq!(gate.poll_opened(), Some(Offset(12)));
            assert!(gate.wants_sync());
            gate.handle_durable(Offset(20));
            assert_eq!(gate.poll_opened(), Some(Offset(13)), "never past the log end");
            assert!(!gate.wants_sync());
        }
    }

    #[test]
    fn with_the_page_cache_everything_passes_at_once() {
        let mut gate = gate(Durability::PageCache, i64::MAX);
        gate.handle_append(Offset(13));
        assert_eq!(gate.poll_opened(), Some(Offset(13)));
        assert!(!gate.wants_sync());
    }

    #[test]
    fn the_append_that_reaches_flush_messages_waits_for_a_sync_and_those_before_it_do_not() {
        let mut gate = gate(Durability::PageCache, 3);
        gate.handle_append(Offset(12));
        assert_eq!(gate.poll_opened(), Some(Offset(12)));
        gate.handle_append(Offset(13));
        assert!(gate.wants_sync());
        assert_eq!(gate.poll_opened(), None);
        gate.handle_append(Offset(14));
        gate.handle_durable(Offset(12));
        assert_eq!(gate.poll_opened(), None);
        gate.handle_durable(Offset(13));
        assert_eq!(gate.poll_opened(), Some(Offset(14)));
        assert!(!gate.wants_sync());
    }

    #[test]
    fn rules_that_are_set_again_free_nothing_that_flush_messages_holds() {
        let mut gate = gate(Durability::PageCache, 1);
        gate.handle_append(Offset(11));
        gate.set_rules(GateRules { durability: Durability::PageCache, flush_messages: 1 });
        assert_eq!((gate.poll_opened(), gate.wants_sync()), (None, true));
        gate.set_rules(GateRules { durability: Durability::PageCache, flush_messages: i64::MAX });
        assert_eq!((gate.poll_opened(), gate.wants_sync()), (None, true));
        gate.handle_durable(Offset(11));
        assert_eq!((gate.poll_opened(), gate.wants_sync()), (Some(Offset(11)), false));
    }

    #[test]
    fn other_rules_never_move_the_gate_back_and_free_what_they_do_not_hold() {
        let mut gate = gate(Durability::Fsync, i64::MAX);
        gate.handle_append(Offset(13));
        gate.set_rules(GateRules { durability: Durability::PageCache, flush_messages: i64::MAX });
        assert_eq!(gate.poll_opened(), Some(Offset(13)));
        gate.set_rules(GateRules { durability: Durability::Fsync, flush_messages: i64::MAX });
        assert_eq!((gate.poll_opened(), gate.position()), (None, Offset(13)));
        assert!(gate.wants_sync());
        gate.handle_append(Offset(14));
        assert_eq!(gate.poll_opened(), None);
    }

    #[test]
    fn a_record_is_committed_when_it_is_durable_here_and_there() {
        let mut gate = gate(Durability::Fsync, i64::MAX);
        gate.set_in_sync(InSync::UpTo(Offset(10)));
        gate.handle_append(Offset(14));
        gate.handle_durable(Offset(14));
        assert_eq!((gate.poll_opened(), gate.vouched_here()), (None, Offset(14)));
        gate.set_in_sync(InSync::UpTo(Offset(13)));
        assert_eq!(gate.poll_opened(), Some(Offset(13)));
        gate.handle_append(Offset(20));
        gate.set_in_sync(InSync::UpTo(Offset(20)));
        assert_eq!(gate.poll_opened(), Some(Offset(14)), "not durable here");
        gate.set_in_sync(InSync::Unknown);
        gate.handle_durable(Offset(20));
        assert_eq!((gate.poll_opened(), gate.vouched_here()), (None, Offset(20)));
    }

    #[test]
    fn replicated_means_memory_of_two_and_the_disk_where_there_is_one() {
        let mut gate = gate(Durability::Replicated, i64::MAX);
        gate.set_in_sync(InSync::UpTo(Offset(12)));
        gate.handle_append(Offset(14));
        assert!(!gate.wants_sync());
        assert_eq!((gate.poll_opened(), gate.vouched_here()), (Some(Offset(12)), Offset(14)));
        gate.set_in_sync(InSync::Alone);
        assert!(gate.wants_sync());
        assert_eq!(gate.poll_opened(), None);
        gate.handle_durable(Offset(14));
        assert_eq!(gate.poll_opened(), Some(Offset(14)));
    }
}
