//! Records as text and as JSON, both ways. Null, empty and not-UTF-8 stay apart.

use std::io::{self, Write};

use bytes::Bytes;
use clap::ValueEnum;
use client::{Consumed, Outgoing};
use records::{Header, TimestampType};
use serde_json::{Map, Value, json};
use types::WallTime;

use crate::moment::{format_moment, parse_moment};

/// How standard input holds records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum InputFormat {
    /// One value a line
    Text,
    /// One object a line: key, value, headers, partition, timestamp
    Json,
    /// All of it is one value
    Raw,
}

/// How records are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// One value a line
    Text,
    /// One object a line
    Json,
    /// The bytes of the values and nothing between them
    Raw,
}

/// What is printed of a record besides its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Field {
    Topic,
    Partition,
    Offset,
    Timestamp,
    Headers,
    Key,
    Value,
}

/// How records become lines.
#[derive(Clone, Debug)]
pub struct Lining {
    pub fields: Vec<Field>,
    pub separator: String,
    pub null: String,
}

/// Writes a record as one line of text.
pub fn write_text(out: &mut dyn Write, consumed: &Consumed, lining: &Lining) -> io::Result<()> {
    let record = &consumed.record;
    for (index, field) in lining.fields.iter().enumerate() {
        if index > 0 {
            out.write_all(lining.separator.as_bytes())?;
        }
        match field {
            Field::Topic => write!(out, "{}", consumed.topic)?,
            Field::Partition => write!(out, "{}", consumed.partition)?,
            Field::Offset => write!(out, "{}", record.offset)?,
            Field::Timestamp => write!(out, "{}", format_moment(record.timestamp.0))?,
            Field::Headers => write_headers(out, &record.headers, &lining.null)?,
            Field::Key => out.write_all(record.key.as_deref().unwrap_or(lining.null.as_bytes()))?,
            Field::Value => {
                out.write_all(record.value.as_deref().unwrap_or(lining.null.as_bytes()))?;
            }
        }
    }
    out.write_all(b"\n")
}

fn write_headers(out: &mut dyn Write, headers: &[Header], null: &str) -> io::Result<()> {
    for (index, header) in headers.iter().enumerate() {
        if index > 0 {
            out.write_all(b",")?;
        }
        out.write_all(&header.key)?;
        out.write_all(b"=")?;
        out.write_all(header.value.as_deref().unwrap_or(null.as_bytes()))?;
    }
    Ok(())
}

/// Writes a record as one line of JSON.
///
/// Bytes that are no UTF-8 become `{"base64": "…"}`, so that every record can be told exactly.
pub fn write_json(out: &mut dyn Write, consumed: &Consumed) -> io::Result<()> {
    let record = &consumed.record;
    let headers: Vec<Value> = record
        .headers
        .iter()
        .map(|header| {
            json!({ "key": header.key_text(), "value": bytes_json(header.value.as_ref()) })
        })
        .collect();
    let timestamp_type = match consumed.timestamp_type {
        TimestampType::CreateTime => "create",
        TimestampType::LogAppendTime => "append",
    };
    let line = json!({
        "topic": &*consumed.topic,
        "partition": consumed.partition,
        "offset": record.offset.0,
        "timestamp": record.timestamp.0,
        "timestamp_type": timestamp_type,
        "headers": headers,
        "key": bytes_json(record.key.as_ref()),
        "value": bytes_json(record.value.as_ref()),
    });
    serde_json::to_writer(&mut *out, &line)?;
    out.write_all(b"\n")
}

pub fn bytes_json(bytes: Option<&Bytes>) -> Value {
    match bytes {
        None => Value::Null,
        Some(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => Value::String(text.to_owned()),
            Err(_) => json!({ "base64": base64(bytes) }),
        },
    }
}

/// Reads what [`write_json`] writes, and shorter forms: only `value` is needed.
///
/// A value that is neither text, null nor `{"base64": …}` is sent as its JSON text.
pub fn read_json(line: &[u8]) -> Result<Outgoing, String> {
    let object: Map<String, Value> = serde_json::from_slice(line).map_err(|e| e.to_string())?;
    let known =
        ["key", "value", "headers", "partition", "timestamp", "topic", "offset", "timestamp_type"];
    if let Some(name) = object.keys().find(|name| !known.contains(&name.as_str())) {
        return Err(format!("there is no field {name:?}; known are {}", known.join(", ")));
    }
    let partition = match object.get("partition") {
        None | Some(Value::Null) => None,
        Some(value) => {
            let number = value.as_i64().and_then(|number| i32::try_from(number).ok());
            Some(number.ok_or("`partition` is not a number")?)
        }
    };
    let timestamp = match object.get("timestamp") {
        None | Some(Value::Null) => WallTime::NONE,
        Some(Value::String(text)) => WallTime(parse_moment(text, crate::moment::now_ms())?),
        Some(value) => WallTime(value.as_i64().ok_or("`timestamp` is not a number")?),
    };
    Ok(Outgoing {
        partition,
        timestamp,
        key: json_bytes(object.get("key"))?,
        value: json_bytes(object.get("value"))?,
        headers: json_headers(object.get("headers"))?,
    })
}

