//! `ottla group`: one verb, one file.

mod delete;
mod delete_offsets;
mod describe;
mod list;
mod seek;

use clap::Subcommand;

use crate::context::Common;
use crate::failure::Outcome;

pub use describe::{Lag, lags};

#[derive(Debug, Subcommand)]
pub enum GroupCommand {
    /// List groups
    List(list::ListArgs),
    /// Show a group's members, offsets and lag
    Describe(describe::DescribeArgs),
    /// Move a group to other offsets: shows what would happen, --execute does it
    Seek(seek::SeekArgs),
    /// Delete groups with all that they have committed
    Delete(delete::DeleteArgs),
    /// Forget what a group has committed for topics
    DeleteOffsets(delete_offsets::DeleteOffsetsArgs),
}

pub fn run(command: GroupCommand, common: &Common) -> Outcome {
    match command {
        GroupCommand::List(args) => list::run(&args, common),
        GroupCommand::Describe(args) => describe::run(&args, common),
        GroupCommand::Seek(args) => seek::run(&args, common),
        GroupCommand::Delete(args) => delete::run(&args, common),
        GroupCommand::DeleteOffsets(args) => delete_offsets::run(&args, common),
    }
}
