//! With whom a quorum begins: `--standalone`, `--initial-controllers`, `--no-initial-controllers`.
//! Source: Kafka `StorageTool`, `DynamicVoters`, `Formatter`; KIP-853.

use std::path::Path;

use config::{BrokerConfig, Listener};
use env::{Clock, Disk, Env};
use env_os::OsEnv;
use records::bootstrap;
use records::control::{QuorumVoter, VoterEndpoint};
use types::{BrokerId, Uuid};

use super::{Parsed, ScriptError, ScriptResult, random_uuid};

const METADATA_LOG: &str = "__cluster_metadata-0";
/// What a voter of ours can follow.
const KRAFT_VERSIONS: (i16, i16) = (0, 1);

/// The voters of a quorum that begins, and this one's directory.
pub struct FirstVoters {
    pub directory: Uuid,
    voters: Vec<QuorumVoter>,
}

fn refused(why: impl Into<String>) -> ScriptError {
    ScriptError::Stderr(why.into())
}

/// `None` for a directory that begins no quorum of its own.
pub fn asked(parsed: &Parsed, config: &BrokerConfig) -> Result<Option<FirstVoters>, ScriptError> {
    let is_standalone = parsed.has("standalone") || parsed.has("s");
    let joins = parsed.has("no-initial-controllers") || parsed.has("N");
    let initial = parsed.value("initial-controllers").or_else(|| parsed.value("I"));
    let asked = [is_standalone, joins, initial.is_some()].into_iter().filter(|is_it| *is_it);
    let count = asked.count();
    if count > 1 {
        return Err(refused(
            "kafka-storage: error: argument --initial-controllers/-I: not allowed with argument \
             --standalone/-s or --no-initial-controllers/-N",
        ));
    }
    if count == 1 && !config.quorum.voters.is_empty() {
        return Err(refused(
            "--standalone, --initial-controllers and --no-initial-controllers cannot be used \
             with controller.quorum.voters: that quorum is static",
        ));
    }
    if !config.node.is_controller && (is_standalone || initial.is_some()) {
        return Err(refused(
            "You can only use --standalone or --initial-controllers on a controller.",
        ));
    }
    match initial {
        Some(text) => listed(text, config).map(Some),
        None if is_standalone => standalone(config).map(Some),
        None => Ok(None),
    }
}

fn standalone(config: &BrokerConfig) -> Result<FirstVoters, ScriptError> {
    let node = &config.node;
    let directory = random_uuid(&OsEnv::new());
    let endpoint = |listener: &Listener| {
        let name = &listener.name;
        let told = node.advertised_controllers.iter().find(|told| told.name == *name);
        let at = told.unwrap_or(listener);
        let host = if at.host.is_empty() { "localhost" } else { &at.host };
        VoterEndpoint { listener: name.clone(), host: host.to_owned(), port: at.port }
    };
    let endpoints: Vec<_> = node.controller_listeners.iter().map(endpoint).collect();
    if endpoints.is_empty() {
        return Err(refused("--standalone needs a listener named in controller.listener.names"));
    }
    let kraft_versions = KRAFT_VERSIONS;
    let voter = QuorumVoter { id: node.node_id, directory, endpoints, kraft_versions };
    Ok(FirstVoters { directory, voters: vec![voter] })
}

/// `0@host:port:directory,…`
fn listed(text: &str, config: &BrokerConfig) -> Result<FirstVoters, ScriptError> {
    let usual = config.node.controller_listeners.first();
    let listener = usual.map_or_else(String::new, |listener| listener.name.clone());
    let mut voters: Vec<QuorumVoter> = Vec::new();
    for item in text.split(',').map(str::trim) {
        let voter = voter(item, &listener).ok_or_else(|| {
            refused(format!("Invalid dynamic voter string '{item}': id@host:port:directory"))
        })?;
        if voters.iter().any(|known| known.id == voter.id) {
            let id = voter.id;
            return Err(refused(format!("Duplicate voter id {id} in dynamic voters string.")));
        }
        voters.push(voter);
    }
    let own = voters.iter().find(|voter| voter.id == config.node.node_id);
    let own = own.ok_or_else(|| {
        refused(format!(
            "node.id {} is not among --initial-controllers; a controller that joins them is \
             formatted with --no-initial-controllers",
            config.node.node_id
        ))
    })?;
    Ok(FirstVoters { directory: own.directory, voters })
}

fn voter(item: &str, listener: &str) -> Option<QuorumVoter> {
    let (id, rest) = item.split_once('@')?;
    let id = id.parse().ok().filter(|id| *id >= 0).map(BrokerId)?;
    let (address, directory) = rest.rsplit_once(':')?;
    let (host, port) = address.rsplit_once(':')?;
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let directory: Uuid = directory.parse().ok()?;
    if host.is_empty() || directory.is_zero() {
        return None;
    }
    let port = port.parse().ok()?;
    let endpoints = vec![VoterEndpoint { listener: listener.to_owned(), host, port }];
    Some(QuorumVoter { id, directory, endpoints, kraft_versions: KRAFT_VERSIONS })
}

impl FirstVoters {
    pub fn write(&self, env: &OsEnv, directory: &str) -> ScriptResult {
        let home = Path::new(directory).join(METADATA_LOG);
        let bytes = bootstrap::encode(self.voters.clone(), env.clock().wall());
        let disk = env.disk();
        disk.create_dir_all(&home)
            .and_then(|()| disk.replace_file(&home.join(bootstrap::FILE_NAME), &bytes))
            .map_err(|error| refused(format!("cannot format {directory}: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_voters_are_read_as_kafka_writes_them() {
        let read = voter("3@[::1]:9093:3Db5QLSqSZieL3rJBUUegA", "CTL").unwrap();
        assert_eq!((read.id, read.endpoints[0].host.as_str()), (BrokerId(3), "::1"));
        assert_eq!(read.directory.to_string(), "3Db5QLSqSZieL3rJBUUegA");
        for bad in ["3@h:9093", "3@h:x:3Db5QLSqSZieL3rJBUUegA", "h:1:3Db5QLSqSZieL3rJBUUegA"] {
            assert!(voter(bad, "CTL").is_none(), "{bad}");
        }
    }
}
