//! What one topic's lines mean: events, and what is there at the end.

use std::collections::BTreeMap;
use std::rc::Rc;

use history::{Cleanup, Event, FinalState, History};

use crate::limits;
use crate::node::Excuses;
use crate::record::{Producer, Record, SOUND};
use crate::round::{Read, Round, Topic};
use crate::timeline::Timeline;

/// The group under whose name an altered configuration is told; what each broker knows of those
/// may be old.
const CONFIGURATION: &str = "retention.ms";

/// What happened in this topic.
pub fn history(
    round: &Round,
    topic: &Topic,
    excuses: &Excuses,
) -> (History<Record>, FinalState<Record>) {
    let translation = Translation { round, topic, excuses, sound: SOUND.into() };
    let mut timeline = Timeline::default();
    translation.producers(&mut timeline);
    translation.readers(&mut timeline);
    translation.groups(&mut timeline);
    translation.log_starts(&mut timeline);
    translation.peace(&mut timeline);
    excuses.note(&mut timeline);
    (timeline.into_history(), translation.end())
}

struct Translation<'a> {
    round: &'a Round,
    topic: &'a Topic,
    excuses: &'a Excuses,
    sound: Rc<str>,
}

impl Translation<'_> {
    fn producer(&self, name: &Rc<str>) -> Rc<Producer> {
        self.excuses.producer(name)
    }

    fn read(&self, read: &Read) -> Record {
        Record {
            producer: self.producer(&read.session),
            number: read.number,
            state: read.state.clone(),
            key: read.key.clone(),
        }
    }

    /// A record was sent when its acknowledgement or its failure says so, else at any time since
    /// its producer began. How many there are is told at the end.
    fn producers(&self, timeline: &mut Timeline) {
        let mut sent: BTreeMap<(&Rc<str>, i32), Vec<u64>> = BTreeMap::new();
        for ((session, partition), count) in &self.topic.sent {
            let began = self.round.sessions.get(session).map_or(0, |(began, _)| *began);
            sent.insert((session, *partition), vec![began; *count as usize]);
        }
        let acked = self.topic.acks.iter().map(|a| (&a.session, a.number, a.partition, a.sent));
        let failed = self.topic.fails.iter().map(|f| (&f.session, f.number, f.partition, f.sent));
        for (session, number, partition, at) in acked.chain(failed) {
            let times = sent.get_mut(&(session, partition));
            if let Some(time) = times.and_then(|times| times.get_mut(number as usize)) {
                *time = at;
            }
        }
        for ((session, partition), times) in sent {
            let producer = self.producer(session);
            for (number, at) in (0..).zip(times) {
                let values = vec![self.record(&producer, number, &self.sound)];
                timeline.note(at, Event::Sent { partition, values });
            }
        }
        for ack in &self.topic.acks {
            let partition = ack.partition;
            let values = vec![self.record(&self.producer(&ack.session), ack.number, &ack.key)];
            let event = match ack.offset {
                -1 => Event::AckedSomewhere { partition, values },
                base => Event::Acked { partition, base, values },
            };
            timeline.note(ack.at, event);
        }
    }

    fn record(&self, producer: &Rc<Producer>, number: u64, key: &Rc<str>) -> Record {
        let (producer, state) = (producer.clone(), self.sound.clone());
        Record { producer, number, state, key: key.clone() }
    }

    fn readers(&self, timeline: &mut Timeline) {
        for (at, reader, partition) in &self.topic.begun {
            let reader = reader.clone();
            timeline.note(*at, Event::Began { reader, partition: *partition });
        }
        for (at, reader, partition) in &self.topic.reset {
            let reader = reader.clone();
            timeline.note(*at, Event::PlaceLost { reader, partition: *partition });
        }
        for read in &self.topic.reads {
            let (reader, value) = (read.reader.clone(), self.read(read));
            let (partition, offset) = (read.partition, read.offset);
            timeline.note(read.at, Event::Delivered { reader, partition, offset, value });
        }
    }

    /// Once a loss of power may have taken records, a member that finds them gone begins anew and
    /// commits less: from then on commits do not rise, and none is owed.
    fn groups(&self, timeline: &mut Timeline) {
        for commit in &self.topic.commits {
            let (group, partition, offset) =
                (commit.group.to_string(), commit.partition, commit.offset);
            let sent = Event::CommitSent { group: group.clone(), partition, offset };
            timeline.note(commit.asked, sent);
            let answer = match self.excuses.has_lost_power(commit.answered) {
                false => Event::Committed { group, partition, offset },
                true => Event::CommitTaken { group, partition },
            };
            if commit.answered != 0 {
                timeline.note(commit.answered, answer);
            }
        }
        for told in &self.topic.committed {
            let may_be_old = &*told.group == CONFIGURATION;
            let asked = self.excuses.knew_at(told.asked, may_be_old);
            let (group, partition, offset) = (told.group.to_string(), told.partition, told.offset);
            let resumed = Event::Resumed { group, partition, offset, asked: 0 };
            timeline.note_answer(told.answered, asked, resumed);
        }
        // Each answer of the coordinator is a generation by itself: within it nobody shares.
        for owner in &self.topic.owners {
            let earlier = self.topic.owners.partition_point(|other| other.at < owner.at);
            let (group, member) = (owner.group.to_string(), owner.member.to_string());
            let (generation, partitions) = (earlier as i32, vec![owner.partition]);
            timeline.note(owner.at, Event::Assigned { group, generation, member, partitions });
        }
    }

    /// What a lone broker tells as its start stays gone. In a cluster retention is each replica's
    /// own business, and so is a deletion until all have heard of it.
    fn log_starts(&self, timeline: &mut Timeline) {
        for (asked, acked, partition, offset) in &self.topic.trims {
            let (partition, offset) = (*partition, *offset);
            timeline.note(*asked, Event::TrimSent { partition, offset });
            if *acked != 0 {
                timeline.note(*acked, Event::Trimmed { partition, offset });
            }
        }
        for (asked, partition, offset) in &self.topic.starts {
            let (partition, offset) = (*partition, *offset);
            timeline.note(*asked, Event::LogStart { partition, offset });
            if !self.round.is_cluster() {
                timeline.note(*asked, Event::Trimmed { partition, offset });
            }
        }
    }

    /// From when on, and until when, all is to be served again.
    fn peace(&self, timeline: &mut Timeline) {
        let again_ms = match self.round.is_cluster() {
            true => limits::CLUSTER_SERVED_AGAIN_MS,
            false => limits::SERVED_AGAIN_MS,
        };
        if let Some(healed) = self.round.healed.iter().max() {
            timeline.note(*healed, Event::Healed);
            timeline.note(healed.saturating_add(again_ms * 1_000_000), Event::TooLate);
        }
    }

    fn end(&self) -> FinalState<Record> {
        let cleanup = match self.topic.described.as_ref().map(|(kind, _)| &**kind) {
            Some("compacted") => Cleanup::Compact,
            Some("expiring") => Cleanup::Retention,
            _ => Cleanup::None,
        };
        let mut end = FinalState { cleanup, ..FinalState::default() };
        for read in &self.topic.read_back {
            let log = end.records.entry(read.partition).or_default();
            log.push((read.offset, self.read(read)));
        }
        end.bounds = self.topic.spans.clone();
        end.committed = self.topic.committed_at_end.clone();
        if self.round.is_cluster() {
            for partition in self.topic.spans.keys() {
                for broker in &self.round.brokers {
                    let place = (*partition, *broker);
                    let log = self.topic.batches.get(&place).cloned().unwrap_or_default();
                    end.batches.insert(place, log);
                }
            }
        }
        end
    }
}
