//! `--execute`: begins moves.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::thread;
use std::time::{Duration, Instant};

use client::Client;
use types::ErrorCode;

use super::assignment::{Replica, Wanted, written};
use super::{
    Parsed, ReassignError, commas, dirs, failures, file_text, limit, name, plural, throttles,
};

const LOOK_EVERY: Duration = Duration::from_millis(100);
const TIMEOUT_MS: u64 = 10_000;

pub fn run(parsed: &Parsed, client: &mut Client) -> Result<(), ReassignError> {
    let wanted = Wanted::read(&file_text(parsed, "reassignment-json-file")?)?;
    let proposed = wanted.assignment()?;
    let under_way = client.reassignments(None)?;
    if !parsed.has("additional") && !under_way.is_empty() {
        return Err(ReassignError::Terse(
            "Cannot execute because there is an existing partition assignment.  Use --additional \
             to override this and create a new partition assignment in addition to the existing \
             one. The --additional flag can also be used to change the throttle by resubmitting \
             the current reassignment."
                .to_owned(),
        ));
    }
    let known = &client.cluster().brokers;
    let unknown = proposed.values().flatten().find(|broker| !known.contains_key(broker));
    if let Some(broker) = unknown {
        return Err(ReassignError::Failed(format!("Unknown broker id {broker}")));
    }
    let current = dirs::assignment_of_places(client, proposed.keys())?;
    let text = written(&current, &dirs::known(client, &current));
    let mut out = io::stdout().lock();
    writeln!(out, "Current partition replica assignment\n\n{text}\n")?;
    writeln!(out, "Save this to use as the --reassignment-json-file option during rollback")?;
    let (moves, between_dirs) =
        (limit(parsed, "throttle")?, limit(parsed, "replica-alter-log-dirs-throttle")?);
    if moves >= 0 || between_dirs >= 0 {
        writeln!(
            out,
            "Warning: You must run --verify periodically, until the reassignment completes, to \
             ensure the throttle is removed."
        )?;
    }
    if moves >= 0 {
        let all = crate::throttles::moves(&under_way, &proposed, &current);
        throttles::limit_moves(client, &all, moves)?;
    }
    if between_dirs >= 0 {
        let brokers: BTreeSet<i32> = wanted.dirs.keys().map(|(broker, _)| *broker).collect();
        throttles::limit_dirs(client, &brokers, between_dirs)?;
    }
    let may_resize = !parsed.has("disallow-replication-factor-change");
    let wish = proposed.iter().map(|(place, to)| (place.clone(), Some(to.clone()))).collect();
    let outcomes = client.reassign(&wish, may_resize)?;
    let failed = failures(&outcomes);
    if !failed.is_empty() {
        let failed = failed.join("\n");
        return Err(ReassignError::Terse(format!("Error reassigning partition(s):\n{failed}")));
    }
    let (s, all) = (plural(proposed.len()), commas(proposed.keys().map(name)));
    writeln!(out, "Successfully started partition reassignment{s} for {all}")?;
    move_dirs(parsed, client, wanted.dirs)
}

/// Lets replicas go into their directories. A replica that its broker does not have yet is asked
/// for again until it does.
#[doc(alias = "executeMoves")]
pub fn move_dirs(
    parsed: &Parsed,
    client: &mut Client,
    mut pending: BTreeMap<Replica, String>,
) -> Result<(), ReassignError> {
    let timeout = Duration::from_millis(parsed.number("timeout")?.unwrap_or(TIMEOUT_MS));
    let deadline = Instant::now() + timeout;
    let mut out = io::stdout().lock();
    loop {
        for replica in begun(client, &pending)? {
            let (broker, (topic, partition)) = &replica;
            let dir = pending.remove(&replica).unwrap_or_default();
            // The blank at the end is Kafka's.
            writeln!(
                out,
                "Successfully started moving log directory to {dir} for replica \
                 {topic}-{partition} with broker {broker} "
            )?;
        }
        if pending.is_empty() {
            return Ok(());
        }
        if Instant::now() >= deadline {
            let all = commas(pending.keys().map(replica_name));
            let s = plural(pending.len());
            return Err(ReassignError::Terse(format!(
                "Timed out before log directory move{s} could be started for: {all}"
            )));
        }
        thread::sleep(LOOK_EVERY);
    }
}

fn begun(
    client: &mut Client,
    pending: &BTreeMap<Replica, String>,
) -> Result<Vec<Replica>, ReassignError> {
    let mut by_broker: BTreeMap<i32, BTreeMap<_, _>> = BTreeMap::new();
    for ((broker, place), dir) in pending {
        by_broker.entry(*broker).or_default().insert(place.clone(), dir.clone());
    }
    let mut begun = Vec::new();
    for (broker, targets) in by_broker {
        for (place, outcome) in client.move_between_dirs(broker, &targets)? {
            let replica = (broker, place);
            match outcome {
                Ok(()) => begun.push(replica),
                Err(error) if error.is_broker(ErrorCode::ReplicaNotAvailable) => {}
                Err(_) => {
                    let sentence = format!("Failed to alter dir for {}", replica_name(&replica));
                    return Err(ReassignError::Failed(sentence));
                }
            }
        }
    }
    Ok(begun)
}

/// `topic-0-1`: partition 0 on broker 1.
pub fn replica_name((broker, place): &Replica) -> String {
    format!("{}-{broker}", name(place))
}
