//! `kafka-storage`. Source of flags and output: Kafka `StorageTool`.

mod first_voters;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use config::{BrokerConfig, NodeConfig, parse_properties};
use env::{Disk, Env, Rng};
use env_os::OsEnv;
use metadata::MetadataVersion;
use storage::MetaProperties;
use types::Uuid;

use super::feature_levels::{dependencies, mapping};
use super::options::{Flag, Parsed, Tool, switch, value};
use super::{ScriptError, ScriptResult};

const FLAGS: &[Flag] = &[
    value("config", "file", "The server's properties."),
    value("cluster-id", "id", "The id of the cluster."),
    value("c", "file", "Short for --config."),
    value("t", "id", "Short for --cluster-id."),
    switch("ignore-formatted", "Leave directories alone that are formatted already."),
    switch("g", "Short for --ignore-formatted."),
    switch("standalone", "A cluster with this one controller."),
    switch("s", "Short for --standalone."),
    switch("no-initial-controllers", "A controller that is added to others later."),
    switch("N", "Short for --no-initial-controllers."),
    value(
        "initial-controllers",
        "id@host:port:dir,…",
        "The controllers that vote first, this one among them.",
    ),
    value("I", "id@host:port:dir,…", "Short for --initial-controllers."),
    value(
        "release-version",
        "version",
        "version-mapping: of which release; format uses the newest.",
    ),
    value(
        "feature",
        "name=level",
        "feature-dependencies: of which levels; format uses the newest.",
    ),
    value("add-scram", "SCRAM-…=[…]", "Not supported yet."),
];

static TOOL: Tool = Tool {
    name: "kafka-storage",
    about: "The Kafka storage tool.\n\
            usage: kafka-storage info | format | random-uuid [options]",
    flags: FLAGS,
};

const META_PROPERTIES: &str = "meta.properties";

fn told(text: Result<String, String>) -> ScriptResult {
    print!("{}", text.map_err(ScriptError::Stderr)?);
    Ok(())
}

pub fn run(arguments: &[String]) -> ScriptResult {
    let Some((command, rest)) = arguments.split_first() else {
        let line = "usage: kafka-storage [-h]\nkafka-storage: error: too few arguments";
        return Err(ScriptError::Stderr(line.to_owned()));
    };
    let parsed = TOOL.parse(rest)?;
    match command.as_str() {
        "random-uuid" => {
            println!("{}", random_uuid(&OsEnv::new()));
            Ok(())
        }
        "format" => format(&parsed),
        "info" => info(&parsed),
        "-h" | "--help" => Err(ScriptError::Usage(&TOOL, TOOL.about.to_owned())),
        "version-mapping" => told(mapping(parsed.value("release-version"))),
        "feature-dependencies" => told(dependencies(parsed.values("feature"))),
        other => Err(ScriptError::Stderr(format!(
            "kafka-storage: error: invalid choice: '{other}' (choose from 'info', 'format', \
             'version-mapping', 'feature-dependencies', 'random-uuid')"
        ))),
    }
}

fn random_uuid(env: &OsEnv) -> Uuid {
    loop {
        let (high, low) = (env.rng().next_u64(), env.rng().next_u64());
        let bits = (u128::from(high) << 64) | u128::from(low);
        let id = Uuid::from_random(bits.to_be_bytes());
        // An id that begins with a dash would look like a flag.
        if !id.to_string().starts_with('-') {
            return id;
        }
    }
}

fn config(parsed: &Parsed) -> Result<BrokerConfig, ScriptError> {
    let file = parsed.value("config").or_else(|| parsed.value("c")).ok_or_else(|| {
        ScriptError::Stderr(
            "usage: kafka-storage format [-h] --config CONFIG --cluster-id CLUSTER_ID\n\
             kafka-storage: error: argument --config/-c is required"
                .to_owned(),
        )
    })?;
    let text = std::fs::read_to_string(file)
        .map_err(|error| crate::failure::file_failure("read", file, &error))?;
    let told = |error: config::ConfigError| ScriptError::Stderr(format!("{file}: {error}"));
    let properties = parse_properties(&text).map_err(told)?;
    BrokerConfig::from_properties(&properties).map_err(told)
}

