//! `ottla broker drain`: empties a broker, and says when it can be stopped.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use client::admin::members::Member;
use client::admin::quorum::{Quorum, QuorumMember};
use client::{Client, ClientError, Place, TopicsWanted};
use serde::Serialize;
use types::ErrorCode;

use super::plan::{self, Candidate, Move, Plan, Stuck};
use super::undo::{self, Undo};
use crate::context::Common;
use crate::failure::{Exit, Failure, Outcome};
use crate::output::{self, Report};
use crate::progress::Progress;
use crate::table::{Align, Table};
use crate::topic::confirm;

#[derive(Args, Debug)]
pub struct DrainArgs {
    /// The broker's node.id
    pub id: i32,

    /// Brokers that may take the replicas [default: all others in service]
    #[arg(long, value_name = "BROKER,…", value_delimiter = ',', conflicts_with = "undo")]
    to: Vec<i32>,

    /// Move leaderships only, so that the broker can restart; its replicas stay
    #[arg(long, conflicts_with_all = ["to", "undo"])]
    leaders_only: bool,

    /// Take back the moves off this broker that are under way; with --file those that are done, too
    #[arg(long)]
    undo: bool,

    /// Where to keep the placement before the moves, for --undo and for kafka-reassign-partitions
    #[arg(long, value_name = "FILE")]
    file: Option<String>,

    /// Show what would move; change nothing
    #[arg(long)]
    dry_run: bool,

    /// Do not wait until the replicas are where they go
    #[arg(long)]
    no_wait: bool,

    /// Do not ask, even on a terminal
    #[arg(short, long)]
    yes: bool,
}

#[derive(Serialize)]
struct Drained {
    broker: i32,
    /// Nothing of the cluster's data is lost or late if the broker stops now.
    safe_to_stop: bool,
    verdict: String,
    dry_run: bool,
    /// Partitions that still have a replica on the broker.
    replicas_left: usize,
    leaderships_left: usize,
    moves: Vec<MoveShown>,
}

#[derive(Serialize)]
struct MoveShown {
    topic: String,
    partition: i32,
    before: Vec<i32>,
    after: Vec<i32>,
}

const LOOK_EVERY: Duration = Duration::from_millis(300);
/// The controller writes at most this many changes for one request, and then some.
pub(super) const PARTITIONS_PER_REQUEST: usize = 1_000;
const NAMED_MAX: usize = 5;
/// Voters fetch many times in this. Source: Kafka, `controller.quorum.fetch.timeout.ms`.
const SILENCE_MS: i64 = 2_000;

pub fn run(args: &DrainArgs, common: &Common) -> Outcome {
    let mut client = common.connect()?;
    let members = client.members()?;
    let Some(member) = members.iter().find(|member| member.id == args.id) else {
        let what = format!("drain broker {}", args.id);
        return Err(Failure::new(Exit::NotFound, "BROKER_NOT_FOUND", what, "there is none")
            .todo("ottla broker list shows all brokers"));
    };
    if args.undo {
        let how = Undo { broker: args.id, file: args.file.as_deref(), is_dry_run: args.dry_run };
        return undo::run(&how, common, &mut client);
    }
    let moves = match args.leaders_only {
        true => {
            let going = client.reassignments(None)?;
            plan::leaders_off(client.refresh(TopicsWanted::All)?, &going, args.id)
        }
        false => plan_of(args, &mut client, &members, member)?,
    };
    if args.dry_run {
        let drained = look(args, &mut client, moves, "nothing was changed")?;
        return output::print(common.output, &drained);
    }
    if !moves.is_empty() {
        let what = if args.leaders_only { "leaderships" } else { "replicas" };
        confirm(&format!("move {} {what} off broker {}?", moves.len(), args.id), args.yes)?;
    }
    if let Some(path) = &args.file {
        undo::keep_placement(path, &moves)?;
    }
    begin(&mut client, &moves)?;
    let deadline = common.timeout.map(|timeout| Instant::now() + timeout);
    if args.leaders_only {
        elect(&mut client, &moves)?;
    } else if !args.no_wait {
        wait(args, common, &mut client, deadline)?;
    }
    let otherwise = match args.leaders_only {
        true => "it still leads what no other replica in sync can lead",
        false => "it is not empty yet",
    };
    let drained = look(args, &mut client, moves, otherwise)?;
    output::print(common.output, &drained)
}

