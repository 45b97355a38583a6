//! A true history of a round, small, and what can be done to its lines.

use std::ops::RangeInclusive;

use judge::{Round, Verdict, judge};

/// Records of each partition of `shared`.
pub const RECORDS: u64 = 40;
const BROKERS: RangeInclusive<i32> = 1..=3;
/// In between a fault.
const FAULT_MS: u64 = 4_050;
const UP_MS: u64 = 4_060;
/// The last one is over, and half of `shared` is still to come.
pub const HEALED_MS: u64 = 4_100;
const END_MS: u64 = 60_000;

/// Lines, each as its fields.
#[derive(Clone, Default)]
pub struct Lines(Vec<Vec<String>>);

impl Lines {
    /// `line` has its fields separated by blanks; a number that ends in `ms` is a time.
    pub fn add(&mut self, line: &str) {
        let field = |field: &str| match field.strip_suffix("ms").map(str::parse::<u64>) {
            Some(Ok(ms)) => (ms * 1_000_000).to_string(),
            _ => field.to_owned(),
        };
        self.0.push(line.split(' ').map(field).collect());
    }

    /// Whether the line begins with these fields; `*` is any.
    fn matches(line: &[String], pattern: &str) -> bool {
        let mut pairs = pattern.split(' ').enumerate();
        pairs.all(|(at, wanted)| wanted == "*" || line.get(at).is_some_and(|field| field == wanted))
    }

    pub fn drop(&mut self, pattern: &str) {
        let before = self.0.len();
        self.0.retain(|line| !Lines::matches(line, pattern));
        assert!(self.0.len() < before, "no line is {pattern}");
    }

    /// Gives field `at` of every line that matches another value.
    pub fn change(&mut self, pattern: &str, at: usize, value: &str) {
        let found = self.0.iter_mut().filter(|line| Lines::matches(line, pattern));
        let changed = found.map(|line| value.clone_into(&mut line[at])).count();
        assert!(changed > 0, "no line is {pattern}");
    }

    pub fn read(&self) -> Result<Round, String> {
        let mut round = Round::default();
        self.0.iter().try_for_each(|line| round.add_line(&line.join("\t")))?;
        Ok(round)
    }

    pub fn verdict(&self) -> Verdict {
        judge(&self.read().expect("lines of a history"))
    }
}

/// Two producers share the partitions of a topic, one more writes with acks=1, a reader and a group
/// follow, and in the middle is a fault.
pub fn true_history(durability: &str, replicas: u32, fault: &str) -> Lines {
    let mut lines = Lines::default();
    lines.add(&format!("round {durability} {replicas}"));
    lines.add("up 1000ms");
    lines.add(&format!("fault {FAULT_MS}ms {fault}"));
    lines.add(&format!("up {UP_MS}ms"));
    lines.add(&format!("healed {HEALED_MS}ms"));
    for (session, kind) in [("a", "idempotent"), ("b", "plain"), ("w", "acks1")] {
        lines.add(&format!("session 1100ms {session} {kind}"));
    }
    lines.add(&format!("session {HEALED_MS}ms last idempotent"));
    let topics = [("shared", "plain", 2), ("latest", "compacted", 1), ("trimmed", "trimmed", 1)];
    for (topic, kind, partitions) in topics {
        lines.add(&format!("topic {topic} {kind} {partitions}"));
        lines.add(&format!("create 1010ms 1020ms {topic} {partitions}"));
    }
    // It comes by the way: nobody owes that it is written to the end.
    lines.add("create 1010ms 1020ms weak 1");
    lines.add("group g shared");
    (0..2).for_each(|partition| shared(&mut lines, partition));
    weak(&mut lines);
    compacted(&mut lines);
    trimmed(&mut lines);
    by_the_way(&mut lines);
    if replicas > 1 {
        replicas_of(&mut lines);
    }
    lines
}