/// All directories of a node: those of partitions, and the metadata log's.
fn directories(node: &NodeConfig) -> Vec<&str> {
    let mut directories: Vec<&str> = node.log_dirs.iter().map(String::as_str).collect();
    directories.push(&node.metadata_log_dir);
    directories.sort_unstable();
    directories.dedup();
    directories
}

fn format(parsed: &Parsed) -> ScriptResult {
    if parsed.has("add-scram") {
        return Err(ScriptError::Stderr("--add-scram is not supported here yet".to_owned()));
    }
    let cluster = parsed.value("cluster-id").or_else(|| parsed.value("t")).ok_or_else(|| {
        ScriptError::Stderr(
            "usage: kafka-storage format [-h] --config CONFIG --cluster-id CLUSTER_ID\n\
             kafka-storage: error: argument --cluster-id/-t is required"
                .to_owned(),
        )
    })?;
    let config = config(parsed)?;
    let (node, first) = (&config.node, first_voters::asked(parsed, &config)?);
    let ignores = parsed.has("ignore-formatted") || parsed.has("g");
    let env = OsEnv::new();
    let mut fresh = Vec::new();
    for directory in directories(node) {
        match read_properties(directory)? {
            None => fresh.push(directory),
            Some(_) if !ignores => {
                return Err(ScriptError::Stderr(format!(
                    "Log directory {directory} is already formatted. Use --ignore-formatted to \
                     ignore this directory and format the others."
                )));
            }
            Some(properties) if properties.cluster_id.as_deref() != Some(cluster) => {
                let read = properties.cluster_id.unwrap_or_default();
                return Err(ScriptError::Stderr(format!(
                    "Exception in thread \"main\" java.lang.RuntimeException: Invalid cluster.id \
                     in: {directory}/{META_PROPERTIES}. Expected {cluster}, but read {read}"
                )));
            }
            Some(_) => {}
        }
    }
    let mut out = io::stdout().lock();
    if fresh.is_empty() {
        writeln!(out, "All of the log directories are already formatted.")?;
        return Ok(());
    }
    for directory in fresh {
        let is_metadata = directory == node.metadata_log_dir;
        let kind = match (is_metadata, first.is_some()) {
            (true, true) => "dynamic metadata voter",
            (true, false) => "metadata",
            (false, _) => "data",
        };
        // What a new cluster starts with.
        let release = MetadataVersion::LATEST;
        writeln!(out, "Formatting {kind} directory {directory} with metadata.version {release}.")?;
        let properties = MetaProperties {
            cluster_id: Some(cluster.to_owned()),
            node_id: Some(node.node_id),
            directory_id: Some(match &first {
                Some(first) if is_metadata => first.directory,
                _ => random_uuid(&env),
            }),
        };
        if let Some(first) = first.as_ref().filter(|_| is_metadata) {
            // Before the directory counts as formatted.
            first.write(&env, directory)?;
        }
        write_properties(&env, directory, &properties)?;
    }
    Ok(())
}

fn write_properties(env: &OsEnv, directory: &str, properties: &MetaProperties) -> ScriptResult {
    let path = Path::new(directory);
    let disk = env.disk();
    disk.create_dir_all(path)
        .and_then(|()| {
            disk.replace_file(&path.join(META_PROPERTIES), properties.encode().as_bytes())
        })
        .map_err(|error| ScriptError::Stderr(format!("cannot format {directory}: {error}")))
}