fn plan_of(
    args: &DrainArgs,
    client: &mut Client,
    members: &[Member],
    member: &Member,
) -> Result<Vec<Move>, Failure> {
    let in_service = members.iter().filter(|m| m.id != args.id && !m.is_fenced);
    let others: Vec<Candidate> = in_service
        .filter(|m| args.to.is_empty() || args.to.contains(&m.id))
        .map(|m| Candidate { id: m.id, rack: m.rack.clone() })
        .collect();
    let stranger = args.to.iter().find(|id| !others.iter().any(|other| other.id == **id));
    if let Some(id) = stranger {
        let what = format!("drain broker {} to broker {id}", args.id);
        let why = format!("broker {id} is not another broker in service");
        return Err(Failure::usage(what, why).todo("ottla broker list shows all brokers"));
    }
    let mut look = || -> Result<Plan, Failure> {
        let going = client.reassignments(None)?;
        let cluster = client.refresh(TopicsWanted::All)?;
        Ok(plan::off(cluster, &going, args.id, !member.is_fenced, &others))
    };
    let mut plan = look()?;
    if !plan.stuck.is_empty() {
        // The broker that was asked may not have heard of the end of a topic.
        thread::sleep(LOOK_EVERY);
        plan = look()?;
    }
    match plan.stuck.is_empty() {
        true => Ok(plan.moves),
        false => Err(refused(args.id, &plan.stuck, &plan.moves)),
    }
}

/// All or nothing: a broker that is half empty is no nearer to being stopped.
fn refused(broker: i32, stuck: &[Stuck], movable: &[Move]) -> Failure {
    let what = format!("drain broker {broker}");
    let only_here: Vec<String> = stuck
        .iter()
        .filter_map(|stuck| match stuck {
            Stuck::OnlyHere { place } => Some(name(place)),
            Stuck::NoRoom { .. } => None,
        })
        .collect();
    if !only_here.is_empty() {
        let why = format!(
            "{} {} no live replica but on broker {broker}, which is out of service: {}",
            count(only_here.len(), "partition"),
            if only_here.len() == 1 { "has" } else { "have" },
            some(&only_here)
        );
        return Failure::new(Exit::Failed, "NO_LIVE_REPLICA", what, why).todo(format!(
            "start broker {broker} again; if its disk is lost, so are these records: delete the \
             topics, or accept the loss"
        ));
    }
    let no_room = stuck.iter().filter_map(|stuck| match stuck {
        Stuck::NoRoom { place, replicas, brokers } => Some((name(place), *replicas, *brokers)),
        Stuck::OnlyHere { .. } => None,
    });
    let no_room: Vec<(String, usize, usize)> = no_room.collect();
    let names: Vec<String> = no_room.iter().map(|(name, ..)| name.clone()).collect();
    let (replicas, brokers) = no_room.first().map_or((0, 0), |(_, r, b)| (*r, *b));
    let why = format!(
        "the replication factor cannot be kept: {} of {} would have to do with a replica less, as \
         a partition with {} cannot be spread over {}: {}",
        count(names.len(), "partition"),
        names.len() + movable.len(),
        count(replicas, "replica"),
        match brokers {
            0 => "no other broker in service".to_owned(),
            brokers => format!("the {} left in service", count(brokers, "broker")),
        },
        some(&names)
    );
    Failure::new(Exit::Failed, "REPLICATION_FACTOR", what, why).todo(format!(
        "add a broker first; for a restart it is enough to move the leaders: ottla broker drain \
         {broker} --leaders-only"
    ))
}

