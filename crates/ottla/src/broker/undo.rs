//! Takes a drain back: moves that are under way, and with the placement that was kept those that
//! are done.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Write};

use client::{Client, Place};
use serde::Serialize;

use super::drain::{PARTITIONS_PER_REQUEST, count, name, reassign};
use super::plan::Move;
use crate::context::Common;
use crate::failure::{Failure, Outcome, file_failure};
use crate::kafka::reassign_partitions::ReassignError;
use crate::kafka::reassign_partitions::assignment::{Assignment, Wanted, written};
use crate::output::{self, Report};

/// Writes where partitions are, as `kafka-reassign-partitions` can read it. A drain that goes on
/// after an interrupted one must not replace what that one kept.
pub fn keep_placement(path: &str, moves: &[Move]) -> Outcome {
    if moves.is_empty() {
        return Ok(());
    }
    let before = moves.iter().map(|moved| (moved.place.clone(), moved.before.clone()));
    let text = written(&before.collect(), &BTreeMap::new());
    let file = File::options().write(true).create_new(true).open(path);
    file.and_then(|mut file| writeln!(file, "{text}")).map_err(|error| {
        let failure = file_failure("write", path, &error);
        match error.kind() {
            io::ErrorKind::AlreadyExists => {
                failure.todo("give a name that is free: what an earlier drain kept is not replaced")
            }
            _ => failure,
        }
    })
}

/// What to take back.
pub struct Undo<'a> {
    pub broker: i32,
    /// The placement before; without it only moves under way are taken back.
    pub file: Option<&'a str>,
    pub is_dry_run: bool,
}

pub fn run(how: &Undo<'_>, common: &Common, client: &mut Client) -> Outcome {
    let going = client.reassignments(None)?;
    let off = going.into_iter().filter(|(_, going)| going.removing.contains(&how.broker));
    let off: BTreeSet<Place> = off.map(|(place, _)| place).collect();
    let before = match how.file {
        Some(path) => placement(path)?,
        None => Assignment::new(),
    };
    let mut wanted: BTreeMap<Place, Option<Vec<i32>>> =
        before.into_iter().map(|(place, replicas)| (place, Some(replicas))).collect();
    wanted.extend(off.iter().map(|place| (place.clone(), None)));
    let undone = Undone { broker: how.broker, dry_run: how.is_dry_run, taken_back: names(&wanted) };
    if how.is_dry_run {
        return output::print(common.output, &undone);
    }
    for some in wanted.iter().collect::<Vec<_>>().chunks(PARTITIONS_PER_REQUEST) {
        let some = some.iter().map(|(place, to)| ((*place).clone(), (*to).clone())).collect();
        reassign(client, &some)?;
    }
    output::print(common.output, &undone)
}

fn names(wanted: &BTreeMap<Place, Option<Vec<i32>>>) -> Vec<String> {
    wanted.keys().map(name).collect()
}

fn placement(path: &str) -> Result<Assignment, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| file_failure("read", path, &error))?;
    let read = Wanted::read(&text).and_then(|wanted| wanted.assignment());
    read.map_err(|error| {
        let why = match error {
            ReassignError::Terse(sentence) | ReassignError::Failed(sentence) => sentence,
            ReassignError::Script(_) => "it is no placement".to_owned(),
        };
        Failure::usage(format!("read {path}"), why)
            .todo("give the file that drain wrote with --file")
    })
}

#[derive(Serialize)]
struct Undone {
    broker: i32,
    dry_run: bool,
    taken_back: Vec<String>,
}

impl Report for Undone {
    fn write_text(&self, out: &mut dyn Write) -> io::Result<()> {
        let (broker, moves) = (self.broker, count(self.taken_back.len(), "move"));
        match (self.taken_back.is_empty(), self.dry_run) {
            (true, _) => writeln!(out, "no move off broker {broker} is under way"),
            (false, true) => writeln!(out, "would take back {moves} off broker {broker}"),
            (false, false) => writeln!(out, "took back {moves} off broker {broker}"),
        }
    }
}
