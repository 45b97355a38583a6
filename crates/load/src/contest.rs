//! Brokers take turns at cases: A B A B, so that the machine's moods hit all alike.

use std::ops::ControlFlow;
use std::time::Duration;

use client::ClientError;

use crate::cases::{CASES, Case, Pace, SATURATION};
use crate::limits::DRAIN_MAX;
use crate::machine::Machine;
use crate::results::{CaseFailure, CaseResult, Results};
use crate::round::{self, Orders, Played};
use crate::target::Target;
use crate::traffic::Timing;

/// What is run, and how often and long.
#[derive(Clone, Debug)]
pub struct Contest {
    pub cases: Vec<&'static Case>,
    /// Of each case; those that are long run once.
    pub rounds: usize,
    pub window: Duration,
    /// Before each window.
    pub warm_up: Duration,
    /// For each broker before everything, uncounted: a virtual machine compiles what is hot.
    pub prime: Duration,
}

/// Where a contest is.
#[derive(Clone, Copy, Debug)]
pub struct Stage<'a> {
    pub case: &'a str,
    pub broker: &'a str,
    pub round: usize,
    pub rounds: usize,
    /// Of this round.
    pub share_done: f64,
    /// Of everything.
    pub share_of_all: f64,
}

/// Whoever watches a contest.
pub trait Observer {
    /// Called about ten times a second; may end it.
    fn watch(&mut self, stage: &Stage<'_>) -> ControlFlow<()>;
}

impl Contest {
    /// Runs every case on every target. A case that fails on one is told in the results.
    pub fn run(&self, targets: &mut [Target], observer: &mut dyn Observer) -> Results {
        let mut results = Results {
            machine: Machine::here(),
            brokers: targets.iter().map(|target| target.name.clone()).collect(),
            window_seconds: self.window.as_secs_f64(),
            cases: self.cases.iter().map(|case| CaseResult::new(case)).collect(),
            is_interrupted: false,
        };
        let rounds = self.cases.iter().map(|case| self.rounds_of(case)).sum::<usize>();
        let all = rounds * targets.len();
        let mut turns = Turns { contest: self, observer, done: 0, all, is_ended: false };
        turns.run(targets, &mut results);
        results.is_interrupted = turns.is_ended;
        results
    }

    fn rounds_of(&self, case: &Case) -> usize {
        if case.is_long { 1 } else { self.rounds }
    }
}

struct Turns<'a> {
    contest: &'a Contest,
    observer: &'a mut dyn Observer,
    /// Rounds, over all cases and brokers.
    done: usize,
    all: usize,
    is_ended: bool,
}

impl Turns<'_> {
    fn run(&mut self, targets: &mut [Target], results: &mut Results) {
        let contest = self.contest;
        if !contest.prime.is_zero() {
            for target in &mut *targets {
                let timing =
                    Timing { warm_up: Duration::ZERO, window: contest.prime, patience: DRAIN_MAX };
                // Whatever is wrong shows again when it counts.
                let _ = self.play(target, &CASES[0], (1, 1), Orders { timing, saturation: None });
            }
        }
        let (warm_up, window) = (contest.warm_up, contest.window);
        let timing = Timing { warm_up, window, patience: DRAIN_MAX };
        for (at, case) in contest.cases.iter().enumerate() {
            let rounds = contest.rounds_of(case);
            let saturation = match case.pace {
                Pace::OfSaturation(_) => self.saturation(targets, results, timing),
                _ => None,
            };
            for round in 1..=rounds {
                for (number, target) in targets.iter_mut().enumerate() {
                    if self.is_ended {
                        return;
                    }
                    let orders = Orders { timing, saturation };
                    let played = self.play(target, case, (round, rounds), orders);
                    self.done += 1;
                    note(&mut results.cases[at], results.brokers.len(), number, target, played);
                }
            }
        }
    }

    fn play(
        &mut self,
        target: &mut Target,
        case: &Case,
        (round, rounds): (usize, usize),
        orders: Orders,
    ) -> Result<Played, ClientError> {
        let broker = target.name.clone();
        let (observer, is_ended) = (&mut *self.observer, &mut self.is_ended);
        let (done, all) = (self.done, self.all);
        round::play(target, case, orders, &mut |share_done| {
            let share_of_all = (done as f64 + share_done) / all.max(1) as f64;
            let stage =
                Stage { case: case.name, broker: &broker, round, rounds, share_done, share_of_all };
            let goes_on = observer.watch(&stage);
            *is_ended |= goes_on.is_break();
            goes_on
        })
    }

    /// Requests a second that the first broker took, measured now if it was not.
    fn saturation(
        &mut self,
        targets: &mut [Target],
        results: &Results,
        timing: Timing,
    ) -> Option<f64> {
        const FIGURE: &str = "records";
        let case = crate::cases::case_named(SATURATION)?;
        let (_, records_each) = crate::batches::build(case, 0);
        let measured = results.median(SATURATION, FIGURE, 0);
        let records = measured.or_else(|| {
            let orders = Orders { timing, saturation: None };
            let played = self.play(targets.first_mut()?, case, (1, 1), orders).ok()?;
            let found = played.figures.iter().find(|figure| figure.name == FIGURE);
            found.map(|figure| figure.value)
        });
        records.map(|records| records / records_each as f64)
    }
}

fn note(
    result: &mut CaseResult,
    brokers: usize,
    number: usize,
    target: &Target,
    played: Result<Played, ClientError>,
) {
    match played {
        Ok(played) => {
            for figure in played.figures {
                result.add(brokers, number, figure);
            }
            for (of, histogram) in played.curves {
                result.add_curve(&target.name, of, histogram);
            }
        }
        Err(error) => {
            let why = format!("{}: {}", error.what, error.why);
            result.failures.push(CaseFailure { broker: target.name.clone(), why });
        }
    }
}
