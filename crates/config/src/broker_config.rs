//! A broker's configuration in plain fields: what the rest of the house sees.
//!
//! Field names are Kafka's property names with `_` for `.`, less what the struct's name says.

use types::BrokerId;

use crate::error::ConfigError;
use crate::layers::{BrokerLayers, Overrides};
use crate::listeners::{
    HttpListeners, Listener, ProtocolMap, SecurityProtocol, check_ports, check_routable,
    check_served, parse_http, parse_listeners,
};
use crate::lookup::BrokerLookup;
use crate::membership_config::MembershipConfig;
use crate::quorum_config::{self, QuorumConfig};
use crate::replication_config::ReplicationConfig;

/// Everything that decides how a node behaves, apart from topics (see [`crate::TopicConfig`]).
#[doc(alias = "KafkaConfig")]
#[derive(Clone, Debug)]
pub struct BrokerConfig {
    pub node: NodeConfig,
    pub network: NetworkConfig,
    pub topics: TopicDefaults,
    pub log: LogHousekeepingConfig,
    pub group: GroupConfig,
    pub offsets: OffsetsConfig,
    pub producer_ids: ProducerIdConfig,
    pub membership: MembershipConfig,
    pub replication: ReplicationConfig,
    pub quorum: QuorumConfig,
    /// What the file, the environment and the command line set, for [`BrokerLayers`].
    pub static_properties: Overrides,
}

/// Who this node is and where it is reached.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeConfig {
    pub node_id: BrokerId,
    pub is_broker: bool,
    pub is_controller: bool,
    /// Where clients connect.
    pub listeners: Vec<Listener>,
    /// Where controllers connect; empty unless `controller.listener.names` names some.
    pub controller_listeners: Vec<Listener>,
    /// What clients are told; one for each of `listeners` at least.
    pub advertised_listeners: Vec<Listener>,
    /// What `advertised.listeners` says of `controller_listeners`: what other controllers are told.
    pub advertised_controllers: Vec<Listener>,
    pub inter_broker_listener: String,
    pub http: HttpListeners,
    pub rack: Option<String>,
    pub log_dirs: Vec<String>,
    pub metadata_log_dir: String,
}

/// What connections may cost.
#[derive(Clone, Debug, PartialEq)]
pub struct NetworkConfig {
    /// -1 leaves it to the system.
    pub socket_send_buffer_bytes: i32,
    /// -1 leaves it to the system.
    pub socket_receive_buffer_bytes: i32,
    pub socket_request_max_bytes: i32,
    pub connections_max_idle_ms: i64,
    pub max_connections: i32,
    pub max_connections_per_ip: i32,
    /// Host and limit.
    pub max_connections_per_ip_overrides: Vec<(String, i32)>,
    pub fetch_max_bytes: i32,
    pub max_incremental_fetch_session_cache_slots: i32,
    pub max_request_partition_size_limit: i32,
}

/// What a topic gets when nobody says otherwise.
#[derive(Clone, Debug, PartialEq)]
pub struct TopicDefaults {
    pub num_partitions: i32,
    pub default_replication_factor: i16,
    pub auto_create_topics_enable: bool,
    pub delete_topic_enable: bool,
}

/// Periodic work on logs.
#[derive(Clone, Debug, PartialEq)]
pub struct LogHousekeepingConfig {
    pub retention_check_interval_ms: i64,
    pub flush_scheduler_interval_ms: i64,
    pub flush_offset_checkpoint_interval_ms: i32,
    pub flush_start_offset_checkpoint_interval_ms: i32,
    pub high_watermark_checkpoint_interval_ms: i64,
    pub initial_task_delay_ms: i64,
}

/// Groups: sessions, sizes, rebalances.
#[doc(alias = "GroupCoordinatorConfig")]
#[derive(Clone, Debug, PartialEq)]
pub struct GroupConfig {
    pub min_session_timeout_ms: i32,
    pub max_session_timeout_ms: i32,
    pub initial_rebalance_delay_ms: i32,
    pub max_size: i32,
    pub consumer_session_timeout_ms: i32,
    pub consumer_min_session_timeout_ms: i32,
    pub consumer_max_session_timeout_ms: i32,
    pub consumer_heartbeat_interval_ms: i32,
    pub consumer_min_heartbeat_interval_ms: i32,
    pub consumer_max_heartbeat_interval_ms: i32,
    pub consumer_max_size: i32,
    pub consumer_assignors: Vec<String>,
    /// In capitals: `DISABLED`, `DOWNGRADE`, `UPGRADE` or `BIDIRECTIONAL`.
    pub consumer_migration_policy: String,
    pub consumer_regex_refresh_interval_ms: i32,
}

