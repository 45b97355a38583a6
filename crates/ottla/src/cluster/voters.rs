//! `ottla cluster quorum add` and `remove`: who votes on the metadata (KIP-853).

use clap::{Args, Subcommand};
use client::admin::quorum::{Quorum, QuorumMember};
use client::{ClientError, ErrorKind};
use serde::Serialize;
use types::{ErrorCode, Uuid};

use super::quorum;
use crate::context::Common;
use crate::failure::{Exit, Failure, Outcome};
use crate::output::{self, Done};
use crate::topic::confirm;

#[derive(Args, Debug)]
pub struct QuorumArgs {
    #[command(subcommand)]
    command: Option<QuorumCommand>,
}

#[derive(Debug, Subcommand)]
enum QuorumCommand {
    /// Let a controller vote that runs and observes: it has the metadata already
    Add(VoterArgs),
    /// Take a controller its vote; it observes from then on, and can be stopped
    Remove(VoterArgs),
}

#[derive(Args, Debug)]
struct VoterArgs {
    /// The controller's node.id
    id: i32,

    /// Its metadata directory (directory.id of meta.properties), if several have this node.id
    #[arg(long, value_name = "ID")]
    directory: Option<Uuid>,

    /// Do not ask, even on a terminal
    #[arg(short, long)]
    yes: bool,
}

#[derive(Serialize)]
struct Changed {
    id: i32,
    directory: String,
    votes: bool,
}

pub fn run(args: QuorumArgs, common: &Common) -> Outcome {
    match args.command {
        None => quorum::run(common),
        Some(QuorumCommand::Add(voter)) => add(&voter, common),
        Some(QuorumCommand::Remove(voter)) => remove(&voter, common),
    }
}

fn add(args: &VoterArgs, common: &Common) -> Outcome {
    let id = args.id;
    let what = format!("let controller {id} vote");
    let mut client = common.connect()?;
    let known = client.quorum()?;
    let todo = format!(
        "start it with process.roles=controller and controller.quorum.bootstrap.servers, its \
         directory formatted with kafka-storage format --no-initial-controllers; ottla cluster \
         quorum shows it as an observer then{}",
        if votes(&known, id) { "; remove the voter of this id first" } else { "" }
    );
    let listens = known.nodes.get(&id).filter(|endpoints| !endpoints.is_empty());
    let member = one_of(&known.observers, args, &what).map_err(|failure| failure.todo(&todo))?;
    let Some(endpoints) = listens.cloned() else {
        let why = "nobody knows where it listens for controllers".to_owned();
        return Err(Failure::new(Exit::Failed, "NO_ENDPOINT", what, why).todo(todo));
    };
    let directory = member.directory;
    client.add_voter(id, directory, &endpoints).map_err(|error| changed(error, &what))?;
    let sentence = format!("controller {id} votes, with directory {directory}");
    told(common, id, directory, true, sentence)
}

fn remove(args: &VoterArgs, common: &Common) -> Outcome {
    let id = args.id;
    let what = format!("take controller {id} its vote");
    let mut client = common.connect()?;
    let known = client.quorum()?;
    let directory = one_of(&known.voters, args, &what)
        .map_err(|failure| failure.todo("ottla cluster quorum shows who votes"))?
        .directory;
    confirm(&format!("take controller {id} its vote?"), args.yes)?;
    client.remove_voter(id, directory).map_err(|error| changed(error, &what))?;
    told(common, id, directory, false, format!("controller {id} votes no more; it can be stopped"))
}

fn told(common: &Common, id: i32, directory: Uuid, votes: bool, sentence: String) -> Outcome {
    let facts = Changed { id, directory: directory.to_string(), votes };
    output::print(common.output, &Done { facts, sentence })
}

fn votes(known: &Quorum, id: i32) -> bool {
    known.voters.iter().any(|voter| voter.id == id)
}

/// The member that is meant.
fn one_of<'a>(
    members: &'a [QuorumMember],
    args: &VoterArgs,
    what: &str,
) -> Result<&'a QuorumMember, Failure> {
    let is_meant = |member: &&QuorumMember| {
        member.id == args.id && args.directory.is_none_or(|wanted| wanted == member.directory)
    };
    let mut meant = members.iter().filter(is_meant);
    match (meant.next(), meant.next()) {
        (Some(member), None) => Ok(member),
        (Some(_), Some(_)) => {
            let why = "several directories have this node.id: name one with --directory";
            Err(Failure::usage(what, why))
        }
        (None, _) => {
            let why = "the active controller has not heard of it in this role";
            Err(Failure::new(Exit::NotFound, "VOTER_NOT_FOUND", what, why))
        }
    }
}

/// What the active controller says to it, with what helps.
fn changed(error: ClientError, what: &str) -> Failure {
    let todo = match error.kind {
        ErrorKind::Broker(ErrorCode::UnsupportedVersion) => {
            "the voters are those of controller.quorum.voters; kafka-features upgrade --feature \
             kraft.version=1 makes a quorum of several such that changes online"
        }
        ErrorKind::Broker(ErrorCode::RequestTimedOut) | ErrorKind::TimedOut => {
            "ottla cluster quorum shows whether it was done; try again once all voters run and \
             nobody is behind"
        }
        _ => return error.into(),
    };
    let failure = Failure::from(error).todo(todo);
    Failure { what: what.to_owned(), ..failure }
}
