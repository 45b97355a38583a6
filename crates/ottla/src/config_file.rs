//! `ottla config check` and `ottla config explain`: what a configuration means, without a cluster.

use std::io::{self, Write};

use clap::Args;
use config::{
    Property, Sources, Status, Warning, broker_properties, find_broker_property, group_property,
    load, nearest, topic_property,
};
use serde::Serialize;

use crate::failure::{Exit, Failure, Outcome, file_failure};
use crate::output::{self, Format, Report};

#[derive(Args, Debug)]
pub struct CheckArgs {
    /// The file, in the syntax of server.properties
    #[arg(value_name = "FILE")]
    file: String,

    /// Also take KAFKA_* variables, as `ottla start` does
    #[arg(long)]
    environment: bool,

    /// A property that replaces the file's; may be repeated
    #[arg(long = "override", value_name = "KEY=VALUE")]
    overrides: Vec<String>,
}

#[derive(Args, Debug)]
pub struct ExplainArgs {
    /// The name of a property of brokers, topics or groups
    #[arg(value_name = "PROPERTY")]
    name: String,
}

#[derive(Serialize)]
struct Checked {
    file: String,
    node_id: i32,
    listeners: Vec<String>,
    log_dirs: Vec<String>,
    /// Accepted, without effect here.
    ignored: Vec<String>,
    unknown: Vec<String>,
}

/// Unknown names fail the check, although a node would start: they are usually slips.
pub fn check(args: &CheckArgs, format: Format) -> Outcome {
    let file = &args.file;
    let text = std::fs::read_to_string(file).map_err(|error| file_failure("read", file, &error))?;
    let environment = if args.environment { std::env::vars().collect() } else { Vec::new() };
    let sources = Sources { file: Some(&text), environment, overrides: &args.overrides };
    let loaded = load(sources).map_err(|error| {
        Failure::new(Exit::Unhealthy, "CONFIG", format!("check {file}"), error.to_string())
    })?;
    let (unknown, ignored): (Vec<&Warning>, Vec<&Warning>) =
        loaded.warnings.iter().partition(|warning| matches!(warning, Warning::Unknown { .. }));
    let texts = |warnings: &[&Warning]| warnings.iter().map(ToString::to_string).collect();
    let node = &loaded.config.node;
    let report = Checked {
        file: file.clone(),
        node_id: node.node_id.0,
        listeners: node.listeners.iter().map(ToString::to_string).collect(),
        log_dirs: node.log_dirs.clone(),
        ignored: texts(&ignored),
        unknown: texts(&unknown),
    };
    output::print(format, &report)?;
    if report.unknown.is_empty() {
        return Ok(());
    }
    let why = report.unknown.join("; ");
    Err(Failure::new(Exit::Unhealthy, "UNKNOWN_PROPERTY", format!("check {file}"), why))
}

impl Report for Checked {
    fn write_text(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{}: node {} on {}", self.file, self.node_id, self.listeners.join(", "))?;
        writeln!(out, "  data in {}", self.log_dirs.join(", "))?;
        for line in self.ignored.iter().chain(&self.unknown) {
            writeln!(out, "  {line}")?;
        }
        Ok(())
    }
}

#[derive(Serialize)]
struct Explained {
    name: &'static str,
    of: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    default: Option<&'static str>,
    changes: &'static str,
    meaning: &'static str,
    note: Option<String>,
}

#[derive(Serialize)]
struct Explanations {
    properties: Vec<Explained>,
}

pub fn explain(args: &ExplainArgs, format: Format) -> Outcome {
    let name = args.name.as_str();
    let found = [
        ("topic", topic_property(name).map(|row| &row.property)),
        ("broker", find_broker_property(name)),
        ("group", group_property(name)),
    ];
    let properties: Vec<Explained> =
        found.into_iter().filter_map(|(of, property)| Some(explained(of, property?))).collect();
    if properties.is_empty() {
        let known = broker_properties()
            .map(|property| property.name)
            .chain(config::TOPIC_PROPERTIES.iter().map(|row| row.property.name));
        let failure = Failure::new(
            Exit::NotFound,
            "UNKNOWN_PROPERTY",
            format!("explain {name}"),
            "there is no such property",
        );
        return Err(match nearest(name, known) {
            Some(near) => failure.todo(format!("ottla config explain {near}")),
            None => failure,
        });
    }
    output::print(format, &Explanations { properties })
}

fn explained(of: &'static str, property: &Property) -> Explained {
    Explained {
        name: property.name,
        of,
        kind: property.kind.name(),
        default: property.default,
        changes: if of == "broker" { property.update.name() } else { "at any time" },
        meaning: property.doc,
        note: match property.status {
            Status::Honoured => None,
            Status::Accepted(reason) => Some(format!("no effect: {reason}")),
            Status::Refused(reason) => Some(format!("refused: {reason}")),
        },
    }
}

impl Report for Explanations {
    fn write_text(&self, out: &mut dyn Write) -> io::Result<()> {
        for p in &self.properties {
            writeln!(out, "{} ({} property)", p.name, p.of)?;
            writeln!(out, "  {}", p.meaning)?;
            let default = match p.default {
                None => "unset",
                Some("") => "empty",
                Some(text) => text,
            };
            let kind = p.kind.to_lowercase();
            writeln!(out, "  {kind}, default {default}, changes: {}", p.changes)?;
            if let Some(note) = &p.note {
                writeln!(out, "  {note}")?;
            }
        }
        Ok(())
    }
}
