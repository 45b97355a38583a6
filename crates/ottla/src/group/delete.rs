//! `ottla group delete`

use clap::Args;
use serde::Serialize;

use crate::context::Common;
use crate::failure::Outcome;
use crate::output::{self, Done};
use crate::topic::confirm;

#[derive(Args, Debug)]
pub struct DeleteArgs {
    /// Names of the groups; they must have no members
    #[arg(required = true, value_name = "GROUP")]
    groups: Vec<String>,

    /// Do not ask, even on a terminal
    #[arg(short, long)]
    yes: bool,
}

#[derive(Serialize)]
struct Deleted {
    deleted: Vec<String>,
}

pub fn run(args: &DeleteArgs, common: &Common) -> Outcome {
    let mut client = common.connect()?;
    confirm(&format!("delete {} with all offsets?", args.groups.join(", ")), args.yes)?;
    for group in &args.groups {
        client.delete_group(group)?;
    }
    let sentence = format!("deleted {}", args.groups.join(", "));
    output::print(
        common.output,
        &Done { facts: Deleted { deleted: args.groups.clone() }, sentence },
    )
}
