//! Group commit: large batches to few logs reach the disk in their segments, and once.

use std::collections::BTreeMap;

use crate::committing::{World, is_no_damage};
use env_sim::{Crash, SimDisk};

const JOURNAL_BYTES: u64 = 32 << 20;
const LARGE: usize = 700 << 10;
const SMALL: usize = 400 << 10;

/// A world with logs that take large batches, and what they must hold.
struct Producer {
    disk: SimDisk,
    world: World,
    sent: BTreeMap<usize, Vec<(usize, u8)>>,
}

impl Producer {
    fn new(logs: usize) -> Producer {
        let disk = SimDisk::new(1);
        let mut world = World::with_journal(&disk, JOURNAL_BYTES).unwrap();
        for number in 0..logs {
            world.create_with(number, 64 << 20);
            // Their names are on the disk from here on.
            assert!(world.append(number, b"first"));
            world.ask(number);
        }
        world.run_all();
        world.commit.checkpoint().unwrap();
        world.run_all();
        Producer { disk, world, sent: BTreeMap::new() }
    }

    /// Sends a record and has it committed. Says how many commits went by without the journal.
    fn send(&mut self, number: usize, bytes: usize) -> u64 {
        let sent = self.sent.entry(number).or_default();
        let mark = sent.len() as u8 + 1;
        let before = self.world.dir.metrics().commits_without_journal.get();
        assert!(self.world.append(number, &vec![mark; bytes]));
        self.world.ask(number);
        World::run(&self.world.commits);
        sent.push((bytes, mark));
        assert_eq!(self.world.promised(number), sent.len() as i64 + 1);
        self.world.dir.metrics().commits_without_journal.get() - before
    }

    /// How many the next process finds in the journal.
    fn frames_after_a_kill(self) -> u64 {
        self.disk.crash(Crash::Kill);
        let is_told = is_no_damage(&self.disk, 0);
        let world = World::with_journal(&self.disk, JOURNAL_BYTES).unwrap();
        for (number, sent) in self.sent {
            assert_eq!(world.values(number).len(), sent.len() + 1, "log {number}");
        }
        let frames = world.dir.replayed().frames;
        assert_eq!(is_told, frames > 0, "what looks through the directory sees the same");
        frames
    }

    fn survives_power_loss(self) {
        self.disk.crash(Crash::PowerLoss);
        let world = World::with_journal(&self.disk, JOURNAL_BYTES).unwrap();
        for (number, sent) in self.sent {
            let found: Vec<_> = world.values(number)[1..].iter().map(|v| (v.len(), v[0])).collect();
            assert_eq!(found, sent, "log {number}");
        }
    }
}

#[test]
fn large_batches_to_one_log_are_synced_in_its_segment() {
    let mut producer = Producer::new(2);
    assert_eq!(producer.send(1, 100), 0);
    assert_eq!([LARGE; 3].map(|bytes| producer.send(0, bytes)), [1; 3]);
    assert_eq!(producer.world.dir.metrics().journal_used_bytes.get(), 0, "it went along");
    producer.survives_power_loss();
}

#[test]
fn large_batches_wait_for_no_sync_of_what_many_logs_have_in_the_journal() {
    let mut producer = Producer::new(40);
    (1..40).for_each(|number| assert_eq!(producer.send(number, 100), 0));
    assert_eq!([LARGE; 3].map(|bytes| producer.send(0, bytes)), [0; 3]);
    producer.survives_power_loss();
}

#[test]
fn large_batches_wait_for_no_sync_that_is_under_way() {
    let mut producer = Producer::new(2);
    assert_eq!(producer.send(1, 100), 0);
    producer.world.commit.checkpoint().unwrap();
    assert_eq!(producer.send(0, LARGE), 0);
    producer.world.run_all();
    assert_eq!(producer.send(0, LARGE), 1);
    producer.survives_power_loss();
}

#[test]
fn large_batches_send_what_much_else_the_journal_holds_ahead_of_them() {
    let mut producer = Producer::new(2);
    (0..12).for_each(|_| assert_eq!(producer.send(1, SMALL), 0));
    let before = producer.world.dir.metrics().journal_checkpoints.get();
    assert_eq!(producer.send(0, LARGE), 0, "a sync would take too long now");
    producer.world.run_all();
    assert_eq!(producer.world.dir.metrics().journal_checkpoints.get(), before + 1);
    assert_eq!(producer.send(0, LARGE), 1);
    producer.survives_power_loss();
}

/// Otherwise it would let go of all that memory has of a log from there on, and read it anew.
#[test]
fn a_start_puts_nothing_back_that_has_reached_its_segment() {
    let mut synced = Producer::new(2);
    assert_eq!(synced.send(1, 100), 0);
    assert_eq!(synced.send(0, LARGE), 1);
    assert_eq!(synced.frames_after_a_kill(), 0);

    let mut retired = Producer::new(2);
    assert_eq!(retired.send(1, 100), 0);
    retired.world.commit.checkpoint().unwrap();
    retired.world.run_all();
    assert_eq!(retired.send(0, 100), 0);
    assert_eq!(retired.frames_after_a_kill(), 1);
}