/// What a directory says about itself; nothing if it was never formatted.
fn read_properties(directory: &str) -> Result<Option<MetaProperties>, ScriptError> {
    let path = Path::new(directory).join(META_PROPERTIES);
    match std::fs::read_to_string(&path) {
        Ok(text) => MetaProperties::decode(&text)
            .map(Some)
            .map_err(|error| ScriptError::Stderr(format!("{}: {error}", path.display()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(ScriptError::Stderr(format!("{}: {error}", path.display()))),
    }
}

fn info(parsed: &Parsed) -> ScriptResult {
    let node = config(parsed)?.node;
    let mut found = Vec::new();
    let mut problems = Vec::new();
    let mut metadata: BTreeMap<&str, String> = BTreeMap::new();
    for directory in directories(&node) {
        if !Path::new(directory).is_dir() {
            problems.push(format!("{directory} does not exist"));
            continue;
        }
        found.push(directory.to_owned());
        match read_properties(directory)? {
            None => problems.push(format!("{directory} is not formatted.")),
            Some(properties) if metadata.is_empty() => {
                metadata.insert("version", "1".to_owned());
                let fields = [
                    ("cluster.id", properties.cluster_id),
                    ("directory.id", properties.directory_id.map(|id| id.to_string())),
                    ("node.id", properties.node_id.map(|id| id.to_string())),
                ];
                metadata.extend(fields.into_iter().filter_map(|(key, value)| Some((key, value?))));
            }
            Some(_) => {}
        }
    }
    let mut out = io::stdout().lock();
    list(&mut out, "Found log director", ["y", "ies"], &found)?;
    if !metadata.is_empty() {
        let fields: Vec<String> = metadata.iter().map(|(k, v)| format!("{k}={v}")).collect();
        writeln!(out, "Found metadata: {{{}}}\n", fields.join(", "))?;
    }
    list(&mut out, "Found problem", ["", "s"], &problems)?;
    if problems.is_empty() { Ok(()) } else { Err(ScriptError::Silent) }
}

fn list(out: &mut dyn Write, head: &str, ends: [&str; 2], items: &[String]) -> io::Result<()> {
    if items.is_empty() {
        return Ok(());
    }
    let end = if items.len() == 1 { ends[0] } else { ends[1] };
    writeln!(out, "{head}{end}:")?;
    for item in items {
        writeln!(out, "  {item}")?;
    }
    writeln!(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn levels_of_releases_are_told_as_kafka_features_tells_them() {
        assert!(run(&arguments(&["version-mapping", "--release-version", "4.0-IV3"])).is_ok());
        assert!(run(&arguments(&["feature-dependencies", "--feature", "group.version=1"])).is_ok());
        match run(&arguments(&["version-mapping", "--release-version", "9"])) {
            Err(ScriptError::Stderr(told)) => assert!(told.contains("'9'"), "{told}"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn formatting_writes_an_identity_once() {
        let dir = tempfile::tempdir().unwrap();
        let (data, file) = (dir.path().join("data"), dir.path().join("server.properties"));
        std::fs::write(&file, format!("node.id=7\nlog.dirs={}\n", data.display())).unwrap();
        let file = file.to_str().unwrap();
        let cluster = "q1Sh-9_ISia_zwGINzRvyQ";
        assert!(matches!(run(&arguments(&["info", "-c", file])), Err(ScriptError::Silent)));
        assert!(run(&arguments(&["format", "-t", cluster, "-c", file])).is_ok());
        let properties = read_properties(data.to_str().unwrap()).ok().flatten().unwrap();
        assert_eq!(properties.cluster_id.as_deref(), Some(cluster));
        assert_eq!(properties.node_id.map(|id| id.0), Some(7));
        assert!(properties.directory_id.is_some());
        let again = run(&arguments(&["format", "-t", cluster, "-c", file]));
        assert!(matches!(again, Err(ScriptError::Stderr(line)) if line.contains("already")));
        let other = ["format", "-t", "other", "-c", file, "--ignore-formatted"];
        assert!(matches!(run(&arguments(&other)), Err(ScriptError::Stderr(_))));
        assert!(run(&arguments(&["info", "--config", file])).is_ok());
    }
}
