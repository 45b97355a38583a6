//! `ottla cluster`: how all of it is.

mod quorum;
mod status;
mod voters;

use clap::Subcommand;

use crate::context::Common;
use crate::failure::Outcome;

#[derive(Debug, Subcommand)]
pub enum ClusterCommand {
    /// Say in one line how the cluster is, then list its brokers; exits with 3 if it is not healthy
    Status,
    /// Show who votes on the metadata, and how far each voter is; or change who does
    Quorum(voters::QuorumArgs),
}

pub fn run(command: ClusterCommand, common: &Common) -> Outcome {
    match command {
        ClusterCommand::Status => status::run(common),
        ClusterCommand::Quorum(args) => voters::run(args, common),
    }
}
