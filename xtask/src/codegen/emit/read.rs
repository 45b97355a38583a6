//! `Fields::read`: wire order is field order, tagged fields come last.

use super::super::layout::scalar_bytes;
use super::super::schema::{Field, Message, Struct, Type};
use super::default::default_value;
use super::{condition, is_option, method, rust_name, version_parameter};

pub fn read_fn(message: &Message, of: &Struct) -> String {
    let tagged: Vec<&Field> = of.fields.iter().filter(|field| field.tag.is_some()).collect();
    let body = match (tagged.is_empty(), message.flexible) {
        (true, None) => format!("Ok({})", literal(of)),
        (true, Some(_)) => {
            format!("let it = {};\nr.skip_tags()?;\nOk(it)", literal(of))
        }
        (false, _) => format!(
            "let mut it = {};\nr.tags(|r, tag| {{\n{}\nOk(())\n}})?;\nOk(it)",
            literal(of),
            tag_arms(message, of, &tagged)
        ),
    };
    let version = version_parameter(&body);
    let reader = if body.contains("r.") { "r" } else { "_r" };
    format!(
        "fn read({reader}: &mut Reader, {version}: i16) -> Result<Self, DecodeError> {{\n\
         {body}\n}}\n\n"
    )
}

fn literal(of: &Struct) -> String {
    let mut out = format!("{} {{\n", of.name);
    for field in &of.fields {
        let name = rust_name(&field.name);
        if field.tag.is_some() {
            out += &format!("{name}: {},\n", default_value(field));
            continue;
        }
        let value = value(field);
        out += &match condition(field.versions, of.versions) {
            None => format!("{name}: {value},\n"),
            Some(when) => {
                format!("{name}: if {when} {{ {value} }} else {{ {} }},\n", default_value(field))
            }
        };
    }
    out + "}"
}

fn tag_arms(message: &Message, of: &Struct, tagged: &[&Field]) -> String {
    let flexible = message.flexible.expect("tagged fields need a flexible version");
    let known = flexible.clip(of.versions).expect("tags live in flexible versions");
    let arm = |field: &Field, and: &str| {
        let tag = field.tag.expect("the caller chose tagged fields");
        let guard = condition(field.versions, known).map(|when| format!(" {and} {when}"));
        let set = format!("it.{} = {}", rust_name(&field.name), value(field));
        (format!("{tag}{}", guard.unwrap_or_default()), set)
    };
    if let [only] = tagged {
        let (when, set) = arm(only, "&&");
        return format!("if tag == {when} {{\n{set};\n}}");
    }
    let arms = tagged.iter().map(|field| arm(field, "if"));
    let arms: String = arms.map(|(when, set)| format!("{when} => {set},\n")).collect();
    format!("match tag {{\n{arms}_ => {{}}\n}}")
}

fn value(field: &Field) -> String {
    let plain = expression(field, false);
    match (is_option(field), field.nullable) {
        (false, _) => plain,
        (true, None) => format!("Some({plain})"),
        (true, Some(nullable)) => match condition(nullable, field.versions) {
            None => expression(field, true),
            Some(when) => {
                let nullable = expression(field, true);
                format!("if {when} {{ {nullable} }} else {{ Some({plain}) }}")
            }
        },
    }
}

fn expression(field: &Field, nullable: bool) -> String {
    let rigid = if field.rigid { "rigid_" } else { "" };
    let null = if nullable { "nullable_" } else { "" };
    match &field.ty {
        Type::Struct(_) => format!("r.{null}structure(version)?"),
        Type::Array(item) => match item.as_ref() {
            Type::Struct(_) => format!("r.{null}structs(version)?"),
            item => {
                let (min, method) = (scalar_bytes(item, true), method(item));
                format!("r.{null}array({min}, Reader::{method})?")
            }
        },
        ty => format!("r.{rigid}{null}{}()?", method(ty)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_outside_its_versions_takes_its_default() {
        let text = "request A\nid 1\nversions 0-3\nflexible none\n\nx: int32 2+ = -1\n";
        let message = super::super::super::schema::parse(text).unwrap();
        let literal = literal(&super::super::top_struct(&message));
        assert!(literal.contains("x: if version >= 2 { r.i32()? } else { -1 }"), "{literal}");
    }
}
