//! `kafka-get-offsets`. Source of flags and output: Kafka `GetOffsetShell`.

use std::collections::BTreeMap;
use std::io::{self, Write};

use client::{OffsetAt, Place, TopicsWanted};
use regex_lite::Regex;

use super::exceptions::message;
use super::options::{Flag, Parsed, Tool, switch, value};
use super::topics::topic_pattern;
use super::{ScriptError, ScriptResult, connect};

const FLAGS: &[Flag] = &[
    value("bootstrap-server", "host:port,…", "REQUIRED: the brokers to connect to."),
    value("broker-list", "host:port,…", "The older name of --bootstrap-server."),
    value("topic", "regex", "The topics."),
    value("partitions", "0,1,…", "The partitions."),
    value("topic-partitions", "t:0,t:1-3,…", "Topics with partitions; the end of 1-3 is left out."),
    value("time", "time", "earliest, latest, max-timestamp, … or milliseconds; latest by default."),
    value("command-config", "file", "Client properties."),
    switch("exclude-internal-topics", "Leave out internal topics."),
];

static TOOL: Tool = Tool {
    name: "kafka-get-offsets",
    about: "An interactive shell for getting topic-partition offsets.",
    flags: FLAGS,
};

pub fn run(arguments: &[String]) -> ScriptResult {
    let parsed = TOOL.parse(arguments)?;
    if !parsed.has("broker-list") {
        parsed.require(&["bootstrap-server"])?;
    }
    parsed.refuse_together("topic-partitions", &["topic", "partitions"])?;
    let at = time(parsed.value("time").unwrap_or("latest"))?;
    let filters = filters(&parsed)?;
    let occurred = |error: client::ClientError| {
        ScriptError::Stderr(format!("Error occurred: {}", message(&error)))
    };
    let mut client = connect(&parsed, &["command-config"])?;
    let cluster = client.refresh(TopicsWanted::All).map_err(occurred)?;
    let mut places: Vec<Place> = Vec::new();
    for topic in cluster.topics.values() {
        if topic.is_internal && parsed.has("exclude-internal-topics") {
            continue;
        }
        let partitions = topic.partitions.keys().copied();
        let wanted = partitions
            .filter(|partition| filters.iter().any(|filter| filter.shows(&topic.name, *partition)));
        places.extend(wanted.map(|partition| (topic.name.clone(), partition)));
    }
    if places.is_empty() {
        return Err(ScriptError::Stderr(
            "Error occurred: Could not match any topic-partitions with the specified filters"
                .to_owned(),
        ));
    }
    let wanted: BTreeMap<Place, OffsetAt> = places.into_iter().map(|place| (place, at)).collect();
    let mut out = io::stdout().lock();
    for ((topic, partition), found) in client.list_offsets_each(&wanted).map_err(occurred)? {
        match found {
            Ok(found) if found.offset >= 0 => {
                writeln!(out, "{topic}:{partition}:{}", found.offset)?;
            }
            // There is no such record.
            Ok(_) => {}
            Err(error) => eprintln!(
                "Skip getting offsets for topic-partition {topic}:{partition} due to error: {}",
                message(&error)
            ),
        }
    }
    Ok(())
}

fn time(text: &str) -> Result<OffsetAt, ScriptError> {
    match text {
        "earliest" | "-2" => Ok(OffsetAt::Earliest),
        "latest" | "-1" => Ok(OffsetAt::Latest),
        "max-timestamp" | "-3" => Ok(OffsetAt::MaxTimestamp),
        "earliest-local" | "-4" => Ok(OffsetAt::EarliestLocal),
        "latest-tiered" | "-5" => Ok(OffsetAt::LatestTiered),
        _ => text.parse().map(OffsetAt::Time).map_err(|_| {
            ScriptError::Stderr(format!(
                "Error occurred: Malformed time argument {text}. Please use -1 or latest / -2 or \
                 earliest / -3 or max-timestamp / -4 or earliest-local / -5 or latest-tiered / -6 \
                 or earliest-pending-upload, or a specified long format timestamp"
            ))
        }),
    }
}

