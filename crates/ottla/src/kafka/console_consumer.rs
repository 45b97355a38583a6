//! `kafka-console-consumer`. Source of flags and output: Kafka `ConsoleConsumer`.

mod formatter;

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};
use std::time::{Duration, Instant};

use client::{
    Client, ClientError, Consumed, GroupConsumer, GroupOptions, OffsetAt, Place, Reader,
    ReaderOptions, Reset, TopicsWanted,
};
use types::Offset;

use super::console_producer::pairs;
use super::exceptions::exception;
use super::options::{Flag, Parsed, Tool, switch, value};
use super::topics::topic_pattern;
use super::{ScriptError, ScriptResult, client_options};
use crate::interrupt::Interrupt;
use formatter::Formatter;

const FLAGS: &[Flag] = &[
    value("bootstrap-server", "host:port,…", "REQUIRED: the brokers to connect to."),
    value("topic", "topic", "The topic to consume."),
    value("include", "regex", "The topics to consume."),
    value("partition", "number", "Only this partition; from the end, unless --offset says."),
    value("offset", "place", "earliest, latest or a number; latest is the default."),
    value("group", "group", "The consumer group."),
    switch("from-beginning", "Begin with the oldest record where nothing was committed."),
    value("max-messages", "number", "Exit after this many records."),
    value("timeout-ms", "ms", "Exit when nothing came for this long."),
    value("command-config", "file", "Consumer properties."),
    value("consumer.config", "file", "The older name of --command-config."),
    value("command-property", "name=value", "A consumer property; may be repeated."),
    value("consumer-property", "name=value", "The older name of --command-property."),
    value("formatter", "class", "The class that prints records; the default one is built in."),
    value("formatter-property", "name=value", "print.key, key.separator, …"),
    value("property", "name=value", "The older name of --formatter-property."),
    value("formatter-config", "file", "A file with formatter properties."),
    value("key-deserializer", "class", "How keys are read: String, Integer, Long, …"),
    value("value-deserializer", "class", "How values are read: String, Integer, Long, …"),
    value("isolation-level", "level", "read_committed or read_uncommitted, the default."),
    switch("skip-message-on-error", "Go on after a record that cannot be printed."),
    switch("enable-systest-events", "Accepted; for Kafka's own tests."),
];

static TOOL: Tool = Tool {
    name: "kafka-console-consumer",
    about: "This tool helps to read data from Kafka topics and outputs it to standard output.",
    flags: FLAGS,
};

const WAIT: Duration = Duration::from_millis(250);

pub fn run(arguments: &[String]) -> ScriptResult {
    let parsed = TOOL.parse(arguments)?;
    let plan = Plan::new(&parsed)?;
    let mut client = plan.connect(&parsed)?;
    let topics = plan.topics(&parsed, &mut client)?;
    let mut printer = Printer::new(&plan);
    let read = match &plan.group {
        Some(group) => in_group(&plan, group, topics, &mut client, &mut printer),
        None => alone(&plan, &topics, &mut client, &mut printer),
    };
    printer.out.flush()?;
    eprintln!("Processed a total of {} messages", printer.count);
    match read {
        Err(Stop::Client(error)) => Err(ScriptError::Stderr(exception(&error))),
        Err(Stop::Output(error)) => Err(error.into()),
        Ok(()) => Ok(()),
    }
}

/// Why reading stops before it is enough.
enum Stop {
    Client(ClientError),
    Output(io::Error),
}

impl From<ClientError> for Stop {
    fn from(error: ClientError) -> Stop {
        Stop::Client(error)
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Stop {
        Stop::Output(error)
    }
}

/// What the flags ask for.
struct Plan {
    properties: BTreeMap<String, String>,
    group: Option<String>,
    partition: Option<i32>,
    from: OffsetAt,
    offset: Option<i64>,
    max_messages: Option<u64>,
    timeout: Option<Duration>,
    is_read_committed: bool,
    formatter: Formatter,
}

impl Plan {
    fn new(parsed: &Parsed) -> Result<Plan, ScriptError> {
        parsed.require(&["bootstrap-server"])?;
        if parsed.has("topic") == parsed.has("include") {
            return Err(parsed
                .usage("Exactly one of the following arguments is required: [topic], [include]"));
        }
        for (old, new) in [
            ("property", "formatter-property"),
            ("consumer-property", "command-property"),
            ("consumer.config", "command-config"),
        ] {
            if parsed.has(old) {
                // On stderr, so that it does not mix with the records.
                eprintln!(
                    "Option --{old} is deprecated and will be removed in a future version. Use \
                     --{new} instead."
                );
            }
        }
        let properties = properties(parsed)?;
        let (from, offset) = place(parsed, &properties)?;
        let isolation = parsed
            .value("isolation-level")
            .or_else(|| properties.get("isolation.level").map(String::as_str));
        Ok(Plan {
            group: group(parsed, &properties)?,
            partition: parsed.number("partition")?,
            from,
            offset,
            max_messages: parsed.number("max-messages")?,
            timeout: parsed.number("timeout-ms")?.map(Duration::from_millis),
            is_read_committed: isolation == Some("read_committed"),
            formatter: Formatter::new(parsed)?,
            properties,
        })
    }

