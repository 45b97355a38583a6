//! Records as lines. Source: Kafka `DefaultMessageFormatter`, `LoggingMessageFormatter`.

use std::collections::BTreeMap;
use std::io::{self, Write};

use client::Consumed;
use records::TimestampType;

use super::super::ScriptError;
use super::super::console_producer::pairs;
use super::super::options::Parsed;
use crate::record_format::unescape;

/// How a record is printed.
#[derive(Debug)]
pub struct Formatter {
    kind: Kind,
    prints: Prints,
    key_separator: String,
    line_separator: String,
    headers_separator: String,
    null: String,
    key: Deserializer,
    value: Deserializer,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Default,
    /// Counts, prints nothing.
    Nothing,
}

/// What is printed of a record.
#[derive(Clone, Copy, Debug)]
struct Prints {
    timestamp: bool,
    partition: bool,
    offset: bool,
    epoch: bool,
    headers: bool,
    key: bool,
    value: bool,
}

/// How bytes become text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deserializer {
    Bytes,
    Short,
    Integer,
    Long,
    Float,
    Double,
}

impl Formatter {
    pub fn new(parsed: &Parsed) -> Result<Formatter, ScriptError> {
        let mut properties = BTreeMap::new();
        for path in parsed.values("formatter-config") {
            properties.extend(crate::context::read_properties(path)?);
        }
        for flag in ["property", "formatter-property"] {
            properties.extend(pairs(parsed, flag)?);
        }
        let deserializer = |flag: &str, name: &str| {
            let class = parsed.value(flag).or(properties.get(name).map(String::as_str));
            class.map_or(Ok(Deserializer::Bytes), Deserializer::of_class)
        };
        let key = deserializer("key-deserializer", "key.deserializer")?;
        let value = deserializer("value-deserializer", "value.deserializer")?;
        let kind = kind(parsed.value("formatter"))?;
        Ok(Formatter { kind, key, value, ..Formatter::of(&properties) })
    }

    fn of(properties: &BTreeMap<String, String>) -> Formatter {
        let is_on = |name: &str, default: bool| {
            properties.get(name).map_or(default, |text| text.trim().eq_ignore_ascii_case("true"))
        };
        let text = |name: &str, default: &str| {
            properties.get(name).map_or(default.to_owned(), |text| unescape(text))
        };
        Formatter {
            kind: Kind::Default,
            prints: Prints {
                timestamp: is_on("print.timestamp", false),
                partition: is_on("print.partition", false),
                offset: is_on("print.offset", false),
                epoch: is_on("print.epoch", false),
                headers: is_on("print.headers", false),
                key: is_on("print.key", false),
                value: is_on("print.value", true),
            },
            key_separator: text("key.separator", "\t"),
            line_separator: text("line.separator", "\n"),
            headers_separator: text("headers.separator", ","),
            null: text("null.literal", "null"),
            key: Deserializer::Bytes,
            value: Deserializer::Bytes,
        }
    }

    pub fn write(&self, out: &mut dyn Write, consumed: &Consumed) -> io::Result<()> {
        if self.kind == Kind::Nothing {
            return Ok(());
        }
        let record = &consumed.record;
        let mut is_first = true;
        let mut part = |out: &mut dyn Write, text: &[u8]| -> io::Result<()> {
            if !std::mem::take(&mut is_first) {
                out.write_all(self.key_separator.as_bytes())?;
            }
            out.write_all(text)
        };
        if self.prints.timestamp {
            part(out, timestamp(consumed).as_bytes())?;
        }
        if self.prints.partition {
            part(out, format!("Partition:{}", consumed.partition).as_bytes())?;
        }
        if self.prints.offset {
            part(out, format!("Offset:{}", record.offset).as_bytes())?;
        }
        if self.prints.epoch {
            part(out, format!("Epoch:{}", consumed.leader_epoch).as_bytes())?;
        }
        if self.prints.headers {
            part(out, &self.headers(consumed))?;
        }
        if self.prints.key {
            part(out, &self.key.text(record.key.as_deref(), &self.null))?;
        }
        if self.prints.value {
            part(out, &self.value.text(record.value.as_deref(), &self.null))?;
        }
        out.write_all(self.line_separator.as_bytes())
    }

    fn headers(&self, consumed: &Consumed) -> Vec<u8> {
        if consumed.record.headers.is_empty() {
            return b"NO_HEADERS".to_vec();
        }
        let mut text = Vec::new();
        for (index, header) in consumed.record.headers.iter().enumerate() {
            if index > 0 {
                text.extend_from_slice(self.headers_separator.as_bytes());
            }
            text.extend_from_slice(&header.key);
            text.push(b':');
            text.extend_from_slice(header.value.as_deref().unwrap_or(self.null.as_bytes()));
        }
        text
    }
}

