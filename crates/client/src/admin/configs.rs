//! Configurations: read and change.

use protocol::Str;
use protocol::messages::describe_configs_request::DescribeConfigsResource;
use protocol::messages::describe_configs_response::DescribeConfigsResourceResult;
use protocol::messages::incremental_alter_configs_request::{
    AlterConfigsResource, AlterableConfig,
};
use protocol::messages::{DescribeConfigsRequest, IncrementalAlterConfigsRequest};

use super::topics::unanswered;
use crate::error::ClientError;
use crate::routing::Client;

/// What a configuration belongs to. Source: Kafka `ConfigResource.Type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ResourceKind {
    Topic,
    Broker,
    BrokerLogger,
    ClientMetrics,
    Group,
}

impl ResourceKind {
    pub fn wire_code(self) -> i8 {
        match self {
            ResourceKind::Topic => 2,
            ResourceKind::Broker => 4,
            ResourceKind::BrokerLogger => 8,
            ResourceKind::ClientMetrics => 16,
            ResourceKind::Group => 32,
        }
    }

    pub fn word(self) -> &'static str {
        match self {
            ResourceKind::Topic => "topic",
            ResourceKind::Broker => "broker",
            ResourceKind::BrokerLogger => "broker-logger",
            ResourceKind::ClientMetrics => "client-metrics",
            ResourceKind::Group => "group",
        }
    }
}

/// One thing that has a configuration. A broker with an empty name stands for all brokers.
#[doc(alias = "ConfigResource")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    pub kind: ResourceKind,
    pub name: String,
}

impl Resource {
    pub fn new(kind: ResourceKind, name: &str) -> Resource {
        Resource { kind, name: name.to_owned() }
    }
}

/// A property with its value and where that comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    pub name: String,
    pub value: Option<String>,
    /// Source: Kafka `ConfigEntry.ConfigSource`, as its number.
    pub source: i8,
    pub is_read_only: bool,
    pub is_sensitive: bool,
    pub documentation: Option<String>,
    pub synonyms: Vec<DescribedSynonym>,
}

/// Another place that says something about the property.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DescribedSynonym {
    pub name: String,
    pub value: Option<String>,
    pub source: i8,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub name: String,
    pub op: ChangeOp,
}

/// What to do with a property.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChangeOp {
    Set(String),
    Delete,
    Append(String),
    Subtract(String),
}

impl Client {
    /// A resource's properties, or those named.
    pub fn describe_configs(
        &mut self,
        resource: &Resource,
        names: Option<&[String]>,
    ) -> Result<Vec<Described>, ClientError> {
        let what = format!("read the configuration of {} {}", resource.kind.word(), resource.name);
        let request = DescribeConfigsRequest {
            resources: vec![DescribeConfigsResource {
                resource_type: resource.kind.wire_code(),
                resource_name: Str::from(&resource.name),
                configuration_keys: names.map(|names| names.iter().map(Str::from).collect()),
            }],
            include_synonyms: true,
            include_documentation: true,
        };
        let broker = own_broker(resource);
        self.with_retries(|client| {
            let answer = match broker {
                Some(id) => client.call_broker(id, &request)?,
                None => client.call_any(&request)?,
            };
            let result = answer.results.into_iter().next().ok_or_else(|| unanswered(&what))?;
            match result.error_code {
                0 => Ok(result.configs.into_iter().map(described).collect()),
                code => Err(ClientError::broker(&what, code, result.error_message.as_deref())),
            }
        })
    }

    /// Changes a resource's configuration, all or nothing.
    pub fn alter_configs(
        &mut self,
        resource: &Resource,
        changes: &[Change],
        is_dry_run: bool,
    ) -> Result<(), ClientError> {
        self.alter(own_broker(resource), resource, changes, is_dry_run)
    }

    /// Changes the configuration that the controller keeps for a broker which may be gone.
    pub fn alter_configs_by_any(
        &mut self,
        resource: &Resource,
        changes: &[Change],
    ) -> Result<(), ClientError> {
        self.alter(None, resource, changes, false)
    }

    /// Asks `broker`, or whichever is connected.
    fn alter(
        &mut self,
        broker: Option<i32>,
        resource: &Resource,
        changes: &[Change],
        is_dry_run: bool,
    ) -> Result<(), ClientError> {
        let what =
            format!("change the configuration of {} {}", resource.kind.word(), resource.name);
        let request = IncrementalAlterConfigsRequest {
            resources: vec![AlterConfigsResource {
                resource_type: resource.kind.wire_code(),
                resource_name: Str::from(&resource.name),
                configs: changes.iter().map(alterable).collect(),
            }],
            validate_only: is_dry_run,
        };
        self.with_retries(|client| {
            let answer = match broker {
                Some(id) => client.call_broker(id, &request)?,
                None => client.call_any(&request)?,
            };
            let result = answer.responses.into_iter().next().ok_or_else(|| unanswered(&what))?;
            match result.error_code {
                0 => Ok(()),
                code => Err(ClientError::broker(&what, code, result.error_message.as_deref())),
            }
        })
    }
}

/// A single broker answers for itself: only it knows its file.
fn own_broker(resource: &Resource) -> Option<i32> {
    match resource.kind {
        ResourceKind::Broker | ResourceKind::BrokerLogger => resource.name.parse().ok(),
        _ => None,
    }
}

fn alterable(change: &Change) -> AlterableConfig {
    let (config_operation, value) = match &change.op {
        ChangeOp::Set(value) => (0, Some(Str::from(value))),
        ChangeOp::Delete => (1, None),
        ChangeOp::Append(value) => (2, Some(Str::from(value))),
        ChangeOp::Subtract(value) => (3, Some(Str::from(value))),
    };
    AlterableConfig { name: Str::from(&change.name), config_operation, value }
}

fn described(result: DescribeConfigsResourceResult) -> Described {
    let synonyms = result.synonyms.into_iter().map(|synonym| DescribedSynonym {
        name: synonym.name.to_string(),
        value: synonym.value.as_ref().map(Str::to_string),
        source: synonym.source,
    });
    Described {
        name: result.name.to_string(),
        value: result.value.as_ref().map(Str::to_string),
        source: result.config_source,
        is_read_only: result.read_only,
        is_sensitive: result.is_sensitive,
        documentation: result.documentation.as_ref().map(Str::to_string),
        synonyms: synonyms.collect(),
    }
}
