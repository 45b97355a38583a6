//! Dynamic configurations of topics, brokers and groups.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use protocol::metadata_records::ConfigRecord;

use crate::{OrderedMap, ReplayError};

/// Names and values as set, unparsed, in name order: what `config` calls overrides.
pub type ConfigMap = BTreeMap<String, String>;

/// What a configuration belongs to. Source: Kafka `ConfigResource.Type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(i8)]
pub enum ConfigResourceKind {
    Topic = 2,
    /// One broker by its id, or with an empty name the default of all brokers.
    Broker = 4,
    /// Log levels: never stored in the metadata log.
    BrokerLogger = 8,
    ClientMetrics = 16,
    Group = 32,
}

impl ConfigResourceKind {
    pub fn from_code(code: i8) -> Option<ConfigResourceKind> {
        use ConfigResourceKind::*;
        [Topic, Broker, BrokerLogger, ClientMetrics, Group]
            .into_iter()
            .find(|kind| kind.code() == code)
    }

    pub fn code(self) -> i8 {
        self as i8
    }

    /// Kafka's name, as its error messages print it.
    pub fn name(self) -> &'static str {
        match self {
            ConfigResourceKind::Topic => "TOPIC",
            ConfigResourceKind::Broker => "BROKER",
            ConfigResourceKind::BrokerLogger => "BROKER_LOGGER",
            ConfigResourceKind::ClientMetrics => "CLIENT_METRICS",
            ConfigResourceKind::Group => "GROUP",
        }
    }
}

/// One thing that has a configuration.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConfigResource {
    pub kind: ConfigResourceKind,
    pub name: Arc<str>,
}

impl ConfigResource {
    pub fn new(kind: ConfigResourceKind, name: impl Into<Arc<str>>) -> ConfigResource {
        ConfigResource { kind, name: name.into() }
    }

    pub fn topic(name: &str) -> ConfigResource {
        ConfigResource::new(ConfigResourceKind::Topic, name)
    }

    pub fn broker(id: types::BrokerId) -> ConfigResource {
        ConfigResource::new(ConfigResourceKind::Broker, id.to_string())
    }

    /// What every broker has unless it has its own.
    pub fn default_broker() -> ConfigResource {
        ConfigResource::new(ConfigResourceKind::Broker, "")
    }

    pub fn group(id: &str) -> ConfigResource {
        ConfigResource::new(ConfigResourceKind::Group, id)
    }
}

/// What is set, for every resource for which something is set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConfigsImage {
    by_resource: OrderedMap<ConfigResource, Arc<ConfigMap>>,
}

impl ConfigsImage {
    /// What is set for `resource`; empty if nothing is.
    pub fn get(&self, resource: &ConfigResource) -> Arc<ConfigMap> {
        self.by_resource.get(resource).cloned().unwrap_or_default()
    }

    pub fn value(&self, resource: &ConfigResource, name: &str) -> Option<&str> {
        self.by_resource.get(resource)?.get(name).map(String::as_str)
    }

    /// By kind, then by name.
    pub fn iter(&self) -> impl Iterator<Item = (&ConfigResource, &Arc<ConfigMap>)> {
        self.by_resource.iter()
    }

    pub fn is_empty(&self) -> bool {
        self.by_resource.is_empty()
    }

    /// This image with `delta` in it.
    pub fn apply(&self, delta: &ConfigsDelta) -> ConfigsImage {
        let mut image = self.clone();
        for (resource, changed) in &delta.changed {
            match changed.configs.is_empty() {
                true => image.by_resource.remove(resource),
                false => image.by_resource.insert(resource.clone(), Arc::clone(&changed.configs)),
            };
        }
        image
    }
}

/// What some records change about configurations.
#[derive(Clone, Debug, Default)]
pub struct ConfigsDelta {
    changed: BTreeMap<ConfigResource, ConfigDelta>,
}

#[derive(Clone, Debug, Default)]
struct ConfigDelta {
    /// Everything set for the resource, with the change in it.
    configs: Arc<ConfigMap>,
    names: BTreeSet<String>,
}

impl ConfigsDelta {
    /// Resources with a change, each with everything that is set now, in resource order.
    pub fn changed(&self) -> impl Iterator<Item = (&ConfigResource, &Arc<ConfigMap>)> {
        self.changed.iter().map(|(resource, delta)| (resource, &delta.configs))
    }

    /// The keys of `resource` that were set, removed, or set again to what they were: a broker
    /// re-reads a key store on the latter.
    pub fn changed_names(&self, resource: &ConfigResource) -> impl Iterator<Item = &str> {
        let names = self.changed.get(resource).into_iter().flat_map(|delta| &delta.names);
        names.map(String::as_str)
    }

    pub fn is_empty(&self) -> bool {
        self.changed.is_empty()
    }

    /// What leads from one image to another.
    pub(crate) fn between(before: &ConfigsImage, after: &ConfigsImage) -> ConfigsDelta {
        let resources = before.iter().chain(after.iter()).map(|(resource, _)| resource);
        let mut changed = BTreeMap::new();
        for resource in resources {
            let (was, configs) = (before.get(resource), after.get(resource));
            if was != configs {
                let all = was.keys().chain(configs.keys());
                let names = all.filter(|name| was.get(*name) != configs.get(*name));
                let names = names.cloned().collect();
                changed.insert(resource.clone(), ConfigDelta { configs, names });
            }
        }
        ConfigsDelta { changed }
    }

    pub(crate) fn set(
        &mut self,
        base: &ConfigsImage,
        record: &ConfigRecord,
    ) -> Result<(), ReplayError> {
        let kind = ConfigResourceKind::from_code(record.resource_type)
            .ok_or(ReplayError::UnknownResourceType(record.resource_type))?;
        let resource = ConfigResource::new(kind, &*record.resource_name);
        let delta = self.resource_mut(base, resource);
        let name = record.name.to_string();
        let configs = Arc::make_mut(&mut delta.configs);
        match &record.value {
            Some(value) => configs.insert(name.clone(), value.to_string()),
            None => configs.remove(&name),
        };
        delta.names.insert(name);
        Ok(())
    }

    /// What a deleted topic leaves behind goes with it.
    pub(crate) fn remove_all(&mut self, base: &ConfigsImage, resource: ConfigResource) {
        let delta = self.resource_mut(base, resource);
        delta.names.extend(delta.configs.keys().cloned());
        delta.configs = Arc::default();
    }

    fn resource_mut(&mut self, base: &ConfigsImage, resource: ConfigResource) -> &mut ConfigDelta {
        self.changed.entry(resource).or_insert_with_key(|resource| ConfigDelta {
            configs: base.get(resource),
            names: BTreeSet::new(),
        })
    }
}
