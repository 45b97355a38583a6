//! `kafka-consumer-groups --describe`

use std::collections::BTreeMap;
use std::io::{self, Write};

use client::admin::groups::{DescribedGroup, DescribedMember};
use client::{Client, ClientError, Place};
use types::ErrorCode;

use super::{GroupResult, Parsed, groups};
use crate::group::{Lag, lags};

pub fn run(parsed: &Parsed, client: &mut Client, out: &mut dyn Write) -> GroupResult {
    let is_verbose = parsed.has("verbose");
    for group in groups(parsed, client)? {
        let described = client.describe_group(&group).map_err(|error| unknown(&group, error))?;
        if parsed.has("members") {
            out.write_all(members_table(&described, is_verbose).as_bytes())?;
        } else if parsed.has("state") {
            let coordinator = client.cluster().brokers.get(&described.coordinator);
            let address = coordinator.map(client::Broker::address).unwrap_or_default();
            out.write_all(state_table(&described, &address, is_verbose).as_bytes())?;
        } else {
            let committed = client.committed(&group, None)?;
            let lags = lags(client, &described, &committed)?;
            let rows = offset_rows(&described, lags);
            if !rows.is_empty() {
                out.write_all(offsets_table(&group, &rows, is_verbose).as_bytes())?;
            }
        }
        out.flush()?;
        remark(&described);
    }
    Ok(())
}

/// Kafka's broker names the group where its standing sentence would not.
fn unknown(group: &str, error: ClientError) -> ClientError {
    if !error.is_broker(ErrorCode::GroupIdNotFound) {
        return error;
    }
    let message = format!("Group {group} not found.");
    ClientError::broker(error.what, ErrorCode::GroupIdNotFound.code(), Some(&message))
}

/// What the state means for the numbers above it.
fn remark(group: &DescribedGroup) {
    let id = &group.id;
    match group.state.to_ascii_lowercase().as_str() {
        "dead" => eprintln!("\nConsumer group '{id}' does not exist."),
        "empty" => eprintln!("\nConsumer group '{id}' has no active members."),
        "preparingrebalance" | "completingrebalance" | "assigning" | "reconciling" => {
            eprintln!("\nWarning: Consumer group '{id}' is rebalancing.");
        }
        _ => {}
    }
}

/// Assigned partitions by member, the busiest first; then what nobody reads.
fn offset_rows(group: &DescribedGroup, lags: Vec<Lag>) -> Vec<Lag> {
    let mut by_member: BTreeMap<&str, Vec<Lag>> = BTreeMap::new();
    let mut unassigned = Vec::new();
    let mut members: Vec<&DescribedMember> = group.members.iter().collect();
    for lag in lags {
        match members.iter().find(|member| Some(&member.id) == lag.member.as_ref()) {
            Some(member) => by_member.entry(&member.id).or_default().push(lag),
            None => unassigned.push(lag),
        }
    }
    members.sort_by_key(|member| std::cmp::Reverse(member.assignment.len()));
    let mut rows = Vec::new();
    for member in members {
        let without_partitions = || vec![idle(member)];
        rows.extend(by_member.remove(member.id.as_str()).unwrap_or_else(without_partitions));
    }
    rows.extend(unassigned);
    rows
}

/// The row of a member that was given nothing.
fn idle(member: &DescribedMember) -> Lag {
    Lag {
        topic: "-".to_owned(),
        partition: -1,
        committed: None,
        leader_epoch: None,
        log_end: None,
        lag: None,
        member: Some(member.id.clone()),
        client_id: Some(member.client_id.clone()),
        host: Some(member.host.clone()),
    }
}

const LEAST: usize = 15;

fn width<'a>(texts: impl Iterator<Item = &'a str>) -> usize {
    texts.map(|text| text.chars().count()).max().unwrap_or(0).max(LEAST)
}

fn or_dash(text: Option<&String>) -> &str {
    text.map_or("-", String::as_str)
}

fn offsets_table(group: &str, rows: &[Lag], is_verbose: bool) -> String {
    let group_width = width(std::iter::once(group));
    let topic = width(rows.iter().map(|row| row.topic.as_str()));
    let member = width(rows.iter().map(|row| or_dash(row.member.as_ref())));
    let host = width(rows.iter().map(|row| or_dash(row.host.as_ref())));
    let mut text = String::from("\n");
    let mut line = |cells: [&str; 10]| {
        let [g, t, p, epoch, current, end, lag, m, h, client] = cells;
        let epoch = if is_verbose { format!(" {epoch:<15}") } else { String::new() };
        text.push_str(&format!(
            "{g:<group_width$} {t:<topic$} {p:<10}{epoch} {current:<15} {end:<15} {lag:<15} \
             {m:<member$} {h:<host$} {client}\n"
        ));
    };
    line([
        "GROUP",
        "TOPIC",
        "PARTITION",
        "LEADER-EPOCH",
        "CURRENT-OFFSET",
        "LOG-END-OFFSET",
        "LAG",
        "CONSUMER-ID",
        "HOST",
        "CLIENT-ID",
    ]);
    let number = |number: Option<i64>| number.map_or("-".to_owned(), |number| number.to_string());
    for row in rows {
        let partition = Some(i64::from(row.partition)).filter(|partition| *partition >= 0);
        line([
            group,
            &row.topic,
            &number(partition),
            &number(row.leader_epoch.map(i64::from)),
            &number(row.committed),
            &number(row.log_end),
            &number(row.lag),
            or_dash(row.member.as_ref()),
            or_dash(row.host.as_ref()),
            or_dash(row.client_id.as_ref()),
        ]);
    }
    text
}

