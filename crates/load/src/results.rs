//! All rounds of all cases: medians, ratios pair by pair, and latencies as curves.

use hdrhistogram::Histogram;
use serde::{Serialize, Serializer};

use crate::cases::Case;
use crate::figures::{Better, Figure, Unit};
use crate::machine::Machine;

/// What a contest gave.
#[derive(Clone, Debug, Serialize)]
pub struct Results {
    pub machine: Machine,
    /// The first is the one that others are compared with.
    pub brokers: Vec<String>,
    pub window_seconds: f64,
    pub cases: Vec<CaseResult>,
    /// Somebody ended it before all was done.
    pub is_interrupted: bool,
}

#[derive(Clone, Debug, Serialize)]
pub struct CaseResult {
    pub case: Case,
    pub rows: Vec<Row>,
    pub curves: Vec<Curve>,
    pub failures: Vec<CaseFailure>,
}

/// One figure, on every broker, in every round.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    pub name: &'static str,
    pub unit: Unit,
    pub better: Better,
    /// One list a broker, in the order of the rounds.
    pub values: Vec<Vec<f64>>,
    /// Of each broker; nothing if it has no value.
    pub medians: Vec<Option<f64>>,
    /// Of each broker behind the first: the median of its value by the first's, round by round.
    pub ratios: Vec<Option<f64>>,
}

#[derive(Clone, Debug, Serialize)]
pub struct CaseFailure {
    pub broker: String,
    pub why: String,
}

/// Latencies of all rounds together.
#[derive(Clone, Debug, Serialize)]
pub struct Curve {
    pub broker: String,
    /// `produce` or `delivery`.
    pub of: &'static str,
    /// The share of requests, and the microseconds within which they were answered.
    #[serde(rename = "points", serialize_with = "points")]
    pub histogram: Histogram<u64>,
}

fn points<S: Serializer>(histogram: &Histogram<u64>, to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(curve_points(histogram))
}

/// As fine at the tail as in the middle: the distance from 1 halves and halves.
pub fn curve_points(histogram: &Histogram<u64>) -> Vec<(f64, f64)> {
    const STEPS_A_HALVING: u32 = 4;
    let mut points = Vec::new();
    for step in 0.. {
        let rest = 0.5_f64.powf(f64::from(step) / f64::from(STEPS_A_HALVING));
        if rest * (histogram.len() as f64) < 1.0 {
            break;
        }
        let quantile = 1.0 - rest;
        points.push((quantile, histogram.value_at_quantile(quantile) as f64 / 1e3));
    }
    points.push((1.0, histogram.max() as f64 / 1e3));
    points
}

impl Results {
    pub fn case(&self, name: &str) -> Option<&CaseResult> {
        self.cases.iter().find(|result| result.case.name == name)
    }

    /// The median of a figure on a broker.
    pub fn median(&self, case: &str, figure: &str, broker: usize) -> Option<f64> {
        let row = self.case(case)?.rows.iter().find(|row| row.name == figure)?;
        row.medians.get(broker).copied().flatten()
    }
}

impl CaseResult {
    pub fn new(case: &Case) -> CaseResult {
        let (rows, curves, failures) = Default::default();
        CaseResult { case: case.clone(), rows, curves, failures }
    }

    /// Adds a figure of a round on the broker of this number.
    pub fn add(&mut self, brokers: usize, broker: usize, figure: Figure) {
        let Figure { name, unit, better, value } = figure;
        let found = self.rows.iter().position(|row| row.name == name && row.unit == unit);
        let at = found.unwrap_or_else(|| {
            let values = vec![Vec::new(); brokers];
            let (medians, ratios) = (vec![None; brokers], vec![None; brokers]);
            self.rows.push(Row { name, unit, better, values, medians, ratios });
            self.rows.len() - 1
        });
        let row = &mut self.rows[at];
        row.values[broker].push(value);
        row.summarise();
    }

    pub fn add_curve(&mut self, broker: &str, of: &'static str, histogram: Histogram<u64>) {
        let found = self.curves.iter_mut().find(|c| c.broker == broker && c.of == of);
        match found {
            // Both have the same bounds.
            Some(curve) => drop(curve.histogram.add(histogram)),
            None => self.curves.push(Curve { broker: broker.to_owned(), of, histogram }),
        }
    }
}

impl Row {
    fn summarise(&mut self) {
        self.medians = self.values.iter().map(|values| median(values)).collect();
        let first = &self.values[0];
        let ratio = |values: &Vec<f64>| {
            let pairs = values.iter().zip(first).filter(|(_, first)| **first != 0.0);
            median(&pairs.map(|(value, first)| value / first).collect::<Vec<f64>>())
        };
        self.ratios = self.values.iter().skip(1).map(ratio).collect();
    }

    /// Least and most on a broker.
    pub fn spread(&self, broker: usize) -> Option<(f64, f64)> {
        let values = &self.values[broker];
        let least = values.iter().copied().min_by(f64::total_cmp)?;
        let most = values.iter().copied().max_by(f64::total_cmp)?;
        Some((least, most))
    }
}

/// The middle one, or the mean of the two in the middle.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let half = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(sorted[half]),
        _ => Some(f64::midpoint(sorted[half - 1], sorted[half])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases::CASES;

    #[test]
    fn ratios_are_of_pairs_of_the_same_round() {
        let mut result = CaseResult::new(&CASES[0]);
        for (round, (first, second)) in
            [(10.0, 5.0), (100.0, 30.0), (20.0, 10.0)].iter().enumerate()
        {
            result.add(2, 0, Figure::more("records", Unit::RecordsPerSecond, *first));
            result.add(2, 1, Figure::more("records", Unit::RecordsPerSecond, *second));
            assert_eq!(result.rows[0].values[0].len(), round + 1);
        }
        let row = &result.rows[0];
        assert_eq!(row.medians, [Some(20.0), Some(10.0)]);
        assert_eq!(row.ratios, [Some(0.5)]);
        assert_eq!(row.spread(1), Some((5.0, 30.0)));
        assert_eq!(median(&[1.0, 2.0]), Some(1.5));
        assert_eq!(median(&[]), None);
    }

    #[test]
    fn a_curve_reaches_to_the_slowest_request() {
        let mut histogram = Histogram::new(3).unwrap();
        for micros in 1..=1000_u64 {
            histogram.record(micros * 1000).unwrap();
        }
        let points = curve_points(&histogram);
        assert_eq!(points[0].0, 0.0);
        let (quantile, micros) = points[points.len() - 1];
        assert!(quantile == 1.0 && (micros - 1000.0).abs() < 2.0, "{micros}");
        assert!(points.windows(2).all(|pair| pair[0].1 <= pair[1].1));
    }
}
