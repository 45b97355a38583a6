//! `ottla cluster`: how all of it is.

mod quorum;
mod status;

use clap::Subcommand;

use crate::context::Common;
use crate::failure::Outcome;

#[derive(Debug, Subcommand)]
pub enum ClusterCommand {
    /// Say in one line how the cluster is, then list its brokers; exits with 3 if it is not healthy
    Status,
    /// Show who votes on the metadata, and how far each voter is
    Quorum,
}

pub fn run(command: ClusterCommand, common: &Common) -> Outcome {
    match command {
        ClusterCommand::Status => status::run(common),
        ClusterCommand::Quorum => quorum::run(common),
    }
}
