//! Where the controllers are, and how brokers and controllers watch each other.

use std::time::Duration;

use types::BrokerId;

use crate::broker_config::BrokerConfig;
use crate::error::ConfigError;
use crate::lookup::BrokerLookup;

/// Who keeps the metadata log, and the times by which nodes judge each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QuorumConfig {
    /// `controller.quorum.voters`, in the order given; empty if it is not set.
    pub voters: Vec<QuorumVoter>,
    /// `controller.quorum.bootstrap.servers`: any of them knows the quorum.
    pub bootstrap_servers: Vec<HostPort>,
    /// `controller.quorum.fetch.timeout.ms`
    pub fetch_timeout: Duration,
    /// `controller.quorum.election.timeout.ms`
    pub election_timeout: Duration,
    /// `controller.quorum.election.backoff.max.ms`
    pub election_backoff_max: Duration,
    /// `metadata.log.max.record.bytes.between.snapshots`
    pub snapshot_record_bytes: u64,
    /// `metadata.log.max.snapshot.interval.ms`; `None` if time alone leads to none.
    pub snapshot_interval: Option<Duration>,
    /// `metadata.max.retention.bytes`; `None` keeps everything.
    pub log_retention_bytes: Option<u64>,
    /// `metadata.max.retention.ms`; `None` keeps everything.
    pub log_retention: Option<Duration>,
    /// `metadata.log.segment.bytes`
    pub log_segment_bytes: u64,
    /// `metadata.log.segment.ms`
    pub log_segment_ms: i64,
    pub request_timeout: Duration,
    pub retry_backoff: Duration,
}

/// One voter of a static quorum: `id@host:port`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuorumVoter {
    pub id: BrokerId,
    pub address: HostPort,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HostPort {
    pub host: String,
    pub port: u16,
}

impl QuorumConfig {
    /// Where a controller may be found.
    pub fn addresses(&self) -> Vec<HostPort> {
        let voters = self.voters.iter().map(|voter| voter.address.clone());
        voters.chain(self.bootstrap_servers.iter().cloned()).collect()
    }
}

pub(crate) fn read(lookup: &BrokerLookup<'_>) -> Result<QuorumConfig, ConfigError> {
    const VOTERS: &str = "controller.quorum.voters";
    const SERVERS: &str = "controller.quorum.bootstrap.servers";
    let voter = |text: &String| {
        let parsed = text.split_once('@').and_then(|(id, address)| {
            let id = id.trim().parse().ok().filter(|id| *id >= 0).map(BrokerId)?;
            Some(QuorumVoter { id, address: host_port(address)? })
        });
        parsed.ok_or_else(|| ConfigError::invalid(text, VOTERS, "expected id@host:port"))
    };
    let server = |text: &String| {
        host_port(text).ok_or_else(|| ConfigError::invalid(text, SERVERS, "expected host:port"))
    };
    let voters: Vec<_> = lookup.list(VOTERS).iter().map(voter).collect::<Result<_, _>>()?;
    if let Some(twice) =
        voters.iter().enumerate().find(|(at, one)| voters[..*at].iter().any(|v| v.id == one.id))
    {
        return Err(ConfigError::new(format!("{VOTERS} names {} twice", twice.1.id)));
    }
    let ms = |name: &str| Duration::from_millis(lookup.long(name).max(0) as u64);
    Ok(QuorumConfig {
        voters,
        bootstrap_servers: lookup.list(SERVERS).iter().map(server).collect::<Result<_, _>>()?,
        fetch_timeout: ms("controller.quorum.fetch.timeout.ms"),
        election_timeout: ms("controller.quorum.election.timeout.ms"),
        election_backoff_max: ms("controller.quorum.election.backoff.max.ms"),
        snapshot_record_bytes: lookup.long("metadata.log.max.record.bytes.between.snapshots").max(1)
            as u64,
        snapshot_interval: Some(ms("metadata.log.max.snapshot.interval.ms"))
            .filter(|interval| !interval.is_zero()),
        log_retention_bytes: u64::try_from(lookup.long("metadata.max.retention.bytes")).ok(),
        log_retention: u64::try_from(lookup.long("metadata.max.retention.ms"))
            .ok()
            .map(Duration::from_millis),
        log_segment_bytes: lookup.int("metadata.log.segment.bytes").max(1) as u64,
        log_segment_ms: lookup.long("metadata.log.segment.ms"),
        request_timeout: ms("controller.quorum.request.timeout.ms"),
        retry_backoff: ms("controller.quorum.retry.backoff.ms"),
    })
}

fn host_port(text: &str) -> Option<HostPort> {
    let (host, port) = text.trim().rsplit_once(':')?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let port = port.parse().ok()?;
    (!host.is_empty()).then(|| HostPort { host: host.to_owned(), port })
}

impl BrokerConfig {
    /// Whether this controller is led to others by `controller.quorum.bootstrap.servers` alone: it
    /// decides nothing by itself, and votes once it is added.
    pub fn joins_a_quorum(&self) -> bool {
        self.node.is_controller && self.quorum.voters.is_empty() && names_others(self)
    }
}

/// Whether a controller is among the bootstrap servers that this node cannot be.
fn names_others(config: &BrokerConfig) -> bool {
    let own = &config.node.controller_listeners;
    let is_own_port = |server: &HostPort| own.iter().any(|listener| listener.port == server.port);
    match config.quorum.bootstrap_servers.as_slice() {
        [] => false,
        [server] => !own.is_empty() && !is_own_port(server),
        _ => true,
    }
}

