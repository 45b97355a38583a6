//! What a scraper gets to read.

use std::time::Duration;

use metrics::{Counter, Exposition, Family, Gauge, Histogram, Seconds};

metrics::group! {
    /// What a door has seen.
    pub struct Door["house", "door"] {
        /// People who came in.
        pub entered: Counter() = "entered_total",
        /// People inside.
        pub inside: Gauge() = "inside",
        /// How long it stood open.
        pub open: Seconds() = "open_seconds_total",
        /// How many came
        /// at once.
        pub together: Histogram(&metrics::SIZES) = "together",
    }
}

#[test]
fn samples_of_a_name_stand_together_whatever_the_labels() {
    let (front, back) = (Door::default(), Door::default());
    front.entered.add(3);
    front.inside.set(-2);
    back.open.add(Duration::from_millis(1500));
    let mut page = Exposition::default();
    page.group([(["a", "front"], &front), (["a", "back"], &back)]);
    let text = page.into_text();
    let start = "# HELP entered_total People who came in.\n\
                 # TYPE entered_total counter\n\
                 entered_total{house=\"a\",door=\"front\"} 3\n\
                 entered_total{house=\"a\",door=\"back\"} 0\n\
                 # HELP inside People inside.\n\
                 # TYPE inside gauge\n\
                 inside{house=\"a\",door=\"front\"} -2\n";
    assert!(text.starts_with(start), "{text}");
    assert!(text.contains("open_seconds_total{house=\"a\",door=\"back\"} 1.5\n"), "{text}");
    assert!(text.contains("# HELP together How many came at once.\n"), "{text}");
}

#[test]
fn a_histogram_counts_upwards_and_ends_with_all() {
    let door = Door::default();
    for together in [1, 2, 3, 5000] {
        door.together.observe(together);
    }
    let mut page = Exposition::default();
    page.group([(["a", "b"], &door)]);
    let text = page.into_text();
    let of = |le: &str| format!("together_bucket{{house=\"a\",door=\"b\",le=\"{le}\"}}");
    for (le, count) in [("1", 1), ("2", 2), ("4", 3), ("1024", 3), ("+Inf", 4)] {
        assert!(text.contains(&format!("{} {count}\n", of(le))), "{le} in {text}");
    }
    assert!(text.contains("together_sum{house=\"a\",door=\"b\"} 5006\n"), "{text}");
    assert!(text.ends_with("together_count{house=\"a\",door=\"b\"} 4\n"), "{text}");
}

#[test]
fn times_are_shown_in_seconds() {
    metrics::group! {
        struct Syncs[] {
            /// Time.
            pub time: Histogram(&metrics::SECONDS) = "sync_seconds",
        }
    }
    let sync = Syncs::default();
    sync.time.observe_time(Duration::from_micros(300));
    let mut page = Exposition::default();
    page.group([([""; 0], &sync)]);
    assert!(page.text().contains("sync_seconds_bucket{le=\"0.00025\"} 0\n"), "{}", page.text());
    assert!(page.text().contains("sync_seconds_bucket{le=\"0.0005\"} 1\n"), "{}", page.text());
    assert!(page.text().contains("sync_seconds_sum 0.0003\n"), "{}", page.text());
}

#[test]
fn label_values_cannot_break_out_of_their_quotes() {
    const SIZE: Family = Family::gauge("size", &["dir"], "Bytes.\nIn \\ a directory.");
    let mut page = Exposition::default();
    page.family(&SIZE, [(["a\"b\\c\nd"], 7)]);
    let expected = "# HELP size Bytes.\\nIn \\\\ a directory.\n# TYPE size gauge\n\
                    size{dir=\"a\\\"b\\\\c\\nd\"} 7\n";
    assert_eq!(page.text(), expected);
}
