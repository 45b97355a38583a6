//! The generated files that are not one message: module lists, API keys, the list for tests.

use std::collections::BTreeMap;

use super::schema::{Kind, Message};

const NOTE: &str = "//! Generated from `schema/` by `cargo xtask codegen`.\n\n";

/// `messages.rs` and its kin: one `mod` a file, the top structs re-exported.
pub fn module_file(module: &str, folder: &str, messages: &BTreeMap<String, Message>) -> String {
    let about = match module {
        "messages" => "Requests, responses, and what travels inside them.",
        "metadata_records" => {
            "Values of `__cluster_metadata`, and the control records of its log and snapshots."
        }
        "offsets_records" => "Keys and values of `__consumer_offsets`.",
        "transaction_records" => "Keys and values of `__transaction_state`, and markers.",
        other => unreachable!("{other} has no description"),
    };
    let note = NOTE.replace("schema/", &format!("schema/{folder}/"));
    let mut out = format!("//! {about}\n//!\n{note}");
    for stem in messages.keys() {
        out += &format!("pub mod {stem};\n");
    }
    out.push('\n');
    for (stem, message) in messages {
        out += &format!("pub use {stem}::{};\n", message.name);
    }
    if module == "metadata_records" {
        out += &record_json_fn(messages);
    }
    out
}

/// Reads a record by its type and says what is in it.
fn record_json_fn(messages: &BTreeMap<String, Message>) -> String {
    let records = messages.iter().filter(|(_, message)| message.kind == Kind::Record);
    let arms = records.map(|(stem, message)| {
        let (name, kind) = (&message.name, stem.to_uppercase());
        format!("{name}::ID => (\"{kind}\", {name}::decode(r, version)?.to_json(version)),\n")
    });
    format!(
        "\nuse crate::{{DecodeError, Json, Message, Numbered, Reader}};\n\n\
         /// Kafka's name of a record type of `__cluster_metadata`, and the record that follows in \
         `r`\n/// as JSON; `None` if the type is unknown.\n\
         pub fn record_json(\nid: i16,\nr: &mut Reader,\nversion: i16,\n\
         ) -> Result<Option<(&'static str, String)>, DecodeError> {{\n\
         Ok(Some(match id {{\n{}_ => return Ok(None),\n}}))\n}}\n",
        arms.collect::<String>()
    )
}

/// The enum of API keys with what the definitions say about each.
pub fn api_key_file(wire: &BTreeMap<String, Message>) -> String {
    let mut keys: Vec<&Message> = wire.values().filter(|m| m.kind == Kind::Request).collect();
    keys.sort_by_key(|message| message.id);
    let per_key = |value: &dyn Fn(&Message) -> String| {
        let arms = keys.iter().map(|m| format!("ApiKey::{} => {},\n", m.api(), value(m)));
        format!("match self {{\n{}}}\n", arms.collect::<String>())
    };
    let id = |m: &Message| m.id.expect("a request has an API key");
    let list = |item: &dyn Fn(&Message) -> String| keys.iter().map(|m| item(m)).collect::<String>();
    format!(
        "{NOTE}use std::ops::RangeInclusive;\n\n\
         /// The number that opens every request and says what it asks for.\n\
         #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]\n\
         #[repr(i16)]\npub enum ApiKey {{\n{}}}\n\n\
         impl ApiKey {{\n\
         /// Every key, ascending.\n\
         pub const ALL: [ApiKey; {}] = [\n{}];\n\n\
         pub const fn from_i16(key: i16) -> Option<ApiKey> {{\n\
         Some(match key {{\n{}_ => return None,\n}})\n}}\n\n\
         /// Kafka's name for the API.\n\
         pub const fn name(self) -> &'static str {{\n{}}}\n\n\
         /// The versions this crate encodes and decodes.\n\
         pub const fn versions(self) -> RangeInclusive<i16> {{\n{}}}\n\n\
         /// The first version with compact lengths and tagged fields.\n\
         pub const fn flexible_from(self) -> Option<i16> {{\n{}}}\n}}\n",
        list(&|m| format!("{} = {},\n", m.api(), id(m))),
        keys.len(),
        list(&|m| format!("ApiKey::{},\n", m.api())),
        list(&|m| format!("{} => ApiKey::{},\n", id(m), m.api())),
        per_key(&|m| format!("\"{}\"", m.api())),
        per_key(&|m| format!("{}..={}", m.versions.first, m.versions.last)),
        per_key(&|m| match m.flexible {
            Some(range) => format!("Some({})", range.first),
            None => "None".to_owned(),
        }),
    )
}

/// A macro that hands every message's module and name to another macro.
pub fn every_message_file(rooms: &[(&str, BTreeMap<String, Message>)]) -> String {
    let mut out = format!(
        "//! Every message there is, for tests and fuzzing.\n//!\n{NOTE}\
         /// Calls `$each!(room Name; room Name; …)`.\n#[macro_export]\n\
         macro_rules! every_message {{\n    ($each:ident) => {{\n        $each! {{\n"
    );
    for (module, messages) in rooms {
        for message in messages.values() {
            out += &format!("            {module} {};\n", message.name);
        }
    }
    out + "        }\n    };\n}\n"
}
