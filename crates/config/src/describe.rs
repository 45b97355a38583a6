//! What DescribeConfigs says: every property with its value, where that comes from, and what else
//! was said.

use crate::layers::{BrokerLayers, Overrides, Source};
use crate::property::{Kind, Property, UpdateMode};
use crate::table::{broker_properties, broker_property, find_broker_property, is_removed};
use crate::topic_table::{GROUP_PROPERTIES, TOPIC_PROPERTIES, TopicProperty, topic_property};

/// One described property.
#[doc(alias = "DescribeConfigsResourceResult")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigEntry {
    pub name: String,
    /// `None` for null, and for everything that must not be shown.
    pub value: Option<String>,
    pub source: Source,
    pub read_only: bool,
    pub sensitive: bool,
    pub kind: Kind,
    pub doc: &'static str,
    /// All that was said about it, the winner first.
    pub synonyms: Vec<Synonym>,
}

/// One place that says something about a property, perhaps under another name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Synonym {
    pub name: String,
    pub value: Option<String>,
    pub source: Source,
}

/// Broker properties that are one setting in several units, the strongest first.
/// Source: Kafka `DynamicBrokerConfig.brokerConfigSynonyms`.
const FAMILIES: &[&[&str]] = &[
    &["log.roll.ms", "log.roll.hours"],
    &["log.roll.jitter.ms", "log.roll.jitter.hours"],
    &["log.retention.ms", "log.retention.minutes", "log.retention.hours"],
];

/// Describes every property of a topic.
pub fn describe_topic(topic: &Overrides, broker: &BrokerLayers<'_>) -> Vec<ConfigEntry> {
    TOPIC_PROPERTIES.iter().map(|row| topic_entry(row, topic, broker)).collect()
}

/// Describes the named properties of a topic; unknown names are left out, as Kafka does.
pub fn describe_topic_names<'n>(
    names: impl IntoIterator<Item = &'n str>,
    topic: &Overrides,
    broker: &BrokerLayers<'_>,
) -> Vec<ConfigEntry> {
    let rows = names.into_iter().filter_map(topic_property);
    rows.map(|row| topic_entry(row, topic, broker)).collect()
}

/// Describes every property of a broker, and what was set for single listeners.
pub fn describe_broker(broker: &BrokerLayers<'_>) -> Vec<ConfigEntry> {
    let current = broker_properties().filter(|property| !is_removed(property.name));
    let mut entries: Vec<_> = current.map(|p| broker_entry(p.name, p, broker)).collect();
    let layers = [broker.dynamic_broker, broker.dynamic_default, broker.static_broker];
    for name in layers.into_iter().flat_map(|layer| layer.keys()) {
        if entries.iter().any(|entry| entry.name == *name) {
            continue;
        }
        if let Some(property) = find_broker_property(name) {
            entries.push(broker_entry(name, property, broker));
        }
    }
    entries
}

/// Describes what is set for all brokers at run time (the resource with an empty name).
pub fn describe_broker_defaults(dynamic_default: &Overrides) -> Vec<ConfigEntry> {
    let described = dynamic_default.iter().filter_map(|(name, text)| {
        let property = find_broker_property(name)?;
        let value = shown(property, Some(text));
        let source = Source::DynamicDefaultBroker;
        let synonym = Synonym { name: name.clone(), value: value.clone(), source };
        Some(entry(name, property, value, vec![synonym]))
    });
    described.collect()
}

/// Describes every property that a group may have of its own.
///
/// Only the group's own value is listed among the synonyms: that is how Kafka answers.
pub fn describe_group(group: &Overrides, broker: &BrokerLayers<'_>) -> Vec<ConfigEntry> {
    let described = GROUP_PROPERTIES.iter().map(|property| {
        let name = property.name;
        if let Some(text) = group.get(name) {
            let value = shown(property, Some(text));
            let source = Source::Group;
            let own = Synonym { name: name.to_owned(), value: value.clone(), source };
            return entry(name, property, value, vec![own]);
        }
        let of_broker = broker_property(&format!("group.{name}"));
        let value = of_broker.and_then(|property| broker.value(property));
        let value = value.map(|value| value.to_string());
        entry(name, property, value.or_else(|| property.default.map(str::to_owned)), Vec::new())
    });
    described.collect()
}

fn topic_entry(row: &TopicProperty, topic: &Overrides, broker: &BrokerLayers<'_>) -> ConfigEntry {
    let property = &row.property;
    let value = Some(broker.topic_value(topic, row).to_string());
    let mut synonyms = Vec::new();
    if topic.contains_key(property.name) {
        let name = property.name.to_owned();
        synonyms.push(Synonym { name, value: value.clone(), source: Source::Topic });
    }
    if let Some((name, _)) = row.synonyms.first() {
        synonyms.extend(broker_synonyms(name, broker));
    }
    entry(property.name, property, value, synonyms)
}

fn broker_entry(name: &str, property: &Property, broker: &BrokerLayers<'_>) -> ConfigEntry {
    let value = broker
        .settings(name)
        .find_map(|(_, text)| property.parse(text).ok())
        .or_else(|| property.default.and_then(|text| property.parse(text).ok()))
        .map(|value| value.to_string());
    let value = shown(property, value.as_deref());
    let mut described = entry(name, property, value, broker_synonyms(name, broker));
    described.read_only = property.update == UpdateMode::ReadOnly;
    described
}

fn entry(
    name: &str,
    property: &Property,
    value: Option<String>,
    synonyms: Vec<Synonym>,
) -> ConfigEntry {
    ConfigEntry {
        name: name.to_owned(),
        value,
        source: synonyms.first().map_or(Source::Default, |synonym| synonym.source),
        read_only: false,
        sensitive: property.is_sensitive(),
        kind: property.kind,
        doc: property.doc,
        synonyms,
    }
}

