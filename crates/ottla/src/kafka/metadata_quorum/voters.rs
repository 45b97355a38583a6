//! `add-controller` and `remove-controller` (KIP-853).

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use client::admin::quorum::QuorumEndpoint;
use storage::MetaProperties;
use types::Uuid;

use super::{Parsed, told};
use crate::context::read_properties;
use crate::kafka::{ScriptError, ScriptResult, argparse_error, connect_to_either};

const VALID: &str = "Is this a valid controller configuration file?";

fn refused(sentence: impl Into<String>) -> ScriptError {
    ScriptError::Stderr(sentence.into())
}

pub fn add(parsed: &Parsed) -> ScriptResult {
    let Some(path) = parsed.value("command-config") else {
        return Err(refused(
            "You must supply the configuration file of the controller you are adding when using \
             add-controller.",
        ));
    };
    if !Path::new(path).exists() {
        return Err(refused(format!("Properties file {path} does not exist.")));
    }
    let properties = read_properties(path)?;
    let id = node_id(&properties)?;
    let directory = directory_id(&metadata_directory(&properties)?)?;
    let endpoints = endpoints(&properties)?;
    let is_dry_run = parsed.has("dry-run");
    if !is_dry_run {
        let mut client = connect_to_either(parsed)?;
        client.add_voter(id, directory, &endpoints).map_err(|error| told(&error))?;
    }
    let did = if is_dry_run { "DRY RUN of adding" } else { "Added" };
    let all: Vec<String> = endpoints.iter().map(url).collect();
    let all = all.join(", ");
    let line = format!("{did} controller {id} with directory id {directory} and endpoints: {all}");
    writeln!(io::stdout(), "{line}")?;
    Ok(())
}

pub fn remove(parsed: &Parsed) -> ScriptResult {
    let missing = |flag: &str| {
        argparse_error("kafka-metadata-quorum", &format!("argument {flag} is required"))
    };
    let either = |long: &str, short: &str| parsed.value(long).or_else(|| parsed.value(short));
    let id = either("controller-id", "i").ok_or_else(|| missing("--controller-id/-i"))?;
    let directory = either("controller-directory-id", "d");
    let directory = directory.ok_or_else(|| missing("--controller-directory-id/-d"))?;
    let id: i32 = id.parse().map_err(|_| {
        let why = format!("argument --controller-id/-i: could not convert '{id}' to Integer");
        argparse_error("kafka-metadata-quorum", &why)
    })?;
    if id < 0 {
        return Err(refused(format!("Invalid negative --controller-id: {id}")));
    }
    let directory: Uuid = directory
        .parse()
        .map_err(|error| refused(format!("Failed to parse --controller-directory-id: {error}")))?;
    let is_dry_run = parsed.has("dry-run");
    if !is_dry_run {
        let mut client = connect_to_either(parsed)?;
        client.remove_voter(id, directory).map_err(|error| told(&error))?;
    }
    // Two blanks, as Kafka's.
    let did = if is_dry_run { "DRY RUN of removing " } else { "Removed " };
    writeln!(io::stdout(), "{did} KRaft controller {id} with directory id {directory}")?;
    Ok(())
}

fn node_id(properties: &BTreeMap<String, String>) -> Result<i32, ScriptError> {
    let text = properties
        .get("node.id")
        .ok_or_else(|| refused(format!("node.id not found in configuration file. {VALID}")))?;
    let id: i32 =
        text.trim().parse().map_err(|_| refused(format!("For input string: \"{text}\"")))?;
    if id < 0 {
        return Err(refused(format!("node.id was negative in configuration file. {VALID}")));
    }
    if !properties.get("process.roles").is_some_and(|roles| roles.contains("controller")) {
        return Err(refused(format!(
            "process.roles did not contain 'controller' in configuration file. {VALID}"
        )));
    }
    Ok(id)
}

fn metadata_directory(properties: &BTreeMap<String, String>) -> Result<String, ScriptError> {
    let first = properties.get("log.dirs").and_then(|dirs| dirs.trim().split(',').next());
    let found = properties.get("metadata.log.dir").map(String::as_str).or(first);
    found.map(str::to_owned).ok_or_else(|| {
        refused(format!("Neither metadata.log.dir nor log.dirs were found. {VALID}"))
    })
}