fn timestamp(consumed: &Consumed) -> String {
    let ms = consumed.record.timestamp.0;
    match consumed.timestamp_type {
        _ if ms < 0 => "NO_TIMESTAMP".to_owned(),
        TimestampType::CreateTime => format!("CreateTime:{ms}"),
        TimestampType::LogAppendTime => format!("LogAppendTime:{ms}"),
    }
}

fn kind(class: Option<&str>) -> Result<Kind, ScriptError> {
    let Some(class) = class else { return Ok(Kind::Default) };
    match class.rsplit(['.', '$']).next().unwrap_or(class) {
        "DefaultMessageFormatter" => Ok(Kind::Default),
        "NoOpMessageFormatter" => Ok(Kind::Nothing),
        _ => {
            let why = format!("--formatter {class}: this class is not supported here yet");
            Err(ScriptError::Stderr(why))
        }
    }
}

impl Deserializer {
    fn of_class(class: &str) -> Result<Deserializer, ScriptError> {
        let known = match class.rsplit('.').next().unwrap_or(class) {
            "StringDeserializer" | "ByteArrayDeserializer" | "BytesDeserializer" => {
                Deserializer::Bytes
            }
            "ShortDeserializer" => Deserializer::Short,
            "IntegerDeserializer" => Deserializer::Integer,
            "LongDeserializer" => Deserializer::Long,
            "FloatDeserializer" => Deserializer::Float,
            "DoubleDeserializer" => Deserializer::Double,
            _ => {
                let why = format!("deserializer {class}: this class is not supported here yet");
                return Err(ScriptError::Stderr(why));
            }
        };
        Ok(known)
    }

    /// The text of some bytes; bytes of another length than the type's are shown as they are.
    fn text(self, bytes: Option<&[u8]>, null: &str) -> Vec<u8> {
        let Some(bytes) = bytes else { return null.as_bytes().to_vec() };
        let number = match self {
            Deserializer::Bytes => None,
            Deserializer::Short => {
                bytes.try_into().ok().map(|bytes| i16::from_be_bytes(bytes).to_string())
            }
            Deserializer::Integer => {
                bytes.try_into().ok().map(|bytes| i32::from_be_bytes(bytes).to_string())
            }
            Deserializer::Long => {
                bytes.try_into().ok().map(|bytes| i64::from_be_bytes(bytes).to_string())
            }
            Deserializer::Float => {
                bytes.try_into().ok().map(|bytes| format!("{:?}", f32::from_be_bytes(bytes)))
            }
            Deserializer::Double => {
                bytes.try_into().ok().map(|bytes| format!("{:?}", f64::from_be_bytes(bytes)))
            }
        };
        number.map_or_else(|| bytes.to_vec(), String::into_bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;
    use records::{Header, Record};
    use types::{Offset, WallTime};

    use super::*;

    fn line(
        properties: &[(&str, &str)],
        with_headers: bool,
        value: Option<&'static [u8]>,
    ) -> String {
        let properties = properties.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        let headers = vec![Header::new("h1", "v1"), Header::new("h2", "v2")];
        let consumed = Consumed {
            topic: Arc::from("t"),
            partition: 0,
            leader_epoch: 3,
            timestamp_type: TimestampType::CreateTime,
            record: Record {
                offset: Offset(7),
                timestamp: WallTime(1_795_490_665_595),
                key: Some(Bytes::from("k")),
                value: value.map(Bytes::from_static),
                headers: if with_headers { headers } else { Vec::new() },
            },
        };
        let mut out = Vec::new();
        Formatter::of(&properties.collect()).write(&mut out, &consumed).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn fields_come_in_kafkas_order_whatever_was_asked_first() {
        let all = [
            ("print.key", "true"),
            ("print.headers", "true"),
            ("print.offset", "true"),
            ("print.partition", "true"),
            ("print.timestamp", "true"),
            ("print.epoch", "true"),
        ];
        assert_eq!(
            line(&all, true, Some(b"val")),
            "CreateTime:1795490665595\tPartition:0\tOffset:7\tEpoch:3\th1:v1,h2:v2\tk\tval\n"
        );
        assert_eq!(line(&[("print.headers", "true")], false, Some(b"v")), "NO_HEADERS\tv\n");
    }

    #[test]
    fn separators_and_the_word_for_null_can_be_chosen() {
        let chosen = [("print.key", "true"), ("key.separator", "-"), ("null.literal", "NUL")];
        assert_eq!(line(&chosen, false, None), "k-NUL\n");
        assert_eq!(line(&[("line.separator", "\\0")], false, Some(b"v")), "v\0");
        assert_eq!(line(&[("print.value", "false"), ("print.key", "true")], false, None), "k\n");
    }

    #[test]
    fn numbers_are_read_as_javas_deserializers_read_them() {
        let long = Deserializer::of_class("org.apache.kafka.common.serialization.LongDeserializer");
        let long = long.ok().unwrap();
        assert_eq!(long.text(Some(&7i64.to_be_bytes()), ""), b"7");
        assert_eq!(long.text(Some(b"text"), ""), b"text");
        assert!(Deserializer::of_class("com.example.Avro").is_err());
    }
}