/// Committed offsets and their topic.
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetsConfig {
    pub commit_timeout_ms: i32,
    pub load_buffer_size: i32,
    pub topic_replication_factor: i16,
    pub topic_num_partitions: i32,
    pub topic_segment_bytes: i32,
    pub metadata_max_bytes: i32,
    pub retention_minutes: i32,
    pub retention_check_interval_ms: i64,
}

/// How long partitions remember producers.
#[derive(Clone, Debug, PartialEq)]
pub struct ProducerIdConfig {
    pub expiration_ms: i32,
    pub expiration_check_interval_ms: i32,
}

impl BrokerConfig {
    /// The configuration that these properties mean, at start.
    ///
    /// # Errors
    /// What Kafka would refuse, and listeners that would have to be opened less secure than asked.
    pub fn from_properties(properties: &Overrides) -> Result<BrokerConfig, ConfigError> {
        let mut config = BrokerConfig::resolve(&BrokerLayers::only_static(properties))?;
        quorum_config::check_roles(&config)?;
        config.static_properties = properties.clone();
        Ok(config)
    }

    /// The configuration in force with what was set at run time.
    ///
    /// # Errors
    /// As [`from_properties`](Self::from_properties).
    pub fn resolve(layers: &BrokerLayers<'_>) -> Result<BrokerConfig, ConfigError> {
        let lookup = BrokerLookup::new(layers);
        Ok(BrokerConfig {
            node: node(&lookup)?,
            network: network(&lookup)?,
            topics: topics(&lookup),
            log: log(&lookup),
            group: group(&lookup),
            offsets: offsets(&lookup),
            membership: MembershipConfig::resolve(&lookup),
            producer_ids: ProducerIdConfig {
                expiration_ms: lookup.int("producer.id.expiration.ms"),
                expiration_check_interval_ms: lookup
                    .int("producer.id.expiration.check.interval.ms"),
            },
            replication: ReplicationConfig::resolve(&lookup),
            quorum: quorum_config::read(&lookup)?,
            static_properties: layers.static_broker.clone(),
        })
    }
}

/// A node that nobody numbered.
const DEFAULT_NODE_ID: i64 = 1;

fn node(lookup: &BrokerLookup<'_>) -> Result<NodeConfig, ConfigError> {
    let roles = lookup.list_or_unset("process.roles").unwrap_or_default();
    let has_role = |role: &str| roles.is_empty() || roles.iter().any(|name| name == role);
    let listeners = Listeners::read(lookup)?;
    let log_dirs = log_dirs(lookup)?;
    let metadata_log_dir =
        lookup.text_or_unset("metadata.log.dir").unwrap_or_else(|| log_dirs[0].clone());
    Ok(NodeConfig {
        node_id: BrokerId(node_id(lookup)?),
        is_broker: has_role("broker"),
        is_controller: has_role("controller"),
        listeners: listeners.clients,
        controller_listeners: listeners.controllers,
        advertised_listeners: listeners.advertised,
        advertised_controllers: listeners.advertised_controllers,
        inter_broker_listener: listeners.inter_broker,
        http: parse_http(&lookup.list("http.listeners"), lookup.is_set("http.listeners"))?,
        rack: lookup.text_or_unset("broker.rack"),
        log_dirs,
        metadata_log_dir,
    })
}

fn node_id(lookup: &BrokerLookup<'_>) -> Result<i32, ConfigError> {
    let broker_id = Some(i64::from(lookup.int("broker.id"))).filter(|id| *id >= 0);
    let id = match (lookup.number_or_unset("node.id"), broker_id) {
        (Some(node), Some(broker)) if node != broker => {
            return Err(ConfigError::new(format!(
                "`node.id` and `broker.id` must have the same value: they are {node} and {broker}"
            )));
        }
        (Some(id), _) | (None, Some(id)) => id,
        (None, None) => DEFAULT_NODE_ID,
    };
    i32::try_from(id).map_err(|_| ConfigError::new("node.id is out of range"))
}

