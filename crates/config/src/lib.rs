//! The table of property names; parse, validate, describe, document.
//!
//! One declarative table per kind of thing (broker, topic, group) holds every name with its type,
//! default, range and meaning. Everything else is computed from it. Text ends here: the rest of the
//! house sees [`BrokerConfig`] and [`TopicConfig`] with plain fields.
//!
//! **Architecture Invariant:** no other crate reads a property by its name.

mod alter;
mod broker_config;
mod cleaner_config;
mod describe;
pub mod docs;
mod environment;
mod error;
mod layers;
mod listeners;
mod load;
mod lookup;
mod membership_config;
mod properties;
mod property;
mod quorum_config;
mod replication_config;
mod suggest;
mod table;
mod throttled_replicas;
mod topic_config;
mod topic_table;
mod value;

pub use alter::{AlterOp, AlterTarget, Alteration, alter, validate};
pub use broker_config::{
    BrokerConfig, GroupConfig, LogHousekeepingConfig, NetworkConfig, NodeConfig, OffsetsConfig,
    ProducerIdConfig, TopicDefaults,
};
pub use cleaner_config::CleanerConfig;
pub use describe::{
    ConfigEntry, Synonym, describe_broker, describe_broker_defaults, describe_group,
    describe_topic, describe_topic_names,
};
pub use environment::{EnvironmentProperties, environment_properties};
pub use error::ConfigError;
pub use layers::{BrokerLayers, Overrides, Source};
pub use listeners::{HttpListeners, Listener, SecurityProtocol};
pub use load::{Loaded, Sources, Warning, load};
pub use membership_config::MembershipConfig;
pub use properties::{parse_override, parse_properties};
pub use property::{Importance, Kind, Property, Rule, Status, UpdateMode};
pub use quorum_config::{HostPort, QuorumConfig, QuorumVoter};
pub use replication_config::{ReplicationConfig, ReplicationRates, replication_rates};
pub use suggest::nearest;
pub use table::{
    broker_properties, broker_property, broker_themes, find_broker_property, listener_property,
};
pub use throttled_replicas::Throttled;
pub use topic_config::{
    CleanupPolicy, CompressionType, Durability, TimestampType, TopicConfig, new_topic_overrides,
};
pub use topic_table::{
    GROUP_PROPERTIES, IGNORED_TOPIC_PROPERTIES, TOPIC_PROPERTIES, TopicProperty, group_property,
    topic_property,
};
pub use value::Value;
