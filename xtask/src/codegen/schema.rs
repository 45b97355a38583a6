//! Our message grammar (schema/README.md) as values, and its parser.

use std::fmt;

/// One message: a request, a response, a header, a record.
#[derive(Clone, Debug)]
pub struct Message {
    pub doc: Vec<String>,
    pub kind: Kind,
    /// With its suffix: `FetchRequest`.
    pub name: String,
    /// API key, record type or key version.
    pub id: Option<i16>,
    pub versions: Versions,
    pub flexible: Option<Versions>,
    pub fields: Vec<Field>,
    /// Nested structs in the order in which they appear.
    pub structs: Vec<Struct>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Request,
    Response,
    Header,
    Record,
    Key,
    Value,
    Data,
}

#[derive(Clone, Debug)]
pub struct Struct {
    pub name: String,
    pub versions: Versions,
    pub fields: Vec<Field>,
}

#[derive(Clone, Debug)]
pub struct Field {
    pub doc: Vec<String>,
    pub name: String,
    pub ty: Type,
    /// Clipped to the versions of the struct that holds the field.
    pub versions: Versions,
    pub nullable: Option<Versions>,
    pub tag: Option<u32>,
    pub default: Option<String>,
    pub ignorable: bool,
    pub rigid: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    Bool,
    Int8,
    Int16,
    Uint16,
    Int32,
    Uint32,
    Int64,
    Float64,
    Uuid,
    String,
    Bytes,
    Records,
    Struct(String),
    Array(Box<Type>),
}

/// An inclusive range of versions, never empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Versions {
    pub first: i16,
    pub last: i16,
}

impl Message {
    /// The API's name without `Request` or `Response`.
    pub fn api(&self) -> &str {
        let name = self.name.as_str();
        name.strip_suffix("Request").or(name.strip_suffix("Response")).unwrap_or(name)
    }

    pub fn is_flexible(&self, version: i16) -> bool {
        self.flexible.is_some_and(|range| range.contains(version))
    }

    pub fn structure(&self, name: &str) -> &Struct {
        let found = self.structs.iter().find(|s| s.name == name);
        found.unwrap_or_else(|| panic!("{}: struct {name} was checked by the parser", self.name))
    }
}

impl Versions {
    pub fn contains(self, version: i16) -> bool {
        self.first <= version && version <= self.last
    }

    pub fn covers(self, other: Versions) -> bool {
        self.first <= other.first && other.last <= self.last
    }

    pub fn clip(self, to: Versions) -> Option<Versions> {
        let both = Versions { first: self.first.max(to.first), last: self.last.min(to.last) };
        (both.first <= both.last).then_some(both)
    }

    /// Reads `4-18`, `12+` or `3`; an open range ends where `within` ends.
    fn parse(text: &str, within: Versions) -> Option<Versions> {
        let (first, last) = match (text.strip_suffix('+'), text.split_once('-')) {
            (Some(first), _) => (first.parse().ok()?, within.last),
            (None, Some((first, last))) => (first.parse().ok()?, last.parse().ok()?),
            (None, None) => (text.parse().ok()?, text.parse().ok()?),
        };
        let range = Versions { first, last };
        (first <= last && within.covers(range)).then_some(range)
    }
}

impl fmt::Display for Versions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.first == self.last {
            true => write!(f, "{}", self.first),
            false => write!(f, "{}-{}", self.first, self.last),
        }
    }
}

const ANY: Versions = Versions { first: 0, last: i16::MAX };

/// Parses one `.msg` file.
///
/// Errors: the line that is wrong, and why.
pub fn parse(text: &str) -> Result<Message, String> {
    let mut parser = Parser { lines: number_lines(text)?, next: 0, structs: Vec::new() };
    let message = parser.message()?;
    check_struct_names(&message)?;
    Ok(message)
}

#[derive(Clone, Debug)]
struct Line {
    number: usize,
    depth: usize,
    doc: Vec<String>,
    text: String,
}

impl Line {
    fn wrong<T>(&self, why: &str) -> Result<T, String> {
        Err(format!("line {}: {why}: {:?}", self.number, self.text))
    }
}

/// Drops blank lines and hangs comments on the line that follows them.
fn number_lines(text: &str) -> Result<Vec<Line>, String> {
    let mut lines = Vec::new();
    let mut doc = Vec::new();
    for (i, raw) in text.lines().enumerate() {
        let body = raw.trim();
        if let Some(comment) = body.strip_prefix('#') {
            doc.push(comment.trim().to_owned());
        } else if !body.is_empty() {
            let spaces = raw.len() - raw.trim_start().len();
            let doc = std::mem::take(&mut doc);
            let line = Line { number: i + 1, depth: spaces / 2, doc, text: body.to_owned() };
            if spaces % 2 != 0 {
                return line.wrong("indent by two spaces");
            }
            lines.push(line);
        }
    }
    Ok(lines)
}

