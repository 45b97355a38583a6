//! `Json::json`: what Kafka's JSON converters write.

use super::super::schema::{Field, Struct};
use super::default::is_not_default;
use super::{condition, rust_name, version_parameter};

pub fn json_impl(of: &Struct) -> String {
    let body: String = of.fields.iter().map(|field| member(field, of)).collect();
    let version = version_parameter(&body);
    let (out, inner) = if of.fields.is_empty() { ("out", "_") } else { ("out", "out") };
    format!(
        "impl Json for {} {{\nfn json(&self, {out}: &mut JsonText, {version}: i16) {{\n\
         out.object(|{inner}| {{\n{body}}})\n}}\n}}\n\n",
        of.name
    )
}

/// A tagged field is written only where it says something.
fn member(field: &Field, of: &Struct) -> String {
    let (name, it) = (json_name(&field.name), rust_name(&field.name));
    let write = format!("out.field(\"{name}\", &self.{it}, version);\n");
    let is_said = field.tag.map(|_| is_not_default(field));
    match [condition(field.versions, of.versions), is_said].into_iter().flatten().reduce(and) {
        Some(when) => format!("if {when} {{\n{write}}}\n"),
        None => write,
    }
}

fn and(one: String, other: String) -> String {
    format!("{one} && {other}")
}

/// Kafka's name of a field: `topic_id` is `topicId`. KRaft keeps its second capital.
fn json_name(name: &str) -> String {
    let mut words = name.split('_').map(|word| word.replace("kraft", "kRaft"));
    let first = words.next().unwrap_or_default();
    words.fold(first, |name, word| {
        let (initial, rest) = word.split_at(word.len().min(1));
        name + &initial.to_uppercase() + rest
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kafkas() {
        assert_eq!(json_name("last_known_elr"), "lastKnownElr");
        assert_eq!(json_name("kraft_version_feature"), "kRaftVersionFeature");
    }
}
