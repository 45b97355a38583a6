use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use config::{AlterOp, AlterTarget, Alteration, ConfigError, Overrides, alter};
use metadata::{ConfigMap, ConfigResource, ConfigResourceKind, MetadataRecord};
use protocol::Str;
use protocol::messages::alter_configs_request::AlterConfigsRequest;
use protocol::messages::alter_configs_response::AlterConfigsResponse;
use protocol::messages::incremental_alter_configs_request::IncrementalAlterConfigsRequest;
use protocol::messages::incremental_alter_configs_response::IncrementalAlterConfigsResponse;
use protocol::messages::{alter_configs_response, incremental_alter_configs_response};
use protocol::metadata_records::ConfigRecord;
use types::{BrokerId, ErrorCode};

use crate::error::outcome;
use crate::limits::{CONFIG_VALUE_BYTES_MAX, RECORDS_PER_REQUEST_MAX};
use crate::topic_name::validate_topic_name;
use crate::topic_rules::MIN_INSYNC_REPLICAS;
use crate::{ApiError, Controller, ControllerResult};

/// What a request wants of one resource.
struct Change<'a> {
    kind: i8,
    name: &'a Str,
    keys: Keys<'a>,
}

enum Keys<'a> {
    /// Everything that is to be set; what is not named goes back to its default.
    Replace(Vec<(&'a Str, Option<&'a Str>)>),
    /// Each key by itself, with the wire's number of what to do.
    Each(Vec<(i8, &'a Str, Option<&'a Str>)>),
}

impl Controller {
    /// Changes single keys of resources; a resource changes as a whole or not at all.
    ///
    /// Source: Kafka `ConfigurationControlManager.incrementalAlterConfigs`, `ConfigAdminManager`.
    pub fn incremental_alter_configs(
        &self,
        request: &IncrementalAlterConfigsRequest,
    ) -> ControllerResult<IncrementalAlterConfigsResponse> {
        use incremental_alter_configs_response::AlterConfigsResourceResponse;
        let changes = request.resources.iter().map(|resource| {
            let configs = resource.configs.iter();
            let keys = configs.map(|c| (c.config_operation, &c.name, c.value.as_ref())).collect();
            let (kind, name) = (resource.resource_type, &resource.resource_name);
            Change { kind, name, keys: Keys::Each(keys) }
        });
        let changes: Vec<_> = changes.collect();
        let decided = self.alter_resources(&changes);
        let reply = |outcomes: Vec<(i16, Option<Str>)>| {
            let responses = changes.iter().zip(outcomes).map(|(change, outcome)| {
                let (error_code, error_message) = outcome;
                let (resource_type, resource_name) = (change.kind, change.name.clone());
                AlterConfigsResourceResponse {
                    error_code,
                    error_message,
                    resource_type,
                    resource_name,
                }
            });
            let responses = responses.collect();
            IncrementalAlterConfigsResponse { responses, ..Default::default() }
        };
        decided.map(reply).without_records_if(request.validate_only)
    }

    /// Replaces everything set for resources: the older, coarser request.
    ///
    /// Source: Kafka `ConfigurationControlManager.legacyAlterConfigs`.
    pub fn alter_configs(
        &self,
        request: &AlterConfigsRequest,
    ) -> ControllerResult<AlterConfigsResponse> {
        use alter_configs_response::AlterConfigsResourceResponse;
        let changes = request.resources.iter().map(|resource| {
            let configs = resource.configs.iter();
            let keys = configs.map(|c| (&c.name, c.value.as_ref())).collect();
            let (kind, name) = (resource.resource_type, &resource.resource_name);
            Change { kind, name, keys: Keys::Replace(keys) }
        });
        let changes: Vec<_> = changes.collect();
        let decided = self.alter_resources(&changes);
        let reply = |outcomes: Vec<(i16, Option<Str>)>| {
            let responses = changes.iter().zip(outcomes).map(|(change, outcome)| {
                let (error_code, error_message) = outcome;
                let (resource_type, resource_name) = (change.kind, change.name.clone());
                AlterConfigsResourceResponse {
                    error_code,
                    error_message,
                    resource_type,
                    resource_name,
                }
            });
            AlterConfigsResponse { responses: responses.collect(), ..Default::default() }
        };
        decided.map(reply).without_records_if(request.validate_only)
    }

