//! The command tree: `ottla <noun> <verb>`.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::context::Common;
use crate::failure::{Exit, Failure, Outcome};
use crate::output::Format;
use crate::{
    bench, broker, cluster, config_file, consume, group, kafka, log_dump, offsets, partition,
    produce, records_delete, serve, settings, topic,
};

/// An event log that speaks Kafka, and the command line for any Kafka cluster.
#[derive(Debug, Parser)]
#[command(
    name = "ottla",
    version,
    about,
    after_help = AFTER_HELP,
    max_term_width = 100,
    infer_long_args = true,
    disable_help_subcommand = true,
    arg_required_else_help = true
)]
struct Cli {
    #[command(subcommand)]
    command: Command,

    #[command(flatten)]
    common: Common,
}

const AFTER_HELP: &str = "\
In a hurry?
  ottla dev                                  a node on 127.0.0.1:9092
  echo hello | ottla produce greetings       write to a topic
  ottla consume greetings --from beginning   read it

Kafka's tools are here under their own names, with their flags and their output:
  ottla kafka-topics --bootstrap-server localhost:9092 --list

Exit codes: 0 done · 1 failed · 2 wrong usage · 3 not healthy · 4 not found · 5 denied ·
            6 timed out · 7 done in part";

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a node on this machine for development, with nothing to set up
    Dev(serve::DevArgs),
    /// Run a node as its configuration says
    Start(serve::StartArgs),
    /// Create, list, describe, change and delete topics
    #[command(subcommand)]
    Topic(topic::TopicCommand),
    /// Write records to a topic, from standard input
    Produce(produce::ProduceArgs),
    /// Read records of topics, to standard output
    Consume(consume::ConsumeArgs),
    /// List, describe, rewind and delete consumer groups
    #[command(subcommand)]
    Group(group::GroupCommand),
    /// Show and change the configuration of topics, brokers and groups
    #[command(subcommand)]
    Config(settings::ConfigCommand),
    /// List brokers, and forget those that will not come back
    #[command(subcommand)]
    Broker(broker::BrokerCommand),
    /// Show, elect and move the replicas of partitions
    #[command(subcommand)]
    Partition(partition::PartitionCommand),
    /// Show how the cluster is
    #[command(subcommand)]
    Cluster(cluster::ClusterCommand),
    /// Show where partitions begin and end
    Offsets(offsets::OffsetsArgs),
    /// Delete records from the front of partitions
    #[command(subcommand)]
    Records(records_delete::RecordsCommand),
    /// Look into the files of a log directory
    #[command(subcommand)]
    Log(log_dump::LogCommand),
    /// Measure any Kafka-compatible broker, or several side by side
    #[command(subcommand)]
    Bench(bench::BenchCommand),
    /// Kafka's tools by their names
    #[command(name = "kafka", hide = true)]
    Kafka,
}

/// Runs the command line.
pub fn run(arguments: &[String]) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => return refuse(arguments, &error),
    };
    match execute(cli.command, &cli.common) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(cli.common.output),
    }
}

fn execute(command: Command, common: &Common) -> Outcome {
    match command {
        Command::Dev(args) => serve::dev(&args),
        Command::Start(args) => serve::start(&args),
        Command::Topic(command) => topic::run(command, common),
        Command::Produce(args) => produce::run(&args, common),
        Command::Consume(args) => consume::run(&args, common),
        Command::Group(command) => group::run(command, common),
        Command::Config(command) => match command {
            settings::ConfigCommand::Check(args) => config_file::check(&args, common.output),
            settings::ConfigCommand::Explain(args) => config_file::explain(&args, common.output),
            other => settings::run(other, common),
        },
        Command::Broker(command) => broker::run(command, common),
        Command::Partition(command) => partition::run(command, common),
        Command::Cluster(command) => cluster::run(command, common),
        Command::Offsets(args) => offsets::run(&args, common),
        Command::Records(command) => records_delete::run(command, common),
        Command::Log(command) => log_dump::run(command, common),
        Command::Bench(command) => bench::run(command, common),
        Command::Kafka => {
            let names = kafka::SCRIPTS.iter().map(|(name, _)| *name).collect::<Vec<_>>();
            Err(Failure::usage("run one of Kafka's tools", "it has to be named")
                .todo(format!("ottla {}", names.join(" | "))))
        }
    }
}

/// Help and version go to stdout and succeed; a mistake is told in our own grammar.
fn refuse(arguments: &[String], error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    let wants_json = arguments.windows(2).any(|pair| pair[0] == "-o" && pair[1] == "json")
        || arguments.iter().any(|argument| argument == "--output=json" || argument == "-ojson");
    if wants_json {
        let why = error.to_string();
        let why = why.trim_start_matches("error: ").lines().next().unwrap_or_default();
        return Failure::usage("read the command line", why).report(Format::Json);
    }
    let _ = error.print();
    ExitCode::from(Exit::Usage as u8)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_tree_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_has_a_sentence_and_every_flag_a_meaning() {
        fn check(command: &clap::Command) {
            if command.is_hide_set() {
                return;
            }
            assert!(command.get_about().is_some(), "{} has no sentence", command.get_name());
            for argument in command.get_arguments() {
                let is_told = argument.get_help().is_some();
                assert!(is_told, "{} {} has no help", command.get_name(), argument.get_id());
            }
            command.get_subcommands().for_each(check);
        }
        check(&Cli::command());
    }
}
