//! An outcome in figures.

use hdrhistogram::Histogram;

use crate::cases::{Case, Pace, Readers};
use crate::figures::{Figure, Unit};
use crate::outcome::Outcome;

/// Puts an outcome into figures.
pub fn tell(case: &Case, outcome: &Outcome, figures: &mut Vec<Figure>) {
    let seconds = outcome.window.as_secs_f64();
    let (produced, fetched) = (outcome.produced, outcome.fetched);
    let is_paced = !matches!(case.pace, Pace::Saturate | Pace::Silent);
    let is_backlog = matches!(case.readers, Readers::Backlog { .. });
    if case.pace == Pace::Saturate {
        let rate = produced.records as f64 / seconds;
        figures.push(Figure::more("records", Unit::RecordsPerSecond, rate));
        let rate = produced.bytes as f64 / 1e6 / seconds;
        figures.push(Figure::more("rate", Unit::MegabytesPerSecond, rate));
    }
    if is_backlog {
        let rate = fetched.bytes as f64 / 1e6 / seconds;
        figures.push(Figure::more("read", Unit::MegabytesPerSecond, rate));
    }
    if is_paced {
        let rate = produced.requests as f64 / seconds;
        figures.push(Figure::note("requests", Unit::RequestsPerSecond, rate));
        percentiles(PRODUCE, &outcome.produce_latency, figures);
    }
    if !outcome.delivery_latency.is_empty() {
        percentiles(DELIVERY, &outcome.delivery_latency, figures);
    }
    if let Some(server) = outcome.server {
        let cpu = server.cpu.as_secs_f64();
        let bytes = if fetched.bytes > 0 { fetched.bytes } else { produced.bytes };
        if !is_paced || fetched.bytes > 0 {
            let each = cpu * 1e9 / bytes.max(1) as f64;
            figures.push(Figure::less("server CPU", Unit::CpuSecondsPerGb, each));
        } else {
            let each = cpu * 1e6 / produced.requests.max(1) as f64;
            figures.push(Figure::less("server CPU", Unit::CpuMicrosPerRequest, each));
            let percent = cpu * 100.0 / seconds;
            figures.push(Figure::less("server CPU in all", Unit::CpuPercent, percent));
        }
        if case.pace == Pace::Saturate {
            let each = produced.records as f64 / 1e3 / cpu.max(f64::EPSILON);
            let unit = Unit::ThousandRecordsPerCpuSecond;
            figures.push(Figure::more("records by CPU", unit, each));
        }
        let memory = mebibytes(server.rss_bytes_max);
        figures.push(Figure::less("memory, most", Unit::Mebibytes, memory));
    }
    let own = outcome.own_cpu.as_secs_f64() * 100.0 / seconds;
    figures.push(Figure::note("generator CPU", Unit::CpuPercent, own));
    if is_paced {
        let late = outcome.lateness.value_at_quantile(0.99) as f64 / 1e3;
        figures.push(Figure::note("generator late, p99", Unit::Microseconds, late));
    }
    if outcome.unanswered > 0 {
        figures.push(Figure::less("unanswered", Unit::Count, outcome.unanswered as f64));
    }
}

const PRODUCE: [&str; 4] = ["produce p50", "produce p99", "produce p99.9", "produce max"];
const DELIVERY: [&str; 4] = ["delivery p50", "delivery p99", "delivery p99.9", "delivery max"];

fn percentiles(names: [&'static str; 4], of: &Histogram<u64>, figures: &mut Vec<Figure>) {
    for (name, quantile) in names.into_iter().zip([0.5, 0.99, 0.999, 1.0]) {
        let micros = of.value_at_quantile(quantile) as f64 / 1e3;
        figures.push(Figure::less(name, Unit::Microseconds, micros));
    }
}

pub fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
