//! A page with charts: one file, nothing fetched from anywhere, readable in light and in dark.

mod curve;
mod style;

use std::fmt::Write;

use crate::cases::{Case, Pace, Readers};
use crate::figures::Better;
use crate::results::{CaseResult, Results, Row};
use crate::text::value;

use curve::curves;
use style::STYLE;

/// Colours there are; more brokers share them.
const COLOURS: usize = 4;

/// The whole page.
pub fn html(results: &Results) -> String {
    let title = format!("Benchmark: {}", results.brokers.join(", "));
    let title = escaped(&title);
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n\
         <h1>{title}</h1>\n"
    );
    page.push_str(&head(results));
    for result in results.cases.iter().filter(|result| !result.is_empty()) {
        page.push_str(&section(results, result));
    }
    page.push_str(FOOT);
    page
}

const FOOT: &str = "\
<footer><p>Latency counts from the time at which a request was meant to be sent, whatever the broker
did. Medians of the rounds, [least..most]; ratios are medians of the ratios round by round. CPU time
and memory are the operating system's.</p></footer>
</main>
</body>
</html>
";

fn head(results: &Results) -> String {
    let machine = &results.machine;
    let mut text = String::from("<ul class=\"brokers\">");
    for (number, name) in results.brokers.iter().enumerate() {
        let _ = write!(
            text,
            "<li><span class=\"swatch b{}\"></span>{}</li>",
            number % COLOURS,
            escaped(name)
        );
    }
    let _ = write!(
        text,
        "</ul>\n<p class=\"machine\">{} × {} · {} GiB · Linux {} · {} · load before: {} · rounds \
         of {} s{}</p>\n<nav><ul>",
        machine.cores,
        escaped(&machine.processor),
        machine.memory_gib,
        escaped(&machine.kernel),
        escaped(&machine.congestion_control),
        escaped(&machine.load_before),
        results.window_seconds,
        if results.is_interrupted { " · <strong>interrupted</strong>" } else { "" }
    );
    for result in results.cases.iter().filter(|result| !result.is_empty()) {
        let name = result.case.name;
        let _ = write!(text, "<li><a href=\"#{name}\">{name}</a></li>");
    }
    text.push_str("</ul></nav>\n");
    text
}

fn section(results: &Results, result: &CaseResult) -> String {
    let Case { name, about, .. } = result.case;
    let mut text = format!(
        "<section id=\"{name}\">\n<h2>{name}</h2>\n<p>{}</p>\n<p class=\"parameters\">{}</p>\n",
        escaped(about),
        parameters(&result.case)
    );
    for failure in &result.failures {
        let (broker, why) = (escaped(&failure.broker), escaped(&failure.why));
        let _ = writeln!(text, "<p class=\"failed\">Failed on {broker}: {why}</p>");
    }
    if !result.rows.is_empty() {
        text.push_str("<div class=\"wide\"><table>\n<thead><tr><th scope=\"col\">figure</th>");
        for broker in &results.brokers {
            let _ = write!(text, "<th scope=\"col\">{}</th>", escaped(broker));
        }
        for broker in results.brokers.iter().skip(1) {
            let first = escaped(&results.brokers[0]);
            let _ = write!(text, "<th scope=\"col\">{} / {first}</th>", escaped(broker));
        }
        text.push_str("</tr></thead>\n<tbody>\n");
        result.rows.iter().for_each(|row| text.push_str(&figure(row)));
        text.push_str("</tbody></table></div>\n");
    }
    text.push_str(&curves(results, result));
    text.push_str("</section>\n");
    text
}

fn figure(row: &Row) -> String {
    let hint = match row.better {
        Better::Less => " <span class=\"hint\">less is better</span>",
        Better::More => " <span class=\"hint\">more is better</span>",
        Better::Neither => "",
    };
    let (name, unit) = (row.name, row.unit.symbol());
    let mut text = format!("<tr><th scope=\"row\">{name}, {unit}{hint}</th>");
    let spreads = (0..row.values.len()).filter_map(|broker| row.spread(broker));
    let largest = spreads.map(|(_, most)| most).fold(f64::MIN_POSITIVE, f64::max);
    for broker in 0..row.values.len() {
        let _ = write!(text, "<td>{}{}</td>", value(row, broker), bar(row, broker, largest));
    }
    for ratio in &row.ratios {
        let text_of = |ratio: f64| format!("<td class=\"{}\">{ratio:.2}</td>", verdict(row, ratio));
        text.push_str(&ratio.map_or("<td>–</td>".to_owned(), text_of));
    }
    text + "</tr>\n"
}

