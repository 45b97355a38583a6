//! `ottla log dump`: what the files of a partition's directory hold. Reads, never writes.

mod files;

use std::io::{self, BufWriter, Write};

use clap::{Args, Subcommand};
use records::{RecordBatch, TimestampType};
use serde_json::{Value, json};

use crate::context::Common;
use crate::failure::Outcome;
use crate::log_verify;
use crate::moment::format_moment;
use crate::output::Format;
use crate::record_format::bytes_json;

pub use files::{BatchFile, Found, IndexEntry, TimeIndexEntry, index_entries, time_index_entries};

#[derive(Debug, Subcommand)]
pub enum LogCommand {
    /// Show the batches of segments (.log) and the entries of indexes (.index, .timeindex)
    Dump(DumpArgs),
    /// Look through a whole log directory, without a node, and say what is wrong where
    Verify(log_verify::VerifyArgs),
}

#[derive(Args, Debug)]
pub struct DumpArgs {
    /// The files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,

    /// Also the records of each batch
    #[arg(short, long)]
    records: bool,
}

pub fn run(command: LogCommand, common: &Common) -> Outcome {
    let args = match command {
        LogCommand::Dump(args) => args,
        LogCommand::Verify(args) => return log_verify::run(&args, common),
    };
    let mut out = BufWriter::new(io::stdout().lock());
    for path in &args.files {
        if path.ends_with(".timeindex") {
            for entry in time_index_entries(path)? {
                write_time_entry(&mut out, common.output, path, entry)?;
            }
        } else if path.ends_with(".index") {
            for entry in index_entries(path)? {
                write_entry(&mut out, common.output, path, entry)?;
            }
        } else {
            for found in BatchFile::open(path)? {
                write_batch(&mut out, common.output, path, &found?, args.records)?;
            }
        }
    }
    out.flush()?;
    Ok(())
}

fn write_batch(
    out: &mut impl Write,
    format: Format,
    path: &str,
    found: &Found,
    with_records: bool,
) -> io::Result<()> {
    match format {
        Format::Json => {
            let line = batch_json(path, found, with_records);
            serde_json::to_writer(&mut *out, &line)?;
            writeln!(out)
        }
        Format::Text => {
            let header = found.batch.header();
            let codec = header.compression().map_or("?", |codec| codec.name());
            let valid = if found.is_valid() { "" } else { "  CHECKSUM WRONG" };
            let at = format_moment(header.max_timestamp.0);
            writeln!(
                out,
                "{} at {}: offsets {} to {}, {} records, {} bytes, {codec}, epoch {}, {at}{valid}",
                if header.is_control() { "control batch" } else { "batch" },
                found.position,
                found.batch.base_offset(),
                found.batch.last_offset(),
                header.records_count,
                found.batch.size_bytes(),
                header.leader_epoch.0,
            )?;
            if with_records {
                write_records(out, &found.batch)?;
            }
            Ok(())
        }
    }
}

fn write_records(out: &mut impl Write, batch: &RecordBatch) -> io::Result<()> {
    let records = match batch.records() {
        Ok(records) => records,
        Err(error) => return writeln!(out, "  unreadable: {error}"),
    };
    for record in records {
        match record {
            Ok(record) => writeln!(
                out,
                "  {}  {}  {} = {}",
                record.offset,
                format_moment(record.timestamp.0),
                bytes_json(record.key.as_ref()),
                bytes_json(record.value.as_ref()),
            )?,
            Err(error) => return writeln!(out, "  unreadable: {error}"),
        }
    }
    Ok(())
}

fn batch_json(path: &str, found: &Found, with_records: bool) -> Value {
    let header = found.batch.header();
    let timestamp_type = match header.timestamp_type() {
        TimestampType::CreateTime => "create",
        TimestampType::LogAppendTime => "append",
    };
    let mut line = json!({
        "file": path,
        "position": found.position,
        "size": found.batch.size_bytes(),
        "base_offset": found.batch.base_offset().0,
        "last_offset": found.batch.last_offset().0,
        "records_count": header.records_count,
        "leader_epoch": header.leader_epoch.0,
        "producer_id": header.producer_id.0,
        "producer_epoch": header.producer_epoch.0,
        "base_sequence": header.base_sequence.0,
        "control": header.is_control(),
        "transactional": header.is_transactional(),
        "max_timestamp": header.max_timestamp.0,
        "timestamp_type": timestamp_type,
        "compression": header.compression().map_or("?", |codec| codec.name()),
        "valid": found.is_valid(),
    });
    if with_records {
        let records = found.batch.records().into_iter().flatten().flatten();
        let records = records.map(|record| {
            json!({
                "offset": record.offset.0,
                "timestamp": record.timestamp.0,
                "key": bytes_json(record.key.as_ref()),
                "value": bytes_json(record.value.as_ref()),
            })
        });
        line["records"] = records.collect();
    }
    line
}

fn write_entry(
    out: &mut impl Write,
    format: Format,
    path: &str,
    entry: IndexEntry,
) -> io::Result<()> {
    let IndexEntry { offset, position } = entry;
    match format {
        Format::Text => writeln!(out, "offset {offset} is at or after {position}"),
        Format::Json => {
            writeln!(out, "{}", json!({ "file": path, "offset": offset, "position": position }))
        }
    }
}

fn write_time_entry(
    out: &mut impl Write,
    format: Format,
    path: &str,
    entry: TimeIndexEntry,
) -> io::Result<()> {
    let TimeIndexEntry { timestamp, offset } = entry;
    match format {
        Format::Text => {
            writeln!(out, "{} is the greatest time up to offset {offset}", format_moment(timestamp))
        }
        Format::Json => {
            writeln!(out, "{}", json!({ "file": path, "timestamp": timestamp, "offset": offset }))
        }
    }
}
