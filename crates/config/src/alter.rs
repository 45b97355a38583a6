//! Changes at run time: what IncrementalAlterConfigs may do to a set of overrides.

use crate::error::ConfigError;
use crate::layers::Overrides;
use crate::property::{Kind, Property, UpdateMode};
use crate::table::{broker_property, find_broker_property};
use crate::topic_table::{IGNORED_TOPIC_PROPERTIES, group_property, topic_property};
use crate::value::split_list;

/// What to do with one name. Source: Kafka `AlterConfigOp.OpType`.
#[doc(alias = "AlterConfigOp")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlterOp {
    Set,
    Delete,
    /// Add items to a list.
    Append,
    /// Remove items from a list.
    Subtract,
}

impl AlterOp {
    /// The operation with this number on the wire.
    pub const fn from_wire_code(code: i8) -> Option<AlterOp> {
        match code {
            0 => Some(AlterOp::Set),
            1 => Some(AlterOp::Delete),
            2 => Some(AlterOp::Append),
            3 => Some(AlterOp::Subtract),
            _ => None,
        }
    }

    pub const fn wire_code(self) -> i8 {
        self as i8
    }
}

/// Whose overrides change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlterTarget {
    Topic,
    Broker,
    /// All brokers: the resource with an empty name.
    BrokerDefaults,
    Group,
}

/// One change.
#[derive(Clone, Copy, Debug)]
pub struct Alteration<'a> {
    pub op: AlterOp,
    pub name: &'a str,
    pub value: Option<&'a str>,
}

/// Applies changes to `current` and returns all overrides as they will be, checked.
///
/// # Errors
/// A change of an unknown or unchangeable name, a list change of what is no list, a value that the
/// table refuses → `INVALID_CONFIG`. Nothing is applied then.
///
/// # Source
/// Kafka `ConfigurationControlManager.incrementalAlterConfigResource`.
pub fn alter(
    target: AlterTarget,
    current: &Overrides,
    changes: &[Alteration<'_>],
) -> Result<Overrides, ConfigError> {
    let mut altered = current.clone();
    for change in changes {
        if target == AlterTarget::Topic && IGNORED_TOPIC_PROPERTIES.contains(&change.name) {
            continue;
        }
        apply(target, &mut altered, change)?;
    }
    validate(target, &altered)?;
    Ok(altered)
}

fn apply(
    target: AlterTarget,
    altered: &mut Overrides,
    change: &Alteration<'_>,
) -> Result<(), ConfigError> {
    let name = change.name;
    let value = match (change.op, change.value) {
        (AlterOp::Delete, _) => {
            altered.remove(name);
            return Ok(());
        }
        (_, Some(value)) => value,
        (op, None) => {
            let op = format!("{op:?}").to_uppercase();
            return Err(ConfigError::new(format!("Null value not supported for : {op}:{name}")));
        }
    };
    if change.op == AlterOp::Set {
        altered.insert(name.to_owned(), value.to_owned());
        return Ok(());
    }
    let is_list = find(target, name).is_some_and(|property| property.kind == Kind::List);
    if !is_list {
        let op = format!("{:?}", change.op).to_uppercase();
        return Err(ConfigError::new(format!(
            "Can't {op} to key {name} because its type is not LIST."
        )));
    }
    let items = altered_list(target, altered.get(name).map(String::as_str), change, value);
    altered.insert(name.to_owned(), items.join(","));
    Ok(())
}

/// The list after an append or a subtraction. A list that nobody set begins at its default.
fn altered_list(
    target: AlterTarget,
    current: Option<&str>,
    change: &Alteration<'_>,
    value: &str,
) -> Vec<String> {
    let default = find(target, change.name).and_then(|property| property.default);
    let mut items = split_list(current.or(default).unwrap_or_default());
    let given = split_list(value.trim());
    if change.op == AlterOp::Subtract {
        items.retain(|item| !given.contains(item));
        return items;
    }
    for item in given {
        if !items.contains(&item) {
            items.push(item);
        }
    }
    items
}

fn find(target: AlterTarget, name: &str) -> Option<&'static Property> {
    match target {
        AlterTarget::Topic => topic_property(name).map(|row| &row.property),
        AlterTarget::Group => group_property(name),
        AlterTarget::Broker | AlterTarget::BrokerDefaults => find_broker_property(name),
    }
}