fn verdict(row: &Row, ratio: f64) -> &'static str {
    match row.better {
        Better::Less if ratio < 1.0 => "better",
        Better::More if ratio > 1.0 => "better",
        Better::Less | Better::More if ratio != 1.0 => "worse",
        _ => "even",
    }
}

/// A bar to the median, and a line from the least to the most.
fn bar(row: &Row, broker: usize, largest: f64) -> String {
    const WIDTH: f64 = 180.0;
    let (Some(median), Some((least, most))) = (row.medians[broker], row.spread(broker)) else {
        return String::new();
    };
    let at = |value: f64| (value.max(0.0) / largest * WIDTH).min(WIDTH);
    let colour = broker % COLOURS;
    format!(
        "<svg class=\"bar\" viewBox=\"0 0 {WIDTH} 10\" aria-hidden=\"true\">\
         <rect class=\"b{colour}\" x=\"0\" y=\"1\" width=\"{:.1}\" height=\"8\" rx=\"1\"/>\
         <line x1=\"{:.1}\" x2=\"{:.1}\" y1=\"5\" y2=\"5\"/></svg>",
        at(median).max(1.0),
        at(least),
        at(most)
    )
}

fn parameters(case: &Case) -> String {
    if case.depth == 0 {
        return String::new();
    }
    let batch = match case.batch_bytes {
        0 => "one record a batch".to_owned(),
        bytes => format!("batches of {} KiB", bytes >> 10),
    };
    let pace = match case.pace {
        Pace::Silent => "nothing written".to_owned(),
        Pace::Saturate => "as fast as they are answered".to_owned(),
        Pace::PerSecond(rate) => format!("{rate} requests a second"),
        Pace::OfSaturation(share) => {
            format!("{} % of the first broker's saturation", share * 100.0)
        }
    };
    let durability = match case.durability {
        crate::cases::Durability::PageCache => "acknowledged from the page cache",
        crate::cases::Durability::Fsync => "acknowledged once on the disk",
    };
    let readers = match case.readers {
        Readers::None => String::new(),
        Readers::Tail { readers } => format!(" · {readers} readers at the end"),
        Readers::Backlog { readers, fetch_bytes, .. } => {
            format!(" · {readers} readers, {} KiB a fetch", fetch_bytes >> 10)
        }
    };
    format!(
        "{} B values · {batch} · {} partitions · {} connections, {} in flight · {pace} · \
         {durability}{readers}",
        case.value_bytes, case.partitions, case.connections, case.depth
    )
}

pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use hdrhistogram::Histogram;

    use super::*;
    use crate::cases::CASES;
    use crate::figures::{Figure, Unit};
    use crate::machine::Machine;

    #[test]
    fn a_page_stands_alone_and_names_cannot_break_it() {
        let mut result = CaseResult::new(&CASES[6]);
        let mut histogram = Histogram::new(3).unwrap();
        (1..5000_u64).for_each(|at| histogram.record(at * 1000).unwrap());
        for broker in 0..2 {
            result.add(2, broker, Figure::less("produce p99", Unit::Microseconds, 1.0));
            result.add_curve(["<b>", "a&b"][broker], "produce", histogram.clone());
        }
        let results = Results {
            machine: Machine::default(),
            brokers: vec!["<b>".into(), "a&b".into()],
            window_seconds: 1.0,
            cases: vec![result],
            is_interrupted: false,
        };
        let page = html(&results);
        assert!(page.contains("&lt;b&gt;") && page.contains("a&amp;b") && !page.contains("<b>"));
        for outside in ["http", "src=", "@import", "url("] {
            assert!(!page.contains(outside), "{outside}");
        }
        assert_eq!(page.matches("<polyline").count(), 2);
        assert_eq!(page.matches("<svg").count(), page.matches("</svg>").count());
    }
}
