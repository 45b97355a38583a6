//! One message → one Rust file.

mod default;
mod json;
mod read;
mod write;

use super::layout::min_bytes;
use super::schema::{Field, Kind, Message, Struct, Type, Versions};

/// The text of a message's file, before rustfmt; some can also be written as JSON.
pub fn message_file(message: &Message, source: &str, has_json: bool) -> String {
    let mut out = file_header(message, source);
    out += &imports(message, has_json);
    let top = top_struct(message);
    out += &struct_items(message, &top, true);
    out += &message_impls(message);
    for nested in &message.structs {
        out += &struct_items(message, nested, false);
    }
    if has_json {
        out += &json::json_impl(&top);
        out += &message.structs.iter().map(json::json_impl).collect::<String>();
    }
    out
}

/// The message itself seen as a struct.
fn top_struct(message: &Message) -> Struct {
    let (name, fields) = (message.name.clone(), message.fields.clone());
    Struct { name, versions: message.versions, fields }
}

fn file_header(message: &Message, source: &str) -> String {
    let id = match (message.kind, message.id) {
        (Kind::Request | Kind::Response, Some(id)) => format!(" (API key {id})"),
        (Kind::Record, Some(id)) => format!(" (record type {id})"),
        (Kind::Key | Kind::Value, Some(id)) => format!(" (key version {id})"),
        _ => String::new(),
    };
    let flexible = match message.flexible {
        Some(range) if range == message.versions => ", flexible".to_owned(),
        Some(range) => format!(", flexible from {}", range.first),
        None => ", never flexible".to_owned(),
    };
    let plural = if message.versions.first == message.versions.last { "" } else { "s" };
    format!(
        "//! {}{id}, version{plural} {}{flexible}.\n//!\n\
         //! Generated from `{source}`\n//! by `cargo xtask codegen`; edit that.\n\n",
        message.name, message.versions
    )
}

fn imports(message: &Message, has_json: bool) -> String {
    let uses = |wanted: fn(&Type) -> bool| {
        let mut all = message.structs.iter().flat_map(|s| &s.fields).chain(&message.fields);
        all.any(|field| wanted(innermost(&field.ty)))
    };
    let mut names = vec!["DecodeError", "EncodeError", "Fields", "Message", "Reader", "Writer"];
    match message.kind {
        Kind::Request => names.extend(["ApiKey", "Request"]),
        Kind::Record | Kind::Key | Kind::Value => names.push("Numbered"),
        Kind::Response | Kind::Header | Kind::Data => {}
    }
    if uses(|ty| *ty == Type::String) {
        names.push("Str");
    }
    if has_json {
        names.extend(["Json", "JsonText"]);
    }
    names.sort_unstable();
    let mut out = String::from("use std::ops::RangeInclusive;\n\n");
    if uses(|ty| matches!(ty, Type::Bytes | Type::Records)) {
        out += "use bytes::Bytes;\n";
    }
    if uses(|ty| *ty == Type::Uuid) {
        out += "use types::Uuid;\n";
    }
    if out.ends_with(";\n") && !out.ends_with("\n\n") {
        out.push('\n');
    }
    out += &format!("use crate::{{{}}};\n", names.join(", "));
    if message.kind == Kind::Request {
        out += &format!("use crate::messages::{}Response;\n", message.api());
    }
    out + "\n"
}

fn innermost(ty: &Type) -> &Type {
    match ty {
        Type::Array(item) => innermost(item),
        other => other,
    }
}

/// The struct, its default when that cannot be derived, and how to read and write it.
fn struct_items(message: &Message, of: &Struct, top: bool) -> String {
    let mut out = String::new();
    if top {
        out += &doc_lines(&message.doc);
    }
    let derived = of.fields.iter().all(default::is_rusts_own);
    out += match derived {
        true => "#[derive(Clone, Debug, Default, PartialEq)]\n",
        false => "#[derive(Clone, Debug, PartialEq)]\n",
    };
    out += &format!("pub struct {} {{\n", of.name);
    for field in &of.fields {
        out += &field_doc(field, of.versions);
        out += &format!("pub {}: {},\n", rust_name(&field.name), rust_type(field));
    }
    out += "}\n\n";
    if !derived {
        out += &default::default_impl(of);
    }
    let min = min_bytes(message, &of.fields, of);
    out += &format!("impl Fields for {} {{\nconst MIN_BYTES: usize = {min};\n\n", of.name);
    out += &read::read_fn(message, of);
    out += &write::write_fn(message, of);
    out + "}\n\n"
}

