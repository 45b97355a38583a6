//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use crate::Outcome;
use crate::kafka::KafkaOptions;
use crate::kafka::tools::Outside;

pub const HELP: &str = "\
usage: cargo xtask bench [options]
       cargo xtask bench commit [--rounds N] [--dir PATH]
                    ways to make many files survive power loss together
       cargo xtask bench durable [--rounds N] [--gigabytes G] [--only DURABILITY] [--server PATH]
                                 [--dir PATH] [--sustained | --outside | --lone [--also PATH]]
                    acknowledged means on disk, beside acknowledged means the page cache
       cargo xtask bench restart [--partitions N] [--gigabytes X] [--rounds N]
                    [--files-max N] [--server PATH] [--dir PATH]
                    how soon a node is ready again after kill -9 and after a clean stop
       cargo xtask bench kafka [--rounds N] [--seconds N] [--prime N] [--case NAME,…]
                    [--tool-records N] [--server PATH] [--out PATH] [--dir PATH]
                    Apache Kafka beside the node: the cases of `ottla bench`, and start, tools

  --rounds N        repeats of each figure; the median counts (default 5; restart and kafka 3)
  --scale X         bytes and requests of each run, times X (default 1)
  --only TEXT       only figures whose name contains TEXT; may be repeated
  --server PATH     the binary measured (default: ottla beside this one)
  --also PATH       another binary, measured in turn with the first; may be repeated
  --dir PATH        where data goes (default: target/bench)
  -o json           JSON instead of tables
  --gigabytes X     durable: written in each run (default 4); restart: over all partitions (10)
  --sustained       durable: the rates while what page-cache producers write is written out
  --outside         durable: with Kafka's own producer and librdkafka, filling all partitions
  --lone            durable: a producer of one record at a time, beside a program that only
                    receives, writes, syncs and answers
  --partitions N    restart: how many (default 1000)
  --files-max N     restart: files that the node may have open (default 20000)
  --case NAME,…     kafka: only these of the cases, start, tools (default: all)
  --seconds N       kafka: how long each round is measured (default 5)
  --prime N         kafka: seconds of load that is not counted, before everything (default 20)
  --tool-records N  kafka: records of each outside tool (default 1000000)
  --out PATH        kafka: a path, whose .json, .html and .md are written (target/bench/kafka)
";

const DATA_DIR: &str = "target/bench";

pub enum Command {
    Measure(Options),
    /// The floor server: started by this program itself.
    Floor {
        dir: PathBuf,
    },
    /// The same for a lone producer under fsync.
    Least {
        dir: PathBuf,
    },
    Commit(CommitOptions),
    Durable(DurableOptions),
    Restart(RestartOptions),
    Kafka(KafkaOptions),
    Help,
}

/// `bench durable`.
#[derive(Debug)]
pub struct DurableOptions {
    pub rounds: usize,
    /// How much the 64 producers write in each run, in GB.
    pub gigabytes: f64,
    /// Durabilities; empty: all.
    pub only: Vec<String>,
    pub server: Option<PathBuf>,
    pub dir: PathBuf,
    /// Measured in turn with the first; `--lone` only.
    pub also: Vec<PathBuf>,
    pub load: DurableLoad,
    pub outside: Outside,
}

/// Who produces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DurableLoad {
    Ours,
    /// Ours, measured while the kernel writes out what producers write.
    Sustained,
    /// Producers that are not ours.
    Outside,
    /// One that sends a record at a time.
    Lone,
}

/// `bench commit`.
#[derive(Clone, Debug)]
pub struct CommitOptions {
    pub rounds: usize,
    pub dir: PathBuf,
}

/// `bench restart`.
#[derive(Clone, Debug)]
pub struct RestartOptions {
    pub partitions: usize,
    /// Over all partitions; the first thousand share it.
    pub bytes: u64,
    pub rounds: usize,
    /// What the node may have open.
    pub files_max: u64,
    pub server: Option<PathBuf>,
    pub dir: PathBuf,
}

#[derive(Clone, Debug)]
pub struct Options {
    pub rounds: usize,
    pub scale: f64,
    pub only: Vec<String>,
    pub server: Option<PathBuf>,
    pub also: Vec<PathBuf>,
    pub dir: PathBuf,
    pub json: bool,
}