    /// One outcome a change, in order.
    fn alter_resources(&self, changes: &[Change<'_>]) -> ControllerResult<Vec<(i16, Option<Str>)>> {
        let mut times: BTreeMap<(i8, &str), usize> = BTreeMap::new();
        for change in changes {
            *times.entry((change.kind, change.name)).or_default() += 1;
        }
        let mut records = Vec::new();
        let mut eligible = Vec::new();
        let mut outcomes = Vec::with_capacity(changes.len());
        for change in changes {
            let once = times.get(&(change.kind, &**change.name)) == Some(&1);
            let altered = match once {
                true => self.alter_resource(change, &mut eligible),
                false => Err(ApiError::invalid_request("Each resource must appear at most once.")),
            };
            let altered = altered.and_then(|new| {
                let fits = records.len() + new.len() <= RECORDS_PER_REQUEST_MAX;
                fits.then_some(new).ok_or_else(ApiError::too_many_records)
            });
            outcomes.push(outcome(&altered));
            records.extend(altered.unwrap_or_default());
        }
        records.extend(eligible);
        ControllerResult::atomic(records, outcomes)
    }

    /// The changed keys; `eligible` gets what comes of them for partitions.
    fn alter_resource(
        &self,
        change: &Change<'_>,
        eligible: &mut Vec<MetadataRecord>,
    ) -> Result<Vec<MetadataRecord>, ApiError> {
        check_keys(&change.keys)?;
        let (resource, target) = self.target(change)?;
        let current = self.view().configs.get(&resource);
        let (altered, named) = apply(target, &current, &change.keys).map_err(|error| {
            // Kafka answers a broker's bad value with another code than a topic's (KAFKA-13609).
            let code = match resource.kind {
                ConfigResourceKind::Broker => ErrorCode::InvalidRequest,
                _ => ErrorCode::InvalidConfig,
            };
            ApiError::new(code, error.message())
        })?;
        check_sizes(altered.values().map(String::as_str))?;
        self.check_exists(&resource)?;
        if named.contains(MIN_INSYNC_REPLICAS) {
            self.check_min_isr(&resource, &altered)?;
            eligible.extend(self.recount_eligible(&resource, &altered));
        }
        Ok(records(&resource, &current, &altered, &named))
    }

    fn target(&self, change: &Change<'_>) -> Result<(ConfigResource, AlterTarget), ApiError> {
        let name: &str = change.name;
        let target = match ConfigResourceKind::from_code(change.kind) {
            Some(ConfigResourceKind::Topic) => {
                if name.is_empty() {
                    let message = "Default topic resources are not allowed.";
                    return Err(ApiError::invalid_request(message));
                }
                validate_topic_name(name).map_err(|error| {
                    ApiError::new(ErrorCode::InvalidTopicException, error.to_string())
                })?;
                AlterTarget::Topic
            }
            Some(ConfigResourceKind::Broker) if name.is_empty() => AlterTarget::BrokerDefaults,
            Some(ConfigResourceKind::Broker) => {
                self.check_broker_name(name)?;
                AlterTarget::Broker
            }
            Some(ConfigResourceKind::Group) if name.is_empty() => {
                let message = "Default group resources are not allowed.";
                return Err(ApiError::invalid_request(message));
            }
            Some(ConfigResourceKind::Group) => AlterTarget::Group,
            Some(ConfigResourceKind::BrokerLogger | ConfigResourceKind::ClientMetrics) | None => {
                let message = format!("Unknown resource type {}", change.kind);
                return Err(ApiError::invalid_request(message));
            }
        };
        let kind = ConfigResourceKind::from_code(change.kind).unwrap_or(ConfigResourceKind::Topic);
        Ok((ConfigResource::new(kind, name), target))
    }

    fn check_broker_name(&self, name: &str) -> Result<(), ApiError> {
        let Ok(id) = name.parse::<i32>() else {
            let message = format!("Node id must be an integer, but it is: {name}");
            return Err(ApiError::invalid_request(message));
        };
        match id < 0 {
            true => Err(ApiError::invalid_request("Invalid negative broker ID.")),
            false => Ok(()),
        }
    }

    fn check_exists(&self, resource: &ConfigResource) -> Result<(), ApiError> {
        let name = &*resource.name;
        match resource.kind {
            ConfigResourceKind::Topic if self.view().topics.by_name(name).is_none() => {
                let message = format!("The topic '{name}' does not exist.");
                Err(ApiError::new(ErrorCode::UnknownTopicOrPartition, message))
            }
            ConfigResourceKind::Broker if !name.is_empty() => {
                let id = name.parse().map(BrokerId).ok();
                match id.filter(|id| *id == self.node_id() || self.broker(*id).is_some()) {
                    Some(_) => Ok(()),
                    None => {
                        let message = format!("No node with id {name} found.");
                        Err(ApiError::new(ErrorCode::BrokerIdNotRegistered, message))
                    }
                }
            }
            _ => Ok(()),
        }
    }
}

/// What is wrong with the keys whatever they mean.
fn check_keys(keys: &Keys<'_>) -> Result<(), ApiError> {
    const DELETE: i8 = AlterOp::Delete.wire_code();
    let (names, nulls): (Vec<&Str>, Vec<&str>) = match keys {
        Keys::Replace(keys) => {
            let nulls = keys.iter().filter(|(_, value)| value.is_none());
            (
                keys.iter().map(|(name, _)| *name).collect(),
                nulls.map(|(name, _)| &***name).collect(),
            )
        }
        Keys::Each(keys) => {
            let nulls = keys.iter().filter(|(op, _, value)| *op != DELETE && value.is_none());
            let nulls = nulls.map(|(_, name, _)| &***name).collect();
            (keys.iter().map(|(_, name, _)| *name).collect(), nulls)
        }
    };
    let distinct: BTreeSet<&str> = names.iter().map(|name| &***name).collect();
    if distinct.len() != names.len() {
        return Err(ApiError::invalid_request("Error due to duplicate config keys"));
    }
    if !nulls.is_empty() {
        let message = format!("Null value not supported for : {}", nulls.join(", "));
        return Err(ApiError::invalid_request(message));
    }
    if let Keys::Each(keys) = keys
        && let Some((op, ..)) = keys.iter().find(|(op, ..)| AlterOp::from_wire_code(*op).is_none())
    {
        return Err(ApiError::invalid_request(format!("Unknown operations type {op}")));
    }
    Ok(())
}

/// Refuses values that are longer than any.
pub(crate) fn check_sizes<'a>(mut values: impl Iterator<Item = &'a str>) -> Result<(), ApiError> {
    if values.any(|value| value.len() > CONFIG_VALUE_BYTES_MAX) {
        let message = format!(
            "The configuration value cannot be added because it exceeds the maximum value size of \
             {CONFIG_VALUE_BYTES_MAX} bytes."
        );
        return Err(ApiError::new(ErrorCode::InvalidConfig, message));
    }
    Ok(())
}

