//! `ottla produce`

use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Read, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use clap::Args;
use client::{Acks, Delivered, Outgoing, Producer, ProducerOptions};
use records::{Compression, Compressor, Header};
use serde::Serialize;
use types::WallTime;

use crate::context::Common;
use crate::failure::{Failure, Outcome};
use crate::lines::{Lines, Next};
use crate::moment::now_ms;
use crate::output::{self, Report};
use crate::progress::Progress;
use crate::record_format::{InputFormat, unescape};
use crate::topic::key_value;

/// What came is sent after this pause at the latest.
const LINGER: Duration = Duration::from_millis(20);
/// Large, because one request carries one batch of each partition and waits for its answer.
const BATCH_BYTES: usize = 512 * 1024;

#[derive(Args, Debug)]
pub struct ProduceArgs {
    /// The topic; made if it does not exist and the broker may make it
    #[arg(value_name = "TOPIC")]
    topic: String,

    /// What standard input is: one record a line (text, json), or one record in all (raw)
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    format: InputFormat,

    /// The key of every record
    #[arg(short, long, value_name = "KEY", conflicts_with = "key_separator")]
    key: Option<String>,

    /// Split each line into key and value here, for example : or \t
    #[arg(short = 'K', long, value_name = "TEXT")]
    key_separator: Option<String>,

    /// A header for every record; may be repeated
    #[arg(short = 'H', long = "header", value_name = "KEY=VALUE", value_parser = key_value)]
    headers: Vec<(String, String)>,

    /// The partition of every record [default: chosen by the key]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(i32).range(0..))]
    partition: Option<i32>,

    /// Values (and keys) that read exactly so are null: a null value deletes its key
    #[arg(short = 'N', long, value_name = "TEXT")]
    null: Option<String>,

    /// How batches are compressed: none, gzip, snappy, lz4, zstd
    #[arg(short = 'z', long, value_name = "CODEC", default_value = "none")]
    compression: Compression,

    /// Who must have the records: 0 nobody, 1 the leader, all the in-sync replicas
    #[arg(long, value_name = "ACKS", default_value = "all", value_parser = parse_acks)]
    acks: Acks,
}

fn parse_acks(text: &str) -> Result<Acks, String> {
    Acks::from_text(text).ok_or_else(|| "use 0, 1 or all".to_owned())
}

/// What was produced, by partition.
#[derive(Debug, Serialize)]
struct Produced {
    topic: String,
    records: usize,
    elapsed_ms: u128,
    partitions: Vec<ProducedPartition>,
}

#[derive(Debug, Serialize)]
struct ProducedPartition {
    partition: i32,
    records: usize,
    /// -1 if nobody was waited for.
    first_offset: i64,
    last_offset: i64,
}

pub fn run(args: &ProduceArgs, common: &Common) -> Outcome {
    let client = common.connect()?;
    let options = ProducerOptions {
        acks: args.acks,
        compression: Compressor::new(args.compression),
        batch_bytes: BATCH_BYTES,
        buffer_bytes: 2 * BATCH_BYTES,
        seed: std::process::id(),
        ..ProducerOptions::default()
    };
    let mut sender = Sender {
        producer: Producer::new(client, options)?,
        topic: Arc::from(args.topic.as_str()),
        partitions: BTreeMap::new(),
        records: 0,
        progress: Progress::new("records sent", None, common.quiet),
    };
    let began = Instant::now();
    if args.format == InputFormat::Raw {
        let mut value = Vec::new();
        io::stdin().read_to_end(&mut value)?;
        sender.send(&record(args, None, Some(value.into())))?;
        sender.flush()?;
    } else {
        send_lines(args, common, &mut sender)?;
    }
    let report = Produced {
        topic: args.topic.clone(),
        records: sender.records,
        elapsed_ms: began.elapsed().as_millis(),
        partitions: std::mem::take(&mut sender.partitions).into_values().collect(),
    };
    drop(sender);
    if common.quiet && common.output == output::Format::Text {
        return Ok(());
    }
    output::print(common.output, &report)
}

fn send_lines(args: &ProduceArgs, common: &Common, sender: &mut Sender) -> Outcome {
    let is_person = io::stdin().is_terminal();
    if is_person && !common.quiet {
        eprintln!("one record a line; Ctrl-D ends");
    }
    let lines = Lines::stdin();
    let mut number = 0u64;
    loop {
        match lines.next(LINGER)? {
            Next::Line(line) => {
                number += 1;
                let record = read_line(args, line).map_err(|why| {
                    Failure::usage(format!("read line {number} of the input"), why)
                })?;
                sender.send(&record)?;
            }
            Next::Pause => sender.flush()?,
            Next::End => return sender.flush(),
        }
    }
}

