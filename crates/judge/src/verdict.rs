use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use history::{FinalState, History, checkers};
use serde_json::{Value, json};

use crate::limits;
use crate::node::{self, Excuses};
use crate::proof;
use crate::record::Record;
use crate::round::Round;
use crate::topic;

/// The name under which is told that a run did too little.
const PROVEN: &str = "the run did what it was to do";
/// Of what the lines say nothing: nobody looks records up by time, and a failure does not say that
/// nothing was written.
const NOT_JUDGED: [&str; 2] = ["indexes agree with the log", "what was refused is not there"];
/// Topics that come and go are not written and read to the end.
const NOT_JUDGED_BY_THE_WAY: [&str; 1] = ["all is served once the faults are over"];

/// What a round showed.
pub struct Verdict {
    /// Every promise in turn, with what is broken of it.
    broken: BTreeMap<&'static str, Broken>,
    /// What would be broken if durability, `acks` and idempotence promised all that they could.
    excused: BTreeMap<&'static str, usize>,
    seen: BTreeMap<&'static str, usize>,
}

#[derive(Default)]
struct Broken {
    count: usize,
    examples: Vec<String>,
}

/// Judges a round by every promise.
pub fn judge(round: &Round) -> Verdict {
    let mut broken = judge_with(round, &Excuses::all(round));
    let strictly = judge_with(round, &Excuses::none(round));
    let excused = strictly.into_iter().filter_map(|(promise, strictly)| {
        let excused = strictly.count.saturating_sub(broken[promise].count);
        (excused > 0).then_some((promise, excused))
    });
    let excused = excused.collect();
    let missing = proof::missing(round);
    broken.entry(PROVEN).or_default().add(missing.into_iter());
    Verdict { broken, excused, seen: proof::seen(round) }
}

fn judge_with(round: &Round, excuses: &Excuses) -> BTreeMap<&'static str, Broken> {
    let deleted: BTreeSet<&str> = round.deleted.iter().map(|(_, _, name)| &**name).collect();
    let mut broken = BTreeMap::new();
    let (history, end) = node::history(round, excuses);
    check("", &history, &end, &NOT_JUDGED, &mut broken);
    for (name, lines) in round.topics.iter().filter(|(name, _)| !deleted.contains(&***name)) {
        let (history, end) = topic::history(round, lines, excuses);
        let mut not_judged = NOT_JUDGED.to_vec();
        if lines.described.is_none() {
            not_judged.extend(NOT_JUDGED_BY_THE_WAY);
        }
        check(&format!("{name} "), &history, &end, &not_judged, &mut broken);
    }
    broken
}

fn check(
    topic: &str,
    history: &History<Record>,
    end: &FinalState<Record>,
    not_judged: &[&str],
    broken: &mut BTreeMap<&'static str, Broken>,
) {
    for (promise, check) in checkers::all::<Record>() {
        if !not_judged.contains(&promise) {
            let found = check(history, end).into_iter();
            broken.entry(promise).or_default().add(found.map(|what| format!("{topic}{what}")));
        }
    }
}

impl Broken {
    fn add(&mut self, found: impl Iterator<Item = String>) {
        for what in found {
            self.count += 1;
            if self.examples.len() < limits::EXAMPLES_MAX {
                self.examples.push(what);
            }
        }
    }
}

impl Verdict {
    pub fn is_valid(&self) -> bool {
        self.broken.values().all(|broken| broken.count == 0)
    }

    /// How often a promise was broken; its name may be a part of the whole.
    pub fn broken(&self, promise: &str) -> usize {
        let named = self.broken.iter().filter(|(name, _)| name.contains(promise));
        named.map(|(_, broken)| broken.count).sum()
    }

    /// How often a promise would have been broken if it had been given.
    pub fn excused(&self, promise: &str) -> usize {
        let named = self.excused.iter().filter(|(name, _)| name.contains(promise));
        named.map(|(_, count)| *count).sum()
    }

    pub fn words(&self) -> String {
        let mut words = String::new();
        for (promise, broken) in &self.broken {
            let excused = self.excused.get(promise).copied().unwrap_or(0);
            let mark = if broken.count == 0 { "ok    " } else { "BROKEN" };
            let _ = write!(words, "{mark} {promise}");
            if broken.count > 0 {
                let _ = write!(words, ": {} times", broken.count);
            }
            if excused > 0 {
                let _ = write!(words, " ({excused} that nothing promised)");
            }
            words.push('\n');
            for example in &broken.examples {
                let _ = writeln!(words, "         {example}");
            }
        }
        let seen: Vec<String> =
            self.seen.iter().map(|(what, count)| format!("{count} {what}")).collect();
        let _ = writeln!(words, "seen: {}", seen.join(", "));
        let verdict =
            if self.is_valid() { "every promise was kept" } else { "a promise is broken" };
        let _ = writeln!(words, "{verdict}");
        words
    }

    /// `promises`: all that was judged, `broken`: how often, `examples`: some of each, `excused`:
    /// what nothing promised, `seen`: how much of what there was.
    pub fn json(&self) -> Value {
        let bad = || self.broken.iter().filter(|(_, broken)| broken.count > 0);
        let broken: BTreeMap<_, _> = bad().map(|(promise, b)| (promise, b.count)).collect();
        let examples: BTreeMap<_, _> = bad().map(|(promise, b)| (promise, &b.examples)).collect();
        json!({
            "valid": self.is_valid(),
            "promises": self.broken.keys().collect::<Vec<_>>(),
            "broken": broken,
            "examples": examples,
            "excused": self.excused,
            "seen": self.seen,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_judged_is_a_promise_by_its_name() {
        let all = checkers::all::<Record>();
        for name in NOT_JUDGED.into_iter().chain(NOT_JUDGED_BY_THE_WAY) {
            assert!(all.iter().any(|(promise, _)| *promise == name), "{name}");
        }
    }
}
