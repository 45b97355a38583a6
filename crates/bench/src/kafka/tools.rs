//! Load that is not ours: Kafka's own perf tools, and librdkafka through confluent-kafka.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use load::{CaseResult, Durability, Figure, Target, Unit, usage};

use super::starts::own_case;
use super::{KafkaOptions, NAMES};
use crate::Outcome;
use crate::wire::said;

const PARTITIONS: usize = 4;
pub const RECORD_BYTES: u64 = 1024;
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/bench/rdkafka_perf.py");

/// What the tools need, and how much they are to do.
#[derive(Clone, Debug)]
pub struct Outside {
    /// Records that each tool sends or reads.
    pub records: u64,
    /// Kafka's jars.
    pub classpath: String,
    /// A Python with confluent-kafka.
    pub python: PathBuf,
}

impl Default for Outside {
    fn default() -> Outside {
        let python = PathBuf::from("python3");
        Outside { records: 1_000_000, classpath: String::new(), python }
    }
}

/// A tool, and which number of its output is records a second.
pub struct Tool {
    pub name: &'static str,
    about: &'static str,
    command: fn(&Outside, &str, &str) -> Command,
    rate: fn(&str) -> Option<f64>,
}

/// Each writes or reads all records; those that read follow one that writes.
const TOOLS: [&Tool; 4] = [
    &PRODUCERS[0],
    &Tool {
        name: "kafka-consumer-perf-test",
        about: "Kafka's own tool reads them back, its defaults",
        command: consumer_perf,
        rate: consumer_rate,
    },
    &PRODUCERS[1],
    &Tool {
        name: "librdkafka-consume",
        about: "librdkafka (confluent-kafka) reads them back, its defaults",
        command: |outside, address, topic| rdkafka(outside, "consume", address, topic),
        rate: |said| said.trim().parse().ok(),
    },
];

pub const PRODUCERS: [Tool; 2] = [
    Tool {
        name: "kafka-producer-perf-test",
        about: "Kafka's own tool writes 1 KiB records, its defaults and acks=all",
        command: producer_perf,
        rate: producer_rate,
    },
    Tool {
        name: "librdkafka-produce",
        about: "librdkafka (confluent-kafka) writes 1 KiB records, its defaults and acks=all",
        command: |outside, address, topic| rdkafka(outside, "produce", address, topic),
        rate: |said| said.trim().parse().ok(),
    },
];

pub fn measure(options: &KafkaOptions, targets: &mut [Target]) -> Outcome<Vec<CaseResult>> {
    let mut results: Vec<CaseResult> =
        TOOLS.iter().map(|tool| CaseResult::new(&own_case(tool.name, tool.about))).collect();
    for round in 1..=options.rounds {
        for (number, target) in targets.iter_mut().enumerate() {
            let topic = format!("ottla-bench-tools-{round}");
            target.make_topic(&topic, PARTITIONS, Durability::PageCache).map_err(|e| said(&e))?;
            for (tool, result) in TOOLS.iter().zip(&mut results) {
                eprintln!("{} on {}, round {round}", tool.name, target.name);
                for figure in run(options, tool, target, &topic)? {
                    result.add(NAMES.len(), number, figure);
                }
            }
            target.delete_topic(&topic).map_err(|e| said(&e))?;
        }
    }
    Ok(results)
}

fn run(options: &KafkaOptions, tool: &Tool, target: &Target, topic: &str) -> Outcome<Vec<Figure>> {
    let cpu = || -> Outcome<Duration> {
        let pid = target.pid.ok_or("no process")?;
        Ok(usage(pid).map_err(|error| format!("usage: {error}"))?.cpu)
    };
    let before = cpu()?;
    let rate = tool.run(&options.outside, &target.address, topic)?;
    let used = cpu()?.saturating_sub(before).as_secs_f64();
    let records = options.outside.records as f64;
    let gigabytes = records * RECORD_BYTES as f64 / 1e9;
    Ok(vec![
        Figure::more("records", Unit::RecordsPerSecond, rate),
        Figure::less("server CPU", Unit::CpuSecondsPerGb, used / gigabytes),
        Figure::more("records by CPU", Unit::ThousandRecordsPerCpuSecond, records / 1e3 / used),
    ])
}

impl Tool {
    /// Records a second.
    pub fn run(&self, outside: &Outside, address: &str, topic: &str) -> Outcome<f64> {
        let mut command = (self.command)(outside, address, topic);
        let output = command.stdin(Stdio::null()).stderr(Stdio::piped()).output();
        let output = output.map_err(|error| format!("start {}: {error}", self.name))?;
        let said = String::from_utf8_lossy(&output.stdout);
        (self.rate)(&said).filter(|_| output.status.success()).ok_or_else(|| {
            format!("{}: {said} {}", self.name, String::from_utf8_lossy(&output.stderr))
        })
    }
}

fn java(outside: &Outside, class: &str) -> Command {
    let mut command = Command::new("java");
    command.args(["-Xmx512m", "-cp", &outside.classpath, class]);
    command
}

fn producer_perf(outside: &Outside, address: &str, topic: &str) -> Command {
    let mut command = java(outside, "org.apache.kafka.tools.ProducerPerformance");
    let records = outside.records.to_string();
    command.args(["--bootstrap-server", address, "--topic", topic, "--num-records", &records]);
    command.args(["--record-size", &RECORD_BYTES.to_string(), "--throughput", "-1"]);
    command.args(["--command-property", "acks=all"]);
    command
}

/// `5000 records sent, 1234.5 records/sec (…), …`, the last of several.
fn producer_rate(said: &str) -> Option<f64> {
    let line = said.lines().rfind(|line| line.contains("records/sec"))?;
    line.split(" records/sec").next()?.rsplit(' ').next()?.parse().ok()
}

fn consumer_perf(outside: &Outside, address: &str, topic: &str) -> Command {
    let mut command = java(outside, "org.apache.kafka.tools.ConsumerPerformance");
    let records = outside.records.to_string();
    command.args(["--bootstrap-server", address, "--topic", topic, "--num-records", &records]);
    command.arg("--hide-header");
    command
}

/// The last of `start, end, MB, MB/s, records, records/s, rebalance ms, fetch ms, fetch MB/s, fetch
/// records/s`.
fn consumer_rate(said: &str) -> Option<f64> {
    let line = said.lines().rfind(|line| line.split(", ").count() == 10)?;
    line.rsplit(", ").next()?.trim().parse().ok()
}

fn rdkafka(outside: &Outside, verb: &str, address: &str, topic: &str) -> Command {
    let mut command = Command::new(&outside.python);
    command.arg(SCRIPT).args([verb, address, topic, &outside.records.to_string()]);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read_from_what_the_tools_say() {
        let said = "100 records sent, 20.0 records/sec (0.02 MB/sec), 1.0 ms avg latency\n\
                    5000 records sent, 1234.5 records/sec (1.21 MB/sec), 5.00 ms avg latency\n";
        assert_eq!(producer_rate(said), Some(1234.5));
        let said = "[main] INFO x\n\
                    2026-01-01 00:00:00:000, 2026-01-01 00:00:01:000, 9.7, 9.7, 10000, 10000.0, \
                    300, 700, 13.9, 14285.7\n";
        assert_eq!(consumer_rate(said), Some(14285.7));
        assert_eq!(consumer_rate("nothing"), None);
    }
}