impl Options {
    pub fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|part| name.contains(part.as_str()))
    }
}

pub fn parse(arguments: &[String]) -> Outcome<Command> {
    let mut options = Options {
        rounds: 5,
        scale: 1.0,
        only: Vec::new(),
        server: None,
        also: Vec::new(),
        dir: DATA_DIR.into(),
        json: false,
    };
    let first = arguments.first().map_or("", String::as_str);
    match first {
        _ if arguments.iter().any(|name| name == "-h" || name == "--help") => {
            return Ok(Command::Help);
        }
        "restart" => return restart(&arguments[1..]),
        "kafka" => return kafka(&arguments[1..]),
        "durable" => return durable(&arguments[1..]),
        _ => {}
    }
    let is_named = first == "commit";
    let mut rest = arguments.iter().skip(usize::from(is_named));
    while let Some(name) = rest.next() {
        let mut value = || rest.next().ok_or_else(|| format!("{name} needs a value\n{HELP}"));
        match name.as_str() {
            "floor" => return Ok(Command::Floor { dir: value()?.into() }),
            "least" => return Ok(Command::Least { dir: value()?.into() }),
            "--rounds" => options.rounds = number(name, value()?)?,
            "--scale" => options.scale = number(name, value()?)?,
            "--only" => options.only.push(value()?.clone()),
            "--server" => options.server = Some(value()?.into()),
            "--also" => options.also.push(value()?.into()),
            "--dir" => options.dir = value()?.into(),
            "-o" => match value()?.as_str() {
                "json" => options.json = true,
                "table" => options.json = false,
                other => return Err(format!("-o is table or json, not {other}")),
            },
            other => return Err(format!("unknown option {other}\n{HELP}")),
        }
    }
    options.rounds = options.rounds.max(1);
    let apart = CommitOptions { rounds: options.rounds, dir: options.dir.clone() };
    if is_named {
        return Ok(Command::Commit(apart));
    }
    Ok(Command::Measure(options))
}