fn directory_id(directory: &str) -> Result<Uuid, ScriptError> {
    let path = Path::new(directory).join("meta.properties");
    let text = std::fs::read_to_string(path).ok();
    let properties = text
        .and_then(|text| MetaProperties::decode(&text).ok())
        .ok_or_else(|| refused(format!("Unable to read meta.properties from {directory}")))?;
    properties.directory_id.ok_or_else(|| refused(format!("No directory id found in {directory}")))
}

/// Where the controller listens, as others reach it.
fn endpoints(properties: &BTreeMap<String, String>) -> Result<Vec<QuorumEndpoint>, ScriptError> {
    let mut known: BTreeMap<String, QuorumEndpoint> = BTreeMap::new();
    for key in ["listeners", "advertised.listeners"] {
        let listeners = properties.get(key).map_or("", String::as_str).split(',');
        for endpoint in listeners.filter_map(|text| parse_url(text.trim())) {
            known.insert(endpoint.listener.clone(), endpoint);
        }
    }
    let names = properties
        .get("controller.listener.names")
        .ok_or_else(|| refused(format!("controller.listener.names was not found. {VALID}")))?;
    let named = names.split(',').map(|name| {
        let name = name.trim().to_uppercase();
        known.get(&name).cloned().ok_or_else(|| {
            refused(format!("Cannot find information about controller listener name: {name}"))
        })
    });
    named.collect()
}

fn parse_url(text: &str) -> Option<QuorumEndpoint> {
    let (listener, address) = text.split_once("://")?;
    let (host, port) = address.rsplit_once(':')?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let host = if host.is_empty() { "localhost" } else { host };
    let listener = listener.to_uppercase();
    Some(QuorumEndpoint { listener, host: host.to_owned(), port: port.parse().ok()? })
}

/// `CONTROLLER://host:port`
pub fn url(endpoint: &QuorumEndpoint) -> String {
    let QuorumEndpoint { listener, host, port } = endpoint;
    match host.contains(':') {
        true => format!("{listener}://[{host}]:{port}"),
        false => format!("{listener}://{host}:{port}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn properties(lines: &[(&str, &str)]) -> BTreeMap<String, String> {
        lines.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    fn sentence<T>(result: Result<T, ScriptError>) -> String {
        match result {
            Err(ScriptError::Stderr(sentence)) => sentence,
            _ => panic!("it was accepted, or refused in another form"),
        }
    }

    #[test]
    fn a_controllers_file_says_who_and_where_it_is() {
        let file = properties(&[
            ("node.id", "7"),
            ("process.roles", "broker,controller"),
            ("listeners", "PLAINTEXT://:9092,CONTROLLER://:9093"),
            ("advertised.listeners", "CONTROLLER://[::1]:9094"),
            ("controller.listener.names", "CONTROLLER"),
            ("log.dirs", "/a,/b"),
        ]);
        assert_eq!(node_id(&file).ok(), Some(7));
        assert_eq!(metadata_directory(&file).ok().as_deref(), Some("/a"));
        let endpoints = endpoints(&file).ok().unwrap();
        assert_eq!(endpoints.iter().map(url).collect::<Vec<_>>(), ["CONTROLLER://[::1]:9094"]);
    }

    #[test]
    fn a_file_that_is_no_controllers_is_refused_in_kafkas_words() {
        let broker = properties(&[("node.id", "7"), ("process.roles", "broker")]);
        assert_eq!(
            sentence(node_id(&broker)),
            "process.roles did not contain 'controller' in configuration file. Is this a valid \
             controller configuration file?"
        );
        assert!(sentence(node_id(&properties(&[]))).starts_with("node.id not found"));
        assert!(sentence(metadata_directory(&broker)).starts_with("Neither metadata.log.dir nor"));
        let stranger = properties(&[("controller.listener.names", "CTL")]);
        assert_eq!(
            sentence(endpoints(&stranger)),
            "Cannot find information about controller listener name: CTL"
        );
    }
}