fn message_impls(message: &Message) -> String {
    let Versions { first, last } = message.versions;
    let flexible = match message.flexible {
        Some(range) => format!("Some({})", range.first),
        None => "None".to_owned(),
    };
    let mut out = format!(
        "impl Message for {name} {{\n\
         const NAME: &'static str = \"{name}\";\n\
         const VERSIONS: RangeInclusive<i16> = {first}..={last};\n\
         const FLEXIBLE_FROM: Option<i16> = {flexible};\n}}\n\n",
        name = message.name
    );
    match (message.kind, message.id) {
        (Kind::Request, _) => {
            let api = message.api();
            out += &format!(
                "impl Request for {} {{\nconst KEY: ApiKey = ApiKey::{api};\n\
                 type Response = {api}Response;\n}}\n\n",
                message.name
            );
        }
        (Kind::Record | Kind::Key | Kind::Value, Some(id)) => {
            out += &format!("impl Numbered for {} {{\nconst ID: i16 = {id};\n}}\n\n", message.name);
        }
        _ => {}
    }
    out
}

fn doc_lines(doc: &[String]) -> String {
    doc.iter().map(|line| format!("/// {line}\n")).collect()
}

fn field_doc(field: &Field, within: Versions) -> String {
    let mut doc = field.doc.clone();
    if field.versions != within {
        let Versions { first, last } = field.versions;
        let range = match (last == within.last, first == last) {
            (true, _) => format!("v{first}+."),
            (false, true) => format!("v{first} only."),
            (false, false) => format!("v{first}–{last}."),
        };
        match doc.first_mut() {
            Some(line) => *line = format!("{range} {line}"),
            None => doc.push(range),
        }
    }
    doc_lines(&doc)
}

fn rust_type(field: &Field) -> String {
    let plain = bare_type(&field.ty);
    match is_option(field) {
        true => format!("Option<{plain}>"),
        false => plain,
    }
}

fn bare_type(ty: &Type) -> String {
    match ty {
        Type::Bool => "bool".to_owned(),
        Type::Int8 => "i8".to_owned(),
        Type::Int16 => "i16".to_owned(),
        Type::Uint16 => "u16".to_owned(),
        Type::Int32 => "i32".to_owned(),
        Type::Uint32 => "u32".to_owned(),
        Type::Int64 => "i64".to_owned(),
        Type::Float64 => "f64".to_owned(),
        Type::Uuid => "Uuid".to_owned(),
        Type::String => "Str".to_owned(),
        Type::Bytes | Type::Records => "Bytes".to_owned(),
        Type::Struct(name) => name.clone(),
        Type::Array(item) => format!("Vec<{}>", bare_type(item)),
    }
}

/// Records are always an `Option`: their default is null even where null may not be sent.
fn is_option(field: &Field) -> bool {
    field.nullable.is_some() || field.ty == Type::Records
}

fn rust_name(name: &str) -> String {
    match name {
        "type" | "match" => format!("r#{name}"),
        _ => name.to_owned(),
    }
}

/// The method of Reader and Writer for a value that is no array and no struct.
fn method(ty: &Type) -> &'static str {
    match ty {
        Type::Bool => "bool",
        Type::Int8 => "i8",
        Type::Int16 => "i16",
        Type::Uint16 => "u16",
        Type::Int32 => "i32",
        Type::Uint32 => "u32",
        Type::Int64 => "i64",
        Type::Float64 => "f64",
        Type::Uuid => "uuid",
        Type::String => "string",
        Type::Bytes => "bytes",
        Type::Records => "records",
        Type::Struct(_) | Type::Array(_) => unreachable!("has methods of its own"),
    }
}

/// `version >= 3 && version <= 7`, leaving out what `known` already implies.
fn condition(versions: Versions, known: Versions) -> Option<String> {
    let Versions { first, last } = versions;
    match (first > known.first, last < known.last) {
        (false, false) => None,
        (true, true) if first == last => Some(format!("version == {first}")),
        (true, true) => Some(format!("({first}..={last}).contains(&version)")),
        (true, false) => Some(format!("version >= {first}")),
        (false, true) => Some(format!("version <= {last}")),
    }
}

/// The parameter's name, with an underscore when the body has no use for it.
fn version_parameter(body: &str) -> &'static str {
    let uses = ["(version)", ", version)", "&version)", "version >", "version <", "version =="];
    let used = uses.iter().any(|text| body.contains(text)) || body.contains("version != ");
    if used { "version" } else { "_version" }
}