fn members_table(group: &DescribedGroup, is_verbose: bool) -> String {
    let members = || group.members.iter();
    let group_width = width(std::iter::once(group.id.as_str()));
    let consumer = width(members().map(|member| member.id.as_str()));
    let host = width(members().map(|member| member.host.as_str()));
    let client = width(members().map(|member| member.client_id.as_str()));
    let has_instances = members().any(|member| member.instance_id.is_some());
    let instance_width = width(members().map(|m| or_dash(m.instance_id.as_ref()))).max(17);
    let has_upgrades = is_verbose && members().any(|member| member.is_upgraded.is_some());
    let mut text = String::from("\n");
    let mut line = |cells: [&str; 6], verbose: [&str; 5]| {
        let [g, c, i, h, id, count] = cells;
        let instance = if has_instances { format!("{i:<instance_width$} ") } else { String::new() };
        text.push_str(&format!(
            "{g:<group_width$} {c:<consumer$} {instance}{h:<host$} {id:<client$} {count:<15} "
        ));
        if is_verbose {
            let [epoch, current, target_epoch, target, upgraded] = verbose;
            text.push_str(&format!("{epoch:<15} {current:<20} {target_epoch:<15} {target:<20}"));
            if has_upgrades {
                text.push_str(&format!(" {upgraded}"));
            }
        }
        text.push('\n');
    };
    line(
        ["GROUP", "CONSUMER-ID", "GROUP-INSTANCE-ID", "HOST", "CLIENT-ID", "#PARTITIONS"],
        ["CURRENT-EPOCH", "CURRENT-ASSIGNMENT", "TARGET-EPOCH", "TARGET-ASSIGNMENT", "UPGRADED"],
    );
    let number = |number: Option<i32>| number.map_or("-".to_owned(), |number| number.to_string());
    for member in members() {
        line(
            [
                &group.id,
                &member.id,
                member.instance_id.as_deref().unwrap_or_default(),
                &member.host,
                &member.client_id,
                &member.assignment.len().to_string(),
            ],
            [
                &number(member.epoch),
                &assignment(&member.assignment),
                &number(group.target_epoch),
                &member.target.as_deref().map_or("-".to_owned(), assignment),
                &member.is_upgraded.map_or("-".to_owned(), |upgraded| upgraded.to_string()),
            ],
        );
    }
    text
}

/// `t:0,1;u:2`
fn assignment(places: &[Place]) -> String {
    if places.is_empty() {
        return "-".to_owned();
    }
    let mut topics: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (topic, partition) in places {
        topics.entry(topic).or_default().push(partition.to_string());
    }
    let parts =
        topics.iter().map(|(topic, partitions)| format!("{topic}:{}", partitions.join(",")));
    parts.collect::<Vec<_>>().join(";")
}

fn state_table(group: &DescribedGroup, address: &str, is_verbose: bool) -> String {
    let group_width = width(std::iter::once(group.id.as_str()));
    let coordinator = format!("{address}  ({})", group.coordinator);
    let coordinator_width = coordinator.chars().count().max(25);
    let mut text = String::from("\n");
    let mut line = |cells: [&str; 7]| {
        let [g, c, strategy, state, epoch, target, members] = cells;
        let epochs = if is_verbose { format!(" {epoch:<15} {target:<25}") } else { String::new() };
        text.push_str(&format!(
            "{g:<group_width$} {c:<coordinator_width$} {strategy:<20} {state:<20}{epochs} \
             {members}\n"
        ));
    };
    line([
        "GROUP",
        "COORDINATOR (ID)",
        "ASSIGNMENT-STRATEGY",
        "STATE",
        "GROUP-EPOCH",
        "TARGET-ASSIGNMENT-EPOCH",
        "#MEMBERS",
    ]);
    let number = |number: Option<i32>| number.map_or("-".to_owned(), |number| number.to_string());
    line([
        &group.id,
        &coordinator,
        if group.assignor.is_empty() { "-" } else { &group.assignor },
        &group.state,
        &number(group.epoch),
        &number(group.target_epoch),
        &group.members.len().to_string(),
    ]);
    text
}

