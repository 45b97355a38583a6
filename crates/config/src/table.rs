//! The table of every broker property: the one truth about names, types, defaults and meaning.
//!
//! One file a theme. Names, types, defaults and ranges are Kafka 4.2's; the sentences are ours.
//! "What is `foo.bar`?" is answered by searching this directory for the quoted name.

use crate::property::Property;

mod groups;
mod kraft;
mod log;
mod network;
mod observability;
mod removed;
mod replication;
mod security;
mod share;
mod tiered;
mod topic_defaults;
mod transactions;

/// Every broker property, by theme.
const THEMES: &[(&str, &[Property])] = &[
    ("Node and quorum", kraft::ROWS),
    ("Listeners and connections", network::ROWS),
    ("Topics", topic_defaults::ROWS),
    ("Log", log::ROWS),
    ("Groups and offsets", groups::ROWS),
    ("Transactions and producer ids", transactions::ROWS),
    ("Replication", replication::ROWS),
    ("Share groups and streams groups", share::ROWS),
    ("Tiered storage", tiered::ROWS),
    ("Quotas, metrics and telemetry", observability::ROWS),
    ("Security", security::ROWS),
    ("From older files", removed::ROWS),
];

/// Themes with their rows, in reading order.
pub fn broker_themes() -> impl Iterator<Item = (&'static str, &'static [Property])> {
    THEMES.iter().copied()
}

/// Every broker property, in reading order.
pub fn broker_properties() -> impl Iterator<Item = &'static Property> {
    THEMES.iter().flat_map(|(_, rows)| rows.iter())
}

/// Whether Kafka no longer has this property: it is described only where somebody set it.
pub(crate) fn is_removed(name: &str) -> bool {
    removed::ROWS.iter().any(|property| property.name == name)
}

/// The broker property of this name.
pub fn broker_property(name: &str) -> Option<&'static Property> {
    broker_properties().find(|property| property.name == name)
}

/// A listener's own value of a broker property: `listener.name.<listener>.<property>`.
///
/// SASL has one more level: `listener.name.<listener>.<mechanism>.sasl.jaas.config`.
pub fn listener_property(name: &str) -> Option<&'static Property> {
    let (_, rest) = name.strip_prefix("listener.name.")?.split_once('.')?;
    broker_property(rest).or_else(|| broker_property(rest.split_once('.')?.1))
}

/// The property that `name` means, with or without a listener's prefix.
pub fn find_broker_property(name: &str) -> Option<&'static Property> {
    broker_property(name).or_else(|| listener_property(name))
}

/// Whether files may hold keys of this kind that Kafka itself ignores or hands to plug-ins.
pub fn is_foreign(name: &str) -> bool {
    removed::FOREIGN_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::property::{Importance, Kind, Status};

    #[test]
    fn every_row_accepts_its_own_default_and_says_what_it_is() {
        for property in broker_properties() {
            if let Some(default) = property.default {
                property.parse(default).unwrap_or_else(|e| panic!("{}: {e}", property.name));
            }
            let doc = property.doc;
            assert!(doc.len() > 15 && doc.ends_with('.'), "{}: doc {doc:?}", property.name);
            if let Status::Accepted(reason) | Status::Refused(reason) = property.status {
                assert!(!reason.is_empty() && !reason.ends_with('.'), "{}", property.name);
            }
        }
    }

    #[test]
    fn no_name_stands_twice() {
        let mut names: Vec<_> = broker_properties().map(|p| p.name).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }

    #[test]
    fn secrets_are_passwords() {
        for property in broker_properties() {
            let name = property.name;
            let secret = name.ends_with(".password")
                || name.ends_with(".secret")
                || name.ends_with(".passphrase")
                || name == "sasl.jaas.config";
            assert!(!secret || property.kind == Kind::Password, "{name} would be shown");
        }
    }

    #[test]
    fn a_listeners_own_value_finds_its_property() {
        let found = |name| find_broker_property(name).map(|p| p.name);
        assert_eq!(found("listener.name.internal.max.connections"), Some("max.connections"));
        assert_eq!(
            found("listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config"),
            Some("sasl.jaas.config")
        );
        assert_eq!(found("listener.name.internal.nothing"), None);
        assert_eq!(broker_property("node.id").map(|p| p.importance), Some(Importance::High));
    }
}
