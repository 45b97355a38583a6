//! `kafka-features`. Source of flags and output: Kafka `FeatureCommand`.

use std::collections::BTreeMap;
use std::io::{self, Write};

use client::Client;
use client::admin::features::LevelChange;

use super::exceptions::{exception, message};
use super::feature_levels::{dependencies, levels_of, mapping, name_and_level, release, shown};
use super::options::{Flag, Parsed, Tool, switch, value};
use super::{ScriptError, ScriptResult, connect_to_either};

const FLAGS: &[Flag] = &[
    value("bootstrap-server", "host:port,…", "The brokers to connect to."),
    value("bootstrap-controller", "host:port,…", "The controllers to connect to."),
    value("command-config", "file", "Client properties."),
    value("node-id", "id", "describe: the node to ask."),
    value("release-version", "version", "The release whose levels are meant."),
    value("metadata", "version", "Deprecated: --release-version."),
    value("feature", "name=level", "A feature and its level; may be repeated."),
    switch("unsafe", "Go down although metadata may be lost."),
    switch("dry-run", "Say what would happen; change nothing."),
];

static TOOL: Tool = Tool {
    name: "kafka-features",
    about: "This tool manages feature flags in Kafka.",
    flags: FLAGS,
};

const COMMANDS: &[&str] =
    &["describe", "upgrade", "downgrade", "disable", "version-mapping", "feature-dependencies"];

pub fn run(arguments: &[String]) -> ScriptResult {
    let parsed = TOOL.parse(arguments)?;
    let command = super::subcommand(&parsed, TOOL.name, COMMANDS)?;
    let told = ScriptError::Stderr;
    match command {
        "version-mapping" => print(&mapping(parsed.value("release-version")).map_err(told)?),
        "feature-dependencies" => print(&dependencies(parsed.values("feature")).map_err(told)?),
        "describe" => describe(&parsed, &mut connect_to_either(&parsed)?),
        _ => {
            let levels = match command {
                "disable" => disabled(&parsed),
                _ => levels(&parsed, command),
            };
            let levels = levels.map_err(told)?;
            if levels.is_empty() {
                let sentence = format!("You must specify at least one feature to {command}");
                return Err(told(sentence));
            }
            update(&parsed, &mut connect_to_either(&parsed)?, command, &levels)
        }
    }
}

fn print(text: &str) -> ScriptResult {
    io::stdout().lock().write_all(text.as_bytes()).map_err(ScriptError::from)
}

fn describe(parsed: &Parsed, client: &mut Client) -> ScriptResult {
    let features = client.features(parsed.number("node-id")?);
    let features = features.map_err(|error| ScriptError::Stderr(exception(&error)))?;
    let epoch = if features.epoch < 0 { "-".to_owned() } else { features.epoch.to_string() };
    let mut out = io::stdout().lock();
    for (name, (min, max)) in &features.supported {
        let finalized = features.finalized.get(name).copied().unwrap_or(0);
        let finalized = shown(name, finalized);
        writeln!(
            out,
            "Feature: {name}\tSupportedMinVersion: {}\tSupportedMaxVersion: {}\t\
             FinalizedVersionLevel: {finalized}\tEpoch: {epoch}",
            shown(name, *min),
            shown(name, *max)
        )?;
    }
    Ok(())
}

fn change(parsed: &Parsed, command: &str) -> LevelChange {
    match (command, parsed.has("unsafe")) {
        ("upgrade", _) => LevelChange::Upgrade,
        (_, false) => LevelChange::SafeDowngrade,
        (_, true) => LevelChange::UnsafeDowngrade,
    }
}

/// The levels that `upgrade` and `downgrade` name.
fn levels(parsed: &Parsed, command: &str) -> Result<BTreeMap<String, i16>, String> {
    if let Some(named) = parsed.value("release-version") {
        if parsed.has("metadata") || parsed.has("feature") {
            return Err("Can not specify `release-version` with other feature flags.".to_owned());
        }
        // Nothing is upgraded to level 0.
        let all = levels_of(release(named)?).into_iter();
        let meant = all.filter(|(_, level)| command != "upgrade" || *level > 0);
        return Ok(meant.map(|(name, level)| (name.to_owned(), level)).collect());
    }
    let mut levels = BTreeMap::new();
    if let Some(named) = parsed.value("metadata") {
        println!(" `metadata` flag is deprecated and may be removed in a future release.");
        levels.insert(metadata::METADATA_VERSION_FEATURE.to_owned(), release(named)?.0);
    }
    for wish in parsed.values("feature") {
        let (name, level) = name_and_level(wish)?;
        add(&mut levels, name, level)?;
    }
    Ok(levels)
}

