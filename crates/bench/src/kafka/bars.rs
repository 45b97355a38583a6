//! What is asked of a node, beside what was measured: met or missed, nothing rounded in its favour.

use std::fmt::Write;

use load::{Results, Unit};

use self::Limit::{AtLeast, AtMost};

/// A number of the results that has to be at most or at least something.
struct Bar {
    what: &'static str,
    measured: Measured,
    limit: Limit,
    unit: &'static str,
}

#[derive(Clone, Copy)]
enum Limit {
    AtMost(f64),
    AtLeast(f64),
}

/// A case and one of its figures.
type Of = (&'static str, &'static str);

#[derive(Clone, Copy)]
enum Measured {
    /// The median of the ratios, round by round.
    Ratio(Of),
    /// The node's median alone.
    Ours(Of),
    /// The node's median in one case by Kafka's in another.
    OursByTheirs(Of, Of),
}

const KAFKA: usize = 0;
const OTTLA: usize = 1;
const TIMES: &str = "× Kafka's";

const BARS: &[Bar] = &[
    ratio("server CPU a small request, 20,000 a second", ("small-20k", "server CPU"), AtMost(0.4)),
    ratio("1 KiB records a second of server CPU", ("batched-1k", "records by CPU"), AtLeast(2.0)),
    ratio("100 B records a second of server CPU", ("batched-100b", "records by CPU"), AtLeast(2.0)),
    Bar {
        what: "1 KiB records a second of server CPU, with fsync, Kafka without",
        measured: Measured::OursByTheirs(
            ("fsync", "records by CPU"),
            ("batched-1k", "records by CPU"),
        ),
        limit: AtLeast(1.0),
        unit: TIMES,
    },
    ratio(
        "produce p99 at half of Kafka's saturation",
        ("latency-half", "produce p99"),
        AtMost(0.25),
    ),
    ratio(
        "produce p99.9 at half of Kafka's saturation",
        ("latency-half", "produce p99.9"),
        AtMost(0.25),
    ),
    ratio("10,000 partitions: create", ("partitions-10000", "made in"), AtMost(0.2)),
    ratio("10,000 partitions: steady CPU", ("partitions-10000", "server CPU in all"), AtMost(0.2)),
    ratio("10,000 partitions: produce p99", ("partitions-10000", "produce p99"), AtMost(0.2)),
    ours("memory, idle", ("start", "idle memory"), AtMost(20.0), "MiB"),
    ours(
        "memory, 1,000 partitions busy",
        ("partitions-1000", "memory, most"),
        AtMost(100.0),
        "MiB",
    ),
    ours("memory, 10,000 connections", ("connections-10000", "memory, most"), AtMost(300.0), "MiB"),
    ours("start to ready", ("start", "ready"), AtMost(50.0), "ms"),
    ours("restart after kill -9 with 1 GB", ("restart", "ready"), AtMost(300.0), "ms"),
];

/// A bar on the node's figure by Kafka's.
const fn ratio(what: &'static str, of: Of, limit: Limit) -> Bar {
    Bar { what, measured: Measured::Ratio(of), limit, unit: TIMES }
}

/// A bar on the node's figure, whatever Kafka's is.
const fn ours(what: &'static str, of: Of, limit: Limit, unit: &'static str) -> Bar {
    Bar { what, measured: Measured::Ours(of), limit, unit }
}

impl Measured {
    /// Nothing if it was not measured.
    fn of(self, results: &Results) -> Option<f64> {
        let median = |(case, figure): Of, server| results.median(case, figure, server);
        match self {
            Measured::Ratio((case, figure)) => {
                let row = results.case(case)?.rows.iter().find(|row| row.name == figure)?;
                row.ratios.first().copied().flatten()
            }
            Measured::Ours(of) => median(of, OTTLA),
            Measured::OursByTheirs(ours, theirs) => {
                Some(median(ours, OTTLA)? / median(theirs, KAFKA)?)
            }
        }
    }
}

/// The bars that the results can say something of, in Markdown.
pub fn table(results: &Results) -> String {
    let mut text = "| what | bar | measured | |\n| --- | --- | --- | --- |\n".to_owned();
    for Bar { what, measured, limit, unit } in BARS {
        let Some(measured) = measured.of(results) else { continue };
        let (sign, bound, is_met) = match *limit {
            AtMost(bound) => ("≤", bound, measured <= bound),
            AtLeast(bound) => ("≥", bound, measured >= bound),
        };
        let verdict = if is_met { "met" } else { "**missed**" };
        let shown = Unit::Milliseconds.shown(measured);
        let _ = writeln!(text, "| {what} | {sign} {bound} {unit} | {shown} | {verdict} |");
    }
    text
}

#[cfg(test)]
mod tests {
    use load::{CaseResult, Figure, case_named};

    use super::*;

    #[test]
    fn a_bar_that_is_touched_from_the_wrong_side_is_missed() {
        let mut small = CaseResult::new(case_named("small-20k").unwrap());
        for (broker, value) in [(KAFKA, 100.0), (OTTLA, 40.1)] {
            small.add(2, broker, Figure::less("server CPU", Unit::CpuMicrosPerRequest, value));
        }
        let mut results = Results {
            machine: load::Machine::default(),
            brokers: vec!["kafka".into(), "ottla".into()],
            window_seconds: 1.0,
            cases: vec![small],
            is_interrupted: false,
        };
        let line = "| server CPU a small request, 20,000 a second | ≤ 0.4 × Kafka's | 0.401 | \
                    **missed** |";
        assert!(table(&results).contains(line), "{}", table(&results));
        results.cases.clear();
        assert_eq!(table(&results).lines().count(), 2);
    }
}
