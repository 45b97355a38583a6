//! Results as text, for a terminal and for a page of documentation.

use std::fmt::Write;

use crate::results::{CaseResult, Results, Row};

/// Columns for a terminal, a case a paragraph.
pub fn text(results: &Results) -> String {
    let mut out = String::new();
    for result in results.cases.iter().filter(|result| !result.is_empty()) {
        let _ = writeln!(out, "{} · {}", result.case.name, result.case.about);
        let mut rows = vec![headings(results)];
        rows.extend(result.rows.iter().map(cells));
        for line in columns(&rows) {
            let _ = writeln!(out, "  {line}");
        }
        for failure in &result.failures {
            let _ = writeln!(out, "  failed on {}: {}", failure.broker, failure.why);
        }
        out.push('\n');
    }
    out
}

/// A table in Markdown, a row for each figure of each case.
pub fn markdown(results: &Results) -> String {
    let mut heads = headings(results);
    heads.insert(0, "case".to_owned());
    heads[1] = "figure".to_owned();
    let mut out = format!("| {} |\n|{}\n", heads.join(" | "), " --- |".repeat(heads.len()));
    for result in results.cases.iter().filter(|result| !result.is_empty()) {
        for row in &result.rows {
            let _ = writeln!(out, "| `{}` | {} |", result.case.name, cells(row).join(" | "));
        }
        for failure in &result.failures {
            let (name, blanks) = (result.case.name, " |".repeat(heads.len() - 2));
            let _ = writeln!(out, "| `{name}` | {}: {}{blanks}", failure.broker, failure.why);
        }
    }
    out
}

fn headings(results: &Results) -> Vec<String> {
    let mut heads = vec![String::new(), "unit".to_owned()];
    heads.extend(results.brokers.iter().cloned());
    let first = results.brokers.first().map_or("", String::as_str);
    heads.extend(results.brokers.iter().skip(1).map(|name| format!("{name} / {first}")));
    heads
}

fn cells(row: &Row) -> Vec<String> {
    let mut cells = vec![row.name.to_owned(), row.unit.symbol().to_owned()];
    cells.extend((0..row.values.len()).map(|broker| value(row, broker)));
    let ratio = |ratio: &Option<f64>| ratio.map_or("–".to_owned(), |ratio| format!("{ratio:.2}"));
    cells.extend(row.ratios.iter().map(ratio));
    cells
}

/// A median, and least and most if there were rounds.
pub fn value(row: &Row, broker: usize) -> String {
    let Some(median) = row.medians[broker] else { return "–".to_owned() };
    let shown = row.unit.shown(median);
    match row.spread(broker) {
        Some((least, most)) if row.values[broker].len() > 1 => {
            format!("{shown} [{}..{}]", row.unit.shown(least), row.unit.shown(most))
        }
        _ => shown,
    }
}

/// Numbers to the right; the first two columns are words.
fn columns(rows: &[Vec<String>]) -> Vec<String> {
    const WORDS: usize = 2;
    let count = rows.first().map_or(0, Vec::len);
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: Vec<usize> = (0..count).map(|column| width(column).unwrap_or(0)).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, width))| {
            let padding = " ".repeat(width - cell.chars().count());
            if column < WORDS { format!("{cell}{padding}") } else { format!("{padding}{cell}") }
        });
        cells.collect::<Vec<String>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

impl CaseResult {
    /// Whether it never ran.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.failures.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases::CASES;
    use crate::figures::{Figure, Unit};
    use crate::machine::Machine;
    use crate::results::CaseFailure;

    #[test]
    fn a_table_has_medians_spreads_and_ratios() {
        let mut result = CaseResult::new(&CASES[0]);
        for (broker, value) in [(0, 1000.0), (1, 4000.0), (0, 3000.0), (1, 6000.0)] {
            result.add(2, broker, Figure::more("records", Unit::RecordsPerSecond, value));
        }
        let why = "it ended".to_owned();
        result.failures.push(CaseFailure { broker: "a".into(), why });
        let results = Results {
            machine: Machine::default(),
            brokers: vec!["a".into(), "b".into()],
            window_seconds: 1.0,
            cases: vec![result, CaseResult::new(&CASES[1])],
            is_interrupted: false,
        };
        let shown = text(&results);
        let row = shown.lines().find(|line| line.contains("records/s")).unwrap();
        let words: Vec<&str> = row.split_whitespace().collect();
        assert_eq!(
            words,
            ["records", "records/s", "2,000", "[1,000..3,000]", "5,000", "[4,000..6,000]", "3.00"]
        );
        assert!(shown.contains("failed on a: it ended") && !shown.contains(CASES[1].name));
        assert!(markdown(&results).contains("| `batched-1k` | records | records/s | 2,000 ["));
    }
}
