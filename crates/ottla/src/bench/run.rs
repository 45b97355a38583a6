//! `ottla bench run`

use clap::Args;
use load::Target;

use super::ContestArgs;
use crate::context::Common;
use crate::failure::Outcome;

#[derive(Args, Debug)]
#[command(after_help = "\
Requests are sent at the times at which they are meant to be sent, whatever the broker does, and
latency counts from there: a stall shows in the percentiles as its users would feel it.

CPU time and memory are the operating system's: they need the broker's process id on this machine.

  ottla bench run --against localhost:9092 --pid $(pgrep -x ottla) --case small-20k
  ottla bench run --against localhost:9092 --seconds 30 --report bench.html")]
pub struct RunArgs {
    /// The broker [default: the bootstrap server]
    #[arg(long, value_name = "HOST:PORT")]
    against: Option<String>,

    /// Its process on this machine
    #[arg(long, value_name = "PID")]
    pid: Option<u32>,

    /// How often each case is run; the median counts
    #[arg(long, value_name = "N", default_value_t = 1)]
    rounds: usize,

    #[command(flatten)]
    contest: ContestArgs,
}

pub fn run(args: &RunArgs, common: &Common) -> Outcome {
    let contest = super::contest(&args.contest, args.rounds)?;
    let bootstrap = common.options()?.bootstrap;
    let address = args.against.clone().or_else(|| bootstrap.into_iter().next());
    let address = address.unwrap_or_else(|| client::DEFAULT_BOOTSTRAP.to_owned());
    let mut targets = [Target::connect(&address, &address, args.pid)?];
    super::hold(&contest, &mut targets, &args.contest, common)
}