/// The first few, and how many more.
fn some(names: &[String]) -> String {
    let shown = names[..names.len().min(NAMED_MAX)].join(", ");
    match names.len().saturating_sub(NAMED_MAX) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

pub(super) fn name((topic, partition): &Place) -> String {
    format!("{topic}-{partition}")
}

pub(super) fn count(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

fn begin(client: &mut Client, moves: &[Move]) -> Outcome {
    for some in moves.chunks(PARTITIONS_PER_REQUEST) {
        let wanted = some.iter().map(|moved| (moved.place.clone(), Some(moved.after.clone())));
        reassign(client, &wanted.collect())?;
    }
    Ok(())
}

pub(super) fn reassign(client: &mut Client, wanted: &BTreeMap<Place, Option<Vec<i32>>>) -> Outcome {
    for outcome in client.reassign(wanted, false)?.into_values() {
        // A topic that is gone has nothing to move.
        let is_gone = |error: &ClientError| error.is_broker(ErrorCode::UnknownTopicOrPartition);
        if outcome.as_ref().is_err_and(is_gone) {
            continue;
        }
        outcome.map_err(|error| {
            let mut failure = Failure::from(error);
            failure.exit = Exit::Partial;
            failure.todo("ottla broker drain … --undo takes back what has begun")
        })?;
    }
    Ok(())
}

/// Lets the replicas that are preferred now lead.
fn elect(client: &mut Client, moves: &[Move]) -> Outcome {
    let places: Vec<Place> = moves.iter().map(|moved| moved.place.clone()).collect();
    for some in places.chunks(PARTITIONS_PER_REQUEST) {
        // Who could not be made leader still shows in what is left.
        client.elect_leaders(Some(some), false)?;
    }
    Ok(())
}

/// Waits until no partition has a replica on the broker.
fn wait(
    args: &DrainArgs,
    common: &Common,
    client: &mut Client,
    deadline: Option<Instant>,
) -> Outcome {
    let label = format!("draining broker {}", args.id);
    let (total, _) = left_on(client, args.id)?;
    let mut progress = Progress::new(label, Some(total as u64), common.quiet);
    loop {
        let (held, _) = left_on(client, args.id)?;
        progress.set(total.saturating_sub(held) as u64);
        if held == 0 {
            return Ok(());
        }
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            let why = format!("{} still on the broker; the moves go on", count(held, "replica"));
            let what = format!("wait until broker {} is empty", args.id);
            return Err(Failure::new(Exit::TimedOut, "TIMED_OUT", what, why).todo(format!(
                "the same command again waits on; ottla broker drain {} --undo takes it back",
                args.id
            )));
        }
        thread::sleep(LOOK_EVERY);
    }
}

/// Replicas and leaderships that a broker has.
fn left_on(client: &mut Client, broker: i32) -> Result<(usize, usize), Failure> {
    let cluster = client.refresh(TopicsWanted::All)?;
    let partitions = || cluster.topics.values().flat_map(|topic| topic.partitions.values());
    let held = partitions().filter(|p| p.replicas.contains(&broker)).count();
    let led = partitions().filter(|p| p.leader == broker).count();
    Ok((held, led))
}

fn look(
    args: &DrainArgs,
    client: &mut Client,
    moves: Vec<Move>,
    otherwise: &str,
) -> Result<Drained, Failure> {
    let (replicas_left, leaderships_left) = left_on(client, args.id)?;
    let is_empty = match args.leaders_only {
        true => leaderships_left == 0,
        false => replicas_left == 0,
    };
    // Who cannot be asked about the quorum is not blamed for it.
    let quorum_stands = client.quorum().map_or(true, |quorum| keeps_majority(&quorum, args.id));
    let safe_to_stop = is_empty && quorum_stands && !args.dry_run;
    let verdict = match (is_empty, quorum_stands) {
        (true, true) if args.leaders_only => "it leads nothing; it can be restarted".to_owned(),
        (true, true) => "it is empty and can be stopped".to_owned(),
        (true, false) => "it can NOT be stopped: without its vote the metadata has no majority \
                          (ottla cluster quorum)"
            .to_owned(),
        (false, _) => otherwise.to_owned(),
    };
    let moves = moves.into_iter().map(|moved| MoveShown {
        topic: moved.place.0,
        partition: moved.place.1,
        before: moved.before,
        after: moved.after,
    });
    Ok(Drained {
        broker: args.id,
        safe_to_stop,
        verdict,
        dry_run: args.dry_run,
        replicas_left,
        leaderships_left,
        moves: moves.collect(),
    })
}

/// Whether the voters that the leader hears are a majority without this one.
fn keeps_majority(quorum: &Quorum, broker: i32) -> bool {
    let voter = |id: i32| quorum.voters.iter().find(|voter| voter.id == id);
    // The leader hears itself at the moment of its answer.
    let now_ms = voter(quorum.leader).map_or(0, |leader| leader.last_fetch_ms);
    let is_heard = |voter: &&QuorumMember| voter.last_fetch_ms >= now_ms - SILENCE_MS;
    let others = quorum.voters.iter().filter(|voter| voter.id != broker);
    voter(broker).is_none() || others.filter(is_heard).count() > quorum.voters.len() / 2
}

impl Report for Drained {
    fn write_text(&self, out: &mut dyn Write) -> io::Result<()> {
        let id = self.broker;
        if self.dry_run {
            let mut table = Table::new(&[
                ("PARTITION", Align::Left),
                ("REPLICAS", Align::Left),
                ("THEN", Align::Left),
            ]);
            let ids = |ids: &[i32]| ids.iter().map(i32::to_string).collect::<Vec<_>>().join(",");
            for moved in &self.moves {
                let name = format!("{}-{}", moved.topic, moved.partition);
                table.row(vec![name, ids(&moved.before), ids(&moved.after)]);
            }
            if !self.moves.is_empty() {
                table.write(out)?;
            }
        }
        let (left, led) = (self.replicas_left, self.leaderships_left);
        writeln!(out, "broker {id}: {}", self.verdict)?;
        let held = count(left, "replica");
        match (left, self.dry_run) {
            (0, _) => Ok(()),
            (_, true) => {
                let moves = count(self.moves.len(), "partition");
                writeln!(out, "it holds {held} and leads {led}; {moves} would move")
            }
            (_, false) => writeln!(out, "it holds {held} and leads {led}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drain_that_would_cost_a_replica_is_refused_with_what_to_do_instead() {
        let stuck =
            |index| Stuck::NoRoom { place: ("t".to_owned(), index), replicas: 3, brokers: 2 };
        let failure = refused(2, &[stuck(0), stuck(1)], &[]);
        assert_eq!(
            failure.to_string(),
            "error: drain broker 2\n  why: the replication factor cannot be kept: 2 partitions of \
             2 would have to do with a replica less, as a partition with 3 replicas cannot be \
             spread over the 2 brokers left in service: t-0, t-1\n  try: add a broker first; for a \
             restart it is enough to move the leaders: ottla broker drain 2 --leaders-only\n  \
             code: REPLICATION_FACTOR"
        );
    }

    #[test]
    fn records_that_are_on_a_dead_broker_alone_are_told_of_first() {
        let only = Stuck::OnlyHere { place: ("t".to_owned(), 0) };
        let no_room = Stuck::NoRoom { place: ("u".to_owned(), 0), replicas: 3, brokers: 2 };
        let failure = refused(2, &[no_room, only], &[]);
        assert_eq!(failure.code, "NO_LIVE_REPLICA");
        assert!(failure.why.contains("t-0") && !failure.why.contains("u-0"), "{failure}");
    }

    #[test]
    fn a_voter_that_fell_silent_makes_no_majority_although_its_place_is_known() {
        let voter = |id, last_fetch_ms| QuorumMember {
            id,
            directory: types::Uuid::default(),
            log_end: 9,
            last_fetch_ms,
            last_caught_up_ms: last_fetch_ms,
        };
        let quorum = |silent_ms| Quorum {
            leader: 1,
            epoch: 4,
            high_watermark: 9,
            voters: vec![voter(1, 90_000), voter(2, 89_900), voter(3, silent_ms)],
            observers: Vec::new(),
            nodes: BTreeMap::new(),
        };
        assert!(keeps_majority(&quorum(89_800), 2));
        for silent_ms in [60_000, -1] {
            assert!(!keeps_majority(&quorum(silent_ms), 2));
            assert!(!keeps_majority(&quorum(silent_ms), 1));
            assert!(keeps_majority(&quorum(silent_ms), 3), "it is not there anyway");
            assert!(keeps_majority(&quorum(silent_ms), 7), "it has no vote");
        }
    }

    #[test]
    fn a_long_list_is_cut() {
        let names: Vec<String> = (0..7).map(|n| format!("t-{n}")).collect();
        assert_eq!(some(&names), "t-0, t-1, t-2, t-3, t-4 and 2 more");
    }
}
