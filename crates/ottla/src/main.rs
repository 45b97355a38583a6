//! `ottla`: a node, the command line for any cluster, and Kafka's tools under their own names.

mod bench;
mod broker;
mod cli;
mod cluster;
mod config_file;
mod consume;
mod context;
mod dev_cluster;
mod duration;
mod failure;
mod group;
mod interrupt;
mod kafka;
mod lines;
mod log_dump;
mod log_verify;
mod moment;
mod offsets;
mod output;
mod partition;
mod produce;
mod progress;
mod record_format;
mod records_delete;
mod serve;
mod settings;
mod table;
mod throttles;
mod topic;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> =
        std::env::args_os().map(|argument| argument.to_string_lossy().into_owned()).collect();
    match kafka::script_call(&arguments) {
        Some((script, rest)) => kafka::run(script, rest),
        None => cli::run(&arguments),
    }
}
