//! Our schema against the message catalogue inside Kafka's own jars, field by field.
//!
//! The jars are read where Maven put them and fetched if need be; nothing of them is kept.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use zip::ZipArchive;

use crate::schema::grammar::{Field, Kind, Message, Type, Versions};
use crate::schema::{self, Definition};

const RELEASE: &str = "4.2.0";
/// The artifacts whose catalogue we carry, and the folder inside each.
const ARTIFACTS: [(&str, &str); 4] = [
    ("kafka-clients", "common/message/"),
    ("kafka-metadata", "common/metadata/"),
    ("kafka-group-coordinator", "common/message/"),
    ("kafka-transaction-coordinator", "common/message/"),
];
/// The APIs whose latest version the release marks as not stable; we leave it out.
const LATEST_UNSTABLE: [&str; 1] = ["InitProducerId"];

/// Kafka has no such messages.
const OUR_OWN: [&str; 4] = [
    "DescribeCompactionRequest",
    "DescribeCompactionResponse",
    "QuorumMessageRequest",
    "QuorumMessageResponse",
];

#[test]
fn the_schema_says_what_kafkas_catalogue_says() {
    let mut theirs = BTreeMap::new();
    for (artifact, folder) in ARTIFACTS {
        match jar(artifact) {
            Ok(path) => theirs.extend(messages_in(&path, folder)),
            Err(why) if std::env::var("CI").is_ok_and(|ci| ci == "true") => panic!("{why}"),
            Err(why) => {
                eprintln!("skipped: the comparison with Kafka's catalogue ({why})");
                return;
            }
        }
    }
    let schema = schema::all();
    let ours: BTreeMap<&str, &Message> = schema
        .iter()
        .map(|Definition { message, .. }| (&*message.name, message))
        .filter(|(name, _)| !OUR_OWN.contains(name))
        .collect();
    let names = |all: &mut dyn Iterator<Item = String>| all.collect::<Vec<_>>().join("\n");
    assert_eq!(
        names(&mut ours.keys().map(|name| (*name).to_owned())),
        names(&mut theirs.keys().cloned())
    );
    for (name, definition) in &theirs {
        let (ours, theirs) = (our_lines(ours[name.as_str()]), their_lines(definition));
        assert_eq!(ours.join("\n"), theirs.join("\n"), "{name}");
    }
}

/// One line for the head and one for each field, in wire order.
fn our_lines(message: &Message) -> Vec<String> {
    let kind = match message.kind {
        Kind::Request => "request",
        Kind::Response => "response",
        Kind::Header => "header",
        Kind::Record => "metadata",
        Kind::Key => "coordinator-key",
        Kind::Value => "coordinator-value",
        Kind::Data => "data",
    };
    let flexible = range_text(message.flexible);
    let id = message.id.map_or("-".to_owned(), |id| id.to_string());
    let mut lines = vec![format!("{kind} id {id} {} flexible {flexible}", message.versions)];
    our_fields(message, &message.fields, message.versions, "", &mut lines);
    lines
}

fn our_fields(
    message: &Message,
    fields: &[Field],
    within: Versions,
    path: &str,
    lines: &mut Vec<String>,
) {
    for field in fields {
        let Some(versions) = field.versions.clip(within) else { continue };
        let name = format!("{path}{}", field.name.replace('_', ""));
        let tag = field.tag.map_or("-".to_owned(), |tag| tag.to_string());
        lines.push(format!(
            "{name} {} {versions} null {} tag {tag} default {} ignorable {} rigid {}",
            type_text(&field.ty),
            range_text(field.nullable.and_then(|range| range.clip(versions))),
            field.default.as_deref().unwrap_or("-").trim_matches('"'),
            field.ignorable,
            field.rigid,
        ));
        if let Some(inner) = schema::grammar::struct_name(&field.ty) {
            let inner = &message.structure(inner).fields;
            our_fields(message, inner, versions, &format!("{name}."), lines);
        }
    }
}

fn their_lines(message: &Value) -> Vec<String> {
    let every = Versions { first: 0, last: i16::MAX };
    let mut versions = range(&message["validVersions"], every).expect("only living messages");
    let name = text(&message["name"]);
    if LATEST_UNSTABLE.iter().any(|api| name.starts_with(api)) {
        assert!(name.ends_with("Response") || message["latestVersionUnstable"] == true);
        versions.last -= 1;
    }
    let kind = text(&message["type"]);
    let id = message["apiKey"].as_i64().map_or("-".to_owned(), |id| id.to_string());
    let flexible = range_text(range(&message["flexibleVersions"], versions));
    let mut lines = vec![format!("{kind} id {id} {versions} flexible {flexible}")];
    their_fields(message, &message["fields"], versions, "", &mut lines);
    lines
}