fn disabled(parsed: &Parsed) -> Result<BTreeMap<String, i16>, String> {
    let mut levels = BTreeMap::new();
    parsed.values("feature").try_for_each(|name| add(&mut levels, name, 0))?;
    Ok(levels)
}

fn add(levels: &mut BTreeMap<String, i16>, name: &str, level: i16) -> Result<(), String> {
    match levels.insert(name.to_owned(), level) {
        None => Ok(()),
        Some(_) => Err(format!("Feature {name} was specified more than once.")),
    }
}

fn update(
    parsed: &Parsed,
    client: &mut Client,
    command: &str,
    levels: &BTreeMap<String, i16>,
) -> ScriptResult {
    let is_dry_run = parsed.has("dry-run");
    let outcome = client.update_features(levels, change(parsed, command), is_dry_run);
    let mut out = io::stdout().lock();
    for (name, level) in levels {
        let line = match &outcome {
            Ok(()) => done(command, name, *level, is_dry_run),
            Err(error) => refused(command, name, *level, is_dry_run, &message(error)),
        };
        writeln!(out, "{line}")?;
    }
    match outcome {
        Ok(()) => Ok(()),
        Err(_) => {
            let count = levels.len();
            Err(ScriptError::Stderr(format!("{count} out of {count} operation(s) failed.")))
        }
    }
}

fn done(command: &str, name: &str, level: i16, is_dry_run: bool) -> String {
    let verb = if is_dry_run { "can be" } else { "was" };
    match command {
        "disable" => format!("{name} {verb} disabled."),
        _ => format!("{name} {verb} {command}d to {level}."),
    }
}

fn refused(command: &str, name: &str, level: i16, is_dry_run: bool, why: &str) -> String {
    let verb = if is_dry_run { "Can not" } else { "Could not" };
    match command {
        "disable" => format!("{verb} disable {name}. {why}"),
        _ => format!("{verb} {command} {name} to {level}. {why}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Parsed {
        let arguments: Vec<String> = arguments.iter().map(|a| (*a).to_owned()).collect();
        TOOL.parse(&arguments).unwrap()
    }

    #[test]
    fn a_release_stands_for_all_levels_that_it_raises() {
        let of = |command| levels(&parse(&["--release-version", "3.9-IV0"]), command).unwrap();
        let raised =
            BTreeMap::from([("metadata.version".to_owned(), 21), ("kraft.version".to_owned(), 1)]);
        assert_eq!(of("upgrade"), raised);
        assert_eq!(of("downgrade").len(), 7, "zeros are levels on the way down");
        let both = parse(&["--release-version", "3.9-IV0", "--feature", "group.version=1"]);
        let told = levels(&both, "upgrade").unwrap_err();
        assert_eq!(told, "Can not specify `release-version` with other feature flags.");
    }

    #[test]
    fn a_feature_stands_once_on_the_command_line() {
        let twice = parse(&["--feature", "a=1", "--feature", "a=2"]);
        let told = levels(&twice, "upgrade").unwrap_err();
        assert_eq!(told, "Feature a was specified more than once.");
        assert_eq!(
            disabled(&parse(&["--feature", "a"])),
            Ok(BTreeMap::from([("a".to_owned(), 0)]))
        );
    }

    #[test]
    fn what_was_done_and_what_was_not_is_told_in_kafkas_words() {
        assert_eq!(done("upgrade", "a", 1, false), "a was upgraded to 1.");
        assert_eq!(done("disable", "a", 0, true), "a can be disabled.");
        assert_eq!(refused("downgrade", "a", 1, true, "No."), "Can not downgrade a to 1. No.");
        assert_eq!(refused("disable", "a", 0, false, "No."), "Could not disable a. No.");
    }
}
