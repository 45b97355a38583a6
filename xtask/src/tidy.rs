//! `cargo xtask tidy`: the style of the house as a test. Each rule is a file with its bad samples.

mod dead_files;
mod decisions;
mod finding;
mod handlers;
mod layers;
mod lib_files;
mod named_tests;
mod names;
mod pages;
mod phrases;
mod purity;
mod ratchets;
mod rooms;
mod sizes;
mod source;
mod tests_say;
mod tree;
mod unsafe_code;
mod wrap;

use std::fs;
use std::path::Path;

use finding::Finding;
use tree::Tree;

type Rule = (&'static str, fn(&Tree) -> Vec<Finding>);

const RULES: [Rule; 14] = [
    ("layers", layers::check),
    ("purity", purity::check),
    ("sizes", sizes::check),
    ("names", names::check),
    ("phrases", phrases::check),
    ("dead files", dead_files::check),
    ("pages", pages::check),
    ("named tests", named_tests::check),
    ("lib.rs", lib_files::check),
    ("unsafe", unsafe_code::check),
    ("tests", tests_say::check),
    ("ratchets", ratchets::check),
    ("decisions", decisions::check),
    ("handlers", handlers::check),
];

/// How many rules held and how many did not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tidiness {
    pub rules_kept: usize,
    pub rules_broken: usize,
}

pub fn run(args: &[String]) -> Result<(), String> {
    let root = crate::root();
    match args.first().map(String::as_str) {
        None => {
            let tidiness = check(&root)?;
            let Tidiness { rules_kept, rules_broken } = tidiness;
            println!("{rules_kept} rules kept, {rules_broken} broken");
            if rules_broken > 0 { Err("the house is not tidy".to_owned()) } else { Ok(()) }
        }
        Some("--tighten") => {
            let tree = Tree::read(&root).map_err(|error| format!("read the tree: {error}"))?;
            let text = ratchets::tightened(&tree);
            fs::write(root.join(ratchets::PATH), text).map_err(|error| error.to_string())
        }
        Some("--wrap") => wrap_comments(&root),
        Some("--counts") => {
            let tree = Tree::read(&root).map_err(|error| format!("read the tree: {error}"))?;
            print!("{}", ratchets::present(&tree));
            Ok(())
        }
        Some(other) => {
            Err(format!("tidy does not know `{other}`; it knows --tighten and --counts"))
        }
    }
}

/// Runs every rule over the tree at `root` and prints what is wrong.
pub fn check(root: &Path) -> Result<Tidiness, String> {
    let tree = Tree::read(root).map_err(|error| format!("read the tree: {error}"))?;
    let mut tidiness = Tidiness::default();
    for (name, rule) in RULES {
        let mut findings = rule(&tree);
        findings.sort();
        findings.dedup();
        if findings.is_empty() {
            tidiness.rules_kept += 1;
            continue;
        }
        tidiness.rules_broken += 1;
        println!("\n{name}: {}", findings.len());
        for finding in findings {
            println!("  {finding}");
        }
    }
    Ok(tidiness)
}

/// Rewrites the comments that are too long, in every hand-written file.
fn wrap_comments(root: &Path) -> Result<(), String> {
    let tree = Tree::read(root).map_err(|error| format!("read the tree: {error}"))?;
    for (file, source) in tree.rust() {
        let wrapped = wrap::wrapped(&source.text);
        if wrapped != source.text {
            println!("{}", file.path);
            fs::write(root.join(&file.path), wrapped).map_err(|error| error.to_string())?;
        }
    }
    Ok(())
}