struct Parser {
    lines: Vec<Line>,
    next: usize,
    structs: Vec<Struct>,
}

impl Parser {
    fn message(&mut self) -> Result<Message, String> {
        let head = self.take().ok_or("the file is empty")?;
        let Some((kind, name)) = head.text.split_once(' ') else {
            return head.wrong("expected a kind and a name");
        };
        let (kind, suffix) = match kind {
            "request" => (Kind::Request, "Request"),
            "response" => (Kind::Response, "Response"),
            "header" => (Kind::Header, ""),
            "record" => (Kind::Record, ""),
            "key" => (Kind::Key, ""),
            "value" => (Kind::Value, ""),
            "data" => (Kind::Data, ""),
            _ => return head.wrong("unknown kind"),
        };
        let id = match self.attribute("id") {
            Some(line) => match line.text["id ".len()..].parse() {
                Ok(id) => Some(id),
                Err(_) => return line.wrong("an id is a number"),
            },
            None => None,
        };
        let versions = match self.range("versions", ANY)? {
            Some(versions) => versions,
            None => return head.wrong("versions are missing"),
        };
        let flexible = self.range("flexible", versions)?;
        let fields = self.fields(0, versions)?;
        while let Some(line) = self.take() {
            self.shared_struct(&line, versions)?;
        }
        let name = format!("{name}{suffix}");
        let structs = std::mem::take(&mut self.structs);
        Ok(Message { doc: head.doc, kind, name, id, versions, flexible, fields, structs })
    }

    fn shared_struct(&mut self, line: &Line, within: Versions) -> Result<(), String> {
        let words: Vec<&str> = line.text.split(' ').collect();
        let (name, versions) = match words.as_slice() {
            ["struct", name] => (*name, Some(within)),
            ["struct", name, range] => (*name, Versions::parse(range, within)),
            _ => return line.wrong("expected a struct"),
        };
        let Some(versions) = versions else { return line.wrong("not a range of versions") };
        let at = self.structs.len();
        let fields = self.fields(1, versions)?;
        self.structs.insert(at, Struct { name: name.to_owned(), versions, fields });
        Ok(())
    }

    fn fields(&mut self, depth: usize, within: Versions) -> Result<Vec<Field>, String> {
        let mut fields = Vec::new();
        while let Some(line) = self.lines.get(self.next).cloned() {
            let is_field = line.depth == depth && line.text.contains(": ");
            if !is_field {
                if line.depth > depth {
                    return line.wrong("indented too far");
                }
                break;
            }
            self.next += 1;
            fields.push(self.field(&line, within)?);
        }
        Ok(fields)
    }

    fn field(&mut self, line: &Line, within: Versions) -> Result<Field, String> {
        let (name, rest) = line.text.split_once(": ").expect("fields() looked for it");
        let mut words = rest.split(' ').peekable();
        let (ty, null) = match words.next().unwrap_or_default().split_once('?') {
            Some((ty, null)) => (ty, Some(null)),
            None => (rest.split(' ').next().unwrap_or_default(), None),
        };
        let mut field = Field {
            doc: line.doc.clone(),
            name: name.to_owned(),
            ty: parse_type(ty),
            versions: within,
            nullable: None,
            tag: None,
            default: None,
            ignorable: false,
            rigid: false,
        };
        if let Some(range) = words.next_if(|w| w.starts_with(|c: char| c.is_ascii_digit())) {
            match Versions::parse(range, within) {
                Some(range) => field.versions = range,
                None => return line.wrong("not a range of versions"),
            }
        }
        field.nullable = match null {
            None => None,
            Some("") => Some(field.versions),
            Some(range) => match Versions::parse(range, field.versions) {
                Some(range) => Some(range),
                None => return line.wrong("not a range of versions after `?`"),
            },
        };
        while let Some(word) = words.next() {
            match word {
                "tag" => field.tag = words.next().and_then(|tag| tag.parse().ok()),
                "=" => field.default = words.next().map(str::to_owned),
                "ignorable" => field.ignorable = true,
                "rigid" => field.rigid = true,
                _ => return line.wrong("unknown word"),
            }
        }
        self.inline_struct(line, &field)?;
        Ok(field)
    }

