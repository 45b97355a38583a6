//! One pass over the records of a produced batch: no allocation per record, and a compressed batch
//! is decoded through a window, so that its memory does not depend on what it expands to.

use std::cell::Cell;

use types::WallTime;

use super::rejection::RecordError;
use super::rules::ProduceRules;
use crate::compression::{Compression, Decoder};
use crate::error::BatchError;
use crate::header::{BatchHeader, TimestampType};
use crate::limits::{self, RECORD_ERRORS_MAX, WINDOW_BYTES};
use crate::record::{Fields, checked_count, parse_body, take_body};
use crate::varint::{self, Body};

/// What the records of a batch say together.
#[derive(Debug)]
pub(super) struct Findings {
    /// Of the records' own timestamps; [`WallTime::NONE`] if none has one.
    pub max_timestamp: WallTime,
    /// Records at fault, those listed and those beyond the limit.
    pub faults: usize,
    pub errors: Vec<RecordError>,
    /// Whether one of the faults is a timestamp.
    pub bad_timestamp: bool,
}

pub(super) fn walk(
    header: &BatchHeader,
    codec: Compression,
    payload: &[u8],
    rules: &ProduceRules,
    now: WallTime,
) -> Result<Findings, BatchError> {
    let mut check = Check::new(header, rules, now);
    let limit = limits::decompressed_bytes_max(payload.len());
    match Decoder::new(codec, payload, limit)? {
        None => walk_plain(header, payload, &mut check)?,
        Some(decoder) => {
            // Whether the count is true shows at the end: each record must be there.
            let count = checked_count(header.records_count, limit)?;
            walk_stream(count, Window::new(decoder), &mut check)?;
        }
    }
    Ok(check.findings)
}

fn walk_plain(
    header: &BatchHeader,
    payload: &[u8],
    check: &mut Check<'_>,
) -> Result<(), BatchError> {
    let mut rest = payload;
    for index in 0..checked_count(header.records_count, payload.len())? {
        let fields = take_body(&mut rest)
            .and_then(|body| parse_body(body, |_, _| {}))
            .map_err(|what| BatchError::BadRecord { index, what })?;
        check.record(index, &fields);
    }
    match rest.is_empty() {
        true => Ok(()),
        false => Err(BatchError::TrailingBytes),
    }
}

fn walk_stream(
    count: u32,
    mut window: Window<'_>,
    check: &mut Check<'_>,
) -> Result<(), BatchError> {
    for index in 0..count {
        if let Err(what) = window.record(index, check) {
            let failure = window.failure.take();
            return Err(failure.unwrap_or(BatchError::BadRecord { index, what }));
        }
    }
    match window.is_at_end() {
        true => window.failure.take().map_or(Ok(()), Err),
        false => Err(BatchError::TrailingBytes),
    }
}

/// Judges records one by one.
struct Check<'a> {
    rules: &'a ProduceRules,
    base_timestamp: i64,
    /// Both bounds inclusive; the whole range if the broker's clock counts anyway.
    timestamps: (i64, i64),
    /// The client claims the broker's clock for a topic where that is the broker's to say.
    claims_append_time: bool,
    findings: Findings,
}

