//! Records of format 2.   docs/formats/record-batch.md#record

use std::borrow::Cow;

use bytes::Bytes;
use types::{Offset, WallTime};

use crate::error::BatchError;
use crate::header::{BatchHeader, TimestampType};
use crate::limits::{RECORD_BYTES_MIN, RECORD_HEADER_BYTES_MIN};
use crate::varint::{self, Body};

/// What a producer wrote, with its place in the log. Cheap to clone; shares the batch's bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub offset: Offset,
    /// The producer's, or the batch's append time if the topic says so.
    pub timestamp: WallTime,
    pub key: Option<Bytes>,
    /// `None` is a tombstone on compacted topics.
    pub value: Option<Bytes>,
    pub headers: Vec<Header>,
}

/// A name and a value that travel with a record. Names may repeat.
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias = "RecordHeader")]
pub struct Header {
    /// UTF-8 by contract, but nobody checks on the way.
    pub key: Bytes,
    pub value: Option<Bytes>,
}

impl Header {
    pub fn new(key: &str, value: impl Into<Bytes>) -> Header {
        Header { key: Bytes::copy_from_slice(key.as_bytes()), value: Some(value.into()) }
    }

    /// The name as text, with replacement characters where it is not UTF-8.
    pub fn key_text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.key)
    }
}

/// The records of a batch, in order. Ends after the first error.
#[derive(Clone, Debug)]
pub struct Records {
    /// The decompressed block.
    payload: Bytes,
    /// Where the next record starts in it.
    position: usize,
    base_offset: Offset,
    base_timestamp: WallTime,
    append_time: Option<WallTime>,
    index: u32,
    count: u32,
}

impl Records {
    /// Over `payload`, the decompressed block of a batch with this `header`.
    pub(crate) fn new(header: &BatchHeader, payload: Bytes) -> Result<Records, BatchError> {
        let count = checked_count(header.records_count, payload.len())?;
        let append_time = match header.timestamp_type() {
            TimestampType::LogAppendTime => Some(header.max_timestamp),
            TimestampType::CreateTime => None,
        };
        Ok(Records {
            payload,
            position: 0,
            base_offset: header.base_offset,
            base_timestamp: header.base_timestamp,
            append_time,
            index: 0,
            count,
        })
    }

    fn read(&mut self) -> Result<Record, BatchError> {
        let Records { payload, index, .. } = self;
        let bad = |what| BatchError::BadRecord { index: *index, what };
        let mut rest = &payload[self.position..];
        let body = take_body(&mut rest).map_err(bad)?;
        let mut headers = Vec::new();
        let fields = parse_body(body, |key, value| {
            let value = value.map(|value| payload.slice_ref(value));
            headers.push(Header { key: payload.slice_ref(key), value });
        })
        .map_err(bad)?;
        let timestamp = WallTime(self.base_timestamp.0.wrapping_add(fields.timestamp_delta));
        let record = Record {
            offset: self.base_offset.plus(i64::from(fields.offset_delta)),
            timestamp: self.append_time.unwrap_or(timestamp),
            key: fields.key.map(|key| payload.slice_ref(key)),
            value: fields.value.map(|value| payload.slice_ref(value)),
            headers,
        };
        self.position = payload.len() - rest.len();
        self.index += 1;
        match self.index == self.count && self.position < self.payload.len() {
            true => Err(BatchError::TrailingBytes),
            false => Ok(record),
        }
    }
}

impl Iterator for Records {
    type Item = Result<Record, BatchError>;

    fn next(&mut self) -> Option<Result<Record, BatchError>> {
        if self.index >= self.count {
            return None;
        }
        let record = self.read();
        if record.is_err() {
            self.index = self.count;
        }
        Some(record)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = (self.count - self.index) as usize;
        (left.min(1), Some(left))
    }
}

/// A count that these many bytes of records could hold.
pub(crate) fn checked_count(count: i32, payload_bytes: usize) -> Result<u32, BatchError> {
    match u32::try_from(count) {
        Ok(records) if records as usize <= payload_bytes / RECORD_BYTES_MIN => Ok(records),
        _ => Err(BatchError::BadCount(count)),
    }
}

/// The fields of one record; keys and values are whatever the [`Body`] gives for bytes.
#[derive(Debug)]
pub(crate) struct Fields<P> {
    pub timestamp_delta: i64,
    pub offset_delta: i32,
    pub key: Option<P>,
    pub value: Option<P>,
}

/// Splits the next record's body off `rest`.
pub(crate) fn take_body<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], &'static str> {
    let length = varint::read_i32(rest).ok_or("its length is cut off")?;
    let length = usize::try_from(length).map_err(|_| "its length is negative")?;
    rest.take(length).ok_or("it is longer than what is left of the batch")
}

/// Reads a record's body to its last byte. The one parser of the format: reading and validation
/// share it.
#[inline]
pub(crate) fn parse_body<B: Body>(
    mut body: B,
    mut header: impl FnMut(B::Piece, Option<B::Piece>),
) -> Result<Fields<B::Piece>, &'static str> {
    const SHORT: &str = "it ends early";
    // Attributes: no bit has a meaning yet.
    body.byte().ok_or(SHORT)?;
    let timestamp_delta = varint::read_i64(&mut body).ok_or(SHORT)?;
    let offset_delta = varint::read_i32(&mut body).ok_or(SHORT)?;
    let key = take_nullable(&mut body).ok_or("its key does not fit into it")?;
    let value = take_nullable(&mut body).ok_or("its value does not fit into it")?;
    let headers = varint::read_i32(&mut body).ok_or(SHORT)?;
    let headers = usize::try_from(headers).map_err(|_| "its header count is negative")?;
    if headers > body.left() / RECORD_HEADER_BYTES_MIN {
        return Err("its headers do not fit into it");
    }
    for _ in 0..headers {
        let key_length = varint::read_i32(&mut body).ok_or(SHORT)?;
        let key_length = usize::try_from(key_length).map_err(|_| "a header has no name")?;
        let key = body.take(key_length).ok_or("a header's name does not fit into it")?;
        header(key, take_nullable(&mut body).ok_or("a header's value does not fit into it")?);
    }
    match body.left() {
        0 => Ok(Fields { timestamp_delta, offset_delta, key, value }),
        _ => Err("bytes are left after its headers"),
    }
}

/// A length and as many bytes. Any negative length means null, as in Kafka.
fn take_nullable<B: Body>(body: &mut B) -> Option<Option<B::Piece>> {
    match usize::try_from(varint::read_i32(body)?) {
        Ok(length) => body.take(length).map(Some),
        Err(_) => Some(None),
    }
}