/// Lines of a table whose cells are wider than their columns.
pub(super) fn reset_table(rows: &[(String, Place, i64)], out: &mut dyn Write) -> io::Result<()> {
    let group = width(rows.iter().map(|(group, _, _)| group.as_str()));
    let topic = width(rows.iter().map(|(_, (topic, _), _)| topic.as_str()));
    writeln!(out)?;
    let (g, t, p, o) = ("GROUP", "TOPIC", "PARTITION", "NEW-OFFSET");
    writeln!(out, "{g:<group$} {t:<topic$} {p:<10} {o}")?;
    for (id, (name, partition), offset) in rows {
        writeln!(out, "{id:<group$} {name:<topic$} {partition:<10} {offset}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(members: Vec<DescribedMember>) -> DescribedGroup {
        DescribedGroup {
            id: "grp1".to_owned(),
            state: if members.is_empty() { "Empty" } else { "Stable" }.to_owned(),
            assignor: if members.is_empty() { "" } else { "range" }.to_owned(),
            is_consumer_protocol: false,
            epoch: None,
            target_epoch: None,
            coordinator: 1,
            members,
        }
    }

    fn member(assignment: Vec<Place>) -> DescribedMember {
        DescribedMember {
            id: "consumer-1".to_owned(),
            instance_id: None,
            client_id: "c".to_owned(),
            host: "/127.0.0.1".to_owned(),
            assignment,
            target: None,
            epoch: None,
            is_upgraded: None,
        }
    }

    fn lag(topic: &str, member: Option<&str>) -> Lag {
        Lag {
            topic: topic.to_owned(),
            partition: 0,
            committed: Some(1),
            leader_epoch: None,
            log_end: Some(2),
            lag: Some(1),
            member: member.map(str::to_owned),
            client_id: member.map(|_| "c".to_owned()),
            host: member.map(|_| "/127.0.0.1".to_owned()),
        }
    }

    #[test]
    fn offsets_are_printed_in_kafkas_columns() {
        let rows = offset_rows(&group(vec![]), vec![lag("auto1", None)]);
        assert_eq!(
            offsets_table("grp1", &rows, false),
            "\nGROUP           TOPIC           PARTITION  CURRENT-OFFSET  LOG-END-OFFSET  LAG      \
             \x20      CONSUMER-ID     HOST            CLIENT-ID\n\
             grp1            auto1           0          1               2               1        \
             \x20      -               -               -\n"
        );
        assert!(offsets_table("grp1", &rows, true).contains("PARTITION  LEADER-EPOCH    CURRENT"));
    }

    #[test]
    fn what_nobody_reads_comes_last_and_an_idle_member_has_a_row() {
        let mut busy = member(vec![("u".to_owned(), 0)]);
        busy.id = "busy".to_owned();
        let rows = offset_rows(
            &group(vec![member(vec![]), busy]),
            vec![lag("t", None), lag("u", Some("busy"))],
        );
        let told: Vec<_> =
            rows.iter().map(|row| (row.topic.as_str(), row.member.as_deref())).collect();
        assert_eq!(told, [("u", Some("busy")), ("-", Some("consumer-1")), ("t", None)]);
    }

    #[test]
    fn members_are_printed_in_kafkas_columns() {
        assert_eq!(
            members_table(&group(vec![]), false),
            "\nGROUP           CONSUMER-ID     HOST            CLIENT-ID       #PARTITIONS     \n"
        );
        assert_eq!(
            members_table(&group(vec![]), true),
            "\nGROUP           CONSUMER-ID     HOST            CLIENT-ID       #PARTITIONS     \
             CURRENT-EPOCH   CURRENT-ASSIGNMENT   TARGET-EPOCH    TARGET-ASSIGNMENT   \n"
        );
    }

    #[test]
    fn the_state_is_printed_in_kafkas_columns() {
        assert_eq!(
            state_table(&group(vec![]), "127.0.0.1:29511", false),
            "\nGROUP           COORDINATOR (ID)          ASSIGNMENT-STRATEGY  STATE                \
             #MEMBERS\n\
             grp1            127.0.0.1:29511  (1)      -                    Empty                \
             0\n"
        );
        assert!(
            state_table(&group(vec![]), "", true).contains(
                "STATE                GROUP-EPOCH     TARGET-ASSIGNMENT-EPOCH   #MEMBERS\n"
            )
        );
    }

    #[test]
    fn assignments_are_short() {
        let places = [("t".to_owned(), 0), ("t".to_owned(), 1), ("u".to_owned(), 2)];
        assert_eq!(assignment(&places), "t:0,1;u:2");
    }
}
