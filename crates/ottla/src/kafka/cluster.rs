//! `kafka-cluster`. Source of flags and output: Kafka `ClusterTool`.

use std::io::{self, Write};

use super::exceptions::exception;
use super::options::{Flag, Parsed, Tool, switch, value};
use super::{ScriptError, ScriptResult, argparse_error, connect};

const FLAGS: &[Flag] = &[
    value("bootstrap-server", "host:port,…", "The brokers to connect to."),
    value("command-config", "file", "Client properties."),
    value("config", "file", "Deprecated: --command-config."),
    value("id", "id", "unregister: the broker to forget."),
    switch("include-fenced-brokers", "list-endpoints: with brokers that are out of service."),
];

static TOOL: Tool = Tool { name: "kafka-cluster", about: "The Kafka cluster tool.", flags: FLAGS };

const COMMANDS: &[&str] = &["cluster-id", "unregister", "list-endpoints"];

pub fn run(arguments: &[String]) -> ScriptResult {
    let parsed = TOOL.parse(arguments)?;
    let command = super::subcommand(&parsed, TOOL.name, COMMANDS)?;
    let mut client = connect(&parsed, &["config", "command-config"])?;
    let told = |error: client::ClientError| ScriptError::Stderr(exception(&error));
    match command {
        "cluster-id" => {
            let id = client.cluster_id().map_err(told)?;
            writeln!(io::stdout(), "Cluster ID: {id}")?;
        }
        "unregister" => {
            let id = broker_id(&parsed)?;
            client.unregister_broker(id).map_err(told)?;
            writeln!(io::stdout(), "Broker {id} is no longer registered.")?;
        }
        _ => {
            let members = client.members().map_err(told)?;
            list(&members, parsed.has("include-fenced-brokers"))?;
        }
    }
    Ok(())
}

fn broker_id(parsed: &Parsed) -> Result<i32, ScriptError> {
    let missing = || argparse_error(TOOL.name, "argument --id/-i is required");
    parsed.number("id")?.ok_or_else(missing)
}

fn list(members: &[client::admin::members::Member], with_fenced: bool) -> io::Result<()> {
    let host_width = |m: &client::admin::members::Member| split(&m.address).0.len();
    let width = members.iter().map(host_width).max().unwrap_or(0).max("HOST".len());
    let mut out = io::stdout().lock();
    let mut line = |cells: [&str; 6]| {
        let [id, host, port, rack, state, kind] = cells;
        writeln!(out, "{id:<10} {host:<width$} {port:<10} {rack:<10} {state:<10} {kind:<15}")
    };
    line(["ID", "HOST", "PORT", "RACK", "STATE", "ENDPOINT_TYPE"])?;
    for member in members.iter().filter(|member| with_fenced || !member.is_fenced) {
        let (host, port) = split(&member.address);
        let state = if member.is_fenced { "fenced" } else { "unfenced" };
        let rack = member.rack.as_deref().unwrap_or("null");
        line([&member.id.to_string(), host, port, rack, state, "broker"])?;
    }
    Ok(())
}

fn split(address: &str) -> (&str, &str) {
    address.rsplit_once(':').unwrap_or((address, ""))
}
