//! Every message of `schema/`, read with the generator's own parser.

use std::fs;
use std::path::{Path, PathBuf};

// The generator needs more of the grammar than the tests do.
#[allow(dead_code)]
#[path = "../../../../xtask/src/codegen/schema.rs"]
pub mod grammar;

use grammar::Message;

/// One message and where it comes from.
#[derive(Debug)]
pub struct Definition {
    /// The module of `protocol` it lives in.
    pub room: &'static str,
    pub message: Message,
}

const ROOMS: [(&str, &str); 4] = [
    ("wire", "messages"),
    ("metadata_records", "metadata_records"),
    ("offsets_records", "offsets_records"),
    ("transaction_records", "transaction_records"),
];

pub fn all() -> Vec<Definition> {
    ROOMS.into_iter().flat_map(|(folder, room)| folder_of(folder, room)).collect()
}

pub fn workspace_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn folder_of(folder: &str, room: &'static str) -> Vec<Definition> {
    let list = fs::read_dir(workspace_root().join("schema").join(folder)).unwrap();
    let mut paths: Vec<PathBuf> = list.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let read = |path: &PathBuf| {
        let text = fs::read_to_string(path).unwrap();
        let message = grammar::parse(&text).unwrap_or_else(|why| panic!("{path:?}: {why}"));
        Definition { room, message }
    };
    paths.iter().map(read).collect()
}
