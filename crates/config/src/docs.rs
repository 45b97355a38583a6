//! The configuration page, computed from the tables.

use std::fmt::Write;

use crate::property::{Property, Status, UpdateMode};
use crate::table::broker_themes;
use crate::topic_table::{GROUP_PROPERTIES, TOPIC_PROPERTIES};

/// The whole of `docs/configuration.md`.
pub fn markdown() -> String {
    let mut page = String::from(INTRODUCTION);
    for (theme, rows) in broker_themes() {
        let _ = writeln!(page, "\n### {theme}\n");
        page.push_str(BROKER_HEAD);
        for property in rows {
            let name = property.name;
            let default = default(property);
            let _ = writeln!(
                page,
                "| `{name}` | {} | {default} | {} | {} |",
                property.kind.name().to_lowercase(),
                change(property.update),
                sentence(property)
            );
        }
    }
    page.push_str(TOPICS);
    for row in TOPIC_PROPERTIES {
        let broker: Vec<_> = row.synonyms.iter().map(|(name, _)| format!("`{name}`")).collect();
        let broker = if broker.is_empty() { "–".to_owned() } else { broker.join(", ") };
        let property = &row.property;
        let _ = writeln!(
            page,
            "| `{}` | {} | {} | {broker} | {} |",
            property.name,
            property.kind.name().to_lowercase(),
            default(property),
            sentence(property)
        );
    }
    page.push_str(GROUPS);
    for property in GROUP_PROPERTIES {
        let kind = property.kind.name().to_lowercase();
        let (default, sentence) = (default(property), sentence(property));
        let _ = writeln!(page, "| `{}` | {kind} | {default} | {sentence} |", property.name);
    }
    page
}

const INTRODUCTION: &str = "\
# Configuration

<!-- Generated from crates/config. Change the tables there, not this page. -->

Property names, types, defaults and ranges are Kafka's. A node reads, weakest first: the defaults
below, the file (`ottla start -c server.properties`, in Java's properties syntax), the environment
(`KAFKA_LOG_DIRS` means `log.dirs`; `__` means `_` and `___` means `-`), and `--override key=value`.

What differs from Kafka stands at the row. *No effect* means that the value is read and checked,
does nothing here, and is reported in one warning when it differs from the default. *Refused* means
that a node does not start with another value than the default, because ignoring it would be unsafe.
An unknown name is reported with the nearest known one, and the node starts.

A listener's own value is set as `listener.name.<listener>.<property>`.

## Broker properties

*Changes*: `at start` needs a restart; `one broker` and `cluster` can be set while brokers run, with
`ottla config set` or `kafka-configs`.
";

const BROKER_HEAD: &str =
    "| Property | Type | Default | Changes | Meaning |\n|---|---|---|---|---|\n";

const TOPICS: &str = "
## Topic properties

A topic without a value of its own takes the broker's, under the broker's name for it; the first of
several that is set wins.

| Property | Type | Default | Broker's name | Meaning |
|---|---|---|---|---|
";

const GROUPS: &str = "
## Group properties

A group without a value of its own takes the broker's, whose name begins with `group.`.

| Property | Type | Default | Meaning |
|---|---|---|---|
";

fn default(property: &Property) -> String {
    match property.default {
        None => "unset".to_owned(),
        Some("") => "empty".to_owned(),
        Some(text) => format!("`{}`", text.replace(',', ", ")),
    }
}

fn change(update: UpdateMode) -> &'static str {
    match update {
        UpdateMode::ReadOnly => "at start",
        UpdateMode::PerBroker => "one broker",
        UpdateMode::ClusterWide => "cluster",
    }
}

fn sentence(property: &Property) -> String {
    let doc = property.doc.replace('|', "\\|");
    match property.status {
        Status::Honoured => doc,
        Status::Accepted(reason) => format!("{doc} *No effect: {reason}.*"),
        Status::Refused(reason) => format!("{doc} *Refused: {reason}.*"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::broker_properties;

    #[test]
    fn every_row_of_every_table_is_on_the_page_once() {
        let page = markdown();
        let names = broker_properties()
            .map(|p| p.name)
            .chain(TOPIC_PROPERTIES.iter().map(|row| row.property.name))
            .chain(GROUP_PROPERTIES.iter().map(|p| p.name));
        let rows = page.lines().filter(|line| line.starts_with("| `")).count();
        let mut count = 0;
        for name in names {
            assert!(page.contains(&format!("\n| `{name}` | ")), "{name} is missing");
            count += 1;
        }
        assert_eq!(rows, count);
    }
}
