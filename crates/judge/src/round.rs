use std::collections::{BTreeMap, BTreeSet};
use std::io::BufRead;
use std::rc::Rc;

use history::ReplicaBatch;

use crate::fields::{Fields, Names};
use crate::limits;
use crate::record::Kind;

/// The reader that reads everything back at the end.
const FINAL: &str = "final";

/// Everything that the clients of one round wrote down.
#[derive(Default)]
pub struct Round {
    names: Names,
    lines: usize,
    /// (durability, replicas), as often as it was said.
    pub said: Vec<(Rc<str>, usize)>,
    pub topics: BTreeMap<Rc<str>, Topic>,
    pub sessions: BTreeMap<Rc<str>, (u64, Kind)>,
    /// (when, kind)
    pub faults: Vec<(u64, Rc<str>)>,
    pub ups: Vec<u64>,
    pub cleans: Vec<u64>,
    /// When the last fault was over, as often as it was said.
    pub healed: Vec<u64>,
    /// (asked, acknowledged or 0, topic, partitions)
    pub created: Vec<(u64, u64, Rc<str>, usize)>,
    /// (asked, acknowledged or 0, topic)
    pub deleted: Vec<(u64, u64, Rc<str>)>,
    /// (asked, answered, `topic=partitions` of each)
    pub listings: Vec<(u64, u64, BTreeSet<String>)>,
    /// What a client was told at the end.
    pub listing_at_end: Option<BTreeSet<String>>,
    /// (when, session, why)
    pub fatal: Vec<(u64, Rc<str>, Rc<str>)>,
    pub brokers: BTreeSet<i32>,
}

/// What concerns one topic.
#[derive(Default)]
pub struct Topic {
    /// Kind and number of partitions; none if it came by the way.
    pub described: Option<(Rc<str>, usize)>,
    /// Whose members read it to the end, and commit every partition.
    pub groups: Vec<Rc<str>>,
    pub acks: Vec<Ack>,
    pub fails: Vec<Fail>,
    /// (session, partition) → how many records were sent.
    pub sent: BTreeMap<(Rc<str>, i32), u64>,
    pub reads: Vec<Read>,
    /// What is there at the end.
    pub read_back: Vec<Read>,
    /// Partition → (log start, log end) at the end.
    pub spans: BTreeMap<i32, (i64, i64)>,
    /// (when, reader, partition)
    pub begun: Vec<(u64, Rc<str>, i32)>,
    pub reset: Vec<(u64, Rc<str>, i32)>,
    /// Answered with 0: nobody knows.
    pub commits: Vec<Commit>,
    pub committed: Vec<Commit>,
    /// (group, partition) → offset at the end.
    pub committed_at_end: BTreeMap<(String, i32), i64>,
    pub owners: Vec<Owner>,
    /// (asked, acknowledged or 0, partition, offset)
    pub trims: Vec<(u64, u64, i32, i64)>,
    /// (asked, partition, offset)
    pub starts: Vec<(u64, i32, i64)>,
    /// (partition, broker) → batches in that log.
    pub batches: BTreeMap<(i32, i32), Vec<ReplicaBatch>>,
}

pub struct Ack {
    pub at: u64,
    pub session: Rc<str>,
    pub number: u64,
    pub partition: i32,
    /// −1 when the client was not told.
    pub offset: i64,
    pub key: Rc<str>,
    pub sent: u64,
}

/// Nobody knows whether it was written.
pub struct Fail {
    pub at: u64,
    pub session: Rc<str>,
    pub number: u64,
    pub partition: i32,
    pub sent: u64,
}

/// An offset that somebody commits, or that a group is told.
pub struct Commit {
    pub asked: u64,
    pub answered: u64,
    pub group: Rc<str>,
    pub partition: i32,
    pub offset: i64,
}

/// Whom the coordinator says that a partition belongs to.
pub struct Owner {
    pub at: u64,
    pub group: Rc<str>,
    pub member: Rc<str>,
    pub partition: i32,
}

pub struct Read {
    pub at: u64,
    pub reader: Rc<str>,
    pub partition: i32,
    pub offset: i64,
    pub session: Rc<str>,
    pub number: u64,
    pub key: Rc<str>,
    pub state: Rc<str>,
}

