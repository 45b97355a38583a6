//! File, environment and command line become one configuration and a list of what to tell people.

use std::fmt;

use crate::broker_config::BrokerConfig;
use crate::environment::environment_properties;
use crate::error::ConfigError;
use crate::layers::Overrides;
use crate::properties::{parse_override, parse_properties};
use crate::property::Status;
use crate::suggest::nearest;
use crate::table::{broker_properties, find_broker_property, is_foreign};

/// Where a node's properties come from, weakest first.
#[derive(Clone, Debug, Default)]
pub struct Sources<'a> {
    /// The text of `server.properties`.
    pub file: Option<&'a str>,
    /// The whole environment; only `KAFKA_*` counts.
    pub environment: Vec<(String, String)>,
    /// Each `key=value`.
    pub overrides: &'a [String],
}

/// A configuration that can be run.
#[derive(Clone, Debug)]
pub struct Loaded {
    pub config: BrokerConfig,
    /// To be logged once, in this order.
    pub warnings: Vec<Warning>,
}

/// Something about the configuration that a person should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Warning {
    /// Known, differs from the default, and does nothing here.
    HasNoEffect { name: String, reason: &'static str },
    /// Nobody knows this name.
    Unknown { name: String, suggestion: Option<&'static str> },
    /// A variable of Kafka's start scripts.
    NoJvm { variable: String },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Warning::HasNoEffect { name, reason } => write!(f, "{name} has no effect: {reason}"),
            Warning::Unknown { name, suggestion: Some(known) } => {
                write!(f, "{name} is not a property that is known here; did you mean {known}?")
            }
            Warning::Unknown { name, suggestion: None } => {
                write!(f, "{name} is not a property that is known here")
            }
            Warning::NoJvm { variable } => write!(f, "{variable} has no effect: there is no JVM"),
        }
    }
}

/// Reads and checks everything.
///
/// # Errors
/// A malformed file or override, a value the table refuses, a property it is unsafe to ignore.
pub fn load(sources: Sources<'_>) -> Result<Loaded, ConfigError> {
    let mut properties = match sources.file {
        Some(text) => parse_properties(text)?,
        None => Overrides::new(),
    };
    let environment = environment_properties(sources.environment);
    properties.extend(environment.properties);
    for text in sources.overrides {
        let (name, value) = parse_override(text)?;
        properties.insert(name, value);
    }
    let mut warnings = check(&properties)?;
    let no_jvm = environment.ignored.into_iter().map(|variable| Warning::NoJvm { variable });
    warnings.extend(no_jvm);
    let config = BrokerConfig::from_properties(&properties)?;
    Ok(Loaded { config, warnings })
}

/// Checks every property by itself.
fn check(properties: &Overrides) -> Result<Vec<Warning>, ConfigError> {
    let mut warnings = Vec::new();
    for (name, text) in properties {
        let Some(property) = find_broker_property(name) else {
            if !is_foreign(name) {
                let suggestion = nearest(name, broker_properties().map(|p| p.name));
                warnings.push(Warning::Unknown { name: name.clone(), suggestion });
            }
            continue;
        };
        let value = property.parse(text)?;
        let default = property.default.and_then(|default| property.parse(default).ok());
        let says_nothing = text.trim().is_empty() && property.default.is_none();
        if default.as_ref() == Some(&value) || says_nothing {
            continue;
        }
        match property.status {
            Status::Honoured => {}
            Status::Accepted(reason) => {
                warnings.push(Warning::HasNoEffect { name: name.clone(), reason });
            }
            Status::Refused(reason) => {
                return Err(ConfigError::new(format!("{name} cannot be used: {reason}")));
            }
        }
    }
    Ok(warnings)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_file(text: &str) -> Result<Loaded, ConfigError> {
        load(Sources { file: Some(text), ..Sources::default() })
    }

    fn texts(loaded: &Loaded) -> Vec<String> {
        loaded.warnings.iter().map(Warning::to_string).collect()
    }

    #[test]
    fn a_line_on_the_command_beats_the_environment_beats_the_file() {
        let loaded = load(Sources {
            file: Some("node.id=1\nnum.partitions=1\nlog.dirs=/file"),
            environment: vec![
                ("KAFKA_NUM_PARTITIONS".into(), "2".into()),
                ("KAFKA_LOG_DIRS".into(), "/env".into()),
            ],
            overrides: &["log.dirs=/line".into()],
        });
        let config = loaded.unwrap().config;
        assert_eq!(config.node.node_id.0, 1);
        assert_eq!(config.topics.num_partitions, 2);
        assert_eq!(config.node.log_dirs, ["/line"]);
    }

    #[test]
    fn an_unknown_name_is_reported_with_its_neighbour_and_does_not_stop_the_node() {
        let loaded = of_file("num.partition=3\nconfluent.balancer=on").unwrap();
        let expected =
            "num.partition is not a property that is known here; did you mean num.partitions?";
        assert_eq!(texts(&loaded), [expected]);
    }

    #[test]
    fn a_property_without_effect_warns_once_and_only_when_it_differs_from_the_default() {
        let loaded =
            of_file("num.io.threads=8\nnum.network.threads=9\nzookeeper.connect=").unwrap();
        let expected = "num.network.threads has no effect: there is one event loop a core; threads \
                        are not configured";
        assert_eq!(texts(&loaded), [expected]);
    }

    #[test]
    fn what_would_be_unsafe_to_ignore_stops_the_node() {
        for (text, part) in [
            ("authorizer.class.name=x.Y", "everybody would be let in"),
            ("remote.log.storage.system.enable=true", "tiered storage"),
            ("listeners=SSL://:9093", "speaks SSL"),
            ("listeners=SASL_PLAINTEXT://:9093", "speaks SASL_PLAINTEXT"),
        ] {
            let message = of_file(text).unwrap_err().to_string();
            assert!(message.contains(part), "{message}");
        }
        assert!(of_file("authorizer.class.name=").is_ok());
    }

    #[test]
    fn a_value_of_the_wrong_type_names_itself() {
        let message = of_file("num.partitions=three").unwrap_err().to_string();
        assert_eq!(
            message,
            "Invalid value three for configuration num.partitions: Not a number of type INT"
        );
    }

    #[test]
    fn a_secret_in_a_warning_or_an_error_stays_hidden() {
        let loaded = of_file("ssl.key.password=hunter2\nsasl.jaas.config=hunter2").unwrap();
        assert_eq!(loaded.warnings.len(), 2);
        assert!(texts(&loaded).iter().all(|text| !text.contains("hunter2")));
    }
}
