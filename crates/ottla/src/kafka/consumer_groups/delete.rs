//! `kafka-consumer-groups --delete` and `--delete-offsets`

use std::collections::BTreeMap;
use std::io::Write;

use client::{Client, ClientError, Place, TopicsWanted};
use types::ErrorCode;

use super::super::exceptions::exception;
use super::scope::{Scope, all_of, read};
use super::{GroupResult, Parsed};

fn quoted(groups: &[String]) -> String {
    groups.iter().map(|group| format!("'{group}'")).collect::<Vec<_>>().join(", ")
}

pub fn groups(parsed: &Parsed, client: &mut Client, out: &mut dyn Write) -> GroupResult {
    let mut deleted = Vec::new();
    let mut failed: Vec<(String, ClientError)> = Vec::new();
    for group in super::groups(parsed, client)? {
        match client.delete_group(&group) {
            Ok(()) => deleted.push(group),
            Err(error) => failed.push((group, error)),
        }
    }
    let names = quoted(&deleted);
    if failed.is_empty() {
        writeln!(out, "Deletion of requested consumer groups ({names}) was successful.")?;
        return Ok(());
    }
    writeln!(out, "\nError: Deletion of some consumer groups failed:")?;
    for (group, error) in &failed {
        let told = exception(error);
        writeln!(out, "* Group '{group}' could not be deleted due to: {told}")?;
    }
    if !deleted.is_empty() {
        writeln!(out, "\nThese consumer groups were deleted successfully: {names}")?;
    }
    Ok(())
}

pub fn offsets(parsed: &Parsed, client: &mut Client, out: &mut dyn Write) -> GroupResult {
    let group = parsed.value("group").unwrap_or_default();
    let mut rows: BTreeMap<(String, String), String> = BTreeMap::new();
    let mut places: Vec<Place> = Vec::new();
    for text in parsed.values("topic") {
        match read(parsed, text)? {
            Scope::Partitions(topic, partitions) => {
                places.extend(partitions.into_iter().map(|p| (topic.clone(), p)));
            }
            Scope::Topic(topic) => {
                client.refresh(TopicsWanted::Named(vec![topic.clone()]))?;
                match all_of(client, &topic) {
                    Ok(all) => places.extend(all),
                    Err(error) => {
                        let told = format!("Error: {}", exception(&error));
                        rows.insert((topic, "-".to_owned()), told);
                    }
                }
            }
        }
    }
    let mut all_deleted = true;
    if !places.is_empty() {
        for ((topic, partition), code) in client.delete_committed(group, &places)? {
            all_deleted &= code.is_none();
            rows.insert((topic, partition.to_string()), status(code));
        }
    }
    match all_deleted {
        true => writeln!(out, "Request succeeded for deleting offsets from group {group}.")?,
        false => writeln!(
            out,
            "\nError: Encountered some partition-level error, see the follow-up details."
        )?,
    }
    write_rows(&rows, out)?;
    Ok(())
}

fn status(code: ErrorCode) -> String {
    match code {
        ErrorCode::None => "Successful".to_owned(),
        code => format!("Error: {}", exception(&ClientError::broker("", code.code(), None))),
    }
}

fn write_rows(
    rows: &BTreeMap<(String, String), String>,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    let width = rows.keys().map(|(topic, _)| topic.chars().count()).max().unwrap_or(0).max(15);
    let (topic, partition, status) = ("TOPIC", "PARTITION", "STATUS");
    writeln!(out, "\n{topic:<width$} {partition:<10} {status:<15}")?;
    for ((topic, partition), status) in rows {
        writeln!(out, "{topic:<width$} {partition:<10} {status:<15}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_partition_has_its_status_in_kafkas_columns() {
        let rows = BTreeMap::from([
            (("auto1".to_owned(), "0".to_owned()), status(ErrorCode::None)),
            (("u".to_owned(), "1".to_owned()), status(ErrorCode::GroupSubscribedToTopic)),
        ]);
        let mut out = Vec::new();
        write_rows(&rows, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let mut lines = text.lines().skip(1);
        assert_eq!(lines.next(), Some("TOPIC           PARTITION  STATUS         "));
        assert_eq!(lines.next(), Some("auto1           0          Successful     "));
        assert!(lines.next().unwrap().contains("Error: org.apache.kafka.common.errors."));
    }
}