impl Round {
    /// Adds the lines of one file.
    ///
    /// # Errors
    ///
    /// Words, with the number of the line that is no line of a history.
    pub fn add(&mut self, file: impl BufRead) -> Result<(), String> {
        for (at, line) in file.lines().enumerate() {
            let line = line.map_err(|error| format!("line {}: {error}", at + 1))?;
            self.add_line(&line).map_err(|why| format!("line {}: {why}", at + 1))?;
        }
        Ok(())
    }

    pub fn add_line(&mut self, line: &str) -> Result<(), String> {
        self.lines += 1;
        if self.lines > limits::LINES_MAX {
            return Err(format!("a round has no more than {} lines", limits::LINES_MAX));
        }
        let mut fields = Fields::of(line);
        match fields.word {
            "round" | "up" | "clean" | "healed" | "fault" | "session" | "fatal" | "create"
            | "delete" | "topics" | "topics-end" => self.add_of_node(&mut fields)?,
            "commit" | "committed" | "commit-end" | "owner" => self.add_of_group(&mut fields)?,
            "ack" | "fail" | "sent" => self.add_of_producer(&mut fields)?,
            "read" | "assign" | "reset" => self.add_of_reader(&mut fields)?,
            "topic" | "group" | "span" | "trim" | "start" | "replica" => {
                self.add_of_log(&mut fields)?
            }
            word => return Err(format!("there is no word `{word}`")),
        }
        fields.end()
    }

    fn add_of_node(&mut self, fields: &mut Fields<'_>) -> Result<(), String> {
        let names = &mut self.names;
        match fields.word {
            "round" => self.said.push((fields.name(names)?, fields.number()?)),
            "up" => self.ups.push(fields.number()?),
            "clean" => self.cleans.push(fields.number()?),
            "healed" => self.healed.push(fields.number()?),
            "fault" => self.faults.push((fields.number()?, fields.name(names)?)),
            "session" => {
                let (when, name) = (fields.number()?, fields.name(names)?);
                self.sessions.insert(name, (when, Kind::named(fields.text()?)?));
            }
            "fatal" => {
                self.fatal.push((fields.number()?, fields.name(names)?, fields.name(names)?));
            }
            "create" => {
                let (asked, acked) = (fields.number()?, fields.number()?);
                self.created.push((asked, acked, fields.name(names)?, fields.number()?));
            }
            "delete" => {
                self.deleted.push((fields.number()?, fields.number()?, fields.name(names)?));
            }
            "topics" => {
                let (asked, answered) = (fields.number()?, fields.number()?);
                self.listings.push((asked, answered, listing(fields.text()?)));
            }
            _ => {
                let _asked: u64 = fields.number()?;
                self.listing_at_end = Some(listing(fields.text()?));
            }
        }
        Ok(())
    }

    fn add_of_group(&mut self, fields: &mut Fields<'_>) -> Result<(), String> {
        let names = &mut self.names;
        let asked = fields.number()?;
        let is_answer = ["commit", "committed"].contains(&fields.word);
        let answered = if is_answer { fields.number()? } else { 0 };
        let group = fields.name(names)?;
        if fields.word == "owner" {
            let member = fields.name(names)?;
            let topic = self.topics.entry(fields.name(names)?).or_default();
            topic.owners.push(Owner { at: asked, group, member, partition: fields.number()? });
            return Ok(());
        }
        let topic = self.topics.entry(fields.name(names)?).or_default();
        let (partition, offset) = (fields.number()?, fields.number()?);
        match fields.word {
            "commit-end" => {
                topic.committed_at_end.insert((group.to_string(), partition), offset);
            }
            word => {
                let told = Commit { asked, answered, group, partition, offset };
                if word == "commit" { &mut topic.commits } else { &mut topic.committed }.push(told);
            }
        }
        Ok(())
    }