/// Everything said about a broker property under its name and its family's.
///
/// What stands before the first mention of `name` itself is left out: that is how Kafka answers,
/// also where it hides that `log.retention.hours` decided a topic's `retention.ms`.
fn broker_synonyms(name: &str, broker: &BrokerLayers<'_>) -> Vec<Synonym> {
    let alone = [name];
    let family = FAMILIES.iter().find(|family| family.contains(&name)).copied();
    let base = name
        .starts_with("listener.name.")
        .then(|| find_broker_property(name).map(|property| property.name))
        .flatten();
    let mut names: Vec<&str> = family.unwrap_or(&alone).to_vec();
    names.extend(base);
    let mut synonyms = Vec::new();
    for source in [Source::DynamicBroker, Source::DynamicDefaultBroker, Source::StaticBroker] {
        for name in &names {
            let said = broker.settings(name).find(|(from, _)| *from == source);
            if let (Some((_, text)), Some(property)) = (said, find_broker_property(name)) {
                let value = shown(property, Some(text));
                synonyms.push(Synonym { name: (*name).to_owned(), value, source });
            }
        }
    }
    for name in &names {
        let property = find_broker_property(name).filter(|property| property.name == *name);
        if let Some(default) = property.and_then(|property| property.default) {
            let value = Some(default.to_owned());
            synonyms.push(Synonym { name: (*name).to_owned(), value, source: Source::Default });
        }
    }
    synonyms.into_iter().skip_while(|synonym| synonym.name != name).collect()
}

fn shown(property: &Property, text: Option<&str>) -> Option<String> {
    if property.is_sensitive() { None } else { text.map(str::to_owned) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(pairs: &[(&str, &str)]) -> Overrides {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    fn synonyms(entry: &ConfigEntry) -> Vec<String> {
        let text = |s: &Synonym| {
            format!("{}:{}={}", s.source.name(), s.name, s.value.as_deref().unwrap_or("null"))
        };
        entry.synonyms.iter().map(text).collect()
    }

    #[track_caller]
    fn find<'a>(entries: &'a [ConfigEntry], name: &str) -> &'a ConfigEntry {
        entries.iter().find(|entry| entry.name == name).unwrap()
    }

    #[test]
    fn a_topics_value_lists_every_place_that_spoke_most_specific_first() {
        let (file, all, one) = (
            set(&[("log.segment.bytes", "536870912")]),
            set(&[("log.segment.bytes", "2097152")]),
            set(&[("log.segment.bytes", "3145728")]),
        );
        let broker =
            BrokerLayers { dynamic_broker: &one, dynamic_default: &all, static_broker: &file };
        let entries = describe_topic(&set(&[("segment.bytes", "4194304")]), &broker);
        let entry = find(&entries, "segment.bytes");
        assert_eq!(entry.value.as_deref(), Some("4194304"));
        assert_eq!(
            synonyms(entry),
            [
                "DYNAMIC_TOPIC_CONFIG:segment.bytes=4194304",
                "DYNAMIC_BROKER_CONFIG:log.segment.bytes=3145728",
                "DYNAMIC_DEFAULT_BROKER_CONFIG:log.segment.bytes=2097152",
                "STATIC_BROKER_CONFIG:log.segment.bytes=536870912",
                "DEFAULT_CONFIG:log.segment.bytes=1073741824",
            ]
        );
    }

    #[test]
    fn retention_in_hours_decides_but_is_not_listed_as_in_kafka() {
        let file = set(&[("log.retention.hours", "100")]);
        let entries = describe_topic(&Overrides::new(), &BrokerLayers::only_static(&file));
        let entry = find(&entries, "retention.ms");
        assert_eq!(entry.value.as_deref(), Some("360000000"));
        assert!(entry.synonyms.is_empty());
    }

    #[test]
    fn a_broker_property_knows_whether_it_may_change() {
        let file = set(&[("num.partitions", "3"), ("log.retention.ms", "5")]);
        let entries = describe_broker(&BrokerLayers::only_static(&file));
        assert!(find(&entries, "num.partitions").read_only);
        let retention = find(&entries, "log.retention.ms");
        assert!(!retention.read_only);
        assert_eq!(
            synonyms(retention),
            ["STATIC_BROKER_CONFIG:log.retention.ms=5", "DEFAULT_CONFIG:log.retention.hours=168"]
        );
    }

    #[test]
    fn a_password_is_never_shown() {
        let name = "listener.name.tls.ssl.key.password";
        let file = set(&[("ssl.key.password", "secret"), (name, "secret2")]);
        let entries = describe_broker(&BrokerLayers::only_static(&file));
        for name in ["ssl.key.password", name] {
            let entry = find(&entries, name);
            assert!(entry.sensitive && entry.value.is_none(), "{entry:?}");
            assert!(entry.synonyms.iter().all(|synonym| synonym.value.is_none()));
        }
    }

    #[test]
    fn a_groups_own_value_wins_over_the_brokers() {
        let file = set(&[("group.consumer.session.timeout.ms", "50000")]);
        let group = set(&[("consumer.session.timeout.ms", "55000")]);
        let entries = describe_group(&group, &BrokerLayers::only_static(&file));
        let entry = find(&entries, "consumer.session.timeout.ms");
        assert_eq!((entry.value.as_deref(), entry.source), (Some("55000"), Source::Group));
        assert_eq!(synonyms(entry), ["DYNAMIC_GROUP_CONFIG:consumer.session.timeout.ms=55000"]);
        let entries = describe_group(&Overrides::new(), &BrokerLayers::only_static(&file));
        let entry = find(&entries, "consumer.session.timeout.ms");
        assert_eq!((entry.value.as_deref(), entry.source), (Some("50000"), Source::Default));
    }
}
