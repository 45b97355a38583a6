//! Latency by percentile: both axes logarithmic, so that the tail has as much room as the middle.

use std::fmt::Write;

use super::{COLOURS, escaped};
use crate::results::{CaseResult, Curve, Results, curve_points};

const WIDTH: f64 = 1000.0;
const HEIGHT: f64 = 300.0;
const LEFT: f64 = 60.0;
const RIGHT: f64 = 110.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 36.0;

/// A chart for each kind of latency that the case has.
pub fn curves(results: &Results, result: &CaseResult) -> String {
    let mut text = String::new();
    for (of, what) in [
        ("produce", "From the intended time of a request to its answer"),
        ("delivery", "From the intended time of a request to its records at a reader"),
    ] {
        let curves: Vec<&Curve> = result.curves.iter().filter(|curve| curve.of == of).collect();
        if !curves.is_empty() {
            let _ = writeln!(text, "<p class=\"parameters\">{what}:</p>");
            text.push_str(&chart(results, &curves));
        }
    }
    text
}

/// Where values lie on the picture.
struct Axes {
    /// Logarithms to the base 10 of the least and the most microseconds.
    low: f64,
    high: f64,
    /// Decades of the share that is slower: 3 is the 99.9th percentile.
    decades: f64,
}

impl Axes {
    fn new(lines: &[Vec<(f64, f64)>]) -> Axes {
        let micros = || lines.iter().flatten().map(|(_, micros)| micros.max(1.0).log10());
        let longest = lines.iter().map(Vec::len).max().unwrap_or(2);
        let (low, high) = (micros().fold(f64::MAX, f64::min), micros().fold(0.0, f64::max));
        let low = low.floor();
        // Four points a halving of what is slower.
        let decades = (longest as f64 / 4.0 * 2.0_f64.log10()).ceil().max(1.0);
        Axes { low, high: high.ceil().max(low + 1.0), decades }
    }

    fn x(&self, quantile: f64) -> f64 {
        let decades = -(1.0 - quantile).max(1e-12).log10();
        LEFT + (decades / self.decades).clamp(0.0, 1.0) * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, micros: f64) -> f64 {
        let share = (micros.max(1.0).log10() - self.low) / (self.high - self.low);
        TOP + (1.0 - share.clamp(0.0, 1.0)) * (HEIGHT - TOP - BOTTOM)
    }
}

fn chart(results: &Results, curves: &[&Curve]) -> String {
    let lines: Vec<_> = curves.iter().map(|curve| curve_points(&curve.histogram)).collect();
    let axes = Axes::new(&lines);
    let mut text = format!(
        "<svg class=\"curve\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
         aria-label=\"Latency by percentile\">\n"
    );
    text.push_str(&grid(&axes));
    let mut labels_at: Vec<f64> = Vec::new();
    for (curve, line) in curves.iter().zip(&lines) {
        let number = results.brokers.iter().position(|name| *name == curve.broker).unwrap_or(0);
        let class = format!("b{}", number % COLOURS);
        let points = line.iter().map(|(q, micros)| (axes.x(*q), axes.y(*micros)));
        let shown: Vec<String> = points.map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let _ = writeln!(text, "<polyline class=\"{class}\" points=\"{}\"/>", shown.join(" "));
        let Some((_, most)) = line.last() else { continue };
        // A label gives way to one that is there already.
        let mut y = axes.y(*most) + 4.0;
        while labels_at.iter().any(|other| (other - y).abs() < 13.0) {
            y += 13.0;
        }
        labels_at.push(y);
        let (x, name) = (WIDTH - RIGHT + 8.0, escaped(&curve.broker));
        let _ = writeln!(text, "<text class=\"{class}\" x=\"{x}\" y=\"{y:.1}\">{name}</text>");
    }
    text + "</svg>\n"
}

fn grid(axes: &Axes) -> String {
    const NAMES: [&str; 8] =
        ["least", "90 %", "99 %", "99.9 %", "99.99 %", "99.999 %", "99.9999 %", "99.99999 %"];
    let mut text = String::new();
    let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
    for (decade, name) in (0..=axes.decades as i32).zip(NAMES) {
        let x = axes.x(1.0 - 10.0_f64.powi(-decade));
        let _ = writeln!(
            text,
            "<line class=\"grid\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{TOP}\" y2=\"{bottom}\"/>\
             <text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{name}</text>",
            bottom + 16.0
        );
    }
    for exponent in axes.low as i32..=axes.high as i32 {
        let y = axes.y(10.0_f64.powi(exponent));
        let _ = writeln!(
            text,
            "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{right}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            LEFT - 6.0,
            y + 4.0,
            time(exponent)
        );
    }
    text
}

/// Ten to the power of `exponent` microseconds.
fn time(exponent: i32) -> String {
    match exponent {
        ..3 => format!("{} µs", 10_i64.pow(exponent.max(0) as u32)),
        3..6 => format!("{} ms", 10_i64.pow(exponent as u32 - 3)),
        _ => format!("{} s", 10_i64.pow(exponent as u32 - 6)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_has_as_much_room_as_the_middle() {
        let axes = Axes { low: 1.0, high: 4.0, decades: 3.0 };
        let (p90, p99, p999) = (axes.x(0.9), axes.x(0.99), axes.x(0.999));
        assert!(((p99 - p90) - (p999 - p99)).abs() < 0.01);
        assert!(axes.x(1.0) <= WIDTH - RIGHT && axes.y(1e9) == TOP);
        assert_eq!((time(2), time(4), time(6)), ("100 µs".into(), "10 ms".into(), "1 s".into()));
    }
}
