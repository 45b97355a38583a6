//! What the broker shows of itself, and that the page on it says the same.

use std::path::Path;

use env::{Disk, Env};
use env_sim::{Crash, Operation};
use protocol::messages::ApiVersionsRequest;

use crate::harness::Broker;
use crate::shorthand::{ACKS_ALL, batch, fetch, produce};

/// The value of a sample, written as in the text format.
fn sample(page: &str, name: &str) -> Option<f64> {
    let line = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.map(|value| value.parse().unwrap_or_else(|_| panic!("{name} is {value}")))
}

pub fn number(broker: &Broker, name: &str) -> f64 {
    let page = broker.metrics();
    sample(&page, name).unwrap_or_else(|| panic!("no {name} in\n{page}"))
}

#[test]
fn the_page_of_metric_names_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/metrics.md");
    let current = broker::metrics::markdown();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &current).expect("write the page");
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == current,
        "docs/metrics.md is stale; run: UPDATE_DOCS=1 cargo test -p broker --test node metrics"
    );
}

#[test]
fn every_sample_belongs_to_a_documented_name_and_stands_with_its_kin() {
    let broker = Broker::start();
    broker.create_topic("t", 2, &[]);
    broker.append("t", 0, &["a"]);
    let docs = broker::metrics::markdown();
    let page = broker.metrics();
    let mut seen = std::collections::BTreeSet::new();
    let mut current = "";
    for line in page.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            current = rest.split(' ').next().unwrap_or_default();
            assert!(seen.insert(current), "{current} begins twice");
            assert!(docs.contains(&format!("| `{current}` |")), "{current} is not documented");
        } else if !line.starts_with('#') {
            let name = line.split(['{', ' ']).next().unwrap_or_default();
            let suffixes = ["", "_bucket", "_sum", "_count"];
            let belongs = suffixes.iter().any(|suffix| name.strip_suffix(suffix) == Some(current));
            assert!(belongs, "{name} stands below {current}");
        }
    }
    assert_eq!(docs.matches("\n| `").count(), seen.len(), "every documented name is shown");
}

#[test]
fn what_clients_do_is_counted_by_topic_and_in_all() {
    let broker = Broker::start();
    broker.create_topic("t", 1, &[]);
    broker.create_topic("u", 1, &[]);
    let written = batch(&["a", "b", "c"]);
    let bytes = written.len() as f64;
    broker.produce(&produce("t", 0, ACKS_ALL, written));
    broker.append("u", 0, &["d"]);
    broker.fetch(&fetch("t", 0, 0));
    broker.fetch(&fetch("t", 0, 99));
    broker.produce(&produce("nowhere", 0, ACKS_ALL, batch(&["e"])));
    let topic = |what: &str, topic: &str| {
        number(
            &broker,
            &format!("kafka_server_brokertopicmetrics_{what}_total{{topic=\"{topic}\"}}"),
        )
    };
    assert_eq!((topic("messagesin", "t"), topic("messagesin", "")), (3.0, 4.0));
    assert_eq!((topic("bytesin", "t"), topic("bytesout", "t")), (bytes, bytes));
    assert_eq!(
        (topic("totalproducerequests", "t"), topic("failedproducerequests", "t")),
        (1.0, 0.0)
    );
    assert_eq!(topic("failedproducerequests", ""), 1.0, "of a topic that is not here");
    assert_eq!((topic("totalfetchrequests", "t"), topic("failedfetchrequests", "t")), (2.0, 1.0));
    let produced = "kafka_network_requestmetrics_requests_total{request=\"Produce\"}";
    assert_eq!(number(&broker, produced), 3.0);

    broker.delete_topic("t");
    assert_eq!(topic("messagesin", ""), 4.0, "a sum never falls");
    assert_eq!(
        sample(&broker.metrics(), "kafka_log_log_logendoffset{topic=\"t\",partition=\"0\"}"),
        None
    );
    assert_eq!(number(&broker, "kafka_log_log_logendoffset{topic=\"u\",partition=\"0\"}"), 1.0);
}

#[test]
fn connections_are_counted_while_they_are_open() {
    let broker = Broker::start();
    let mut cut = broker.client();
    let _open = broker.client();
    let mut asked = broker.client();
    asked.send(3, &ApiVersionsRequest::default());
    drop(asked);
    let open = "kafka_server_socket_server_metrics_connection_count";
    assert_eq!(number(&broker, open), 2.0);
    assert_eq!(
        number(&broker, "kafka_server_socket_server_metrics_connection_creation_total"),
        3.0
    );
    cut.send_bytes(&[0xff; 8]);
    assert_eq!(number(&broker, "ottla_connections_cut_total"), 1.0);
}

#[test]
fn recovery_and_failed_directories_show() {
    let mut broker = Broker::start();
    broker.create_topic("t", 1, &[]);
    broker.append("t", 0, &["a"]);
    broker.crash_and_restart(Crash::Kill);
    let dir = |name: &str| format!("{name}{{logDirectory=\"/data\"}}");
    assert!(number(&broker, &dir("ottla_recovery_segments_scanned_total")) >= 1.0);
    assert_eq!(number(&broker, "kafka_log_logmanager_offlinelogdirectorycount"), 0.0);
    assert!(number(&broker, &dir("ottla_log_dir_free_bytes")) > 0.0);

    let large = produce("t", 0, ACKS_ALL, batch(&[&"x".repeat(100_000)]));
    broker.env.disk().set_capacity(0);
    broker.produce(&large);
    assert_eq!(number(&broker, &dir("ottla_log_dir_refused_for_space_total")), 1.0);
    assert_eq!(number(&broker, "kafka_log_logmanager_offlinelogdirectorycount"), 0.0);
    broker.env.disk().set_capacity(u64::MAX);
    broker.env.disk().fail(Operation::Write, "/data/t-0", ".log");
    broker.produce(&large);
    let errors = "ottla_storage_errors_total{logDirectory=\"/data\",kind=\"write\"}";
    assert_eq!(number(&broker, errors), 1.0);
    assert_eq!(number(&broker, "kafka_log_logmanager_offlinelogdirectorycount"), 1.0);
    assert_eq!(number(&broker, &dir("kafka_log_logmanager_logdirectoryoffline")), 1.0);
}

#[test]
fn health_names_a_disk_that_fills_up_and_one_that_failed() {
    let broker = Broker::start();
    broker.create_topic("t", 1, &[]);
    let (total, free) = broker.env.disk().space("/".as_ref()).expect("space");
    let used = total - free;
    broker.env.disk().set_capacity(used * 2);
    assert_eq!(broker.problems(), [""; 0]);
    broker.env.disk().set_capacity(used + used / 20);
    assert_eq!(broker.problems(), ["DISK_NEARLY_FULL"]);
    broker.env.disk().fail(Operation::Write, "/data/t-0", ".log");
    broker.env.disk().set_capacity(u64::MAX);
    broker.produce(&produce("t", 0, ACKS_ALL, batch(&[&"x".repeat(100_000)])));
    assert!(broker.problems().contains(&"LOG_DIR_OFFLINE"));
}