fn log_dirs(lookup: &BrokerLookup<'_>) -> Result<Vec<String>, ConfigError> {
    let dirs = lookup.list_or_unset("log.dirs").unwrap_or_else(|| lookup.list("log.dir"));
    let dirs: Vec<String> = dirs.into_iter().filter(|dir| !dir.is_empty()).collect();
    if dirs.is_empty() {
        return Err(ConfigError::new(
            "At least one log directory must be defined via log.dirs or log.dir.",
        ));
    }
    if let Some(twice) = dirs.iter().enumerate().find(|(i, dir)| dirs[..*i].contains(dir)) {
        return Err(ConfigError::new(format!("log.dirs names {} twice", twice.1)));
    }
    Ok(dirs)
}

/// All that `listeners` and its relatives say.
struct Listeners {
    clients: Vec<Listener>,
    controllers: Vec<Listener>,
    advertised: Vec<Listener>,
    advertised_controllers: Vec<Listener>,
    inter_broker: String,
}

impl Listeners {
    fn read(lookup: &BrokerLookup<'_>) -> Result<Listeners, ConfigError> {
        let upper = |name: &String| name.to_uppercase();
        let controller_names =
            lookup.list_or_unset("controller.listener.names").unwrap_or_default();
        let controller_names: Vec<String> = controller_names.iter().map(upper).collect();
        let map_name = "listener.security.protocol.map";
        let protocols =
            ProtocolMap::parse(&lookup.text(map_name), lookup.is_set(map_name), &controller_names)?;
        let all = parse_listeners("listeners", &lookup.list("listeners"), &protocols)?;
        check_ports(&all)?;
        check_served(&all)?;
        let is_controller = |listener: &Listener| controller_names.contains(&listener.name);
        let (controllers, clients): (Vec<_>, Vec<_>) = all.into_iter().partition(is_controller);
        let advertised = match lookup.list_or_unset("advertised.listeners") {
            Some(items) => parse_listeners("advertised.listeners", &items, &protocols)?,
            None => clients.clone(),
        };
        check_routable(&advertised)?;
        let (advertised_controllers, advertised): (Vec<_>, Vec<_>) =
            advertised.into_iter().partition(is_controller);
        check_advertised_names(&clients, &advertised)?;
        let inter_broker = inter_broker_listener(lookup, &clients)?;
        Ok(Listeners { clients, controllers, advertised, advertised_controllers, inter_broker })
    }
}

fn check_advertised_names(
    clients: &[Listener],
    advertised: &[Listener],
) -> Result<(), ConfigError> {
    for listener in advertised {
        if !clients.iter().any(|client| client.name == listener.name) {
            let names: Vec<_> = clients.iter().map(|client| client.name.as_str()).collect();
            return Err(ConfigError::new(format!(
                "advertised.listeners names {}, which is not among the listeners for clients: {}",
                listener.name,
                names.join(",")
            )));
        }
    }
    Ok(())
}

fn inter_broker_listener(
    lookup: &BrokerLookup<'_>,
    clients: &[Listener],
) -> Result<String, ConfigError> {
    if let Some(name) = lookup.text_or_unset("inter.broker.listener.name") {
        if lookup.is_set("security.inter.broker.protocol") {
            return Err(ConfigError::new(
                "Only one of inter.broker.listener.name and security.inter.broker.protocol should \
                 be set.",
            ));
        }
        let name = name.to_uppercase();
        let known = clients.iter().any(|listener| listener.name == name);
        return if known {
            Ok(name)
        } else {
            Err(ConfigError::new(format!(
                "inter.broker.listener.name is {name}, which is not among the listeners"
            )))
        };
    }
    let protocol = lookup.text("security.inter.broker.protocol");
    let default = clients.iter().find(|listener| listener.name == protocol);
    let plain = || clients.iter().find(|l| l.protocol == SecurityProtocol::Plaintext);
    Ok(default.or_else(plain).map_or(protocol, |listener| listener.name.clone()))
}

