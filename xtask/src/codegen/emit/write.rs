//! `Fields::write`: the mirror of `Fields::read`.

use super::super::schema::{Field, Message, Struct, Type, Versions};
use super::default::{is_default, is_not_default};
use super::{condition, is_option, method, rust_name, version_parameter};

pub fn write_fn(message: &Message, of: &Struct) -> String {
    let mut body = String::new();
    let fixed: Vec<&Field> = of.fields.iter().filter(|field| field.tag.is_none()).collect();
    for same in fixed.chunk_by(|a, b| a.versions == b.versions) {
        body += &fixed_fields(of, same);
    }
    let mut tagged: Vec<&Field> = of.fields.iter().filter(|field| field.tag.is_some()).collect();
    tagged.sort_by_key(|field| field.tag);
    for field in &tagged {
        body += &refuse_outside(field, of.versions);
    }
    if let (Some(flexible), false) = (message.flexible, tagged.is_empty()) {
        let known = flexible.clip(of.versions).expect("tags live in flexible versions");
        let all: String = tagged.iter().map(|field| tagged_field(field, known)).collect();
        body += &format!("w.tags(|tags| {{\n{all}Ok(())\n}})");
    } else {
        if message.flexible.is_some() {
            body += "w.no_tags();\n";
        }
        body += "Ok(())";
    }
    let version = version_parameter(&body);
    let writer = if body.contains("w.") { "w" } else { "_w" };
    format!(
        "fn write(&self, {writer}: &mut Writer, {version}: i16) -> Result<(), EncodeError> {{\n\
         {body}\n}}\n"
    )
}

/// Neighbours that exist in the same versions.
fn fixed_fields(of: &Struct, same: &[&Field]) -> String {
    let writes: String = same.iter().map(|field| format!("{};\n", value(field))).collect();
    let Some(when) = condition(same[0].versions, of.versions) else { return writes };
    let important = same.iter().filter(|field| !field.ignorable);
    let refusals: String = important.map(|field| format!("{};\n", refuse(field))).collect();
    match refusals.is_empty() {
        true => format!("if {when} {{\n{writes}}}\n"),
        false => format!("if {when} {{\n{writes}}} else {{\n{refusals}}}\n"),
    }
}

/// For a tagged field: an error when it is set in a version that cannot carry it.
fn refuse_outside(field: &Field, within: Versions) -> String {
    match condition(field.versions, within) {
        Some(when) if !field.ignorable => {
            format!("if {} {{\n{};\n}}\n", negate(&when), refuse(field))
        }
        _ => String::new(),
    }
}

fn negate(when: &str) -> String {
    if let Some(first) = when.strip_prefix("version >= ") {
        format!("version < {first}")
    } else if let Some(last) = when.strip_prefix("version <= ") {
        format!("version > {last}")
    } else if let Some(only) = when.strip_prefix("version == ") {
        format!("version != {only}")
    } else {
        format!("!{when}")
    }
}

fn refuse(field: &Field) -> String {
    format!("w.only_default({}, \"{}\")?", is_default(field), field.name)
}

fn tagged_field(field: &Field, known: Versions) -> String {
    let when = condition(field.versions, known);
    let when = when.map(|when| format!("{when} && ")).unwrap_or_default();
    let tag = field.tag.expect("the caller chose tagged fields");
    let write = fallible(value(field));
    format!("if {when}{} {{\ntags.field({tag}, |w| {write})?;\n}}\n", is_not_default(field))
}

/// Turns a statement body into a closure body that returns a `Result`.
fn fallible(write: String) -> String {
    match write.strip_suffix('?') {
        Some(call) => call.to_owned(),
        None => format!("{{\n{write};\nOk(())\n}}"),
    }
}

fn value(field: &Field) -> String {
    let it = format!("self.{}", rust_name(&field.name));
    if !is_option(field) {
        return expression(field, &it, "");
    }
    let non_null = format!("w.non_null(&{it}, \"{}\")?", field.name);
    let Some(nullable) = field.nullable else {
        return expression(field, &non_null, "").replace("(&w.", "(w.");
    };
    let write = expression(field, &it, "nullable_");
    match condition(nullable, field.versions) {
        None => write,
        Some(when) => {
            let plain = expression(field, &non_null, "").replace("(&w.", "(w.");
            format!("if {when} {{\n{write};\n}} else {{\n{plain};\n}}")
        }
    }
}

fn expression(field: &Field, it: &str, null: &str) -> String {
    let rigid = if field.rigid { "rigid_" } else { "" };
    match &field.ty {
        Type::Struct(_) if null.is_empty() => format!("{it}.write(w, version)?"),
        Type::Struct(_) => format!("w.{null}structure(&{it}, version)?"),
        Type::Array(item) => match item.as_ref() {
            Type::Struct(_) => format!("w.{null}structs(&{it}, version)?"),
            Type::String => format!("w.{null}strings(&{it})?"),
            item => format!("w.{null}array(&{it}, Writer::{})?", method(item)),
        },
        Type::String => format!("w.{rigid}{null}string(&{it})?"),
        Type::Bytes => format!("w.{null}bytes(&{it})?"),
        Type::Records => format!("w.{null}records(&{it})?"),
        ty => format!("w.{}({it})", method(ty)),
    }
}
