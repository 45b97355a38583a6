//! `ottla consume`

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use clap::Args;
use client::{
    Client, Consumed, GroupConsumer, GroupOptions, OffsetAt, Place, Reader, ReaderOptions, Reset,
};
use types::Offset;

use crate::context::Common;
use crate::failure::{Failure, Outcome};
use crate::interrupt::Interrupt;
use crate::moment::{now_ms, parse_moment};
use crate::output::Format;
use crate::record_format::{Field, Lining, OutputFormat, unescape, write_json, write_text};

/// How long one wait for records lasts.
const WAIT: Duration = Duration::from_millis(250);

#[derive(Args, Debug)]
pub struct ConsumeArgs {
    /// The topics
    #[arg(required = true, value_name = "TOPIC")]
    topics: Vec<String>,

    /// Where to begin: beginning, end, an offset, -N for the last N, or @TIME
    /// (@2026-01-31T12:00:00Z, @-15m)
    #[arg(long, value_name = "PLACE", value_parser = parse_from, allow_hyphen_values = true)]
    from: Option<From>,

    /// Only this partition; may be repeated
    #[arg(short, long, value_name = "N")]
    partition: Vec<i32>,

    /// Read as a member of this group and commit what was read
    #[arg(short, long, value_name = "GROUP", conflicts_with_all = ["partition"])]
    group: Option<String>,

    /// Stop after this many records
    #[arg(short = 'n', long, value_name = "N")]
    max_messages: Option<u64>,

    /// Stop where the partitions end now, instead of waiting for more
    #[arg(short, long)]
    exit: bool,

    /// Stop when nothing came for this long
    #[arg(long, value_name = "DURATION", value_parser = crate::duration::parse_duration)]
    idle: Option<Duration>,

    /// How records are printed [default: text, or as -o says]
    #[arg(short, long, value_name = "FORMAT")]
    format: Option<OutputFormat>,

    /// What a line of text shows: topic, partition, offset, timestamp, headers, key, value
    #[arg(long, value_name = "FIELDS", value_delimiter = ',', default_value = "value")]
    print: Vec<Field>,

    /// What stands between those
    #[arg(short = 'K', long, value_name = "TEXT", default_value = "\\t")]
    key_separator: String,

    /// What stands for null in a line of text
    #[arg(short = 'N', long, value_name = "TEXT", default_value = "null")]
    null: String,

    /// Show only records of committed transactions
    #[arg(long)]
    committed: bool,
}

/// Where reading begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    At(OffsetAt),
    Offset(i64),
    /// This many before the end of each partition.
    Last(i64),
}

fn parse_from(text: &str) -> Result<From, String> {
    match text {
        "beginning" | "start" | "earliest" => return Ok(From::At(OffsetAt::Earliest)),
        "end" | "latest" => return Ok(From::At(OffsetAt::Latest)),
        _ => {}
    }
    if let Some(time) = text.strip_prefix('@') {
        return Ok(From::At(OffsetAt::Time(parse_moment(time, now_ms())?)));
    }
    match text.parse::<i64>() {
        Ok(last) if last < 0 => Ok(From::Last(-last)),
        Ok(offset) => Ok(From::Offset(offset)),
        Err(_) => Err("use beginning, end, an offset, -N or @TIME".to_owned()),
    }
}

pub fn run(args: &ConsumeArgs, common: &Common) -> Outcome {
    let mut client = common.connect()?;
    client.refresh_existing(&args.topics)?;
    let mut printer = Printer::new(args, common);
    let read = match &args.group {
        Some(group) => read_in_group(args, group, &mut client, &mut printer),
        None => read_alone(args, &mut client, &mut printer),
    };
    // What was printed must be seen also when an error follows.
    printer.flush()?;
    read
}

fn read_alone(args: &ConsumeArgs, client: &mut Client, printer: &mut Printer) -> Outcome {
    let places = places(args, client)?;
    let ends = all_at(client, &places, OffsetAt::Latest)?;
    let begins = begins(args, client, &places, &ends)?;
    let mut reader = Reader::new(reader_options(args));
    let is_done = |place: &Place, next: Offset| args.exit && next.0 >= ends[place];
    reader.assign(begins.into_iter().filter(|(place, next)| !is_done(place, *next)));
    while !reader.positions().is_empty() && !printer.has_enough() {
        for consumed in reader.poll(client, WAIT)? {
            let place = (consumed.topic.to_string(), consumed.partition);
            let is_past = args.exit && consumed.record.offset.0 >= ends[&place];
            if !is_past && !printer.is_full() {
                printer.print(&consumed)?;
            }
        }
        printer.flush()?;
        let finished: Vec<Place> = reader
            .positions()
            .iter()
            .filter(|(place, position)| is_done(place, position.next))
            .map(|(place, _)| place.clone())
            .collect();
        finished.iter().for_each(|place| reader.drop_partition(place));
    }
    Ok(())
}

fn read_in_group(
    args: &ConsumeArgs,
    group: &str,
    client: &mut Client,
    printer: &mut Printer,
) -> Outcome {
    let reset = match args.from {
        None | Some(From::At(OffsetAt::Latest)) => Reset::Latest,
        Some(From::At(OffsetAt::Earliest)) => Reset::Earliest,
        Some(_) => {
            let why = "a group goes on where it has committed; --from can only say where it \
                       begins the first time";
            return Err(Failure::usage("read in a group", why).todo(
                "use --from beginning or end; `ottla group seek` moves a group to other places",
            ));
        }
    };
    let mut options = GroupOptions::new(group, args.topics.clone());
    options.reset = reset;
    options.reader = reader_options(args);
    let mut consumer = GroupConsumer::new(options);
    let result = poll_group(args, client, &mut consumer, printer);
    let closed = consumer.close(client);
    result?;
    Ok(closed?)
}

