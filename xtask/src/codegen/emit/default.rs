//! Kafka's defaults in Rust.

use super::super::schema::{Field, Struct, Type};
use super::{is_option, rust_name};

/// Whether `#[derive(Default)]` gives what Kafka gives.
pub fn is_rusts_own(field: &Field) -> bool {
    match is_option(field) {
        true => defaults_to_null(field),
        false => field.default.is_none(),
    }
}

pub fn defaults_to_null(field: &Field) -> bool {
    field.ty == Type::Records || field.default.as_deref() == Some("null")
}

pub fn default_impl(of: &Struct) -> String {
    let mut out = format!("impl Default for {0} {{\nfn default() -> Self {{\n{0} {{\n", of.name);
    for field in &of.fields {
        out += &format!("{}: {},\n", rust_name(&field.name), default_value(field));
    }
    out + "}\n}\n}\n\n"
}

pub fn default_value(field: &Field) -> String {
    if is_option(field) && defaults_to_null(field) {
        return "None".to_owned();
    }
    let plain = match (&field.ty, field.default.as_deref()) {
        (Type::Float64, Some(value)) if !value.contains('.') => format!("{value}.0"),
        (Type::String, Some(text)) => format!("Str::from_static({text})"),
        (_, Some(value)) => named_number(&field.ty, value).to_owned(),
        (Type::Bool, None) => "false".to_owned(),
        (Type::Float64, None) => "0.0".to_owned(),
        (Type::Uuid, None) => "Uuid::ZERO".to_owned(),
        (Type::String, None) => "Str::default()".to_owned(),
        (Type::Bytes | Type::Records, None) => "Bytes::new()".to_owned(),
        (Type::Struct(name), None) => format!("{name}::default()"),
        (Type::Array(_), None) => "Vec::new()".to_owned(),
        (_, None) => "0".to_owned(),
    };
    match is_option(field) {
        true => format!("Some({plain})"),
        false => plain,
    }
}

/// The ends of a type's range read better by name.
fn named_number<'a>(ty: &Type, value: &'a str) -> &'a str {
    match (ty, value) {
        (Type::Int32, "2147483647") => "i32::MAX",
        (Type::Int32, "-2147483648") => "i32::MIN",
        (Type::Int64, "9223372036854775807") => "i64::MAX",
        (Type::Int64, "-9223372036854775808") => "i64::MIN",
        _ => value,
    }
}

/// An expression that is true when the field holds its default.
pub fn is_default(field: &Field) -> String {
    let it = format!("self.{}", rust_name(&field.name));
    match (&field.ty, is_option(field)) {
        (_, true) if defaults_to_null(field) => format!("{it}.is_none()"),
        (Type::String, true) => format!("{it}.as_deref() == Some(\"\")"),
        (Type::Bytes | Type::Array(_), true) => {
            format!("{it}.as_ref().is_some_and(|it| it.is_empty())")
        }
        (Type::String, false) if field.default.is_none() => format!("{it}.is_empty()"),
        (Type::Bytes | Type::Array(_), false) => format!("{it}.is_empty()"),
        (Type::Uuid, false) => format!("{it}.is_zero()"),
        (Type::Bool, false) if field.default.is_none() => format!("!{it}"),
        (Type::Bool, false) => it,
        _ => format!("{it} == {}", default_value(field)),
    }
}

/// The opposite of [`is_default`].
pub fn is_not_default(field: &Field) -> String {
    let is = is_default(field);
    if let Some(rest) = is.strip_prefix('!') {
        rest.to_owned()
    } else if let Some(head) = is.strip_suffix(".is_none()") {
        format!("{head}.is_some()")
    } else if is.contains(" == ") {
        is.replace(" == ", " != ")
    } else {
        format!("!{is}")
    }
}
