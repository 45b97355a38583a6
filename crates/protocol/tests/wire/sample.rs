//! A second, independent encoder: random values of a message, written by walking its schema.
//!
//! The generated code never sees this file's idea of the encoding, so the two check each other.

use crate::dice::Dice;
use crate::schema::grammar::{Field, Message, Type};

/// The bytes of a random value of `message` in `version`.
pub fn sample(message: &Message, version: i16, dice: &mut Dice) -> Vec<u8> {
    let mut sampler = Sampler { message, version, dice: Some(dice), out: Vec::new() };
    sampler.fields(&message.fields);
    sampler.out
}

struct Sampler<'a> {
    message: &'a Message,
    version: i16,
    /// Without dice every value is its default.
    dice: Option<&'a mut Dice>,
    out: Vec<u8>,
}

const TEXTS: [&str; 6] =
    ["", "a", "orders", "Größe-ß", "\u{1f600}", "a.rather.long.name_of-a-topic"];
const LONG_BYTES: usize = 3000;

impl Sampler<'_> {
    fn fields(&mut self, fields: &[Field]) {
        let present = fields.iter().filter(|field| field.versions.contains(self.version));
        let (tagged, fixed): (Vec<&Field>, Vec<&Field>) = present.partition(|f| f.tag.is_some());
        fixed.into_iter().for_each(|field| self.field(field));
        if self.flexible() {
            self.tagged_fields(tagged);
        }
    }

    fn tagged_fields(&mut self, mut tagged: Vec<&Field>) {
        tagged.sort_by_key(|field| field.tag);
        let mut written = Vec::new();
        for field in tagged {
            let value = self.apart(true, field);
            // A tagged field at its default is left out.
            if value != self.apart(false, field) {
                written.push((field.tag.unwrap(), value));
            }
        }
        self.varint(written.len());
        for (tag, value) in written {
            self.varint(tag as usize);
            self.varint(value.len());
            self.out.extend(value);
        }
    }

    /// The bytes of one field by itself, random or default.
    fn apart(&mut self, random: bool, field: &Field) -> Vec<u8> {
        let dice = if random { self.dice.as_deref_mut() } else { None };
        let mut sampler =
            Sampler { message: self.message, version: self.version, dice, out: Vec::new() };
        sampler.field(field);
        sampler.out
    }

    fn field(&mut self, field: &Field) {
        let nullable = field.nullable.is_some_and(|range| range.contains(self.version));
        let null_by_default = field.default.as_deref() == Some("null")
            || (field.ty == Type::Records && field.default.is_none());
        let null = match &mut self.dice {
            Some(dice) => dice.one_in(4),
            None => null_by_default,
        };
        if nullable && null {
            return self.null(field);
        }
        match &field.ty {
            Type::Struct(name) => {
                if nullable {
                    self.out.push(1);
                }
                self.structure(name);
            }
            Type::Array(item) => {
                let elements = self.dice.as_mut().map_or(0, |dice| dice.below(4));
                self.length(elements, 4);
                (0..elements).for_each(|_| match item.as_ref() {
                    Type::Struct(name) => self.structure(name),
                    item => self.scalar(item, field),
                });
            }
            ty => self.scalar(ty, field),
        }
    }

    fn structure(&mut self, name: &str) {
        let message = self.message;
        self.fields(&message.structure(name).fields);
    }

    fn null(&mut self, field: &Field) {
        match &field.ty {
            Type::Struct(_) => self.out.push(0xff),
            _ if self.flexible() && !field.rigid => self.out.push(0),
            Type::String => self.out.extend([0xff; 2]),
            _ => self.out.extend([0xff; 4]),
        }
    }

    fn scalar(&mut self, ty: &Type, field: &Field) {
        let default = field.default.as_deref();
        let number = self.number(default);
        match ty {
            Type::Bool => match &mut self.dice {
                Some(dice) => self.out.push(u8::from(dice.one_in(2))),
                None => self.out.push(u8::from(default == Some("true"))),
            },
            Type::Int8 => self.out.extend((number as i8).to_be_bytes()),
            Type::Int16 | Type::Uint16 => self.out.extend((number as i16).to_be_bytes()),
            Type::Int32 | Type::Uint32 => self.out.extend((number as i32).to_be_bytes()),
            Type::Int64 => self.out.extend(number.to_be_bytes()),
            Type::Float64 => self.out.extend((number as f64).to_be_bytes()),
            Type::Uuid => {
                let dice = self.dice.as_deref_mut();
                let halves = dice.map_or([0; 2], |dice| [dice.throw(), dice.throw()]);
                halves.iter().for_each(|half| self.out.extend(half.to_be_bytes()));
            }
            Type::String => self.text(default, field.rigid),
            Type::Bytes | Type::Records => self.bytes(),
            Type::Struct(_) | Type::Array(_) => unreachable!("field() deals with them"),
        }
    }

    fn number(&mut self, default: Option<&str>) -> i64 {
        let default = default.and_then(|text| text.parse().ok()).unwrap_or(0);
        match &mut self.dice {
            None => default,
            Some(dice) => match dice.below(8) {
                0 => 0,
                1 => -1,
                2 => default,
                3 => i64::MAX,
                4 => i64::MIN,
                _ => dice.throw() as i64,
            },
        }
    }

    fn text(&mut self, default: Option<&str>, rigid: bool) {
        let default = default.unwrap_or_default().trim_matches('"');
        let text = self.dice.as_mut().map_or(default, |dice| TEXTS[dice.below(TEXTS.len())]);
        match rigid {
            true => self.out.extend((text.len() as i16).to_be_bytes()),
            false => self.length(text.len(), 2),
        }
        self.out.extend(text.as_bytes());
    }

    fn bytes(&mut self) {
        let length = self.dice.as_mut().map_or(0, |dice| match dice.one_in(8) {
            true => dice.below(LONG_BYTES),
            false => dice.below(12),
        });
        self.length(length, 4);
        let from = self.out.len();
        self.out.resize(from + length, 0xab);
    }

    /// A length that takes `rigid_bytes` where the version is not flexible.
    fn length(&mut self, length: usize, rigid_bytes: usize) {
        match self.flexible() {
            true => self.varint(length + 1),
            false => self.out.extend(&(length as u32).to_be_bytes()[4 - rigid_bytes..]),
        }
    }

    fn varint(&mut self, mut value: usize) {
        while value >= 0x80 {
            self.out.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.out.push(value as u8);
    }

    fn flexible(&self) -> bool {
        self.message.is_flexible(self.version)
    }
}