fn poll_group(
    args: &ConsumeArgs,
    client: &mut Client,
    consumer: &mut GroupConsumer,
    printer: &mut Printer,
) -> Outcome {
    while !printer.has_enough() {
        for consumed in consumer.poll(client, WAIT)? {
            if printer.is_full() {
                break;
            }
            printer.print(&consumed)?;
            consumer.mark(&consumed);
        }
        printer.flush()?;
        let positions = consumer.reader().positions();
        let is_at_end = |position: &client::Position| position.next >= position.end;
        let was_fetched = !positions.is_empty() && positions.values().all(is_at_end);
        if args.exit && was_fetched && printer.has_waited() {
            return Ok(());
        }
    }
    Ok(())
}

fn reader_options(args: &ConsumeArgs) -> ReaderOptions {
    ReaderOptions {
        is_read_committed: args.committed,
        reset: Reset::Earliest,
        ..ReaderOptions::default()
    }
}

fn places(args: &ConsumeArgs, client: &Client) -> Result<Vec<Place>, Failure> {
    let cluster = client.cluster();
    let mut places = Vec::new();
    for topic in &args.topics {
        if args.partition.is_empty() {
            let partitions = cluster.topic(topic)?.partitions.keys();
            places.extend(partitions.map(|partition| (topic.clone(), *partition)));
        }
        for partition in &args.partition {
            cluster.partition(topic, *partition)?;
            places.push((topic.clone(), *partition));
        }
    }
    Ok(places)
}

fn all_at(
    client: &mut Client,
    places: &[Place],
    at: OffsetAt,
) -> Result<BTreeMap<Place, i64>, Failure> {
    let wanted = places.iter().map(|place| (place.clone(), at)).collect();
    let found = client.list_offsets(&wanted)?;
    Ok(found.into_iter().map(|(place, found)| (place, found.offset)).collect())
}

fn begins(
    args: &ConsumeArgs,
    client: &mut Client,
    places: &[Place],
    ends: &BTreeMap<Place, i64>,
) -> Result<Vec<(Place, Offset)>, Failure> {
    let from = args.from.unwrap_or(From::At(OffsetAt::Latest));
    let begin_of = |place: &Place, offset: i64| (place.clone(), Offset(offset));
    match from {
        From::At(at) => {
            let found = all_at(client, places, at)?;
            // Nothing is as new as that: begin at the end.
            let or_end = |place: &Place, offset: i64| if offset < 0 { ends[place] } else { offset };
            Ok(found.iter().map(|(place, o)| begin_of(place, or_end(place, *o))).collect())
        }
        From::Offset(offset) => Ok(places.iter().map(|place| begin_of(place, offset)).collect()),
        From::Last(count) => {
            let starts = all_at(client, places, OffsetAt::Earliest)?;
            let begin = |place: &Place| (ends[place] - count).max(starts[place]);
            Ok(places.iter().map(|place| begin_of(place, begin(place))).collect())
        }
    }
}

/// Prints records and knows when it is enough.
struct Printer {
    out: io::BufWriter<io::Stdout>,
    format: OutputFormat,
    lining: Lining,
    left: Option<u64>,
    idle: Option<Duration>,
    began: Instant,
    last: Instant,
    interrupt: Interrupt,
}

impl Printer {
    fn new(args: &ConsumeArgs, common: &Common) -> Printer {
        let by_output = match common.output {
            Format::Text => OutputFormat::Text,
            Format::Json => OutputFormat::Json,
        };
        Printer {
            out: io::BufWriter::with_capacity(256 * 1024, io::stdout()),
            format: args.format.unwrap_or(by_output),
            lining: Lining {
                fields: args.print.clone(),
                separator: unescape(&args.key_separator),
                null: args.null.clone(),
            },
            left: args.max_messages,
            idle: args.idle,
            began: Instant::now(),
            last: Instant::now(),
            interrupt: Interrupt::listen(),
        }
    }

    fn print(&mut self, consumed: &Consumed) -> io::Result<()> {
        self.last = Instant::now();
        self.left = self.left.map(|left| left.saturating_sub(1));
        match self.format {
            OutputFormat::Text => write_text(&mut self.out, consumed, &self.lining),
            OutputFormat::Json => write_json(&mut self.out, consumed),
            OutputFormat::Raw => {
                self.out.write_all(consumed.record.value.as_deref().unwrap_or_default())
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn is_full(&self) -> bool {
        self.left == Some(0)
    }

    fn has_enough(&self) -> bool {
        let is_idle = self.idle.is_some_and(|idle| self.last.elapsed() >= idle);
        self.is_full() || is_idle || self.interrupt.is_wished()
    }

    /// Whether the first wait for records is over.
    fn has_waited(&self) -> bool {
        self.began.elapsed() >= WAIT && self.last.elapsed() >= WAIT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_to_begin_are_read_as_people_write_them() {
        assert_eq!(parse_from("beginning"), Ok(From::At(OffsetAt::Earliest)));
        assert_eq!(parse_from("end"), Ok(From::At(OffsetAt::Latest)));
        assert_eq!(parse_from("12"), Ok(From::Offset(12)));
        assert_eq!(parse_from("-3"), Ok(From::Last(3)));
        assert_eq!(parse_from("@1000"), Ok(From::At(OffsetAt::Time(1000))));
        assert!(parse_from("yesterday").is_err());
    }
}
