//! `KAFKA_LOG_DIRS=/data` in the environment means `log.dirs=/data`, as in Kafka's images.
//!
//! One underscore is a dot, two are an underscore, three a dash. The rule is the same in the
//! apache/kafka and in the Confluent images. Source: Kafka `KafkaDockerWrapper`.

use std::collections::BTreeMap;

const PREFIX: &str = "KAFKA_";

/// Variables of the start scripts that have the prefix but name no property.
const NOT_PROPERTIES: &[&str] = &[
    "KAFKA_VERSION",
    "KAFKA_HOME",
    "KAFKA_HEAP_OPTS",
    "KAFKA_OPTS",
    "KAFKA_JMX_OPTS",
    "KAFKA_JMX_PORT",
    "KAFKA_JMX_HOSTNAME",
    "KAFKA_JVM_PERFORMANCE_OPTS",
    "KAFKA_GC_LOG_OPTS",
    "KAFKA_LOG4J_OPTS",
    "KAFKA_LOG4J_ROOT_LOGLEVEL",
    "KAFKA_LOG4J_LOGGERS",
    "KAFKA_TOOLS_LOG4J_LOGLEVEL",
    "KAFKA_DEBUG",
];

/// What the environment says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EnvironmentProperties {
    pub properties: BTreeMap<String, String>,
    /// Variables that mean something to Kafka's start scripts and nothing here: there is no JVM.
    pub ignored: Vec<String>,
}

/// Picks the properties out of environment variables.
pub fn environment_properties(
    variables: impl IntoIterator<Item = (String, String)>,
) -> EnvironmentProperties {
    let mut found = EnvironmentProperties::default();
    for (name, value) in variables {
        if NOT_PROPERTIES.contains(&name.as_str()) {
            found.ignored.push(name);
        } else if let Some(rest) = name.strip_prefix(PREFIX).filter(|rest| !rest.is_empty()) {
            found.properties.insert(property_name(rest), value);
        }
    }
    found.ignored.sort();
    found
}

fn property_name(rest: &str) -> String {
    rest.to_lowercase().replace('_', ".").replace("...", "-").replace("..", "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn underscores_become_dots_underscores_and_dashes() {
        assert_eq!(property_name("LOG_DIRS"), "log.dirs");
        assert_eq!(property_name("A__B"), "a_b");
        assert_eq!(
            property_name("LISTENER_NAME_INTERNAL_SCRAM___SHA___256_SASL_JAAS_CONFIG"),
            "listener.name.internal.scram-sha-256.sasl.jaas.config"
        );
    }

    #[test]
    fn variables_of_the_start_scripts_are_no_properties() {
        let variables = [("KAFKA_HEAP_OPTS", "-Xmx1g"), ("KAFKA_NODE_ID", "4"), ("PATH", "/bin")];
        let found = environment_properties(
            variables.map(|(name, value)| (name.to_owned(), value.to_owned())),
        );
        assert_eq!(found.properties, BTreeMap::from([("node.id".to_owned(), "4".to_owned())]));
        assert_eq!(found.ignored, ["KAFKA_HEAP_OPTS"]);
    }
}
