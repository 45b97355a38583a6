//! What is asked of a node, beside what was measured: met or missed, nothing rounded in its favour.

use std::fmt::Write;

use load::{Results, Unit};

/// A number of the results that has to be at most or at least something.
struct Bar {
    what: &'static str,
    measured: fn(&Results) -> Option<f64>,
    limit: Limit,
    unit: &'static str,
}

#[derive(Clone, Copy)]
enum Limit {
    AtMost(f64),
    AtLeast(f64),
}

const KAFKA: usize = 0;
const OTTLA: usize = 1;
const TIMES: &str = "× Kafka's";

const BARS: &[Bar] = &[
    Bar {
        what: "server CPU a small request, 20,000 a second",
        measured: |all| ratio(all, "small-20k", "server CPU"),
        limit: Limit::AtMost(0.4),
        unit: TIMES,
    },
    Bar {
        what: "1 KiB records a second of server CPU",
        measured: |all| ratio(all, "batched-1k", "records by CPU"),
        limit: Limit::AtLeast(2.0),
        unit: TIMES,
    },
    Bar {
        what: "100 B records a second of server CPU",
        measured: |all| ratio(all, "batched-100b", "records by CPU"),
        limit: Limit::AtLeast(2.0),
        unit: TIMES,
    },
    Bar {
        what: "1 KiB records a second of server CPU, with fsync, Kafka without",
        measured: |all| {
            let ours = all.median("fsync", "records by CPU", OTTLA)?;
            Some(ours / all.median("batched-1k", "records by CPU", KAFKA)?)
        },
        limit: Limit::AtLeast(1.0),
        unit: TIMES,
    },
    Bar {
        what: "produce p99 at half of Kafka's saturation",
        measured: |all| ratio(all, "latency-half", "produce p99"),
        limit: Limit::AtMost(0.25),
        unit: TIMES,
    },
    Bar {
        what: "produce p99.9 at half of Kafka's saturation",
        measured: |all| ratio(all, "latency-half", "produce p99.9"),
        limit: Limit::AtMost(0.25),
        unit: TIMES,
    },
    Bar {
        what: "10,000 partitions: create",
        measured: |all| ratio(all, "partitions-10000", "made in"),
        limit: Limit::AtMost(0.2),
        unit: TIMES,
    },
    Bar {
        what: "10,000 partitions: steady CPU",
        measured: |all| ratio(all, "partitions-10000", "server CPU in all"),
        limit: Limit::AtMost(0.2),
        unit: TIMES,
    },
    Bar {
        what: "10,000 partitions: produce p99",
        measured: |all| ratio(all, "partitions-10000", "produce p99"),
        limit: Limit::AtMost(0.2),
        unit: TIMES,
    },
    Bar {
        what: "memory, idle",
        measured: |all| all.median("start", "idle memory", OTTLA),
        limit: Limit::AtMost(20.0),
        unit: "MiB",
    },
    Bar {
        what: "memory, 1,000 partitions busy",
        measured: |all| all.median("partitions-1000", "memory, most", OTTLA),
        limit: Limit::AtMost(100.0),
        unit: "MiB",
    },
    Bar {
        what: "memory, 10,000 connections",
        measured: |all| all.median("connections-10000", "memory, most", OTTLA),
        limit: Limit::AtMost(300.0),
        unit: "MiB",
    },
    Bar {
        what: "start to ready",
        measured: |all| all.median("start", "ready", OTTLA),
        limit: Limit::AtMost(50.0),
        unit: "ms",
    },
    Bar {
        what: "restart after kill -9 with 1 GB",
        measured: |all| all.median("restart", "ready", OTTLA),
        limit: Limit::AtMost(300.0),
        unit: "ms",
    },
];

/// The median of the ratios, round by round.
fn ratio(results: &Results, case: &str, figure: &str) -> Option<f64> {
    let row = results.case(case)?.rows.iter().find(|row| row.name == figure)?;
    row.ratios.first().copied().flatten()
}

/// The bars that the results can say something of, in Markdown.
pub fn table(results: &Results) -> String {
    let mut text = "| what | bar | measured | |\n| --- | --- | --- | --- |\n".to_owned();
    for Bar { what, measured, limit, unit } in BARS {
        let Some(measured) = measured(results) else { continue };
        let (sign, bound, is_met) = match *limit {
            Limit::AtMost(bound) => ("≤", bound, measured <= bound),
            Limit::AtLeast(bound) => ("≥", bound, measured >= bound),
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
