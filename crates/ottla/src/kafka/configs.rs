//! `kafka-configs`. Source of flags and output: Kafka `ConfigCommand`.

mod additions;

use std::collections::BTreeMap;
use std::io::{self, Write};

use client::admin::configs::{Change, ChangeOp, Described, Resource, ResourceKind};
use client::{Client, ClientError, TopicsWanted};
use config::Source;

use super::exceptions::exception;
use super::options::{Flag, Parsed, Tool, switch, value};
use super::{ScriptError, ScriptResult, connect};

const FLAGS: &[Flag] = &[
    value("bootstrap-server", "host:port,…", "The brokers to connect to."),
    value("bootstrap-controller", "host:port,…", "The controllers to connect to."),
    value("command-config", "file", "Client properties."),
    switch("describe", "Show properties."),
    switch("alter", "Change properties."),
    switch("all", "Show all properties, also those that nobody has set."),
    value("entity-type", "type", "topics, brokers, groups, client-metrics, broker-loggers, …"),
    value("entity-name", "name", "The name of the entity."),
    switch("entity-default", "The default of all entities of the type."),
    value("add-config", "k=v,k=[a,b]", "Properties to set."),
    value("add-config-file", "file", "A file with properties to set."),
    value("delete-config", "k,k", "Properties to return to their defaults."),
    value("topic", "name", "Short for --entity-type topics --entity-name."),
    value("broker", "id", "Short for --entity-type brokers --entity-name."),
    switch("broker-defaults", "Short for --entity-type brokers --entity-default."),
    value("broker-logger", "id", "Short for --entity-type broker-loggers --entity-name."),
    value("group", "name", "Short for --entity-type groups --entity-name."),
    value("client-metrics", "name", "Short for --entity-type client-metrics --entity-name."),
    value("user", "name", "Short for --entity-type users --entity-name."),
    switch("user-defaults", "Short for --entity-type users --entity-default."),
    value("client", "name", "Short for --entity-type clients --entity-name."),
    switch("client-defaults", "Short for --entity-type clients --entity-default."),
    value("ip", "address", "Short for --entity-type ips --entity-name."),
    switch("ip-defaults", "Short for --entity-type ips --entity-default."),
    switch("force", "Do not ask."),
];

static TOOL: Tool = Tool {
    name: "kafka-configs",
    about: "This tool helps to manipulate and describe entity config for a topic, client, user, \
            broker, ip, client-metrics or group",
    flags: FLAGS,
};

pub fn run(arguments: &[String]) -> ScriptResult {
    if arguments.is_empty() {
        return Err(ScriptError::Usage(&TOOL, TOOL.about.to_owned()));
    }
    let parsed = TOOL.parse(arguments)?;
    if parsed.has("alter") == parsed.has("describe") {
        return Err(parsed.usage("Command must include exactly one action: --describe, --alter"));
    }
    let entity = Entity::of(&parsed)?;
    if parsed.has("bootstrap-controller") {
        let why = "--bootstrap-controller is not supported here yet; use --bootstrap-server";
        return Err(ScriptError::Stderr(why.to_owned()));
    }
    if !parsed.has("bootstrap-server") {
        return Err(parsed.usage(
            "One of the required options must be specified: --bootstrap-server or \
             --bootstrap-controller",
        ));
    }
    let changes = if parsed.has("alter") { additions::changes(&parsed)? } else { Vec::new() };
    let mut client = connect(&parsed, &["command-config"])?;
    let mut out = io::stdout().lock();
    let done = match parsed.has("alter") {
        true => alter(&mut client, &entity, &changes, &mut out),
        false => describe(&parsed, &mut client, &entity, &mut out),
    };
    match done {
        Err(ConfigsError::Client(error)) => {
            let told = exception(&error);
            eprintln!("Error while executing config command with args '{}'", arguments.join(" "));
            let line = format!("java.util.concurrent.ExecutionException: {told}");
            Err(ScriptError::Stderr(line))
        }
        Err(ConfigsError::Script(error)) => Err(error),
        Ok(()) => Ok(()),
    }
}

/// The cluster's error, told in Kafka's form, or the command line's.
enum ConfigsError {
    Client(ClientError),
    Script(ScriptError),
}

impl From<ClientError> for ConfigsError {
    fn from(error: ClientError) -> ConfigsError {
        ConfigsError::Client(error)
    }
}

impl From<io::Error> for ConfigsError {
    fn from(error: io::Error) -> ConfigsError {
        ConfigsError::Script(error.into())
    }
}

/// What has properties, and which one of its kind.
#[derive(Debug, PartialEq, Eq)]
struct Entity {
    kind: ResourceKind,
    name: Name,
}

#[derive(Debug, PartialEq, Eq)]
enum Name {
    Named(String),
    /// The default of all.
    Default,
    /// Every one.
    All,
}

