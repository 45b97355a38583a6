use super::finding::Finding;
use super::source::{Source, is_word};
use super::tree::{File, Tree};

/// Rooms with these names hold whatever nobody placed.
const DRAWERS: [&str; 12] = [
    "common", "core", "util", "utils", "helper", "helpers", "manager", "managers", "misc", "stuff",
    "shared", "base",
];
const TYPE_ENDINGS: [&str; 8] =
    ["Manager", "Helper", "Helpers", "Util", "Utils", "Impl", "Base", "Ext"];
const VERBS: [&str; 3] = ["do_", "process_", "maybe_"];

const NO_PLACE: &str = "the name says nothing, so everything ends up there";
const BY_CONCEPT: &str = "name it by the concept it holds";

/// Files, modules, types and functions are named by what they are.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings: Vec<Finding> = tree.files.iter().filter_map(drawer).collect();
    findings.extend(tree.rust().flat_map(|(file, source)| names_in(file, source)));
    findings
}

fn drawer(file: &File) -> Option<Finding> {
    let inside = file.path.starts_with("crates/") || file.path.starts_with("xtask/");
    let mut parts = file.path.split('/').map(|part| part.split('.').next().unwrap_or(part));
    let part = parts.find(|part| DRAWERS.contains(part)).filter(|_| inside);
    if let Some(part) = part {
        return Some(Finding::new(&file.path, 1, format!("drawer `{part}`"), NO_PLACE, BY_CONCEPT));
    }
    let module = file.path.ends_with("/mod.rs");
    let why = "ten tabs called mod.rs cannot be told apart";
    module.then(|| Finding::new(&file.path, 1, "mod.rs", why, "use `foo.rs` beside `foo/bar.rs`"))
}

fn names_in(file: &File, source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    for keyword in ["mod ", "struct ", "enum ", "trait ", "type ", "fn "] {
        for at in source.code_words(keyword) {
            let rest = &source.code[at + keyword.len()..];
            let name = &rest[..rest.bytes().take_while(|&byte| is_word(byte)).count()];
            let judged = match keyword {
                "fn " => bad_function(name),
                "mod " => DRAWERS.contains(&name).then_some((NO_PLACE, BY_CONCEPT)),
                _ => bad_type(name),
            };
            if let Some((why, fix)) = judged {
                let what = format!("`{keyword}{name}`");
                findings.push(Finding::new(&file.path, source.line_of(at), what, why, fix));
            }
            findings.extend(echo(file, source, at, name));
        }
    }
    findings
}

fn bad_type(name: &str) -> Option<(&'static str, &'static str)> {
    let bad = TYPE_ENDINGS.iter().any(|ending| name.ends_with(ending));
    bad.then_some(("the ending carries no information", BY_CONCEPT))
}

fn bad_function(name: &str) -> Option<(&'static str, &'static str)> {
    let bad = VERBS.iter().any(|verb| name.starts_with(verb));
    let fix = "use the domain's verb: append, truncate_to, handle_*, poll_*, try_*";
    bad.then_some(("the verb carries no information", fix))
}

/// A doc comment that only repeats the name of what it stands on.
fn echo(file: &File, source: &Source, at: usize, name: &str) -> Option<Finding> {
    let line = source.line_of(at);
    let mut above = source.text.lines().take(line - 1).collect::<Vec<&str>>();
    while above.last().is_some_and(|line| line.trim_start().starts_with("#[")) {
        above.pop();
    }
    let doc = above.pop()?.trim().strip_prefix("/// ")?;
    if above.pop().is_some_and(|line| line.trim_start().starts_with("///")) {
        return None;
    }
    let said: Vec<String> = doc
        .split(|c: char| !c.is_alphanumeric())
        .map(str::to_lowercase)
        .filter(|word| !["", "a", "an", "the", "of", "for", "this", "is"].contains(&word.as_str()))
        .collect();
    let what = format!("the comment on `{name}` says only `{name}`");
    let fix = "delete it, or say what the name does not";
    (!said.is_empty() && said == parts(name)).then(|| {
        Finding::new(&file.path, line, what, "an echo costs a line and teaches nothing", fix)
    })
}

/// `HighWatermark` and `high_watermark` → high, watermark.
fn parts(name: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut fresh = true;
    for letter in name.chars() {
        if letter == '_' {
            fresh = true;
        } else if fresh || letter.is_uppercase() {
            parts.push(letter.to_lowercase().collect());
            fresh = false;
        } else if let Some(last) = parts.last_mut() {
            last.push(letter);
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whats(path: &str, text: &str) -> Vec<String> {
        check(&Tree::sample(&[(path, text)])).into_iter().map(|found| found.what).collect()
    }

    #[test]
    fn a_drawer_is_found_as_file_folder_and_module() {
        assert_eq!(whats("crates/types/src/utils.rs", ""), ["drawer `utils`"]);
        assert_eq!(whats("crates/common/src/x.rs", ""), ["drawer `common`"]);
        assert_eq!(whats("crates/types/src/x.rs", "mod helpers {}"), ["`mod helpers`"]);
        assert_eq!(whats("crates/types/src/x/mod.rs", ""), ["mod.rs"]);
    }

    #[test]
    fn empty_names_of_types_and_functions_are_found() {
        let text = "struct ReplicaManager;\nfn do_it() {}\nfn download() {}\nstruct Simple;";
        assert_eq!(whats("crates/types/src/x.rs", text), ["`struct ReplicaManager`", "`fn do_it`"]);
    }

    #[test]
    fn a_comment_that_repeats_the_name_is_found() {
        let text = "/// The high watermark.\n#[derive(Debug)]\npub struct HighWatermark;";
        assert_eq!(whats("crates/types/src/x.rs", text).len(), 1);
        let text = "/// Where consumers stop.\npub struct HighWatermark;";
        assert_eq!(whats("crates/types/src/x.rs", text).len(), 0);
    }
}