impl<'a> Check<'a> {
    fn new(header: &BatchHeader, rules: &'a ProduceRules, now: WallTime) -> Check<'a> {
        let append_time = rules.timestamp_type == TimestampType::LogAppendTime;
        let timestamps = match append_time {
            true => (i64::MIN, i64::MAX),
            false => (
                now.0.saturating_sub(rules.timestamp_before_max_ms),
                now.0.saturating_add(rules.timestamp_after_max_ms),
            ),
        };
        Check {
            rules,
            base_timestamp: header.base_timestamp.0,
            timestamps,
            claims_append_time: append_time
                && header.timestamp_type() == TimestampType::LogAppendTime,
            findings: Findings {
                max_timestamp: WallTime::NONE,
                faults: 0,
                errors: Vec::new(),
                bad_timestamp: false,
            },
        }
    }

    #[inline]
    fn record<P>(&mut self, index: u32, fields: &Fields<P>) {
        let timestamp = self.base_timestamp.wrapping_add(fields.timestamp_delta);
        let in_range = (self.timestamps.0..=self.timestamps.1).contains(&timestamp)
            || timestamp == WallTime::NONE.0;
        let sound = in_range
            && i64::from(fields.offset_delta) == i64::from(index)
            && (fields.key.is_some() || !self.rules.keys_required)
            && !self.claims_append_time;
        if !sound {
            return self.fault(index, fields, timestamp);
        }
        self.findings.max_timestamp = self.findings.max_timestamp.max(WallTime(timestamp));
    }

    #[cold]
    fn fault<P>(&mut self, index: u32, fields: &Fields<P>, timestamp: i64) {
        self.findings.faults += 1;
        let keyless = fields.key.is_none() && self.rules.keys_required;
        let misplaced = i64::from(fields.offset_delta) != i64::from(index);
        self.findings.bad_timestamp |= !keyless && !misplaced;
        if self.findings.errors.len() >= RECORD_ERRORS_MAX {
            return;
        }
        let message = if misplaced {
            format!("record {index} has offset delta {}", fields.offset_delta)
        } else if keyless {
            format!("record {index} has no key, which a compacted topic needs")
        } else if self.claims_append_time {
            "the timestamp type LogAppendTime is the broker's to set".to_owned()
        } else {
            let (least, most) = self.timestamps;
            format!("record {index} has timestamp {timestamp}, allowed is {least} to {most}")
        };
        // Fits: the index comes from an i32 count.
        self.findings.errors.push(RecordError { batch_index: index as i32, message });
    }
}

thread_local! {
    static SCRATCH: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// The decoded bytes in hand.
struct Window<'a> {
    decoder: Decoder<'a>,
    /// **Invariant:** `start <= end && end <= buffer.len()`; in hand is `buffer[start..end]`.
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Why the decoder gave up, if it did.
    failure: Option<BatchError>,
}

impl<'a> Window<'a> {
    fn new(decoder: Decoder<'a>) -> Window<'a> {
        let mut buffer = SCRATCH.take();
        buffer.resize(WINDOW_BYTES, 0);
        Window { decoder, buffer, start: 0, end: 0, failure: None }
    }

    fn in_hand(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Parses the next record: from the window if it fits, piece by piece otherwise.
    fn record(&mut self, index: u32, check: &mut Check<'_>) -> Result<(), &'static str> {
        const LENGTH_BYTES_MAX: usize = 5;
        self.reach(LENGTH_BYTES_MAX);
        let mut rest = self.in_hand();
        let before = rest.len();
        let length = varint::read_i32(&mut rest).ok_or("its length is cut off")?;
        let length = usize::try_from(length).map_err(|_| "its length is negative")?;
        self.start += before - rest.len();
        if length > self.buffer.len() {
            let fields = parse_body(LongBody { window: self, left: length }, |_, _| {})?;
            check.record(index, &fields);
            return Ok(());
        }
        if !self.reach(length) {
            return Err("it is longer than what is left of the batch");
        }
        let body = &self.buffer[self.start..self.start + length];
        check.record(index, &parse_body(body, |_, _| {})?);
        self.start += length;
        Ok(())
    }

    /// Decodes until `count` bytes are in hand; false if there are not as many.
    fn reach(&mut self, count: usize) -> bool {
        while self.end - self.start < count {
            if !self.fill() {
                return false;
            }
        }
        true
    }

    /// Decodes some more; false at the end and after a failure.
    fn fill(&mut self) -> bool {
        if self.failure.is_some() {
            return false;
        }
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        match self.decoder.read(&mut self.buffer[self.end..]) {
            Ok(read) => {
                self.end += read;
                read > 0
            }
            Err(failure) => {
                self.failure = Some(failure);
                false
            }
        }
    }

    fn is_at_end(&mut self) -> bool {
        self.start == self.end && !self.fill()
    }
}

impl Drop for Window<'_> {
    fn drop(&mut self) {
        SCRATCH.set(std::mem::take(&mut self.buffer));
    }
}

/// A record larger than the window.
struct LongBody<'w, 'a> {
    window: &'w mut Window<'a>,
    left: usize,
}

impl Body for LongBody<'_, '_> {
    type Piece = ();

    fn left(&self) -> usize {
        self.left
    }

    fn byte(&mut self) -> Option<u8> {
        self.left = self.left.checked_sub(1)?;
        if !self.window.reach(1) {
            return None;
        }
        let byte = self.window.buffer[self.window.start];
        self.window.start += 1;
        Some(byte)
    }

    fn take(&mut self, count: usize) -> Option<()> {
        self.left = self.left.checked_sub(count)?;
        let mut missing = count;
        while missing > 0 {
            if !self.window.reach(1) {
                return None;
            }
            let passed = missing.min(self.window.end - self.window.start);
            self.window.start += passed;
            missing -= passed;
        }
        Some(())
    }
}