    /// A struct field followed by deeper lines defines its struct on the spot.
    fn inline_struct(&mut self, line: &Line, field: &Field) -> Result<(), String> {
        let deeper = self.lines.get(self.next).is_some_and(|next| next.depth > line.depth);
        let Some(name) = struct_name(&field.ty).filter(|_| deeper) else { return Ok(()) };
        let (name, versions) = (name.to_owned(), field.versions);
        let at = self.structs.len();
        let fields = self.fields(line.depth + 1, versions)?;
        self.structs.insert(at, Struct { name, versions, fields });
        Ok(())
    }

    fn take(&mut self) -> Option<Line> {
        let line = self.lines.get(self.next).cloned();
        self.next += 1;
        line
    }

    fn attribute(&mut self, name: &str) -> Option<Line> {
        let line = self.lines.get(self.next)?.clone();
        line.text.strip_prefix(name)?.strip_prefix(' ')?;
        self.next += 1;
        Some(line)
    }

    fn range(&mut self, name: &str, within: Versions) -> Result<Option<Versions>, String> {
        let Some(line) = self.attribute(name) else { return Ok(None) };
        let text = line.text[name.len()..].trim();
        match Versions::parse(text, within) {
            Some(range) => Ok(Some(range)),
            None if text == "none" => Ok(None),
            None => line.wrong("not a range of versions"),
        }
    }
}

pub fn struct_name(ty: &Type) -> Option<&str> {
    match ty {
        Type::Struct(name) => Some(name),
        Type::Array(item) => struct_name(item),
        _ => None,
    }
}

fn parse_type(text: &str) -> Type {
    match text {
        "bool" => Type::Bool,
        "int8" => Type::Int8,
        "int16" => Type::Int16,
        "uint16" => Type::Uint16,
        "int32" => Type::Int32,
        "uint32" => Type::Uint32,
        "int64" => Type::Int64,
        "float64" => Type::Float64,
        "uuid" => Type::Uuid,
        "string" => Type::String,
        "bytes" => Type::Bytes,
        "records" => Type::Records,
        _ => match text.strip_prefix("[]") {
            Some(item) => Type::Array(Box::new(parse_type(item))),
            None => Type::Struct(text.to_owned()),
        },
    }
}

/// Every struct that a field names exists once; a misspelt type ends up here too.
fn check_struct_names(message: &Message) -> Result<(), String> {
    let all = message.structs.iter().flat_map(|s| &s.fields).chain(&message.fields);
    for name in all.filter_map(|field| struct_name(&field.ty)) {
        let count = message.structs.iter().filter(|s| s.name == name).count();
        if count != 1 {
            return Err(format!("type {name} is defined {count} times"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = "\
# Says hello.

request Hello
id 7
versions 2-5
flexible 4+

# Whom to greet.
name: string?3+ ignorable
guests: []Guest 3-4 = null
  seat: int32 4 tag 0 = -1
host: Person?

struct Person 3+
  age: uint16
";

    #[test]
    fn a_message_is_read_as_written() {
        let message = parse(SAMPLE).unwrap();
        assert_eq!(message.name, "HelloRequest");
        assert_eq!((message.api(), message.id), ("Hello", Some(7)));
        assert_eq!(message.versions, Versions { first: 2, last: 5 });
        assert_eq!(message.flexible, Some(Versions { first: 4, last: 5 }));
        let [name, guests, host] = message.fields.as_slice() else { panic!("{message:?}") };
        assert_eq!(name.doc, ["Whom to greet."]);
        assert_eq!(name.nullable, Some(Versions { first: 3, last: 5 }));
        assert!(name.ignorable && !guests.ignorable);
        assert_eq!(guests.ty, Type::Array(Box::new(Type::Struct("Guest".into()))));
        assert_eq!(guests.default.as_deref(), Some("null"));
        assert_eq!(host.nullable, Some(message.versions));
        let seat = &message.structure("Guest").fields[0];
        assert_eq!((seat.tag, seat.versions.first, seat.versions.last), (Some(0), 4, 4));
        assert_eq!(message.structure("Person").versions.first, 3);
    }

    #[test]
    fn mistakes_are_named_with_their_line() {
        let wrong = |from: &str, to: &str| parse(&SAMPLE.replace(from, to)).unwrap_err();
        assert!(wrong("2-5", "5-2").starts_with("line 5"));
        assert!(wrong("ignorable", "ignoreable").starts_with("line 9"));
        assert!(wrong("  seat", "   seat").starts_with("line 11"));
        assert!(wrong("uint16", "uint61").contains("uint61 is defined 0 times"));
        assert!(wrong("flexible 4+", "flexible 1+").starts_with("line 6"));
        assert!(parse("").is_err());
    }
}