/// What a node's roles ask of the rest. Source: Kafka `KafkaConfig.validateValues`.
pub(crate) fn check_roles(config: &BrokerConfig) -> Result<(), ConfigError> {
    let (node, quorum) = (&config.node, &config.quorum);
    let refused = |why: String| Err(ConfigError::new(why));
    let is_voter = quorum.voters.iter().any(|voter| voter.id == node.node_id);
    if node.is_controller {
        if !quorum.voters.is_empty() && !is_voter {
            return refused(format!(
                "If process.roles contains the 'controller' role, the node id {} must be \
                 included in the set of voters controller.quorum.voters",
                node.node_id
            ));
        }
        let has_others =
            quorum.voters.len() > 1 || (quorum.voters.is_empty() && names_others(config));
        if has_others && node.controller_listeners.is_empty() {
            return refused(
                "No listeners are named in controller.listener.names, and the other controllers \
                 of controller.quorum.voters or controller.quorum.bootstrap.servers must reach \
                 this one"
                    .to_owned(),
            );
        }
    } else {
        if quorum.addresses().is_empty() {
            return refused(
                "If process.roles is just 'broker', controller.quorum.voters or \
                 controller.quorum.bootstrap.servers must say where the controllers are"
                    .to_owned(),
            );
        }
        if is_voter {
            return refused(format!(
                "If process.roles is just 'broker', the node id {} must not be included in the \
                 set of voters controller.quorum.voters",
                node.node_id
            ));
        }
        if let Some(listener) = node.controller_listeners.first() {
            return refused(format!(
                "controller.listener.names must not name a listener of `listeners` when \
                 process.roles is just 'broker': {}",
                listener.name
            ));
        }
    }
    if node.is_broker && node.listeners.is_empty() {
        return refused("There must be at least one listener for clients".to_owned());
    }
    if !node.is_broker && !node.listeners.is_empty() {
        return refused(format!(
            "The listeners of a node that is just a controller must all be named in \
             controller.listener.names: {} is not",
            node.listeners[0].name
        ));
    }
    if !node.is_broker && node.controller_listeners.is_empty() {
        return refused(
            "controller.listener.names must name a listener of a node that is just a controller"
                .to_owned(),
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<BrokerConfig, ConfigError> {
        let pairs = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        BrokerConfig::from_properties(&pairs.collect())
    }

    #[track_caller]
    fn refuses(pairs: &[(&str, &str)], part: &str) {
        let message = read(pairs).unwrap_err().to_string();
        assert!(message.contains(part), "{message}");
    }

    const CONTROLLER: (&str, &str) = ("controller.listener.names", "CONTROLLER");
    const BOTH: (&str, &str) = ("listeners", "PLAINTEXT://:9092,CONTROLLER://:9093");

    #[test]
    fn voters_and_bootstrap_servers_are_read() {
        let quorum = read(&[
            ("node.id", "1"),
            CONTROLLER,
            BOTH,
            ("controller.quorum.voters", "1@a:9093, 2@[::1]:9093"),
            ("controller.quorum.bootstrap.servers", "c:1"),
        ])
        .unwrap()
        .quorum;
        let address = |host: &str, port| HostPort { host: host.to_owned(), port };
        assert_eq!(quorum.voters[1].id, BrokerId(2));
        assert_eq!(quorum.addresses(), [address("a", 9093), address("::1", 9093), address("c", 1)]);
        refuses(&[("controller.quorum.voters", "a:9093")], "id@host:port");
        refuses(&[("controller.quorum.voters", "1@a:1,1@b:1")], "twice");
    }

    #[test]
    fn a_controller_that_is_told_of_others_joins_them() {
        let servers = |text| ("controller.quorum.bootstrap.servers", text);
        let joins = |text| read(&[CONTROLLER, BOTH, servers(text)]).unwrap().joins_a_quorum();
        assert!(joins("a:9093,b:9093,c:9093"));
        assert!(joins("localhost:9193"));
        // As Kafka's own server.properties of a single node has it.
        assert!(!joins("localhost:9093"));
        refuses(&[servers("a:9093,b:9093")], "controller.listener.names");
        let voters = ("controller.quorum.voters", "1@localhost:9093");
        let named = read(&[CONTROLLER, BOTH, voters, servers("a:9093,b:9093")]).unwrap();
        assert!(!named.joins_a_quorum());
    }

    #[test]
    fn a_role_says_what_else_must_be_there() {
        let broker = ("process.roles", "broker");
        let voters = ("controller.quorum.voters", "2@h:9093");
        refuses(&[broker], "where the controllers are");
        refuses(&[broker, ("node.id", "2"), voters], "must not be included");
        refuses(&[broker, voters, CONTROLLER, BOTH], "must not name a listener");
        refuses(&[voters], "must be included");
        let controller = ("process.roles", "controller");
        refuses(&[controller, CONTROLLER, BOTH], "just a controller");
        refuses(&[controller, ("listeners", "PLAINTEXT://:9092")], "just a controller");
        let alone = [controller, CONTROLLER, ("listeners", "CONTROLLER://:9093")];
        assert!(!read(&alone).unwrap().node.is_broker);
        assert!(read(&[broker, voters, CONTROLLER]).unwrap().node.is_broker);
    }
}