fn read_line(args: &ProduceArgs, line: Vec<u8>) -> Result<Outgoing, String> {
    if args.format == InputFormat::Json {
        let mut record = crate::record_format::read_json(&line)?;
        record.timestamp = match record.timestamp {
            WallTime::NONE => WallTime(now_ms()),
            given => given,
        };
        record.partition = record.partition.or(args.partition);
        record.headers.extend(headers(args));
        record.key = record.key.or_else(|| args.key.clone().map(Bytes::from));
        return Ok(record);
    }
    let line = Bytes::from(line);
    let Some(separator) = &args.key_separator else {
        return Ok(record(args, None, Some(line)));
    };
    let separator = unescape(separator);
    let at = find(&line, separator.as_bytes())
        .ok_or_else(|| format!("there is no key separator {separator:?} in it"))?;
    let (key, value) = (line.slice(..at), line.slice(at + separator.len()..));
    Ok(record(args, Some(key), Some(value)))
}

fn record(args: &ProduceArgs, key: Option<Bytes>, value: Option<Bytes>) -> Outgoing {
    let not_null = |bytes: &Bytes| args.null.as_ref().is_none_or(|null| bytes != null.as_bytes());
    Outgoing {
        partition: args.partition,
        timestamp: WallTime(now_ms()),
        key: key.or_else(|| args.key.clone().map(Bytes::from)).filter(not_null),
        value: value.filter(not_null),
        headers: headers(args).collect(),
    }
}

fn headers(args: &ProduceArgs) -> impl Iterator<Item = Header> {
    args.headers.iter().map(|(key, value)| Header::new(key, value.clone()))
}

/// Where `needle` begins in `hay`.
pub(crate) fn find(hay: &[u8], needle: &[u8]) -> Option<usize> {
    if needle.is_empty() {
        return None;
    }
    hay.windows(needle.len()).position(|window| window == needle)
}

/// Sends and keeps count.
struct Sender {
    producer: Producer,
    topic: Arc<str>,
    partitions: BTreeMap<i32, ProducedPartition>,
    records: usize,
    progress: Progress,
}

impl Sender {
    fn send(&mut self, record: &Outgoing) -> Outcome {
        let delivered = self.producer.send(&self.topic, record)?;
        self.count(delivered);
        Ok(())
    }

    fn flush(&mut self) -> Outcome {
        let delivered = self.producer.flush()?;
        self.count(delivered);
        Ok(())
    }

    fn count(&mut self, delivered: Vec<Delivered>) {
        for batch in delivered {
            self.records += batch.records;
            let last_offset = match batch.base_offset {
                -1 => -1,
                base => base + i64::try_from(batch.records).unwrap_or(i64::MAX) - 1,
            };
            let partition = self.partitions.entry(batch.partition).or_insert(ProducedPartition {
                partition: batch.partition,
                records: 0,
                first_offset: batch.base_offset,
                last_offset,
            });
            partition.records += batch.records;
            partition.last_offset = last_offset;
        }
        self.progress.set(self.records as u64);
    }
}

impl Report for Produced {
    fn write_text(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.records == 0 {
            return writeln!(out, "nothing came, nothing was sent");
        }
        for p in &self.partitions {
            let (topic, partition) = (&self.topic, p.partition);
            match (p.first_offset, p.last_offset) {
                (-1, _) => {
                    writeln!(out, "{topic}[{partition}]  {} records, not acknowledged", p.records)
                }
                (first, last) if first == last => writeln!(out, "{topic}[{partition}]@{first}"),
                (first, last) => {
                    writeln!(out, "{topic}[{partition}]@{first}..{last}  {} records", p.records)
                }
            }?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: ProduceArgs,
    }

    fn read(flags: &[&str], line: &str) -> Result<Outgoing, String> {
        let flags = ["produce", "t"].iter().chain(flags);
        read_line(&Line::parse_from(flags).args, line.as_bytes().to_vec())
    }

    #[test]
    fn a_line_is_a_value_unless_told_where_its_key_ends() {
        let plain = read(&[], "a:b").unwrap();
        assert_eq!((plain.key, plain.value), (None, Some(Bytes::from("a:b"))));
        let keyed = read(&["-K", ":"], "a:b:c").unwrap();
        assert_eq!((keyed.key, keyed.value), (Some(Bytes::from("a")), Some(Bytes::from("b:c"))));
        let tabbed = read(&["-K", "\\t"], "a\tb").unwrap();
        assert_eq!(tabbed.key, Some(Bytes::from("a")));
        assert!(read(&["-K", ":"], "ab").is_err());
    }

    #[test]
    fn null_is_not_the_empty_text() {
        let null = read(&["-K", ":", "-N", "NULL"], "a:NULL").unwrap();
        assert_eq!(null.value, None);
        let empty = read(&["-K", ":"], "a:").unwrap();
        assert_eq!(empty.value, Some(Bytes::new()));
    }

    #[test]
    fn headers_and_partition_go_to_every_record() {
        let record = read(&["-H", "a=1", "-H", "b=", "-p", "3", "-k", "key"], "v").unwrap();
        assert_eq!(record.partition, Some(3));
        assert_eq!(record.key, Some(Bytes::from("key")));
        assert_eq!(record.headers, [Header::new("a", "1"), Header::new("b", "")]);
    }
}