    fn connect(&self, parsed: &Parsed) -> Result<Client, ScriptError> {
        let told = |error: ClientError| ScriptError::Stderr(error.to_string());
        let base = client_options(parsed, &[])?;
        let mut options = base.clone().with_properties(&self.properties).map_err(told)?;
        options.bootstrap = base.bootstrap;
        if !self.properties.contains_key("client.id") {
            options.client_id = "console-consumer".to_owned();
        }
        Client::connect(options).map_err(told)
    }

    fn topics(&self, parsed: &Parsed, client: &mut Client) -> Result<Vec<String>, ScriptError> {
        if let Some(topic) = parsed.value("topic") {
            let topic = topic.to_owned();
            client
                .refresh(TopicsWanted::NamedOrCreated(vec![topic.clone()]))
                .map_err(|error| ScriptError::Stderr(exception(&error)))?;
            return Ok(vec![topic]);
        }
        let pattern = topic_pattern(parsed, parsed.value("include").unwrap_or_default())?;
        let cluster = client
            .refresh(TopicsWanted::All)
            .map_err(|error| ScriptError::Stderr(exception(&error)))?;
        let wanted =
            cluster.topics.values().filter(|t| !t.is_internal && pattern.is_match(&t.name));
        Ok(wanted.map(|topic| topic.name.clone()).collect())
    }

    fn reader_options(&self) -> ReaderOptions {
        let is_earliest = self.from == OffsetAt::Earliest;
        ReaderOptions {
            reset: if is_earliest { Reset::Earliest } else { Reset::Latest },
            is_read_committed: self.is_read_committed,
            ..ReaderOptions::default()
        }
    }
}

fn properties(parsed: &Parsed) -> Result<BTreeMap<String, String>, ScriptError> {
    let mut properties = BTreeMap::new();
    for flag in ["consumer.config", "command-config"] {
        for path in parsed.values(flag) {
            properties.extend(crate::context::read_properties(path)?);
        }
    }
    for flag in ["consumer-property", "command-property"] {
        properties.extend(pairs(parsed, flag)?);
    }
    Ok(properties)
}

/// Without a name Kafka's tool joins a group that is never seen again; we just read.
fn group(
    parsed: &Parsed,
    properties: &BTreeMap<String, String>,
) -> Result<Option<String>, ScriptError> {
    let named = properties.get("group.id").map(String::as_str);
    let flag = parsed.value("group");
    if let (Some(a), Some(b)) = (named, flag)
        && a != b
    {
        return Err(parsed.usage(
            "The group ids provided in different places (directly using '--group', via \
             '--command-property', or via '--command-config') do not match.",
        ));
    }
    let group = flag.or(named).map(str::to_owned);
    if group.is_some() && flag.is_some() && parsed.has("partition") {
        return Err(parsed.usage("Options group and partition cannot be specified together."));
    }
    Ok(group.filter(|_| !parsed.has("partition")))
}

fn place(
    parsed: &Parsed,
    properties: &BTreeMap<String, String>,
) -> Result<(OffsetAt, Option<i64>), ScriptError> {
    if parsed.has("offset") && !parsed.has("partition") {
        return Err(parsed.usage("The partition is required when offset is specified."));
    }
    if parsed.has("partition") && parsed.has("include") {
        return Err(parsed.usage("The topic is required when partition is specified."));
    }
    if parsed.has("offset") && parsed.has("from-beginning") {
        return Err(parsed.usage("Options from-beginning and offset cannot be specified together."));
    }
    let is_earliest = parsed.has("from-beginning")
        || properties.get("auto.offset.reset").is_some_and(|reset| reset == "earliest");
    let default = if is_earliest { OffsetAt::Earliest } else { OffsetAt::Latest };
    match parsed.value("offset").map(str::to_ascii_lowercase).as_deref() {
        None => Ok((default, None)),
        Some("earliest") => Ok((OffsetAt::Earliest, None)),
        Some("latest") => Ok((OffsetAt::Latest, None)),
        Some(text) => match text.parse::<i64>() {
            Ok(offset) if offset >= 0 => Ok((default, Some(offset))),
            _ => Err(parsed.usage(format!(
                "The provided offset value '{text}' is incorrect. Valid values are 'earliest', \
                 'latest', or a non-negative long."
            ))),
        },
    }
}

fn alone(
    plan: &Plan,
    topics: &[String],
    client: &mut Client,
    printer: &mut Printer,
) -> Result<(), Stop> {
    let mut places: Vec<Place> = Vec::new();
    // A topic that is only being made now shows its partitions a moment later.
    while places.is_empty() && !printer.has_enough() {
        for topic in topics {
            let partitions = client.cluster().topic(topic).map(|topic| &topic.partitions);
            let partitions = partitions.into_iter().flat_map(|partitions| partitions.keys());
            let wanted = partitions.filter(|p| plan.partition.is_none_or(|only| only == **p));
            places.extend(wanted.map(|partition| (topic.clone(), *partition)));
        }
        if places.is_empty() {
            std::thread::sleep(WAIT);
            client.refresh(TopicsWanted::Named(topics.to_vec()))?;
        }
    }
    let wanted = places.iter().map(|place| (place.clone(), plan.from)).collect();
    let found = client.list_offsets(&wanted)?;
    let mut reader = Reader::new(plan.reader_options());
    reader.assign(found.into_iter().map(|(place, found)| {
        let begin = plan.offset.unwrap_or(found.offset);
        (place, Offset(begin))
    }));
    while !printer.has_enough() {
        for consumed in reader.poll(client, WAIT)? {
            if printer.has_enough() {
                break;
            }
            printer.print(&consumed)?;
        }
        printer.out.flush()?;
    }
    Ok(())
}

fn in_group(
    plan: &Plan,
    group: &str,
    topics: Vec<String>,
    client: &mut Client,
    printer: &mut Printer,
) -> Result<(), Stop> {
    let mut options = GroupOptions::new(group, topics);
    let reader = plan.reader_options();
    options.reset = reader.reset;
    options.reader = reader;
    options.instance_id = plan.properties.get("group.instance.id").cloned();
    if plan.properties.get("enable.auto.commit").is_some_and(|text| text == "false") {
        options.commit_interval = None;
    }
    let mut consumer = GroupConsumer::new(options);
    let read = poll_group(client, &mut consumer, printer);
    let closed = consumer.close(client);
    read?;
    Ok(closed?)
}

fn poll_group(
    client: &mut Client,
    consumer: &mut GroupConsumer,
    printer: &mut Printer,
) -> Result<(), Stop> {
    while !printer.has_enough() {
        for consumed in consumer.poll(client, WAIT)? {
            if printer.has_enough() {
                break;
            }
            printer.print(&consumed)?;
            consumer.mark(&consumed);
        }
        printer.out.flush()?;
    }
    Ok(())
}

/// Prints, counts, and knows when it is enough.
struct Printer<'a> {
    plan: &'a Plan,
    out: BufWriter<io::Stdout>,
    count: u64,
    last: Instant,
    interrupt: Interrupt,
}