/// Topics and partitions that are shown.
#[derive(Debug)]
struct Filter {
    topic: Option<Regex>,
    partitions: Vec<Range>,
}

/// From the first up to but not including the last; open ends are the extremes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Range {
    from: i32,
    below: i32,
}

const EVERY: Range = Range { from: 0, below: i32::MAX };

impl Filter {
    fn shows(&self, topic: &str, partition: i32) -> bool {
        let is_named = self.topic.as_ref().is_none_or(|pattern| pattern.is_match(topic));
        let holds = |range: &Range| (range.from..range.below).contains(&partition);
        is_named && self.partitions.iter().any(holds)
    }
}

fn filters(parsed: &Parsed) -> Result<Vec<Filter>, ScriptError> {
    if let Some(text) = parsed.value("topic-partitions") {
        let read = |rule: &str| {
            let (topic, partitions) = rule.rsplit_once(':').unwrap_or((rule, ""));
            let topic = match topic {
                "" => None,
                topic => Some(topic_pattern(parsed, topic)?),
            };
            Ok(Filter { topic, partitions: vec![range(parsed, partitions)?] })
        };
        return text.split(',').map(read).collect();
    }
    let topic = parsed.value("topic").map(|text| topic_pattern(parsed, text)).transpose()?;
    let partitions = match parsed.value("partitions") {
        None => vec![EVERY],
        Some(text) => text.split(',').map(|part| range(parsed, part)).collect::<Result<_, _>>()?,
    };
    Ok(vec![Filter { topic, partitions }])
}

/// `3`, `1-3`, `1-`, `-3`.
fn range(parsed: &Parsed, text: &str) -> Result<Range, ScriptError> {
    let text = text.trim();
    let wrong = || parsed.usage(format!("Invalid partition rule: {text}"));
    let number = |text: &str, open: i32| match text {
        "" => Ok(open),
        digits => digits.parse::<i32>().map_err(|_| wrong()),
    };
    match text.split_once('-') {
        None if text.is_empty() => Ok(EVERY),
        None => {
            let only = number(text, 0)?;
            Ok(Range { from: only, below: only.saturating_add(1) })
        }
        Some((from, below)) => {
            Ok(Range { from: number(from, 0)?, below: number(below, i32::MAX)? })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(arguments: &[&str], places: &[(&str, i32)]) -> Vec<String> {
        let arguments: Vec<String> = arguments.iter().map(|a| (*a).to_owned()).collect();
        let filters = filters(&TOOL.parse(&arguments).unwrap()).unwrap();
        let shown = places
            .iter()
            .filter(|(topic, partition)| filters.iter().any(|f| f.shows(topic, *partition)));
        shown.map(|(topic, partition)| format!("{topic}:{partition}")).collect()
    }

    #[test]
    fn filters_choose_as_kafkas_do() {
        let all = [("g1", 0), ("g1", 1), ("g1", 2), ("g1", 3), ("other", 0)];
        assert_eq!(shown(&["--topic-partitions", "g1:1-3"], &all), ["g1:1", "g1:2"]);
        assert_eq!(shown(&["--topic-partitions", "g1:3-,other"], &all), ["g1:3", "other:0"]);
        assert_eq!(shown(&["--topic", "g.*", "--partitions", "0,2-3"], &all), ["g1:0", "g1:2"]);
        assert_eq!(shown(&["--partitions", "-1"], &all), ["g1:0", "other:0"]);
        assert_eq!(shown(&[], &all).len(), 5);
    }

    #[test]
    fn times_have_names_and_numbers() {
        assert_eq!(time("-2").ok(), Some(OffsetAt::Earliest));
        assert_eq!(time("max-timestamp").ok(), Some(OffsetAt::MaxTimestamp));
        assert_eq!(time("5").ok(), Some(OffsetAt::Time(5)));
        assert!(time("bogus").is_err());
    }
}