fn kafka(arguments: &[String]) -> Outcome<Command> {
    let mut options = KafkaOptions {
        rounds: 3,
        window: Duration::from_secs(5),
        prime: Duration::from_secs(20),
        cases: Vec::new(),
        outside: Outside::default(),
        server: None,
        dir: DATA_DIR.into(),
        out: PathBuf::from("target/bench/kafka"),
    };
    for_each_option(arguments, |name, value| {
        match name {
            "--rounds" => options.rounds = number::<usize>(name, value)?.max(1),
            "--seconds" => options.window = Duration::from_secs(number(name, value)?),
            "--prime" => options.prime = Duration::from_secs(number(name, value)?),
            "--case" => options.cases.extend(value.split(',').map(str::to_owned)),
            "--tool-records" => options.outside.records = number(name, value)?,
            "--server" => options.server = Some(value.into()),
            "--classpath" => options.outside.classpath.clone_from(value),
            "--python" => options.outside.python = value.into(),
            "--dir" => options.dir = value.into(),
            "--out" => options.out = value.into(),
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok(Command::Kafka(options))
}

/// Of `bench durable`, without a value.
const FLAGS: [(&str, DurableLoad); 3] = [
    ("--sustained", DurableLoad::Sustained),
    ("--outside", DurableLoad::Outside),
    ("--lone", DurableLoad::Lone),
];

fn durable(arguments: &[String]) -> Outcome<Command> {
    let mut options = DurableOptions {
        rounds: 5,
        gigabytes: 4.0,
        only: Vec::new(),
        server: None,
        dir: DATA_DIR.into(),
        also: Vec::new(),
        load: DurableLoad::Ours,
        outside: Outside::default(),
    };
    let load_of = |name: &String| FLAGS.iter().find(|(flag, _)| flag == name).map(|flag| flag.1);
    let (flags, others): (Vec<_>, Vec<_>) =
        arguments.iter().cloned().partition(|name| load_of(name).is_some());
    if flags.len() > 1 {
        return Err(format!("{} are measurements of their own: give one", flags.join(" and ")));
    }
    options.load = flags.first().and_then(load_of).unwrap_or(options.load);
    for_each_option(&others, |name, value| {
        match name {
            "--rounds" => options.rounds = number(name, value)?,
            "--gigabytes" => options.gigabytes = number(name, value)?,
            "--only" => options.only.push(value.clone()),
            "--server" => options.server = Some(value.into()),
            "--also" => options.also.push(value.into()),
            "--classpath" => options.outside.classpath.clone_from(value),
            "--python" => options.outside.python = value.into(),
            "--dir" => options.dir = value.into(),
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    if !options.also.is_empty() && options.load != DurableLoad::Lone {
        return Err("--also goes with --lone: the other loads measure one node".to_owned());
    }
    options.rounds = options.rounds.max(1);
    Ok(Command::Durable(options))
}

fn restart(arguments: &[String]) -> Outcome<Command> {
    let mut options = RestartOptions {
        partitions: 1000,
        bytes: 10_000_000_000,
        rounds: 3,
        files_max: 20_000,
        server: None,
        dir: DATA_DIR.into(),
    };
    for_each_option(arguments, |name, value| {
        match name {
            "--partitions" => options.partitions = number(name, value)?,
            "--gigabytes" => options.bytes = (number::<f64>(name, value)? * 1e9) as u64,
            "--rounds" => options.rounds = number(name, value)?,
            "--files-max" => options.files_max = number(name, value)?,
            "--server" => options.server = Some(value.into()),
            "--dir" => options.dir = value.into(),
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    options.partitions = options.partitions.max(1);
    options.rounds = options.rounds.max(1);
    Ok(Command::Restart(options))
}

/// Options that all have a value; `set` is false for a name that it does not know.
fn for_each_option(
    arguments: &[String],
    mut set: impl FnMut(&str, &String) -> Outcome<bool>,
) -> Outcome<()> {
    let mut rest = arguments.iter();
    while let Some(name) = rest.next() {
        let value = rest.next().ok_or_else(|| format!("{name} needs a value\n{HELP}"))?;
        if !set(name, value)? {
            return Err(format!("unknown option {name}\n{HELP}"));
        }
    }
    Ok(())
}

fn number<T: std::str::FromStr>(name: &str, text: &str) -> Outcome<T> {
    text.parse().map_err(|_| format!("{name} needs a number, not {text:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Outcome<Command> {
        parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn options_are_read_and_mistakes_are_named() {
        let Ok(Command::Measure(options)) = parsed("--rounds 0 --only fetch -o json") else {
            panic!("a good line is understood");
        };
        assert!(options.json && options.rounds == 1);
        assert!(options.wants("fetch 64 KiB") && !options.wants("produce"));
        let Ok(Command::Restart(options)) = parsed("restart --partitions 7 --gigabytes 0.5") else {
            panic!("a good line is understood");
        };
        assert_eq!((options.partitions, options.bytes), (7, 500_000_000));
        assert!(matches!(parsed("kafka --help"), Ok(Command::Help)));
        let Ok(Command::Durable(options)) = parsed("durable --sustained --rounds 2") else {
            panic!("a good line is understood");
        };
        assert!(options.load == DurableLoad::Sustained && options.rounds == 2);
        let Ok(Command::Durable(options)) = parsed("durable --outside --python x/python") else {
            panic!("a good line is understood");
        };
        assert!(
            options.load == DurableLoad::Outside && options.outside.python.ends_with("x/python")
        );
        let Ok(Command::Durable(options)) = parsed("durable --also x --lone") else {
            panic!("a good line is understood");
        };
        assert!(options.load == DurableLoad::Lone && options.also.len() == 1);
        assert!(parsed("durable --also x").is_err_and(|error| error.contains("--lone")));
        let both = parsed("durable --outside --sustained");
        assert!(both.is_err_and(|error| error.contains("give one")));
        assert!(parsed("durable --rounds").is_err_and(|error| error.contains("needs a value")));
        assert!(parsed("restart --scale 2").is_err_and(|error| error.contains("unknown option")));
        for (line, told) in [("--rounds x", "number"), ("--scale", "value"), ("-o xml", "xml")] {
            assert!(parsed(line).is_err_and(|error| error.contains(told)), "{line}");
        }
    }
}