fn network(lookup: &BrokerLookup<'_>) -> Result<NetworkConfig, ConfigError> {
    Ok(NetworkConfig {
        socket_send_buffer_bytes: lookup.int("socket.send.buffer.bytes"),
        socket_receive_buffer_bytes: lookup.int("socket.receive.buffer.bytes"),
        socket_request_max_bytes: lookup.int("socket.request.max.bytes"),
        connections_max_idle_ms: lookup.long("connections.max.idle.ms"),
        max_connections: lookup.int("max.connections"),
        max_connections_per_ip: lookup.int("max.connections.per.ip"),
        max_connections_per_ip_overrides: ip_overrides(lookup)?,
        fetch_max_bytes: lookup.int("fetch.max.bytes"),
        max_incremental_fetch_session_cache_slots: lookup
            .int("max.incremental.fetch.session.cache.slots"),
        max_request_partition_size_limit: lookup.int("max.request.partition.size.limit"),
    })
}

fn ip_overrides(lookup: &BrokerLookup<'_>) -> Result<Vec<(String, i32)>, ConfigError> {
    const NAME: &str = "max.connections.per.ip.overrides";
    let text = lookup.text(NAME);
    let items = crate::value::split_list(&text);
    let parsed = items.iter().map(|item| {
        let (host, limit) = item.rsplit_once(':')?;
        Some((host.trim().to_owned(), limit.trim().parse::<i32>().ok().filter(|n| *n >= 0)?))
    });
    parsed.collect::<Option<Vec<_>>>().ok_or_else(|| {
        ConfigError::invalid(&text, NAME, "expected host:limit pairs separated by commas")
    })
}

fn topics(lookup: &BrokerLookup<'_>) -> TopicDefaults {
    TopicDefaults {
        num_partitions: lookup.int("num.partitions"),
        default_replication_factor: lookup.short("default.replication.factor"),
        auto_create_topics_enable: lookup.boolean("auto.create.topics.enable"),
        delete_topic_enable: lookup.boolean("delete.topic.enable"),
    }
}

fn log(lookup: &BrokerLookup<'_>) -> LogHousekeepingConfig {
    LogHousekeepingConfig {
        retention_check_interval_ms: lookup.long("log.retention.check.interval.ms"),
        flush_scheduler_interval_ms: lookup.long("log.flush.scheduler.interval.ms"),
        flush_offset_checkpoint_interval_ms: lookup.int("log.flush.offset.checkpoint.interval.ms"),
        flush_start_offset_checkpoint_interval_ms: lookup
            .int("log.flush.start.offset.checkpoint.interval.ms"),
        high_watermark_checkpoint_interval_ms: lookup
            .long("replica.high.watermark.checkpoint.interval.ms"),
        initial_task_delay_ms: lookup.long("log.initial.task.delay.ms"),
    }
}

fn group(lookup: &BrokerLookup<'_>) -> GroupConfig {
    GroupConfig {
        min_session_timeout_ms: lookup.int("group.min.session.timeout.ms"),
        max_session_timeout_ms: lookup.int("group.max.session.timeout.ms"),
        initial_rebalance_delay_ms: lookup.int("group.initial.rebalance.delay.ms"),
        max_size: lookup.int("group.max.size"),
        consumer_session_timeout_ms: lookup.int("group.consumer.session.timeout.ms"),
        consumer_min_session_timeout_ms: lookup.int("group.consumer.min.session.timeout.ms"),
        consumer_max_session_timeout_ms: lookup.int("group.consumer.max.session.timeout.ms"),
        consumer_heartbeat_interval_ms: lookup.int("group.consumer.heartbeat.interval.ms"),
        consumer_min_heartbeat_interval_ms: lookup.int("group.consumer.min.heartbeat.interval.ms"),
        consumer_max_heartbeat_interval_ms: lookup.int("group.consumer.max.heartbeat.interval.ms"),
        consumer_max_size: lookup.int("group.consumer.max.size"),
        consumer_assignors: lookup.list("group.consumer.assignors"),
        consumer_migration_policy: lookup.text("group.consumer.migration.policy").to_uppercase(),
        consumer_regex_refresh_interval_ms: lookup.int("group.consumer.regex.refresh.interval.ms"),
    }
}

