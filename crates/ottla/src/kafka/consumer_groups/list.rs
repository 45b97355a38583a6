//! `kafka-consumer-groups --list`

use std::io::Write;

use client::Client;
use client::admin::groups::ListedGroup;

use super::{GroupResult, Parsed};

pub fn run(parsed: &Parsed, client: &mut Client, out: &mut dyn Write) -> GroupResult {
    let wanted = |flag: &str| -> Vec<String> {
        let texts = parsed.value(flag).unwrap_or_default().split(',');
        texts.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()).collect()
    };
    let (states, kinds) = (wanted("state"), wanted("type"));
    let groups = client.list_groups(&states, &kinds)?;
    let groups: Vec<ListedGroup> = groups
        .into_iter()
        .filter(|group| group.is_consumer_group())
        // Older brokers do not filter.
        .filter(|group| matches(&group.state, &states) && matches(&group.kind, &kinds))
        .collect();
    write(&groups, parsed.has("type"), parsed.has("state"), out)?;
    Ok(())
}

fn matches(text: &str, wanted: &[String]) -> bool {
    wanted.is_empty() || wanted.iter().any(|wanted| wanted.eq_ignore_ascii_case(text))
}

fn write(
    groups: &[ListedGroup],
    with_type: bool,
    with_state: bool,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    if !with_type && !with_state {
        for group in groups {
            writeln!(out, "{}", group.id)?;
        }
        return Ok(());
    }
    let longest = groups.iter().map(|group| group.id.chars().count()).max().unwrap_or(0).max(15);
    let width = longest + 10;
    let mut line = |group: &str, kind: &str, state: &str| {
        let kind = if with_type { format!(" {kind:<20}") } else { String::new() };
        let state = if with_state { format!(" {state:<20}") } else { String::new() };
        writeln!(out, "{group:<width$}{kind}{state}")
    };
    line("GROUP", "TYPE", "STATE")?;
    for group in groups {
        line(&group.id, &capitalized(&group.kind), &group.state)?;
    }
    Ok(())
}

/// Brokers say `classic`, Kafka's tool `Classic`.
fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    match letters.next() {
        None => "Unknown".to_owned(),
        Some(first) => first.to_uppercase().chain(letters).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(with_type: bool, with_state: bool, ids: &[&str]) -> String {
        let group = |id: &&str| ListedGroup {
            id: (*id).to_owned(),
            protocol_type: "consumer".to_owned(),
            state: "Empty".to_owned(),
            kind: "classic".to_owned(),
        };
        let groups: Vec<ListedGroup> = ids.iter().map(group).collect();
        let mut out = Vec::new();
        write(&groups, with_type, with_state, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_plain_list_is_bare_names() {
        assert_eq!(text(false, false, &["a", "b"]), "a\nb\n");
    }

    #[test]
    fn columns_are_as_kafka_prints_them() {
        assert_eq!(
            text(false, true, &["console-consumer-89874"]),
            "GROUP                            STATE               \n\
             console-consumer-89874           Empty               \n"
        );
        assert_eq!(
            text(true, true, &["console-consumer-89874"]),
            "GROUP                            TYPE                 STATE               \n\
             console-consumer-89874           Classic              Empty               \n"
        );
        assert_eq!(text(false, true, &[]), "GROUP                     STATE               \n");
    }
}
