//! `ottla bench`, on a node of its own.

use serde_json::Value;

use crate::node::{Node, text};

/// A figure's values on a broker.
fn values<'a>(results: &'a Value, case: &str, figure: &str, broker: usize) -> &'a [Value] {
    let cases = results["cases"].as_array().expect("cases");
    let found = cases.iter().find(|result| result["case"]["name"] == case).expect("the case");
    let rows = found["rows"].as_array().expect("rows");
    let row = rows.iter().find(|row| row["name"] == figure);
    let row = row.unwrap_or_else(|| panic!("{case} has no {figure}: {found}"));
    row["values"][broker].as_array().expect("values")
}

#[test]
fn a_run_measures_writes_a_page_and_leaves_no_topic_behind() {
    let node = Node::start();
    let page = node.data().join("page.html").display().to_string();
    let pid = node.pid().to_string();
    let results = node.json(
        &[
            "bench",
            "run",
            "--pid",
            &pid,
            "--case",
            "latency-idle,fan-out",
            "--seconds",
            "400ms",
            "--warm-up",
            "100ms",
            "--prime",
            "0",
            "--report",
            &page,
        ],
        "",
    );
    assert_eq!(results["is_interrupted"], false);
    for (case, figure) in [
        ("latency-idle", "produce p99.9"),
        ("fan-out", "produce p50"),
        ("fan-out", "delivery p99"),
        ("fan-out", "memory, most"),
    ] {
        let values = values(&results, case, figure, 0);
        assert!(values.len() == 1 && values[0].as_f64() > Some(0.0), "{case} {figure}: {values:?}");
    }
    let page = std::fs::read_to_string(page).expect("the page");
    assert!(page.contains("<h2>fan-out</h2>") && page.ends_with("</html>\n"));
    let topics = node.json(&["topic", "list"], "");
    assert_eq!(topics["topics"], Value::Array(Vec::new()));
}

#[test]
fn a_comparison_has_a_ratio_for_each_broker_but_the_first() {
    let (one, two) = (Node::start(), Node::start());
    let brokers = [format!("one={}", one.address()), format!("two={}", two.address())];
    let results = one.json(
        &[
            "bench",
            "compare",
            &brokers[0],
            &brokers[1],
            "--case",
            "latency-idle",
            "--rounds",
            "2",
            "--seconds",
            "200ms",
            "--warm-up",
            "0",
            "--prime",
            "0",
        ],
        "",
    );
    assert_eq!(results["brokers"], serde_json::json!(["one", "two"]));
    for broker in 0..2 {
        assert_eq!(values(&results, "latency-idle", "produce p50", broker).len(), 2);
    }
    assert_eq!(results["cases"][0]["rows"][0]["ratios"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_case_that_does_not_exist_and_a_process_that_does_not_are_named() {
    let node = Node::start();
    for (arguments, told) in [
        (["bench", "run", "--case", "nonsense"], "ottla bench cases"),
        (["bench", "run", "--pid", "none"], "invalid value"),
        (["bench", "run", "--pid", "4194304"], "process 4194304"),
    ] {
        let output = node.run(&arguments, "");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(text(&output.stderr).contains(told), "{}", text(&output.stderr));
    }
}
