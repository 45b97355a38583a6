//! The smallest number of bytes a value can take, for bounding what a length field may claim.

use super::schema::{Field, Message, Struct, Type};

/// The fewest bytes `of` takes in any version, at least 1.
pub fn min_bytes(message: &Message, fields: &[Field], of: &Struct) -> usize {
    let sizes = (of.versions.first..=of.versions.last)
        .map(|version| struct_bytes(message, fields, version));
    sizes.min().unwrap_or(0).max(1)
}

fn struct_bytes(message: &Message, fields: &[Field], version: i16) -> usize {
    let fixed = fields.iter().filter(|f| f.tag.is_none() && f.versions.contains(version));
    let tags = usize::from(message.is_flexible(version));
    fixed.map(|field| field_bytes(message, field, version)).sum::<usize>() + tags
}

fn field_bytes(message: &Message, field: &Field, version: i16) -> usize {
    let compact = message.is_flexible(version) && !field.rigid;
    match &field.ty {
        Type::Struct(_) if field.nullable.is_some() => 1,
        Type::Struct(name) => struct_bytes(message, &message.structure(name).fields, version),
        ty => scalar_bytes(ty, compact),
    }
}

/// Bytes of a value that is no struct; a length prefix alone for what has one.
pub fn scalar_bytes(ty: &Type, compact: bool) -> usize {
    match ty {
        Type::Bool | Type::Int8 => 1,
        Type::Int16 | Type::Uint16 => 2,
        Type::Int32 | Type::Uint32 => 4,
        Type::Int64 | Type::Float64 => 8,
        Type::Uuid => 16,
        Type::String | Type::Bytes | Type::Records | Type::Array(_) if compact => 1,
        Type::String => 2,
        Type::Bytes | Type::Records | Type::Array(_) => 4,
        Type::Struct(name) => unreachable!("{name} is no scalar"),
    }
}