fn shared(lines: &mut Lines, partition: i32) {
    lines.add(&format!("assign 1200ms r shared {partition}"));
    for i in 0..RECORDS {
        let (session, seq, at) = (["a", "b"][i as usize % 2], i / 2, 2_000 + 100 * i);
        lines.add(&format!("ack {}ms {session} {seq} shared {partition} {i} - {at}ms", at + 1));
        lines.add(&format!("read {}ms r shared {partition} {i} {session} {seq} - ok", at + 5));
        lines.add(&format!("read {END_MS}ms final shared {partition} {i} {session} {seq} - ok"));
        if i % 5 == 4 {
            let end = i + 1;
            lines.add(&format!("commit {}ms {}ms g shared {partition} {end}", at + 6, at + 7));
            lines.add(&format!("committed {}ms {}ms g shared {partition} {end}", at + 8, at + 9));
        }
    }
    for session in ["a", "b"] {
        lines.add(&format!("sent {session} shared {partition} {}", RECORDS / 2));
    }
    lines.add(&format!("span {END_MS}ms final shared {partition} 0 {RECORDS}"));
    lines.add(&format!("commit-end {END_MS}ms g shared {partition} {RECORDS}"));
    for at in [2_500, 5_000] {
        lines.add(&format!("owner {at}ms g member-{partition} shared {partition}"));
    }
}

/// Written and read before the fault.
fn weak(lines: &mut Lines) {
    lines.add("assign 1200ms r weak 0");
    for i in 0..4 {
        lines.add(&format!("ack {}ms w {i} weak 0 {i} - 2000ms", 2_100 + i));
        lines.add(&format!("read {}ms r weak 0 {i} w {i} - ok", 2_200 + i));
        lines.add(&format!("read {END_MS}ms final weak 0 {i} w {i} - ok"));
    }
    lines.add("sent w weak 0 4");
    lines.add(&format!("span {END_MS}ms final weak 0 0 4"));
}

/// Ten records of three keys, of which the last of each is left.
fn compacted(lines: &mut Lines) {
    for i in 0..10 {
        let key = i % 3;
        lines.add(&format!("ack {}ms a {i} latest 0 {i} k{key} 2000ms", 2_100 + i));
        if i >= 7 {
            lines.add(&format!("read {END_MS}ms final latest 0 {i} a {i} k{key} ok"));
        }
    }
    lines.add("sent a latest 0 10");
    written_at_last(lines, "latest", 10, "other");
    lines.add(&format!("span {END_MS}ms final latest 0 0 11"));
}

/// One record after the faults, by somebody else, and he who reads it.
fn written_at_last(lines: &mut Lines, topic: &str, offset: u64, key: &str) {
    let at = HEALED_MS + 10;
    lines.add(&format!("ack {}ms last 0 {topic} 0 {offset} {key} {at}ms", at + 1));
    lines.add(&format!("assign {at}ms n {topic} 0"));
    lines.add(&format!("read {}ms n {topic} 0 {offset} last 0 {key} ok", at + 2));
    lines.add(&format!("read {END_MS}ms final {topic} 0 {offset} last 0 {key} ok"));
    lines.add(&format!("sent last {topic} 0 1"));
}

fn trimmed(lines: &mut Lines) {
    for i in 0..10 {
        lines.add(&format!("ack {}ms a {i} trimmed 0 {i} - 2000ms", 2_100 + i));
        if i >= 4 {
            lines.add(&format!("read {END_MS}ms final trimmed 0 {i} a {i} - ok"));
        }
    }
    lines.add("sent a trimmed 0 10");
    written_at_last(lines, "trimmed", 10, "-");
    lines.add(&format!("span {END_MS}ms final trimmed 0 4 11"));
    lines.add("trim 2300ms 2400ms trimmed 0 4");
    lines.add("start 2500ms trimmed 0 4");
}

fn by_the_way(lines: &mut Lines) {
    let topics = "shared=2,weak=1,latest=1,trimmed=1";
    lines.add("create 3000ms 3010ms brief 3");
    lines.add(&format!("topics 20000ms 20010ms {topics},brief=3"));
    lines.add("delete 21000ms 21010ms brief");
    lines.add(&format!("topics 40000ms 40010ms {topics}"));
    lines.add(&format!("topics-end {END_MS}ms {topics}"));
}

/// Batches of two records.
fn replicas_of(lines: &mut Lines) {
    let logs = [("shared", 0, RECORDS), ("shared", 1, RECORDS), ("weak", 0, 4), ("trimmed", 0, 11)];
    for broker in BROKERS {
        for (topic, partition, end) in logs {
            for first in (0..end).step_by(2) {
                let (last, checksum) = ((first + 1).min(end - 1), 77 + first);
                lines.add(&format!(
                    "replica {broker} {topic} {partition} {first} {last} 1 {checksum}"
                ));
            }
        }
    }
}
