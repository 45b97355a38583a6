//! Medians, as a table or as JSON.

use serde_json::{Value, json};

use crate::Outcome;
use crate::machine::Facts;
use crate::options::Options;
use crate::server::Server;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Milliseconds,
    Mebibytes,
    Bytes,
    CpuSecondsPerGb,
    CpuMicrosPerRequest,
    GbPerSecond,
    ThousandPerSecond,
}

impl Unit {
    fn symbol(self) -> &'static str {
        match self {
            Unit::Milliseconds => "ms",
            Unit::Mebibytes => "MiB",
            Unit::Bytes => "B",
            Unit::CpuSecondsPerGb => "CPU-s/GB",
            Unit::CpuMicrosPerRequest => "CPU-µs",
            Unit::GbPerSecond => "GB/s",
            Unit::ThousandPerSecond => "k/s",
        }
    }

    fn decimals(self) -> usize {
        match self {
            Unit::CpuSecondsPerGb => 3,
            Unit::CpuMicrosPerRequest | Unit::GbPerSecond => 2,
            Unit::Milliseconds | Unit::Mebibytes | Unit::ThousandPerSecond => 1,
            Unit::Bytes => 0,
        }
    }
}

/// All samples of all figures.
pub struct Results {
    facts: Facts,
    servers: Vec<String>,
    figures: Vec<Figure>,
}

struct Figure {
    name: String,
    unit: Unit,
    /// One list of samples a server.
    samples: Vec<Vec<f64>>,
}

impl Results {
    pub fn new(facts: Facts, _options: &Options, servers: &[Server]) -> Results {
        let servers = servers.iter().map(|server| server.name.clone()).collect();
        Results { facts, servers, figures: Vec::new() }
    }

    pub fn add(&mut self, name: &str, unit: Unit, server: &Server, value: f64) {
        let Some(place) = self.servers.iter().position(|name| *name == server.name) else { return };
        let found = self.figures.iter().position(|figure| figure.name == name);
        let at = found.unwrap_or_else(|| {
            let samples = vec![Vec::new(); self.servers.len()];
            self.figures.push(Figure { name: name.to_owned(), unit, samples });
            self.figures.len() - 1
        });
        self.figures[at].samples[place].push(value);
    }

    pub fn print(&self, json: bool) -> Outcome<()> {
        if json {
            let text = serde_json::to_string_pretty(&self.json());
            println!("{}", text.map_err(|error| error.to_string())?);
        } else {
            print!("{}", self.table());
        }
        Ok(())
    }

    fn json(&self) -> Value {
        let figure = |figure: &Figure| {
            let of = |(name, samples): (&String, &Vec<f64>)| {
                spread(samples).map(|(least, median, most)| {
                    let ratio = figure.ratio(samples);
                    json!({ "server": name, "median": median, "min": least, "max": most,
                            "ratio_to_floor": ratio, "samples": samples })
                })
            };
            let servers: Vec<Value> =
                self.servers.iter().zip(&figure.samples).filter_map(of).collect();
            json!({ "name": figure.name.trim(), "unit": figure.unit.symbol(), "servers": servers })
        };
        let facts: serde_json::Map<String, Value> =
            self.facts.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        json!({ "machine": facts, "figures": self.figures.iter().map(figure).collect::<Vec<_>>() })
    }

    /// A Markdown table, so that it can be pasted into a page.
    fn table(&self) -> String {
        let mut text = String::new();
        for (name, value) in &self.facts {
            text += &format!("{name}: {value}\n");
        }
        if self.facts.iter().any(|(_, value)| value == "bbr") {
            text +=
                "BBR on loopback makes fetches dearer for every server (docs/performance.md).\n";
        }
        let mut rows = vec![self.heading()];
        rows.extend(self.figures.iter().map(|figure| self.row(figure)));
        let columns = rows.first().map_or(0, Vec::len);
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
        let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
        let dashes = widths.iter().map(|width| "-".repeat(*width)).collect();
        rows.insert(1, dashes);
        text.push('\n');
        for row in rows {
            let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
            text += &format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "));
        }
        text
    }

    fn heading(&self) -> Vec<String> {
        let mut row = vec!["figure".to_owned(), "unit".to_owned()];
        for (place, server) in self.servers.iter().enumerate() {
            row.push(format!("{server} [min..max]"));
            if place > 0 {
                row.push("× floor".to_owned());
            }
        }
        row
    }

    fn row(&self, figure: &Figure) -> Vec<String> {
        let decimals = figure.unit.decimals();
        let mut row = vec![figure.name.clone(), figure.unit.symbol().to_owned()];
        for (place, samples) in figure.samples.iter().enumerate() {
            row.push(shown(samples, decimals));
            if place > 0 {
                row.push(figure.ratio(samples).map_or("–".to_owned(), |r| format!("{r:.2}")));
            }
        }
        row
    }
}

impl Figure {
    fn ratio(&self, samples: &[f64]) -> Option<f64> {
        let (_, floor, _) = spread(self.samples.first()?)?;
        let (_, median, _) = spread(samples)?;
        Some(median / floor)
    }
}

/// The median, and the least and the most beside it.
pub fn shown(samples: &[f64], decimals: usize) -> String {
    match spread(samples) {
        None => "–".to_owned(),
        Some((least, median, most)) => {
            format!("{median:.decimals$} [{least:.decimals$}..{most:.decimals$}]")
        }
    }
}

/// Least, median, most.
pub fn spread(samples: &[f64]) -> Option<(f64, f64, f64)> {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.get(sorted.len() / 2)?;
    let below = sorted[(sorted.len() - 1) / 2];
    Some((*sorted.first()?, (middle + below) / 2.0, *sorted.last()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_lies_between_the_two_in_the_middle() {
        assert_eq!(spread(&[4.0, 1.0, 3.0, 2.0]), Some((1.0, 2.5, 4.0)));
        assert_eq!(spread(&[5.0, 1.0, 2.0]), Some((1.0, 2.0, 5.0)));
        assert_eq!(spread(&[]), None);
    }

    #[test]
    fn a_figure_is_told_with_its_ratio_to_the_floor() {
        let figure = Figure {
            name: "f".to_owned(),
            unit: Unit::CpuSecondsPerGb,
            samples: vec![vec![0.5, 0.4], vec![0.9]],
        };
        let servers = vec!["floor".to_owned(), "ottla".to_owned()];
        let results = Results { facts: Vec::new(), servers, figures: vec![figure] };
        assert!(results.table().contains("| 2.00 "), "{}", results.table());
        assert_eq!(results.json()["figures"][0]["servers"][1]["ratio_to_floor"], 2.0);
    }
}
