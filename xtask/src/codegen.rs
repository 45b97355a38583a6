//! `cargo xtask codegen [--check]`: schema/*.msg → crates/protocol/src, one Rust file a message.
//!
//! Every generated file is committed, so that readers can open it and jump to it.

mod emit;
mod index;
mod layout;
mod schema;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use schema::Message;

/// The folders under `schema/` and the modules they become.
const ROOMS: [(&str, &str); 4] = [
    ("wire", "messages"),
    ("metadata_records", "metadata_records"),
    ("offsets_records", "offsets_records"),
    ("transaction_records", "transaction_records"),
];

/// What tools print of the log.
const WITH_JSON: &str = "metadata_records";

const LINE_CHARS_MAX: usize = 100;

/// Where the generated files live.
const TARGET: &str = "crates/protocol";
/// One file of `TARGET` that is ours whole, beside the folders of `ROOMS`.
const API_KEYS: &str = "src/api_key/table.rs";
/// Lists every message for tests and fuzzing.
const EVERY_MESSAGE: &str = "tests/wire/every_message.rs";

/// Writes the generated files, or with `--check` only compares.
///
/// Errors: a schema file that does not parse, files that are stale, a missing `rustfmt`.
pub fn run(args: &[String]) -> Result<(), String> {
    let check = match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => false,
        ["--check"] => true,
        other => return Err(format!("codegen takes --check or nothing, not {other:?}")),
    };
    let root = workspace_root();
    let files = generate(&root)?;
    let target = root.join(TARGET);
    let orphans = orphans(&target, &files)?;
    let stale: Vec<&PathBuf> = files
        .iter()
        .filter(|(path, text)| differs(&target.join(path), text))
        .map(|f| f.0)
        .collect();
    if check {
        return match stale.iter().copied().chain(&orphans).next() {
            None => Ok(()),
            Some(path) => Err(format!(
                "{} generated files are stale, {} first: run `cargo xtask codegen`",
                stale.len() + orphans.len(),
                path.display()
            )),
        };
    }
    for path in stale {
        let full = target.join(path);
        let folder = full.parent().expect("generated files live in folders");
        fs::create_dir_all(folder).map_err(|e| format!("create {}: {e}", folder.display()))?;
        fs::write(&full, &files[path]).map_err(|e| format!("write {}: {e}", full.display()))?;
    }
    for path in orphans {
        fs::remove_file(target.join(&path)).map_err(|e| format!("remove {path:?}: {e}"))?;
    }
    Ok(())
}

fn workspace_root() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().expect("xtask lies in the workspace").to_owned()
}

/// All messages of one folder under `schema/`, by file stem.
fn read_room(root: &Path, folder: &str) -> Result<BTreeMap<String, Message>, String> {
    let folder = root.join("schema").join(folder);
    let list = fs::read_dir(&folder).map_err(|e| format!("list {}: {e}", folder.display()))?;
    let mut messages = BTreeMap::new();
    for entry in list {
        let path = entry.map_err(|e| format!("list {}: {e}", folder.display()))?.path();
        if path.extension().is_none_or(|ext| ext != "msg") {
            continue;
        }
        let text =
            fs::read_to_string(&path).map_err(|e| format!("read {}: {e}", path.display()))?;
        let message = schema::parse(&text).map_err(|why| format!("{}: {why}", path.display()))?;
        let stem = path.file_stem().and_then(|s| s.to_str()).unwrap_or_default().to_owned();
        messages.insert(stem, message);
    }
    Ok(messages)
}

/// Path below `TARGET` → formatted text, for everything that codegen owns.
fn generate(root: &Path) -> Result<BTreeMap<PathBuf, String>, String> {
    let mut files = BTreeMap::new();
    let mut rooms = Vec::new();
    for (folder, module) in ROOMS {
        let messages = read_room(root, folder)?;
        for (stem, message) in &messages {
            let source = format!("schema/{folder}/{stem}.msg");
            let path = PathBuf::from(format!("src/{module}/{stem}.rs"));
            let has_json = folder == WITH_JSON;
            files.insert(path, emit::message_file(message, &source, has_json));
        }
        let path = PathBuf::from(format!("src/{module}.rs"));
        files.insert(path, index::module_file(module, folder, &messages));
        rooms.push((module, messages));
    }
    files.insert(PathBuf::from(API_KEYS), index::api_key_file(&rooms[0].1));
    files.insert(PathBuf::from(EVERY_MESSAGE), index::every_message_file(&rooms));
    format_all(root, files)
}

/// Runs rustfmt over a scratch copy: one process for all files.
fn format_all(
    root: &Path,
    files: BTreeMap<PathBuf, String>,
) -> Result<BTreeMap<PathBuf, String>, String> {
    let scratch = root.join("target/codegen").join(std::process::id().to_string());
    fs::create_dir_all(&scratch).map_err(|e| format!("create {}: {e}", scratch.display()))?;
    let names: Vec<PathBuf> = (0..files.len()).map(|i| scratch.join(format!("{i}.rs"))).collect();
    for (name, text) in names.iter().zip(files.values()) {
        // `mod` lines would send rustfmt looking for files that are not here.
        let text = text.replace("\nmod ", "\n// mod ").replace("\npub mod ", "\n// pub mod ");
        fs::write(name, text).map_err(|e| format!("write {}: {e}", name.display()))?;
    }
    let status = Command::new("rustfmt")
        .args(["--edition", "2024", "--config-path"])
        .arg(root.join("rustfmt.toml"))
        .args(&names)
        .status()
        .map_err(|e| format!("run rustfmt: {e}"))?;
    let mut formatted = BTreeMap::new();
    for (name, path) in names.iter().zip(files.into_keys()) {
        let text = fs::read_to_string(name).map_err(|e| format!("read {}: {e}", name.display()))?;
        let text = text.replace("\n// mod ", "\nmod ").replace("\n// pub mod ", "\npub mod ");
        if let Some(long) = text.lines().find(|line| line.chars().count() > LINE_CHARS_MAX) {
            return Err(format!("{}: wrap this in the schema: {long}", path.display()));
        }
        formatted.insert(path, text);
    }
    fs::remove_dir_all(&scratch).map_err(|e| format!("remove {}: {e}", scratch.display()))?;
    match status.success() {
        true => Ok(formatted),
        false => Err("rustfmt refused the generated code".to_owned()),
    }
}

fn differs(path: &Path, text: &str) -> bool {
    fs::read_to_string(path).map_or(true, |present| present != text)
}

/// Rust files in the generated folders that no schema file stands behind any more.
fn orphans(target: &Path, files: &BTreeMap<PathBuf, String>) -> Result<Vec<PathBuf>, String> {
    let mut orphans = Vec::new();
    for (_, module) in ROOMS {
        let Ok(list) = fs::read_dir(target.join("src").join(module)) else { continue };
        for entry in list {
            let name = entry.map_err(|e| format!("list {module}: {e}"))?.file_name();
            let path = Path::new("src").join(module).join(name);
            if !files.contains_key(&path) {
                orphans.push(path);
            }
        }
    }
    Ok(orphans)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_committed_code_is_what_the_schema_says() {
        super::run(&["--check".to_owned()]).unwrap();
    }
}