fn offsets(lookup: &BrokerLookup<'_>) -> OffsetsConfig {
    OffsetsConfig {
        commit_timeout_ms: lookup.int("offsets.commit.timeout.ms"),
        load_buffer_size: lookup.int("offsets.load.buffer.size"),
        topic_replication_factor: lookup.short("offsets.topic.replication.factor"),
        topic_num_partitions: lookup.int("offsets.topic.num.partitions"),
        topic_segment_bytes: lookup.int("offsets.topic.segment.bytes"),
        metadata_max_bytes: lookup.int("offset.metadata.max.bytes"),
        retention_minutes: lookup.int("offsets.retention.minutes"),
        retention_check_interval_ms: lookup.long("offsets.retention.check.interval.ms"),
    }
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

    #[test]
    fn nothing_set_is_a_whole_node_on_kafkas_port() {
        let node = read(&[]).unwrap().node;
        assert_eq!(node.node_id, BrokerId(1));
        assert!(node.is_broker && node.is_controller);
        assert_eq!(node.listeners[0].to_string(), "PLAINTEXT://:9092");
        assert_eq!(node.advertised_listeners, node.listeners);
        assert_eq!(node.log_dirs, ["/tmp/kafka-logs"]);
        assert_eq!(node.metadata_log_dir, "/tmp/kafka-logs");
        assert_eq!(node.inter_broker_listener, "PLAINTEXT");
    }

    #[test]
    fn the_older_name_of_the_node_id_counts_and_must_agree() {
        assert_eq!(read(&[("broker.id", "0")]).unwrap().node.node_id, BrokerId(0));
        assert_eq!(
            read(&[("node.id", "3"), ("broker.id", "3")]).unwrap().node.node_id,
            BrokerId(3)
        );
        refuses(&[("node.id", "3"), ("broker.id", "4")], "same value");
    }

    #[test]
    fn controllers_have_listeners_of_their_own_that_clients_never_hear_of() {
        let node = read(&[
            ("listeners", "PLAINTEXT://:9092,CONTROLLER://:9093"),
            ("controller.listener.names", "CONTROLLER"),
        ])
        .unwrap()
        .node;
        assert_eq!(node.listeners.len(), 1);
        assert_eq!(node.controller_listeners[0].to_string(), "CONTROLLER://:9093");
        assert_eq!(node.advertised_listeners, node.listeners);
    }

    #[test]
    fn an_unreachable_advertised_address_is_refused() {
        refuses(&[("advertised.listeners", "PLAINTEXT://0.0.0.0:9092")], "nonroutable");
        refuses(&[("listeners", "PLAINTEXT://0.0.0.0:9092")], "nonroutable");
        let two = ("listener.security.protocol.map", "PLAINTEXT:PLAINTEXT,OUT:PLAINTEXT");
        refuses(&[two, ("advertised.listeners", "OUT://h:1")], "not among the listeners");
    }

    #[test]
    fn the_listener_between_brokers_is_named_one_way() {
        refuses(
            &[
                ("inter.broker.listener.name", "PLAINTEXT"),
                ("security.inter.broker.protocol", "PLAINTEXT"),
            ],
            "Only one of",
        );
        refuses(&[("inter.broker.listener.name", "X")], "not among the listeners");
    }

    #[test]
    fn several_log_directories_win_over_the_single_one() {
        let node = read(&[("log.dir", "/one"), ("log.dirs", "/a, /b")]).unwrap().node;
        assert_eq!(node.log_dirs, ["/a", "/b"]);
        refuses(&[("log.dirs", "/a,/a")], "twice");
    }

    #[test]
    fn connection_limits_by_address_are_read() {
        let overrides = ("max.connections.per.ip.overrides", "host-1:5, 127.0.0.1:6");
        let network = read(&[overrides]).unwrap().network;
        let expected = [("host-1".to_owned(), 5), ("127.0.0.1".to_owned(), 6)];
        assert_eq!(network.max_connections_per_ip_overrides, expected);
        refuses(&[("max.connections.per.ip.overrides", "x")], "host:limit");
    }
}
