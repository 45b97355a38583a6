use std::collections::BTreeSet;

use super::finding::Finding;
use super::source::{Source, is_word};
use super::tree::{File, Tree};

/// Every Rust file is reached from a root of its crate.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut reached = BTreeSet::new();
    for file in tree.files.iter().filter(|file| is_root(&file.path)) {
        reach(tree, file, &mut reached);
    }
    tree.files
        .iter()
        .filter(|file| file.rust.is_some() && !is_sample(&file.path))
        .filter(|file| !reached.contains(file.path.as_str()))
        .map(|file| {
            let why = "nothing compiles it, so nothing keeps it true";
            Finding::new(
                &file.path,
                1,
                "no `mod` leads here",
                why,
                "add the `mod` line, or delete it",
            )
        })
        .collect()
}

/// Files that Cargo finds by itself.
fn is_root(path: &str) -> bool {
    let Some((folder, name)) = path.rsplit_once('/') else { return path == "build.rs" };
    let top = folder.rsplit('/').next().unwrap_or(folder);
    match top {
        "src" => name == "lib.rs" || name == "main.rs",
        "bin" | "tests" | "benches" | "examples" | "fuzz_targets" => {
            name.ends_with(".rs") && !folder.contains("/src/tests")
        }
        _ => name == "build.rs" || (name == "main.rs" && is_target(folder)),
    }
}

/// `tests/log/main.rs` is a test of its own, named `log`.
fn is_target(folder: &str) -> bool {
    let above = folder.rsplit('/').nth(1).unwrap_or_default();
    ["bin", "tests", "benches", "examples"].contains(&above)
}

fn is_sample(path: &str) -> bool {
    path.contains("/testdata/")
}

fn reach<'a>(tree: &'a Tree, file: &'a File, reached: &mut BTreeSet<&'a str>) {
    if !reached.insert(&file.path) {
        return;
    }
    let Some(source) = &file.rust else { return };
    for path in modules(file, source).into_iter().chain(included(file, source)) {
        if let Some(next) = tree.file(&path) {
            reach(tree, next, reached);
        }
    }
}

/// The paths where the `mod x;` lines of a file may lead.
fn modules(file: &File, source: &Source) -> Vec<String> {
    let (folder, _) = file.path.rsplit_once('/').unwrap_or(("", &file.path));
    let inner = if is_root(&file.path) || file.path.ends_with("/mod.rs") {
        folder.to_owned()
    } else {
        format!("{folder}/{}", file.stem())
    };
    let mut found = Vec::new();
    for at in source.code_words("mod ") {
        let rest = &source.code[at + 4..];
        let name = &rest[..rest.bytes().take_while(|&byte| is_word(byte)).count()];
        if !rest[name.len()..].trim_start().starts_with(';') || name.is_empty() {
            continue;
        }
        match attribute_path(source, at) {
            Some(path) => found.push(join(folder, path)),
            None => {
                found.push(format!("{inner}/{name}.rs"));
                found.push(format!("{inner}/{name}/mod.rs"));
            }
        }
    }
    found
}

/// The value of `#[path = "…"]` on the lines above.
fn attribute_path(source: &Source, at: usize) -> Option<&str> {
    let above = source.text[..at].rfind(';').map_or(0, |before| before + 1);
    let attribute = source.text[above..at].split("#[path").nth(1)?;
    attribute.split('"').nth(1)
}

fn included(file: &File, source: &Source) -> Vec<String> {
    let (folder, _) = file.path.rsplit_once('/').unwrap_or(("", &file.path));
    source
        .code_words("include!")
        .filter_map(|at| source.text[at..].split('"').nth(1))
        .map(|path| join(folder, path))
        .collect()
}

/// `a/b` and `../c.rs` → `a/c.rs`.
pub fn join(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "." | "" => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dead(files: &[(&str, &str)]) -> Vec<String> {
        check(&Tree::sample(files)).into_iter().map(|found| found.path).collect()
    }

    #[test]
    fn a_file_that_no_mod_names_is_found() {
        let found = dead(&[
            ("crates/a/src/lib.rs", "mod b;\n// mod d;"),
            ("crates/a/src/b.rs", "mod c;"),
            ("crates/a/src/b/c.rs", ""),
            ("crates/a/src/d.rs", ""),
        ]);
        assert_eq!(found, ["crates/a/src/d.rs"]);
    }

    #[test]
    fn paths_includes_and_roots_are_followed() {
        let found = dead(&[
            ("crates/a/src/main.rs", "#[path = \"../x/y.rs\"]\nmod z;\ninclude!(\"i.rs\");"),
            ("crates/a/x/y.rs", ""),
            ("crates/a/src/i.rs", ""),
            ("crates/a/tests/t.rs", "mod story;"),
            ("crates/a/tests/story.rs", ""),
            ("crates/a/src/bin/tool.rs", ""),
            ("crates/a/tests/log/main.rs", "mod reading;"),
            ("crates/a/tests/log/reading.rs", ""),
        ]);
        assert_eq!(found, [""; 0]);
    }
}
