//! Licences, sources and duplicates of what we depend on, judged by `deny.toml`.
//!
//! The part of cargo-deny that needs no download, so that it is a gate on every machine. Advisories
//! are checked by cargo-deny itself where it is installed.

mod expression;
mod rulebook;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::process;
use expression::allowed;
use rulebook::Rulebook;

const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";
const LIMIT: Duration = Duration::from_secs(10 * 60);

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Package {
    name: String,
    version: String,
    licence: String,
}

/// Every complaint, one line each.
pub fn check(root: &Path) -> Result<Vec<String>, String> {
    let read = |name: &str| {
        fs::read_to_string(root.join(name)).map_err(|error| format!("read {name}: {error}"))
    };
    let rules = Rulebook::parse(&read("deny.toml")?)?;
    let mut command =
        process::cargo(&["tree", "--locked", "--workspace", "--edges", "normal,build,dev"]);
    command.args(["--prefix", "none", "--format", "{p}|{l}"]);
    let finished = process::watch(command, LIMIT, false)?;
    if !finished.success {
        return Err("`cargo tree --locked` failed: is Cargo.lock current?".to_owned());
    }
    let packages: BTreeSet<Package> = finished.lines.iter().filter_map(|l| package(l)).collect();
    if packages.is_empty() {
        return Err("`cargo tree` named no package".to_owned());
    }
    let mut complaints = judge(&packages, &rules);
    complaints.extend(foreign_sources(&read("Cargo.lock")?));
    Ok(complaints)
}

/// `name v1.2.3 (proc-macro)|MIT OR Apache-2.0 (*)`
fn package(line: &str) -> Option<Package> {
    let (id, licence) = line.trim_end_matches("(*)").split_once('|')?;
    let mut words = id.split_whitespace();
    let name = words.next()?.to_owned();
    let version = words.next()?.trim_start_matches('v').to_owned();
    Some(Package { name, version, licence: licence.trim().to_owned() })
}

fn judge(packages: &BTreeSet<Package>, rules: &Rulebook) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in packages {
        let Package { name, version, licence } = package;
        if !allowed(licence, &rules.licences) {
            complaints.push(format!(
                "{name} {version}: licence `{licence}` is not in deny.toml · we could not ship it \
                 · replace the crate, or allow the licence with a reason"
            ));
        }
        if rules.banned.contains(name) {
            complaints.push(format!(
                "{name} {version}: banned in deny.toml · see the reason there · replace it"
            ));
        }
        if !rules.may_repeat(name, version) {
            versions.entry(name).or_default().push(version);
        }
    }
    for (name, versions) in versions.iter().filter(|(_, versions)| versions.len() > 1) {
        complaints.push(format!(
            "{name}: {} · built twice, and their types do not fit · align the versions, or skip \
             one in deny.toml with a reason",
            versions.join(" and ")
        ));
    }
    complaints
}

fn foreign_sources(lock: &str) -> Vec<String> {
    let sources = lock.lines().filter_map(|line| line.strip_prefix("source = \""));
    sources
        .map(|source| source.trim_end_matches('"'))
        .filter(|source| *source != REGISTRY)
        .collect::<BTreeSet<&str>>()
        .into_iter()
        .map(|source| {
            format!("Cargo.lock: source `{source}` · only crates.io is trusted · use a release")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: &str = "[licenses]\nallow = [\"MIT\", \"Apache-2.0\"]\n\
        [bans]\ndeny = [{ crate = \"openssl\", reason = \"C\" }]\n\
        skip = [{ crate = \"old@1.0.0\", reason = \"x\" }]\n";

    fn complaints(lines: &[&str]) -> Vec<String> {
        let packages = lines.iter().map(|line| package(line).expect("a package")).collect();
        judge(&packages, &Rulebook::parse(RULES).expect("a rulebook"))
    }

    #[test]
    fn a_licence_that_is_not_listed_is_found() {
        assert_eq!(complaints(&["a v1.0.0|GPL-3.0"]).len(), 1);
        assert_eq!(complaints(&["a v1.0.0|"]).len(), 1);
        assert_eq!(complaints(&["a v1.0.0 (proc-macro)|GPL-3.0 OR MIT (*)"]).len(), 0);
    }

    #[test]
    fn a_banned_crate_is_found() {
        assert_eq!(complaints(&["openssl v0.10.0|MIT"]).len(), 1);
    }

    #[test]
    fn two_versions_of_a_crate_are_found_unless_skipped() {
        assert_eq!(complaints(&["a v1.0.0|MIT", "a v2.0.0|MIT"]).len(), 1);
        assert_eq!(complaints(&["old v1.0.0|MIT", "old v2.0.0|MIT"]).len(), 0);
    }

    #[test]
    fn a_source_other_than_the_registry_is_found() {
        let lock = "source = \"git+https://example.org/x\"\nsource = \"registry+https://github.com\
                    /rust-lang/crates.io-index\"\n";
        assert_eq!(foreign_sources(lock).len(), 1);
    }
}
