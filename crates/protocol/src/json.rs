//! Messages as JSON, in the form of Kafka's generated converters and the library that prints them.
//!
//! Fields come in the order of the schema, under their camel-case names. A tagged field that holds
//! its default is left out. Ids are base64 for URLs, bytes are base64 with padding. Source: Kafka
//! `JsonConverterGenerator`, and Jackson's `JsonNode.toString`.

use std::fmt::Write;

use bytes::Bytes;
use types::Uuid;

use crate::Str;

/// What can be written as JSON; `version` is that of the message around it.
pub trait Json {
    fn json(&self, out: &mut JsonText, version: i16);

    fn to_json(&self, version: i16) -> String {
        let mut out = JsonText::default();
        self.json(&mut out, version);
        out.text
    }
}

/// JSON that is being written, without blanks.
#[derive(Debug, Default)]
pub struct JsonText {
    text: String,
    /// Something stands before the next member of the innermost object or array.
    needs_comma: bool,
}

impl JsonText {
    pub fn object(&mut self, members: impl FnOnce(&mut JsonText)) {
        self.between('{', '}', members);
    }

    /// A member of the object that is being written.
    pub fn field(&mut self, name: &str, value: &impl Json, version: i16) {
        self.separate();
        self.quoted(name);
        self.text.push(':');
        value.json(self, version);
        self.needs_comma = true;
    }

    fn between(&mut self, open: char, close: char, inside: impl FnOnce(&mut JsonText)) {
        self.text.push(open);
        self.needs_comma = false;
        inside(self);
        self.text.push(close);
        self.needs_comma = true;
    }

    fn separate(&mut self) {
        if self.needs_comma {
            self.text.push(',');
        }
    }

    fn quoted(&mut self, text: &str) {
        self.text.push('"');
        for character in text.chars() {
            match character {
                '"' => self.text.push_str("\\\""),
                '\\' => self.text.push_str("\\\\"),
                '\u{8}' => self.text.push_str("\\b"),
                '\t' => self.text.push_str("\\t"),
                '\n' => self.text.push_str("\\n"),
                '\u{c}' => self.text.push_str("\\f"),
                '\r' => self.text.push_str("\\r"),
                // In capitals, as Jackson.
                '\0'..=' ' if character != ' ' => {
                    let _ = write!(self.text, "\\u{:04X}", u32::from(character));
                }
                _ => self.text.push(character),
            }
        }
        self.text.push('"');
    }
}

macro_rules! written_as_they_are {
    ($($number:ty),+) => {
        $(impl Json for $number {
            fn json(&self, out: &mut JsonText, _version: i16) {
                let _ = write!(out.text, "{self}");
            }
        })+
    };
}

written_as_they_are!(bool, i8, i16, u16, i32, u32, i64);

impl Json for f64 {
    /// As `Double.toString` of Java; what is no number is a text.
    fn json(&self, out: &mut JsonText, _version: i16) {
        let _ = match self {
            it if it.is_nan() => write!(out.text, "\"NaN\""),
            it if it.is_infinite() => {
                write!(out.text, "\"{}Infinity\"", if *it < 0.0 { "-" } else { "" })
            }
            it if *it == 0.0 || (1e-3..1e7).contains(&it.abs()) => write!(out.text, "{it:?}"),
            it => {
                let text = format!("{it:E}");
                match text.split_once('E') {
                    Some((digits, power)) if !digits.contains('.') => {
                        write!(out.text, "{digits}.0E{power}")
                    }
                    _ => write!(out.text, "{text}"),
                }
            }
        };
    }
}

impl Json for Str {
    fn json(&self, out: &mut JsonText, _version: i16) {
        out.quoted(self);
    }
}

impl Json for Uuid {
    fn json(&self, out: &mut JsonText, _version: i16) {
        let _ = write!(out.text, "\"{self}\"");
    }
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

impl Json for Bytes {
    fn json(&self, out: &mut JsonText, _version: i16) {
        out.text.push('"');
        for three in self.chunks(3) {
            let byte = |at: usize| three.get(at).copied().map_or(0, u32::from);
            let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
            for at in 0..4 {
                let six = BASE64[(bits >> (18 - 6 * at) & 0x3f) as usize];
                out.text.push(if at <= three.len() { char::from(six) } else { '=' });
            }
        }
        out.text.push('"');
    }
}

impl<T: Json> Json for Option<T> {
    fn json(&self, out: &mut JsonText, version: i16) {
        match self {
            Some(value) => value.json(out, version),
            None => out.text.push_str("null"),
        }
    }
}

impl<T: Json> Json for Vec<T> {
    fn json(&self, out: &mut JsonText, version: i16) {
        out.between('[', ']', |out| {
            for item in self {
                out.separate();
                item.json(out, version);
                out.needs_comma = true;
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata_records::client_quota_record::EntityData;
    use crate::metadata_records::{ClientQuotaRecord, PartitionChangeRecord, SnapshotFooterRecord};

    fn json(value: &impl Json) -> String {
        value.to_json(0)
    }

    #[test]
    fn a_tagged_field_is_left_out_at_its_default_and_a_null_is_written_elsewhere() {
        let change = PartitionChangeRecord {
            partition_id: 3,
            isr: Some(vec![1, 2]),
            replicas: Some(Vec::new()),
            ..PartitionChangeRecord::default()
        };
        assert_eq!(
            change.to_json(2),
            "{\"partitionId\":3,\"topicId\":\"AAAAAAAAAAAAAAAAAAAAAA\",\"isr\":[1,2],\
             \"replicas\":[]}"
        );
        let nobody = EntityData { entity_name: None, ..EntityData::default() };
        let quota =
            ClientQuotaRecord { entity: vec![nobody], value: 1e7, ..ClientQuotaRecord::default() };
        assert_eq!(
            json(&quota),
            "{\"entity\":[{\"entityType\":\"\",\"entityName\":null}],\"key\":\"\",\
             \"value\":1.0E7,\"remove\":false}"
        );
        assert_eq!(json(&SnapshotFooterRecord::default()), "{\"version\":0}");
    }

    #[test]
    fn numbers_that_are_not_whole_are_written_as_java_does() {
        let cases = [
            (0.0, "0.0"),
            (-1.5, "-1.5"),
            (9_999_999.0, "9999999.0"),
            (1.25e10, "1.25E10"),
            (0.001, "0.001"),
            (1e-4, "1.0E-4"),
            (f64::NAN, "\"NaN\""),
            (f64::NEG_INFINITY, "\"-Infinity\""),
        ];
        for (number, text) in cases {
            assert_eq!(json(&number), text);
        }
    }

    #[test]
    fn texts_are_escaped_and_bytes_are_base64() {
        assert_eq!(json(&Str::from("a\"\\\n\u{1f}é/")), "\"a\\\"\\\\\\n\\u001Fé/\"");
        let bytes = |text: &'static str| json(&Bytes::from_static(text.as_bytes()));
        assert_eq!(bytes(""), "\"\"");
        assert_eq!(bytes("f"), "\"Zg==\"");
        assert_eq!(bytes("fo"), "\"Zm8=\"");
        assert_eq!(bytes("foo?>~"), "\"Zm9vPz5+\"");
    }
}