impl<'a> Printer<'a> {
    fn new(plan: &'a Plan) -> Printer<'a> {
        let out = BufWriter::with_capacity(256 * 1024, io::stdout());
        Printer { plan, out, count: 0, last: Instant::now(), interrupt: Interrupt::listen() }
    }

    fn print(&mut self, consumed: &Consumed) -> io::Result<()> {
        self.last = Instant::now();
        self.count += 1;
        self.plan.formatter.write(&mut self.out, consumed)
    }

    fn has_enough(&self) -> bool {
        self.plan.max_messages.is_some_and(|max| self.count >= max)
            || self.plan.timeout.is_some_and(|timeout| self.last.elapsed() >= timeout)
            || self.interrupt.is_wished()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(arguments: &[&str]) -> Result<Plan, ScriptError> {
        let arguments = ["--bootstrap-server", "x:1"].iter().chain(arguments);
        let arguments: Vec<String> = arguments.map(|a| (*a).to_owned()).collect();
        Plan::new(&TOOL.parse(&arguments).unwrap())
    }

    #[track_caller]
    fn refuses(arguments: &[&str], sentence: &str) {
        match plan(arguments) {
            Err(ScriptError::Usage(_, told)) => assert_eq!(told, sentence),
            _ => panic!("{arguments:?} was accepted"),
        }
    }

    #[test]
    fn contradictions_are_told_as_kafka_tells_them() {
        refuses(
            &["--offset", "1", "--partition", "0"],
            "Exactly one of the following arguments is required: [topic], [include]",
        );
        refuses(
            &["--topic", "t", "--offset", "1"],
            "The partition is required when offset is specified.",
        );
        refuses(
            &["--topic", "t", "--offset", "foo", "--partition", "0"],
            "The provided offset value 'foo' is incorrect. Valid values are 'earliest', 'latest', \
             or a non-negative long.",
        );
    }

    #[test]
    fn old_and_new_names_of_flags_mean_the_same() {
        for flag in ["--consumer-property", "--command-property"] {
            let plan = plan(&["--topic", "t", flag, "group.id=g"]).ok().unwrap();
            assert_eq!(plan.group.as_deref(), Some("g"));
        }
    }
}