/// Short flags: the type, and whether the flag means the default.
const SHORT: &[(&str, &str, bool)] = &[
    ("topic", "topics", false),
    ("broker", "brokers", false),
    ("broker-defaults", "brokers", true),
    ("broker-logger", "broker-loggers", false),
    ("group", "groups", false),
    ("client-metrics", "client-metrics", false),
    ("user", "users", false),
    ("user-defaults", "users", true),
    ("client", "clients", false),
    ("client-defaults", "clients", true),
    ("ip", "ips", false),
    ("ip-defaults", "ips", true),
];

impl Entity {
    fn of(parsed: &Parsed) -> Result<Entity, ScriptError> {
        let mut found: Option<(String, Name)> = None;
        if let Some(kind) = parsed.value("entity-type") {
            let name = match (parsed.value("entity-name"), parsed.has("entity-default")) {
                (Some(name), _) if !name.is_empty() => Name::Named(name.to_owned()),
                (Some(_), _) | (None, true) => Name::Default,
                (None, false) => Name::All,
            };
            found = Some((kind.to_owned(), name));
        }
        for (flag, kind, is_default) in SHORT {
            if !parsed.has(flag) {
                continue;
            }
            if found.is_some() {
                return Err(parsed.usage(
                    "--entity-{type,name,default} should not be used in conjunction with specific \
                     entity flags",
                ));
            }
            let name = match is_default {
                true => Name::Default,
                false => Name::Named(parsed.value(flag).unwrap_or_default().to_owned()),
            };
            found = Some(((*kind).to_owned(), name));
        }
        let Some((kind, name)) = found else {
            return Err(ScriptError::Stderr(
                "At least one entity type must be specified".to_owned(),
            ));
        };
        let kind = match kind.as_str() {
            "topics" => ResourceKind::Topic,
            "brokers" => ResourceKind::Broker,
            "groups" => ResourceKind::Group,
            "client-metrics" => ResourceKind::ClientMetrics,
            "broker-loggers" => ResourceKind::BrokerLogger,
            "users" | "clients" | "ips" => {
                let why = format!("quotas and credentials of {kind} are not supported here yet");
                return Err(ScriptError::Stderr(why));
            }
            other => {
                return Err(ScriptError::Stderr(format!(
                    "Invalid entity type {other}, the entity type must be one of topics, clients, \
                     users, brokers, ips, client-metrics, groups, broker-loggers with a \
                     --bootstrap-server or --bootstrap-controller argument"
                )));
            }
        };
        if parsed.has("alter") && name == Name::All {
            return Err(ScriptError::Stderr(
                "an entity name must be specified with --alter of the entity type".to_owned(),
            ));
        }
        Ok(Entity { kind, name })
    }

    fn resource(&self) -> Resource {
        match &self.name {
            Name::Named(name) => Resource::new(self.kind, name),
            Name::Default | Name::All => Resource::new(self.kind, ""),
        }
    }
}

fn alter(
    client: &mut Client,
    entity: &Entity,
    changes: &[Change],
    out: &mut dyn Write,
) -> Result<(), ConfigsError> {
    let resource = entity.resource();
    let deleted: Vec<&str> = changes
        .iter()
        .filter(|change| change.op == ChangeOp::Delete)
        .map(|change| change.name.as_str())
        .collect();
    if !deleted.is_empty() {
        let own = own_properties(client, &resource, false)?;
        let unset: Vec<&str> =
            deleted.into_iter().filter(|name| !own.contains_key(*name)).collect();
        if !unset.is_empty() {
            let why = format!("Invalid config(s): {}", unset.join(","));
            return Err(ConfigsError::Script(ScriptError::Stderr(why)));
        }
    }
    client.alter_configs(&resource, changes, false)?;
    let word = resource.kind.word();
    match resource.name.is_empty() {
        true => writeln!(out, "Completed updating default config for {word}s in the cluster.")?,
        false => writeln!(out, "Completed updating config for {word} {}.", resource.name)?,
    }
    Ok(())
}

fn describe(
    parsed: &Parsed,
    client: &mut Client,
    entity: &Entity,
    out: &mut dyn Write,
) -> Result<(), ConfigsError> {
    let with_defaults = parsed.has("all");
    if let Name::Named(name) = &entity.name
        && is_missing(client, entity.kind, name, with_defaults)?
    {
        let word = entity.kind.word();
        writeln!(out, "The {word} '{name}' doesn't exist and doesn't have dynamic config.")?;
        return Ok(());
    }
    let names: Vec<String> = match &entity.name {
        Name::Named(name) => vec![name.clone()],
        Name::Default => vec![String::new()],
        Name::All => all_names(client, entity.kind)?,
    };
    for name in names {
        let resource = Resource::new(entity.kind, &name);
        let described = own_properties(client, &resource, with_defaults)?;
        writeln!(out, "{}", heading(&resource, with_defaults))?;
        for entry in described.values() {
            writeln!(out, "{}", line(entry))?;
        }
    }
    Ok(())
}

/// Topics must exist; groups must exist or have a property.
fn is_missing(
    client: &mut Client,
    kind: ResourceKind,
    name: &str,
    with_defaults: bool,
) -> Result<bool, ClientError> {
    match kind {
        ResourceKind::Topic => {
            client.refresh(TopicsWanted::Named(vec![name.to_owned()]))?;
            Ok(client.cluster().topic(name).is_err())
        }
        ResourceKind::Group if !with_defaults => {
            let resource = Resource::new(kind, name);
            let has_own = !own_properties(client, &resource, false)?.is_empty();
            let exists = client.list_groups(&[], &[])?.iter().any(|group| group.id == name);
            Ok(!has_own && !exists)
        }
        _ => Ok(false),
    }
}

