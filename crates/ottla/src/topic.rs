//! `ottla topic`: one verb, one file.

mod alter;
mod create;
mod delete;
mod describe;
mod list;

pub(crate) use create::key_value;
pub(crate) use delete::confirm;

use clap::Subcommand;

use crate::context::Common;
use crate::failure::Outcome;

#[derive(Debug, Subcommand)]
pub enum TopicCommand {
    /// Create topics
    Create(create::CreateArgs),
    /// List topics
    List(list::ListArgs),
    /// Show partitions, leaders, replicas and configuration of topics
    Describe(describe::DescribeArgs),
    /// Add partitions, or change a topic's configuration
    Alter(alter::AlterArgs),
    /// Delete topics with all their records
    Delete(delete::DeleteArgs),
}

pub fn run(command: TopicCommand, common: &Common) -> Outcome {
    match command {
        TopicCommand::Create(args) => create::run(&args, common),
        TopicCommand::List(args) => list::run(&args, common),
        TopicCommand::Describe(args) => describe::run(&args, common),
        TopicCommand::Alter(args) => alter::run(&args, common),
        TopicCommand::Delete(args) => delete::run(&args, common),
    }
}
