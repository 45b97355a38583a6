//! `kafka-broker-api-versions`. Source of output: Kafka `BrokerApiVersionsCommand`,
//! `NodeApiVersions`.

use std::collections::BTreeMap;
use std::io::{self, Write};

use client::VersionRange;
use protocol::ApiKey;

use super::exceptions::exception;
use super::options::{Flag, Tool, value};
use super::{ScriptError, ScriptResult, connect};

const FLAGS: &[Flag] = &[
    value("bootstrap-server", "host:port,…", "REQUIRED: the brokers to connect to."),
    value("command-config", "file", "Client properties."),
];

static TOOL: Tool = Tool {
    name: "kafka-broker-api-versions",
    about: "This tool helps to retrieve broker version information.",
    flags: FLAGS,
};

/// Requests that only controllers answer; a client has no use for them.
const CONTROLLER_ONLY: &[i16] = &[52, 53, 54, 56, 58, 59, 62, 63, 67, 70, 73, 82];

pub fn run(arguments: &[String]) -> ScriptResult {
    let parsed = TOOL.parse(arguments)?;
    parsed.require(&["bootstrap-server"])?;
    let mut client = connect(&parsed, &["command-config"])?;
    let brokers: Vec<client::Broker> = client.cluster().brokers.values().cloned().collect();
    let mut out = io::stdout().lock();
    for broker in brokers {
        let head = format!(
            "{} (id: {} rack: {} isFenced: false) -> ",
            broker.address(),
            broker.id,
            broker.rack.as_deref().unwrap_or("null"),
        );
        match client.broker_versions(broker.id) {
            Ok(versions) => writeln!(out, "{head}{}", describe(&versions))?,
            Err(error) => writeln!(out, "{head}ERROR: {}", exception(&error))?,
        }
    }
    out.flush().map_err(ScriptError::from)
}

/// One line an API, in the order of the keys.
fn describe(versions: &BTreeMap<i16, VersionRange>) -> String {
    let known = ApiKey::ALL.iter().map(|key| key.as_i16());
    let mut keys: Vec<i16> = known
        .filter(|key| !CONTROLLER_ONLY.contains(key) || versions.contains_key(key))
        .chain(versions.keys().copied())
        .collect();
    keys.sort_unstable();
    keys.dedup();
    let lines: Vec<String> = keys.into_iter().map(|key| line(key, versions.get(&key))).collect();
    format!("(\n\t{}\n)", lines.join(",\n\t"))
}

fn line(key: i16, theirs: Option<&VersionRange>) -> String {
    let known = ApiKey::from_i16(key);
    let name = known.map_or("UNKNOWN", ApiKey::name);
    let Some((min, max)) = theirs else { return format!("{name}({key}): UNSUPPORTED") };
    let range = if min == max { min.to_string() } else { format!("{min} to {max}") };
    let Some(ours) = known.map(ApiKey::versions) else { return format!("{name}({key}): {range}") };
    let usable = (*max).min(*ours.end());
    match usable >= (*min).max(*ours.start()) {
        true => format!("{name}({key}): {range} [usable: {usable}]"),
        false => format!("{name}({key}): {range} [unusable: node too {}]", age(*min, *ours.end())),
    }
}

fn age(min: i16, ours: i16) -> &'static str {
    if min > ours { "new" } else { "old" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_kafkas() {
        assert_eq!(line(18, Some(&(0, 4))), "ApiVersions(18): 0 to 4 [usable: 4]");
        assert_eq!(line(47, Some(&(0, 0))), "OffsetDelete(47): 0 [usable: 0]");
        assert_eq!(line(71, None), "GetTelemetrySubscriptions(71): UNSUPPORTED");
        assert_eq!(line(3, Some(&(100, 101))), "Metadata(3): 100 to 101 [unusable: node too new]");
        assert_eq!(line(9999, Some(&(0, 1))), "UNKNOWN(9999): 0 to 1");
    }

    #[test]
    fn apis_stand_between_parentheses_and_commas() {
        let text = describe(&BTreeMap::from([(0, (0, 13)), (18, (0, 4))]));
        assert!(text.starts_with("(\n\tProduce(0): 0 to 13 [usable: "), "{text}");
        assert!(text.ends_with("\n)") && text.contains(",\n\tFetch(1): UNSUPPORTED,\n"), "{text}");
        assert!(!text.contains("BrokerRegistration"), "controllers' business is left out");
    }
}