fn all_names(client: &mut Client, kind: ResourceKind) -> Result<Vec<String>, ClientError> {
    match kind {
        ResourceKind::Topic => {
            let cluster = client.refresh(TopicsWanted::All)?;
            Ok(cluster.topics.keys().cloned().collect())
        }
        ResourceKind::Group => {
            Ok(client.list_groups(&[], &[])?.into_iter().map(|group| group.id).collect())
        }
        ResourceKind::Broker | ResourceKind::BrokerLogger => {
            let ids = client.cluster().brokers.keys();
            let mut names: Vec<String> = ids.map(i32::to_string).collect();
            if kind == ResourceKind::Broker {
                names.push(String::new());
            }
            Ok(names)
        }
        ResourceKind::ClientMetrics => Ok(Vec::new()),
    }
}

/// Properties in the order Kafka's tool prints them: by name.
type ByName = BTreeMap<String, Described>;

fn own_properties(
    client: &mut Client,
    resource: &Resource,
    with_defaults: bool,
) -> Result<ByName, ClientError> {
    let own = match (resource.kind, resource.name.is_empty()) {
        (ResourceKind::Topic, _) => Source::Topic,
        (ResourceKind::Broker, true) => Source::DynamicDefaultBroker,
        (ResourceKind::Broker, false) => Source::DynamicBroker,
        _ => Source::Group,
    };
    let described = client.describe_configs(resource, None)?;
    let shown =
        described.into_iter().filter(|entry| with_defaults || entry.source == own.wire_code());
    Ok(shown.map(|entry| (entry.name.clone(), entry)).collect())
}

fn heading(resource: &Resource, with_defaults: bool) -> String {
    let word = resource.kind.word();
    if resource.name.is_empty() {
        return format!("Default configs for {word}s in the cluster are:");
    }
    let which = if with_defaults { "All" } else { "Dynamic" };
    format!("{which} configs for {word} {} are:", resource.name)
}

fn line(entry: &Described) -> String {
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "null".to_owned());
    let synonyms: Vec<String> = entry
        .synonyms
        .iter()
        .map(|synonym| {
            let source = Source::from_wire_code(synonym.source).map_or("UNKNOWN", Source::name);
            format!("{source}:{}={}", synonym.name, text(&synonym.value))
        })
        .collect();
    format!(
        "  {}={} sensitive={} synonyms={{{}}}",
        entry.name,
        text(&entry.value),
        entry.is_sensitive,
        synonyms.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use client::admin::configs::DescribedSynonym;

    use super::*;

    fn entity(arguments: &[&str]) -> Result<Entity, ScriptError> {
        let arguments: Vec<String> = arguments.iter().map(|a| (*a).to_owned()).collect();
        Entity::of(&TOOL.parse(&arguments).unwrap())
    }

    #[test]
    fn long_and_short_flags_name_the_same_things() {
        let topic = Entity { kind: ResourceKind::Topic, name: Name::Named("t".into()) };
        let long = entity(&["--entity-type", "topics", "--entity-name", "t"]).unwrap();
        assert_eq!(long, topic);
        assert_eq!(entity(&["--topic", "t"]).unwrap(), topic);
        let defaults = entity(&["--broker-defaults"]).unwrap();
        assert_eq!(defaults.resource(), Resource::new(ResourceKind::Broker, ""));
        assert!(entity(&["--topic", "t", "--broker", "1"]).is_err());
        assert!(entity(&[]).is_err());
    }

    #[test]
    fn lines_and_headings_are_kafkas() {
        let synonym = |name: &str, value: &str, source: Source| DescribedSynonym {
            name: name.to_owned(),
            value: Some(value.to_owned()),
            source: source.wire_code(),
        };
        let entry = Described {
            name: "segment.bytes".to_owned(),
            value: Some("2000000".to_owned()),
            source: Source::Topic.wire_code(),
            is_read_only: false,
            is_sensitive: false,
            documentation: None,
            synonyms: vec![
                synonym("segment.bytes", "2000000", Source::Topic),
                synonym("log.segment.bytes", "1073741824", Source::Default),
            ],
        };
        assert_eq!(
            line(&entry),
            "  segment.bytes=2000000 sensitive=false synonyms={DYNAMIC_TOPIC_CONFIG:segment.bytes=\
             2000000, DEFAULT_CONFIG:log.segment.bytes=1073741824}"
        );
        let topic = Resource::new(ResourceKind::Topic, "t");
        assert_eq!(heading(&topic, false), "Dynamic configs for topic t are:");
        assert_eq!(heading(&topic, true), "All configs for topic t are:");
        assert_eq!(
            heading(&Resource::new(ResourceKind::Broker, ""), false),
            "Default configs for brokers in the cluster are:"
        );
    }
}