    fn add_of_producer(&mut self, fields: &mut Fields<'_>) -> Result<(), String> {
        let names = &mut self.names;
        let at = if fields.word == "sent" { 0 } else { fields.number()? };
        let session = fields.name(names)?;
        let number = if fields.word == "sent" { 0 } else { fields.number()? };
        let topic = self.topics.entry(fields.name(names)?).or_default();
        let partition = fields.number()?;
        match fields.word {
            "sent" => {
                let count = fields.number()?;
                if count > limits::RECORDS_MAX {
                    return Err(format!("no producer sends {count} records"));
                }
                topic.sent.insert((session, partition), count);
            }
            "ack" => {
                let (offset, key) = (fields.number()?, fields.name(names)?);
                let sent = fields.number()?;
                topic.acks.push(Ack { at, session, number, partition, offset, key, sent });
            }
            _ => {
                fields.text()?;
                let sent = fields.number()?;
                topic.fails.push(Fail { at, session, number, partition, sent });
            }
        }
        Ok(())
    }

    fn add_of_reader(&mut self, fields: &mut Fields<'_>) -> Result<(), String> {
        let names = &mut self.names;
        let (at, reader) = (fields.number()?, fields.name(names)?);
        let topic = self.topics.entry(fields.name(names)?).or_default();
        let partition = fields.number()?;
        match fields.word {
            "assign" => topic.begun.push((at, reader, partition)),
            "reset" => {
                fields.text()?;
                topic.reset.push((at, reader, partition));
            }
            _ => {
                let offset = fields.number()?;
                let (session, number) = (fields.name(names)?, fields.number()?);
                let (key, state) = (fields.name(names)?, fields.name(names)?);
                let is_final = &*reader == FINAL;
                let read = Read { at, reader, partition, offset, session, number, key, state };
                if is_final { &mut topic.read_back } else { &mut topic.reads }.push(read);
            }
        }
        Ok(())
    }

    fn add_of_log(&mut self, fields: &mut Fields<'_>) -> Result<(), String> {
        let names = &mut self.names;
        match fields.word {
            "topic" => {
                let topic = self.topics.entry(fields.name(names)?).or_default();
                topic.described = Some((fields.name(names)?, fields.number()?));
            }
            "group" => {
                let group = fields.name(names)?;
                let topic = self.topics.entry(fields.name(names)?).or_default();
                topic.groups.push(group);
            }
            "span" => {
                let (_at, reader): (u64, _) = (fields.number()?, fields.text()?);
                let topic = self.topics.entry(fields.name(names)?).or_default();
                let (partition, low, high): (i32, i64, i64) =
                    (fields.number()?, fields.number()?, fields.number()?);
                if low < 0 || high < low || high.abs_diff(low) > limits::RECORDS_MAX {
                    return Err(format!("no log lies between {low} and {high}"));
                }
                if reader == FINAL {
                    topic.spans.insert(partition, (low, high));
                }
            }
            "trim" => {
                let (asked, acked) = (fields.number()?, fields.number()?);
                let topic = self.topics.entry(fields.name(names)?).or_default();
                topic.trims.push((asked, acked, fields.number()?, fields.number()?));
            }
            "start" => {
                let asked = fields.number()?;
                let topic = self.topics.entry(fields.name(names)?).or_default();
                topic.starts.push((asked, fields.number()?, fields.number()?));
            }
            _ => {
                let broker = fields.number()?;
                self.brokers.insert(broker);
                let topic = self.topics.entry(fields.name(names)?).or_default();
                let log = topic.batches.entry((fields.number()?, broker)).or_default();
                let (first, last) = (fields.number()?, fields.number()?);
                let (leader_epoch, checksum) = (fields.number()?, fields.number()?);
                log.push(ReplicaBatch { first, last, leader_epoch, checksum });
            }
        }
        Ok(())
    }

    /// Whether acknowledged means in the page cache.
    pub fn is_in_page_cache(&self) -> bool {
        self.said.iter().any(|(durability, _)| &**durability == "page-cache")
    }

    pub fn replicas(&self) -> usize {
        self.said.first().map_or(1, |(_, replicas)| *replicas)
    }

    /// Whether others hold what one broker holds.
    pub fn is_cluster(&self) -> bool {
        self.replicas() > 1
    }
}

fn listing(text: &str) -> BTreeSet<String> {
    text.split(',').filter(|pair| !pair.is_empty()).map(str::to_owned).collect()
}
