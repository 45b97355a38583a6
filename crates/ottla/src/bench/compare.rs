//! `ottla bench compare`

use clap::Args;
use load::Target;

use super::ContestArgs;
use crate::context::Common;
use crate::failure::{Failure, Outcome};

#[derive(Args, Debug)]
#[command(after_help = "\
Brokers take turns, A B A B, so that the machine's moods hit all alike. Ratios are of pairs of the
same round, by the first broker.

  ottla bench compare kafka=localhost:9092,pid=4711 ottla=localhost:9093,pid=4712")]
pub struct CompareArgs {
    /// A name, where the broker is and which process it is; the first is what others are compared
    /// with
    #[arg(value_name = "NAME=HOST:PORT[,pid=PID]", required = true, num_args = 2..)]
    brokers: Vec<String>,

    /// How often each case is run on each; the median counts
    #[arg(long, value_name = "N", default_value_t = 3)]
    rounds: usize,

    #[command(flatten)]
    contest: ContestArgs,
}

pub fn run(args: &CompareArgs, common: &Common) -> Outcome {
    let contest = super::contest(&args.contest, args.rounds)?;
    let parsed: Vec<Named> =
        args.brokers.iter().map(|text| parse(text)).collect::<Result<_, _>>()?;
    let connect = |named: &Named| Target::connect(&named.name, &named.address, named.pid);
    let mut targets = parsed.iter().map(connect).collect::<Result<Vec<_>, _>>()?;
    super::hold(&contest, &mut targets, &args.contest, common)
}

#[derive(Debug, PartialEq, Eq)]
struct Named {
    name: String,
    address: String,
    pid: Option<u32>,
}

fn parse(text: &str) -> Result<Named, Failure> {
    let malformed = |why: &str| {
        Failure::usage(format!("read the broker {text}"), why)
            .todo("write it as kafka=localhost:9092,pid=4711")
    };
    let (name, rest) = text.split_once('=').ok_or_else(|| malformed("it has no name"))?;
    let (address, pid) = match rest.split_once(",pid=") {
        None => (rest, None),
        Some((address, pid)) => {
            let pid = pid.parse().map_err(|_| malformed("a process id is a number"))?;
            (address, Some(pid))
        }
    };
    if name.is_empty() || address.is_empty() || address.contains(',') {
        return Err(malformed("it is not NAME=HOST:PORT or NAME=HOST:PORT,pid=PID"));
    }
    Ok(Named { name: name.to_owned(), address: address.to_owned(), pid })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brokers_have_a_name_an_address_and_perhaps_a_process() {
        let named = parse("kafka=localhost:9092,pid=47").unwrap();
        assert_eq!((named.name.as_str(), named.address.as_str()), ("kafka", "localhost:9092"));
        assert_eq!(named.pid, Some(47));
        assert_eq!(parse("a=h:1").unwrap().pid, None);
        for text in ["h:1", "=h:1", "a=", "a=h:1,pid=x", "a=h:1,x=2"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
