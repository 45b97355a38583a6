//! `--cancel`: takes moves back.

use std::collections::BTreeMap;
use std::io::{self, Write};

use client::{Client, Place};

use super::assignment::{Replica, Wanted};
use super::execute::move_dirs;
use super::{Parsed, ReassignError, commas, dirs, failures, file_text, name, plural, throttles};

pub fn run(parsed: &Parsed, client: &mut Client) -> Result<(), ReassignError> {
    let wanted = Wanted::read(&file_text(parsed, "reassignment-json-file")?)?;
    let places: Vec<Place> = wanted.partitions.iter().map(|(place, _)| place.clone()).collect();
    let going = client.reassignments(Some(&places))?;
    if going.is_empty() {
        writeln!(io::stdout(), "None of the specified partition reassignments are active.")?;
    } else {
        let wish = going.keys().map(|place| (place.clone(), None)).collect();
        let outcomes = client.reassign(&wish, true)?;
        let failed = failures(&outcomes);
        if !failed.is_empty() {
            let (s, failed) = (plural(failed.len()), failed.join("\n"));
            let sentence = format!("Error cancelling partition reassignment{s} for:\n{failed}");
            return Err(ReassignError::Terse(sentence));
        }
        let (s, all) = (plural(going.len()), commas(going.keys().map(name)));
        writeln!(io::stdout(), "Successfully cancelled partition reassignment{s} for: {all}")?;
    }
    back_to_their_dirs(parsed, client, &wanted.dirs)?;
    if !parsed.has("preserve-throttles") {
        throttles::clear(client, &wanted.partitions)?;
    }
    Ok(())
}

fn back_to_their_dirs(
    parsed: &Parsed,
    client: &mut Client,
    targets: &BTreeMap<Replica, String>,
) -> Result<(), ReassignError> {
    let found = dirs::of_replicas(client, &targets.keys().cloned().collect());
    let moving: BTreeMap<Replica, String> = found
        .into_iter()
        .filter(|(_, dirs)| dirs.future.is_some())
        .filter_map(|(replica, dirs)| Some((replica, dirs.current?)))
        .collect();
    if moving.is_empty() {
        // Kafka ends this line not either.
        write!(io::stdout(), "None of the specified partition moves are active.")?;
        return Ok(());
    }
    move_dirs(parsed, client, moving)
}