/// What will be set, and the keys that were named.
fn apply(
    target: AlterTarget,
    current: &Overrides,
    keys: &Keys<'_>,
) -> Result<(Overrides, BTreeSet<String>), ConfigError> {
    match keys {
        Keys::Each(keys) => {
            let changes = keys.iter().filter_map(|(op, name, value)| {
                let op = AlterOp::from_wire_code(*op)?;
                Some(Alteration { op, name, value: value.map(|value| &**value) })
            });
            let changes: Vec<_> = changes.collect();
            let altered = alter(target, current, &changes)?;
            Ok((altered, keys.iter().map(|(_, name, _)| name.to_string()).collect()))
        }
        Keys::Replace(keys) => {
            let set = keys.iter().filter_map(|(name, value)| {
                Some(Alteration { op: AlterOp::Set, name, value: Some(&**(*value)?) })
            });
            let set: Vec<_> = set.collect();
            let altered = alter(target, &Overrides::new(), &set)?;
            let named = keys.iter().map(|(name, _)| name.to_string());
            Ok((altered, named.chain(current.keys().cloned()).collect()))
        }
    }
}

/// A record for each named key that changed. A broker's keys get one even unchanged: setting a key
/// store again makes the broker read it again (KAFKA-14136).
fn records(
    resource: &ConfigResource,
    current: &Arc<ConfigMap>,
    altered: &Overrides,
    named: &BTreeSet<String>,
) -> Vec<MetadataRecord> {
    let always = resource.kind == ConfigResourceKind::Broker;
    let changed = named.iter().filter(|name| always || current.get(*name) != altered.get(*name));
    let record = |name: &String| {
        MetadataRecord::Config(ConfigRecord {
            resource_type: resource.kind.code(),
            resource_name: (&*resource.name).into(),
            name: name.into(),
            value: altered.get(name).map(Str::from),
        })
    };
    changed.map(record).collect()
}
