//! What concerns no topic: faults and what they excuse, topics that come and go, producers that
//! may not go on, and how soon it serves after a start.

use std::collections::BTreeMap;
use std::rc::Rc;

use history::{Event, FinalState, History};

use crate::limits;
use crate::record::{Kind, Producer, Record};
use crate::round::Round;
use crate::timeline::Timeline;

/// What may be gone, and why. Without any, everything that was acknowledged is owed.
pub struct Excuses {
    losses: Vec<(u64, Event<Record>)>,
    /// When power first failed where acknowledged means in the page cache.
    first_power_loss: Option<u64>,
    producers: BTreeMap<Rc<str>, Rc<Producer>>,
    stale: u64,
}

impl Excuses {
    pub fn none(round: &Round) -> Self {
        Excuses::of(round, Vec::new(), false)
    }

    pub fn all(round: &Round) -> Self {
        let mut losses = Vec::new();
        let is_power = round.is_in_page_cache();
        let loss = || if is_power { Event::PowerLost } else { Event::MemoryLost };
        for (began, _) in round.faults.iter().filter(|(_, kind)| takes_away(kind)) {
            losses.push((*began, loss()));
            // What was told before the next start may be gone: a client hears of it late.
            let up = round.ups.iter().copied().filter(|up| up > began).min();
            losses.extend(up.map(|up| (up, loss())));
        }
        losses.extend(round.cleans.iter().map(|at| (*at, Event::Synced)));
        if round.is_cluster() {
            // Who leads may change at any time.
            losses.push((u64::MAX, Event::LeaderLost));
        }
        Excuses::of(round, losses, true)
    }

    fn of(round: &Round, losses: Vec<(u64, Event<Record>)>, excuse: bool) -> Self {
        let power = losses.iter().filter(|(_, event)| *event == Event::PowerLost);
        let first_power_loss = power.map(|(at, _)| *at).min();
        let mut names: Vec<&Rc<str>> = round.sessions.keys().collect();
        let read = round.topics.values().flat_map(|t| t.reads.iter().chain(&t.read_back));
        let told = round.topics.values().flat_map(|topic| topic.sent.keys().map(|(name, _)| name));
        let acked = round.topics.values().flat_map(|topic| topic.acks.iter().map(|a| &a.session));
        names.extend(read.map(|read| &read.session).chain(told).chain(acked));
        names.sort_unstable();
        names.dedup();
        let producer = |(id, name): (usize, &Rc<str>)| {
            let kind = round.sessions.get(name).map_or(Kind::Idempotent, |(_, kind)| *kind);
            let forgets = first_power_loss.is_some();
            let producer = Producer {
                id,
                name: name.clone(),
                // A node that stops or whose disk dies refuses what it has appended with an error
                // that says "again", as Kafka's does, and who is not idempotent writes it twice.
                may_repeat: excuse && (kind != Kind::Idempotent || forgets),
                is_weak: excuse && kind == Kind::Acks1,
            };
            (name.clone(), Rc::new(producer))
        };
        let producers = names.into_iter().enumerate().map(producer).collect();
        let stale = if round.is_cluster() { limits::STALE_NS } else { 0 };
        Excuses { losses, first_power_loss, producers, stale }
    }

    pub fn producer(&self, name: &Rc<str>) -> Rc<Producer> {
        self.producers[name].clone()
    }

    pub fn note(&self, timeline: &mut Timeline) {
        for (at, event) in &self.losses {
            timeline.note(*at, event.clone());
        }
    }

    pub fn has_lost_power(&self, by: u64) -> bool {
        self.first_power_loss.is_some_and(|at| at < by)
    }

    /// What an answer has to know, to a question that was asked then.
    pub fn knew_at(&self, asked: u64, may_be_old: bool) -> u64 {
        if may_be_old { asked.saturating_sub(self.stale) } else { asked }
    }
}

/// Whether a fault takes away what was not synced. A clean stop syncs everything before its cut.
fn takes_away(fault: &str) -> bool {
    fault.starts_with("cut")
}

/// What happened beside the topics' records.
pub fn history(round: &Round, excuses: &Excuses) -> (History<Record>, FinalState<Record>) {
    let mut timeline = Timeline::default();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, acked, topic, partitions) in &round.created {
        counts.insert(topic, *partitions);
        if *acked != 0 {
            let name = format!("{topic}={partitions}");
            timeline.note(*acked, Event::TopicCreated { name });
        }
    }
    for (asked, acked, topic) in &round.deleted {
        let name = format!("{topic}={}", counts.get(&**topic).copied().unwrap_or_default());
        timeline.note(*asked, Event::TopicDeletionSent { name: name.clone() });
        if *acked != 0 {
            timeline.note(*acked, Event::TopicDeleted { name });
        }
    }
    for (asked, answered, names) in &round.listings {
        let listed = Event::TopicsListed { names: names.clone(), asked: 0 };
        timeline.note_answer(*answered, excuses.knew_at(*asked, true), listed);
    }
    for (at, session, why) in &round.fatal {
        let (producer, why) = (session.to_string(), why.to_string());
        timeline.note(*at, Event::SequenceRefused { producer, why });
    }
    let allowed_ms =
        if round.is_cluster() { limits::CLUSTER_PATIENCE_MS } else { limits::PATIENCE_MS };
    for Life { up, end, first_ack } in lives(round) {
        let after_ms = first_ack.unwrap_or(end).min(end).saturating_sub(up) / 1_000_000;
        timeline.note(up, Event::Served { after_ms, allowed_ms });
    }
    excuses.note(&mut timeline);
    let topics = round.listing_at_end.clone().unwrap_or_default();
    (timeline.into_history(), FinalState { topics, ..FinalState::default() })
}

/// From a start to the next fault, or to the last line.
pub struct Life {
    up: u64,
    end: u64,
    pub first_ack: Option<u64>,
}

pub fn lives(round: &Round) -> Vec<Life> {
    let all = || round.topics.values();
    let mut acks: Vec<u64> = all().flat_map(|topic| topic.acks.iter().map(|ack| ack.at)).collect();
    acks.sort_unstable();
    let failed = all().flat_map(|topic| topic.fails.iter().map(|fail| fail.at)).max();
    let last = acks.last().copied().max(failed).unwrap_or(0);
    let mut faults: Vec<u64> = round.faults.iter().map(|(at, _)| *at).collect();
    faults.sort_unstable();
    let next =
        |times: &[u64], from: u64| times.get(times.partition_point(|at| *at < from)).copied();
    let mut ups = round.ups.clone();
    ups.sort_unstable();
    let life = |up: u64| {
        let end = next(&faults, up).unwrap_or(up.max(last));
        Life { up, end, first_ack: next(&acks, up).filter(|ack| *ack <= end) }
    };
    ups.into_iter().map(life).collect()
}