fn their_fields(
    message: &Value,
    fields: &Value,
    within: Versions,
    path: &str,
    lines: &mut Vec<String>,
) {
    for field in fields.as_array().into_iter().flatten() {
        // Some tagged fields leave out their versions.
        let versions = [&field["versions"], &field["taggedVersions"]];
        let versions = versions.into_iter().find(|v| !v.is_null()).expect("versions");
        let Some(versions) = range(versions, within) else { continue };
        if let Some(tagged) = range(&field["taggedVersions"], within) {
            assert!(tagged.covers(versions), "a field that is tagged in some versions only");
        }
        let name = format!("{path}{}", text(&field["name"]).to_lowercase());
        let ty = text(&field["type"]);
        lines.push(format!(
            "{name} {ty} {versions} null {} tag {} default {} ignorable {} rigid {}",
            range_text(range(&field["nullableVersions"], versions)),
            field["tag"].as_i64().map_or("-".to_owned(), |tag| tag.to_string()),
            default_text(field),
            text(&field["ignorable"]) == "true",
            field["flexibleVersions"] == "none",
        ));
        let shared = message["commonStructs"].as_array().into_iter().flatten();
        let named = shared.into_iter().find(|s| s["name"] == ty.trim_start_matches("[]"));
        let inner = named.map_or(&field["fields"], |shared| &shared["fields"]);
        their_fields(message, inner, versions, &format!("{name}."), lines);
    }
}

/// A default as our grammar writes it; `-` for what a type has by itself.
fn default_text(field: &Value) -> String {
    let value = text(&field["default"]);
    let own = match text(&field["type"]).as_str() {
        "bool" => value == "false",
        "string" => value.is_empty(),
        _ => value.parse() == Ok(0.0),
    };
    match value.strip_prefix("0x") {
        _ if own || value.is_empty() => "-".to_owned(),
        Some(hex) => i64::from_str_radix(hex, 16).expect("hex").to_string(),
        None => value,
    }
}

fn type_text(ty: &Type) -> String {
    match ty {
        Type::Struct(name) => name.clone(),
        Type::Array(item) => format!("[]{}", type_text(item)),
        plain => format!("{plain:?}").to_lowercase(),
    }
}

fn range_text(range: Option<Versions>) -> String {
    range.map_or("none".to_owned(), |range| range.to_string())
}

/// `3+`, `0-7`, `4` or `none`, clipped to `within`.
fn range(value: &Value, within: Versions) -> Option<Versions> {
    let text = value.as_str().filter(|text| *text != "none")?;
    let number = |text: &str| text.parse::<i16>().expect("a version");
    let range = match (text.strip_suffix('+'), text.split_once('-')) {
        (Some(first), _) => Versions { first: number(first), last: i16::MAX },
        (None, Some((first, last))) => Versions { first: number(first), last: number(last) },
        (None, None) => Versions { first: number(text), last: number(text) },
    };
    range.clip(within)
}

/// A JSON scalar as text; the catalogue quotes as it pleases.
fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn messages_in(jar: &Path, folder: &str) -> BTreeMap<String, Value> {
    let mut jar = ZipArchive::new(File::open(jar).unwrap()).unwrap();
    let mut messages = BTreeMap::new();
    for index in 0..jar.len() {
        let mut entry = jar.by_index(index).unwrap();
        let name = entry.name().unwrap().into_owned();
        if !name.starts_with(folder) || !name.ends_with(".json") {
            continue;
        }
        let mut json = String::new();
        entry.read_to_string(&mut json).unwrap();
        let message: Value = serde_json::from_str(&without_comments(&json))
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        // Messages that only ZooKeeper mode had are kept as tombstones.
        if message["validVersions"] != "none" {
            messages.insert(text(&message["name"]), message);
        }
    }
    messages
}

/// Drops `//` comments: the catalogue has no such thing inside strings.
fn without_comments(json: &str) -> String {
    let code = json.lines().map(|line| line.split_once("//").map_or(line, |(code, _)| code));
    code.collect::<Vec<_>>().join("\n")
}

/// The jar of an artifact: what the interop suite fetched, Maven's repository, or Maven now.
fn jar(artifact: &str) -> Result<PathBuf, String> {
    let file = format!("{artifact}-{RELEASE}.jar");
    let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let repository = home.join(".m2/repository/org/apache/kafka");
    let cached = repository.join(artifact).join(RELEASE).join(&file);
    let find = || {
        let interop = schema::workspace_root().join("target/interop");
        let depth_max = 8;
        found_below(&interop, &file, depth_max).or(Some(cached.clone()).filter(|p| p.is_file()))
    };
    if let Some(path) = find() {
        return Ok(path);
    }
    let coordinates = format!("-Dartifact=org.apache.kafka:{artifact}:{RELEASE}");
    let fetched = Command::new("mvn")
        .args(["-q", "dependency:get", "-Dtransitive=false", &coordinates])
        .status();
    match (fetched, find()) {
        (_, Some(path)) => Ok(path),
        (Ok(status), None) => Err(format!("mvn could not fetch {file}: {status}")),
        (Err(error), None) => Err(format!("{file} is not here and mvn does not run: {error}")),
    }
}

fn found_below(folder: &Path, file: &str, depth: usize) -> Option<PathBuf> {
    let paths: Vec<PathBuf> =
        fs::read_dir(folder).ok()?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    let here = paths.iter().find(|path| path.file_name().is_some_and(|name| name == file));
    here.cloned().or_else(|| {
        let folders = paths.iter().filter(|path| depth > 0 && path.is_dir());
        folders.into_iter().find_map(|path| found_below(path, file, depth - 1))
    })
}