/// Checks a whole set of overrides for its target.
///
/// # Errors
/// The first thing wrong with it, in Kafka's words → `INVALID_CONFIG`.
pub fn validate(target: AlterTarget, overrides: &Overrides) -> Result<(), ConfigError> {
    match target {
        AlterTarget::Topic => crate::topic_config::validate_topic(overrides),
        AlterTarget::Group => validate_group(overrides),
        AlterTarget::Broker => validate_broker(overrides, true),
        AlterTarget::BrokerDefaults => validate_broker(overrides, false),
    }
}

fn validate_group(overrides: &Overrides) -> Result<(), ConfigError> {
    for (name, text) in overrides {
        let property = group_property(name)
            .ok_or_else(|| ConfigError::new(format!("Unknown group config name: {name}")))?;
        property.parse(text)?;
    }
    Ok(())
}

/// Unknown names pass: they may belong to plug-ins.
/// Source: Kafka `DynamicBrokerConfig.validateConfigs`.
fn validate_broker(overrides: &Overrides, one_broker: bool) -> Result<(), ConfigError> {
    for (name, text) in overrides {
        let Some(property) = find_broker_property(name) else { continue };
        if property.update == UpdateMode::ReadOnly {
            return Err(ConfigError::new(format!(
                "Cannot update these configs dynamically: Set({name})"
            )));
        }
        let for_one_only =
            property.update == UpdateMode::PerBroker || broker_property(name).is_none();
        if for_one_only && !one_broker {
            return Err(ConfigError::new(format!(
                "Cannot update these configs at default cluster level, broker id must be \
                 specified: Set({name})"
            )));
        }
        property.parse(text)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(pairs: &[(&str, &str)]) -> Overrides {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    fn change<'a>(op: AlterOp, name: &'a str, value: &'a str) -> Alteration<'a> {
        Alteration { op, name, value: Some(value) }
    }

    #[track_caller]
    fn refuses(target: AlterTarget, changes: &[Alteration<'_>], message: &str) {
        let error = alter(target, &Overrides::new(), changes).unwrap_err();
        assert_eq!(error.message(), message);
    }

    #[test]
    fn append_starts_from_the_default_and_adds_no_item_twice() {
        let appended = [change(AlterOp::Append, "cleanup.policy", "compact,delete")];
        let altered = alter(AlterTarget::Topic, &Overrides::new(), &appended).unwrap();
        assert_eq!(altered, set(&[("cleanup.policy", "delete,compact")]));
        let subtracted = [change(AlterOp::Subtract, "cleanup.policy", "delete")];
        let altered = alter(AlterTarget::Topic, &altered, &subtracted).unwrap();
        assert_eq!(altered, set(&[("cleanup.policy", "compact")]));
    }

    #[test]
    fn only_lists_can_be_appended_to() {
        refuses(
            AlterTarget::Topic,
            &[change(AlterOp::Append, "retention.ms", "5")],
            "Can't APPEND to key retention.ms because its type is not LIST.",
        );
    }

    #[test]
    fn deleting_what_is_not_there_is_no_error() {
        let deleted = [Alteration { op: AlterOp::Delete, name: "retention.ms", value: None }];
        assert_eq!(alter(AlterTarget::Topic, &Overrides::new(), &deleted), Ok(Overrides::new()));
    }

    #[test]
    fn a_null_value_is_refused() {
        refuses(
            AlterTarget::Topic,
            &[Alteration { op: AlterOp::Set, name: "retention.ms", value: None }],
            "Null value not supported for : SET:retention.ms",
        );
    }

    #[test]
    fn a_brokers_read_only_property_cannot_change() {
        refuses(
            AlterTarget::Broker,
            &[change(AlterOp::Set, "num.partitions", "5")],
            "Cannot update these configs dynamically: Set(num.partitions)",
        );
        refuses(
            AlterTarget::BrokerDefaults,
            &[change(AlterOp::Set, "listeners", "PLAINTEXT://:1")],
            "Cannot update these configs at default cluster level, broker id must be specified: \
             Set(listeners)",
        );
        let allowed = [change(AlterOp::Set, "log.retention.ms", "5")];
        assert!(alter(AlterTarget::BrokerDefaults, &Overrides::new(), &allowed).is_ok());
    }
}
