//! `ottla topic delete`

use std::io::{self, IsTerminal, Write};

use clap::Args;
use serde::Serialize;
use types::ErrorCode;

use crate::context::Common;
use crate::failure::{Failure, Outcome};
use crate::output::{self, Done};

#[derive(Args, Debug)]
pub struct DeleteArgs {
    /// Names of the topics
    #[arg(required = true, value_name = "TOPIC")]
    names: Vec<String>,

    /// Succeed if a topic does not exist
    #[arg(long)]
    if_exists: bool,

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
    confirm(&format!("delete {} with all records?", args.names.join(", ")), args.yes)?;
    let mut deleted = Vec::new();
    for name in &args.names {
        match client.delete_topic(name) {
            Ok(()) => deleted.push(name.clone()),
            Err(error) if args.if_exists && error.is_broker(ErrorCode::UnknownTopicOrPartition) => {
            }
            Err(error) => return Err(error.into()),
        }
    }
    let sentence = match deleted.len() {
        0 => "nothing to delete".to_owned(),
        1 => format!("deleted topic {}", deleted[0]),
        _ => format!("deleted topics {}", deleted.join(", ")),
    };
    output::print(common.output, &Done { facts: Deleted { deleted }, sentence })
}

/// Asks a person at a terminal; a script is trusted to mean what it says.
pub(crate) fn confirm(question: &str, is_answered: bool) -> Outcome {
    if is_answered || !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Ok(());
    }
    eprint!("{question} [y/N] ");
    io::stderr().flush()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    if answer.trim().eq_ignore_ascii_case("y") || answer.trim().eq_ignore_ascii_case("yes") {
        return Ok(());
    }
    Err(Failure::usage("delete", "it was not confirmed").todo("--yes answers beforehand"))
}
