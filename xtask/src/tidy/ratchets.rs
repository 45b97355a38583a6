use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::finding::Finding;
use super::sizes::lines_without_tests;
use super::source::Source;
use super::tree::{File, Tree};

pub const PATH: &str = "xtask/src/tidy/ratchets.txt";
const HEADER: &str = "\
# How many exceptions each crate has left. These numbers go down, never up.
# `cargo xtask tidy --tighten` lowers them to what is there.
";
const FILE_LINES_AIM: usize = 400;
const TOOLS: [&str; 6] = ["xtask", "env-sim", "sim", "bench", "fuzz-rounds", "models"];

/// What is counted, and what to say when there is more of it than before.
struct Count {
    name: &'static str,
    why: &'static str,
    fix: &'static str,
    of: fn(&File, &Source) -> Vec<usize>,
}

const COUNTS: [Count; 2] = [
    Count {
        name: "unwraps",
        why: "input must never panic; a broken invariant says so in an assert",
        fix: "return an error, or assert! with the invariant in words",
        of: unwraps,
    },
    Count {
        name: "files-over-400-lines",
        why: "the aim is 400 lines; the limit catches only the worst",
        fix: "split the largest by concept",
        of: long_file,
    },
];

type Counted = BTreeMap<(String, String), Vec<(String, usize)>>;

/// Counts that may only fall.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let allowed = parse(tree.file(PATH).map_or("", |file| &file.text));
    let mut findings = Vec::new();
    for ((name, crate_name), places) in count(tree) {
        let max = allowed.get(&(name.clone(), crate_name.clone())).copied().unwrap_or(0);
        let Some(count) = COUNTS.iter().find(|count| count.name == name) else { continue };
        if places.len() > max {
            let what = format!("`{crate_name}` has {} {name}, {max} are allowed", places.len());
            let shown = places.iter().rev().take(5).map(|(path, line)| format!("{path}:{line}"));
            let shown = shown.collect::<Vec<String>>().join(", ");
            let fix = format!("{} (the last of them: {shown})", count.fix);
            findings.push(Finding::new(PATH, 1, what, count.why, fix));
        }
    }
    findings
}

/// The ratchet file with every number lowered to what is there.
pub fn tightened(tree: &Tree) -> String {
    let counted = count(tree);
    let mut text = HEADER.to_owned();
    for ((name, crate_name), max) in parse(tree.file(PATH).map_or("", |file| &file.text)) {
        let now = counted.get(&(name.clone(), crate_name.clone())).map_or(0, Vec::len);
        if now.min(max) > 0 {
            let _ = writeln!(text, "{name} {crate_name} {}", now.min(max));
        }
    }
    text
}

/// What the file would have to say to allow all that is there.
pub fn present(tree: &Tree) -> String {
    count(tree).iter().fold(String::new(), |mut text, ((name, crate_name), places)| {
        let _ = writeln!(text, "{name} {crate_name} {}", places.len());
        text
    })
}

fn parse(text: &str) -> BTreeMap<(String, String), usize> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let (name, crate_name) = (words.next()?, words.next()?);
            Some(((name.to_owned(), crate_name.to_owned()), words.next()?.parse().ok()?))
        })
        .collect()
}

fn count(tree: &Tree) -> Counted {
    let mut counted = Counted::new();
    for (file, source) in tree.rust().filter(|(file, _)| !file.is_test()) {
        let Some(crate_name) = file.crate_name() else { continue };
        for count in &COUNTS {
            for at in (count.of)(file, source) {
                let key = (count.name.to_owned(), crate_name.to_owned());
                let place = (file.path.clone(), source.line_of(at));
                counted.entry(key).or_default().push(place);
            }
        }
    }
    counted
}

/// In the product only: a tool that meets a surprise may stop.
fn unwraps(file: &File, source: &Source) -> Vec<usize> {
    if file.crate_name().is_some_and(|name| TOOLS.contains(&name)) {
        return Vec::new();
    }
    let calls = [".unwrap()", ".expect(", "panic!(", "unreachable!("];
    let found = calls.iter().flat_map(|call| source.code.match_indices(call));
    found.map(|(at, _)| at).filter(|&at| !source.is_test(at)).collect()
}

fn long_file(_: &File, source: &Source) -> Vec<usize> {
    if lines_without_tests(source) > FILE_LINES_AIM { vec![0] } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: &str = "fn f() { a.unwrap(); b.expect(\"c\"); panic!(\"d\") }\n\
                        #[cfg(test)]\nmod tests { fn g() { a.unwrap() } }";

    #[test]
    fn one_more_than_allowed_is_found() {
        let tree =
            |max: &str| check(&Tree::sample(&[("crates/a/src/x.rs", CODE), (PATH, max)])).len();
        assert_eq!(tree("unwraps a 2"), 1);
        assert_eq!(tree("unwraps a 3"), 0);
        assert_eq!(tree(""), 1);
    }

    #[test]
    fn a_file_over_the_aim_is_counted() {
        let long = "const A: u8 = 1;\n".repeat(401);
        let tree = Tree::sample(&[("crates/a/src/x.rs", &long)]);
        assert_eq!(check(&tree).len(), 1);
    }

    #[test]
    fn a_tool_may_stop_at_a_surprise() {
        assert_eq!(check(&Tree::sample(&[("crates/sim/src/x.rs", CODE)])).len(), 0);
    }

    #[test]
    fn tightening_lowers_and_never_raises() {
        let tree =
            |max: &str| tightened(&Tree::sample(&[("crates/a/src/x.rs", CODE), (PATH, max)]));
        assert!(tree("unwraps a 9").ends_with("unwraps a 3\n"));
        assert!(tree("unwraps a 1").ends_with("unwraps a 1\n"));
    }
}
