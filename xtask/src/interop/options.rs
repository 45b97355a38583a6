//! What the command line of `cargo xtask interop` may say.

/// Printed for `--help`.
pub const USAGE: &str = "\
cargo xtask interop [--against ottla|kafka] [--only suite,suite]
                    [--bootstrap host:port] [--binary PATH]

  --against    who is judged: ottla (default) or kafka (Apache Kafka); built and started here
  --only       some suites: java, tools, confluent, kafka-python, aiokafka, kafkajs, kcat,
               promises, versions, bad-input, crash, disks, cluster-tools; and, against kafka only,
               record-wire and record-log, which write the golden data of crates/protocol
               and of crates/storage
  --bootstrap  judge a server that already runs
  --binary     an ottla binary that is already built

UPDATE=1 with --against kafka writes the expectations of the bad-input suite anew.";

/// Who is judged.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Target {
    Ottla,
    Kafka,
}

/// The parsed command line.
pub struct Options {
    pub against: Target,
    /// Suite names; empty means all.
    pub only: Vec<String>,
    pub bootstrap: Option<String>,
    pub binary: Option<String>,
    pub help: bool,
}

impl Options {
    pub fn parse(args: &[String]) -> Result<Options, String> {
        let mut options = Options {
            against: Target::Ottla,
            only: Vec::new(),
            bootstrap: None,
            binary: None,
            help: false,
        };
        let mut words = args.iter();
        while let Some(flag) = words.next() {
            let mut value =
                || words.next().cloned().ok_or_else(|| format!("{flag} needs a value\n\n{USAGE}"));
            match flag.as_str() {
                "--against" => options.against = target(&value()?)?,
                "--only" => options.only = value()?.split(',').map(str::to_owned).collect(),
                "--bootstrap" => options.bootstrap = Some(value()?),
                "--binary" => options.binary = Some(value()?),
                "-h" | "--help" => options.help = true,
                other => return Err(format!("unknown flag {other}\n\n{USAGE}")),
            }
        }
        Ok(options)
    }
}

fn target(word: &str) -> Result<Target, String> {
    match word {
        "ottla" => Ok(Target::Ottla),
        "kafka" => Ok(Target::Kafka),
        other => Err(format!("--against is ottla or kafka, not {other}")),
    }
}