fn json_bytes(value: Option<&Value>) -> Result<Option<Bytes>, String> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(Bytes::from(text.clone()))),
        Some(Value::Object(object)) if object.len() == 1 && object.contains_key("base64") => {
            let text = object["base64"].as_str().ok_or("`base64` is not a text")?;
            Ok(Some(unbase64(text).ok_or("`base64` is malformed")?.into()))
        }
        Some(other) => Ok(Some(Bytes::from(other.to_string()))),
    }
}

fn json_headers(value: Option<&Value>) -> Result<Vec<Header>, String> {
    let header = |key: &str, value: Option<&Value>| -> Result<Header, String> {
        Ok(Header { key: Bytes::copy_from_slice(key.as_bytes()), value: json_bytes(value)? })
    };
    match value {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Object(object)) => {
            object.iter().map(|(key, value)| header(key, Some(value))).collect()
        }
        Some(Value::Array(items)) => {
            let read = |item: &Value| {
                let key = item.get("key").and_then(Value::as_str).ok_or("a header has no key")?;
                header(key, item.get("value"))
            };
            items.iter().map(read).collect()
        }
        Some(_) => Err("`headers` is neither an object nor a list".to_owned()),
    }
}

/// `\t`, `\n`, `\r`, `\0` and `\\` as people write them in flags.
pub fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('t') => out.push('\t'),
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('0') => out.push('\0'),
            Some('\\') => out.push('\\'),
            Some(other) => out.extend(['\\', other]),
            None => out.push('\\'),
        }
    }
    out
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn base64(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let padded = [chunk[0], *chunk.get(1).unwrap_or(&0), *chunk.get(2).unwrap_or(&0)];
        let bits = u32::from_be_bytes([0, padded[0], padded[1], padded[2]]);
        for place in 0..4 {
            let six = (bits >> (18 - 6 * place)) & 0x3f;
            let is_padding = place > chunk.len();
            text.push(if is_padding { '=' } else { char::from(ALPHABET[six as usize]) });
        }
    }
    text
}

fn unbase64(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=').bytes();
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0u32, 0);
    for digit in digits {
        let six = ALPHABET.iter().position(|known| *known == digit)?;
        bits = (bits << 6) | u32::try_from(six).ok()?;
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push(u8::try_from((bits >> count) & 0xff).ok()?);
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use records::Record;
    use types::Offset;

    use super::*;

    fn consumed(key: Option<&'static [u8]>, value: Option<&'static [u8]>) -> Consumed {
        Consumed {
            topic: Arc::from("t"),
            partition: 2,
            leader_epoch: 0,
            timestamp_type: TimestampType::CreateTime,
            record: Record {
                offset: Offset(7),
                timestamp: WallTime(1000),
                key: key.map(Bytes::from_static),
                value: value.map(Bytes::from_static),
                headers: vec![Header::new("h", "1")],
            },
        }
    }

    #[test]
    fn json_tells_null_empty_and_binary_apart_and_reads_back() {
        for (key, value) in [
            (None, Some(&b"text"[..])),
            (Some(&b""[..]), None),
            (Some(&b"\xff\x00\x10"[..]), Some(&b"\xfe"[..])),
        ] {
            let mut line = Vec::new();
            write_json(&mut line, &consumed(key, value)).unwrap();
            let read = read_json(&line).unwrap();
            assert_eq!(read.key.as_deref(), key);
            assert_eq!(read.value.as_deref(), value);
            assert_eq!(read.headers, [Header::new("h", "1")]);
            assert_eq!((read.partition, read.timestamp), (Some(2), WallTime(1000)));
        }
    }

    #[test]
    fn short_json_is_enough_and_unknown_fields_are_told() {
        let read = read_json(br#"{"value": {"a": 1}, "headers": {"h": null}}"#).unwrap();
        assert_eq!(read.value, Some(Bytes::from(r#"{"a":1}"#)));
        assert_eq!(read.headers[0].value, None);
        assert!(read_json(br#"{"valeu": "x"}"#).unwrap_err().contains("valeu"));
        assert!(read_json(b"[]").is_err());
    }

    #[test]
    fn text_lines_show_the_fields_asked_for_in_their_order() {
        let lining = Lining {
            fields: vec![Field::Partition, Field::Headers, Field::Key, Field::Value],
            separator: "|".to_owned(),
            null: "NULL".to_owned(),
        };
        let mut line = Vec::new();
        write_text(&mut line, &consumed(None, Some(b"v")), &lining).unwrap();
        assert_eq!(line, b"2|h=1|NULL|v\n");
    }

    #[test]
    fn base64_is_the_usual_one() {
        for (bytes, text) in [(&b""[..], ""), (b"f", "Zg=="), (b"fo", "Zm8="), (b"foo", "Zm9v")] {
            assert_eq!(base64(bytes), text);
            assert_eq!(unbase64(text).as_deref(), Some(bytes));
        }
        assert_eq!(unbase64("!"), None);
    }

    #[test]
    fn escapes_in_flags_are_understood() {
        assert_eq!(unescape("a\\tb\\\\c\\q"), "a\tb\\c\\q");
    }
}
