//! Where a value can come from, and which place wins.

use std::collections::BTreeMap;

use crate::property::Property;
use crate::table::broker_property;
use crate::topic_table::TopicProperty;
use crate::value::Value;

/// Names and texts that somebody set.
pub type Overrides = BTreeMap<String, String>;

/// The place a value comes from. Source: Kafka `DescribeConfigsResponse.ConfigSource`.
#[doc(alias = "ConfigSource")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    Topic,
    DynamicBroker,
    DynamicDefaultBroker,
    StaticBroker,
    Default,
    Group,
}

impl Source {
    /// The number on the wire.
    pub const fn wire_code(self) -> i8 {
        match self {
            Source::Topic => 1,
            Source::DynamicBroker => 2,
            Source::DynamicDefaultBroker => 3,
            Source::StaticBroker => 4,
            Source::Default => 5,
            Source::Group => 8,
        }
    }

    /// The source with this number.
    pub const fn from_wire_code(code: i8) -> Option<Source> {
        match code {
            1 => Some(Source::Topic),
            2 => Some(Source::DynamicBroker),
            3 => Some(Source::DynamicDefaultBroker),
            4 => Some(Source::StaticBroker),
            5 => Some(Source::Default),
            8 => Some(Source::Group),
            _ => None,
        }
    }

    /// Kafka's name, as its tools print it.
    pub const fn name(self) -> &'static str {
        match self {
            Source::Topic => "DYNAMIC_TOPIC_CONFIG",
            Source::DynamicBroker => "DYNAMIC_BROKER_CONFIG",
            Source::DynamicDefaultBroker => "DYNAMIC_DEFAULT_BROKER_CONFIG",
            Source::StaticBroker => "STATIC_BROKER_CONFIG",
            Source::Default => "DEFAULT_CONFIG",
            Source::Group => "DYNAMIC_GROUP_CONFIG",
        }
    }
}

/// A broker's three layers of overrides. The first that knows a name wins.
#[derive(Clone, Copy, Debug)]
pub struct BrokerLayers<'a> {
    /// Set at run time for this broker.
    pub dynamic_broker: &'a Overrides,
    /// Set at run time for all brokers.
    pub dynamic_default: &'a Overrides,
    /// From the file, the environment and the command line.
    pub static_broker: &'a Overrides,
}

impl<'a> BrokerLayers<'a> {
    /// Layers of which only the file, environment and command line say anything.
    pub fn only_static(static_broker: &'a Overrides) -> BrokerLayers<'a> {
        static NONE: Overrides = Overrides::new();
        BrokerLayers { dynamic_broker: &NONE, dynamic_default: &NONE, static_broker }
    }

    /// Who set `name` to what, most specific first; the table's default is not among them.
    pub fn settings(&self, name: &str) -> impl Iterator<Item = (Source, &'a str)> {
        let layers = [
            (Source::DynamicBroker, self.dynamic_broker.get(name)),
            (Source::DynamicDefaultBroker, self.dynamic_default.get(name)),
            (Source::StaticBroker, self.static_broker.get(name)),
        ];
        layers.into_iter().filter_map(|(source, text)| Some((source, text?.as_str())))
    }

    /// The value in force, or `None` where it is null.
    ///
    /// A text that does not parse (it was written by a newer or a broken node) is passed over.
    pub fn value(&self, property: &Property) -> Option<Value> {
        self.setting_value(property)
            .or_else(|| property.default.and_then(|text| property.parse(text).ok()))
    }

    fn setting_value(&self, property: &Property) -> Option<Value> {
        self.settings(property.name).find_map(|(_, text)| property.parse(text).ok())
    }

    /// What the broker gives a topic that has no value of its own.
    pub fn topic_default(&self, row: &TopicProperty) -> Value {
        let synonyms = || {
            row.synonyms.iter().filter_map(|(name, factor)| Some((broker_property(name)?, *factor)))
        };
        let set = synonyms().find_map(|(p, factor)| Some(scale(self.setting_value(p)?, factor)));
        let default =
            || synonyms().find_map(|(p, factor)| Some(scale(p.parse(p.default?).ok()?, factor)));
        let value = set.or_else(default).unwrap_or_else(|| own_default(row));
        // Any negative retention in minutes or hours means for ever.
        match value {
            Value::Number(n) if n < -1 && row.property.name == "retention.ms" => Value::Number(-1),
            other => other,
        }
    }

    /// A topic's value in force.
    pub fn topic_value(&self, topic: &Overrides, row: &TopicProperty) -> Value {
        topic
            .get(row.property.name)
            .and_then(|text| row.property.parse(text).ok())
            .unwrap_or_else(|| self.topic_default(row))
    }
}

fn own_default(row: &TopicProperty) -> Value {
    let text = row.property.default.unwrap_or_default();
    row.property.parse(text).unwrap_or_else(|_| Value::Text(text.to_owned()))
}

fn scale(value: Value, factor: i64) -> Value {
    match value {
        Value::Number(number) => Value::Number(number.saturating_mul(factor)),
        other => other,
    }
}
