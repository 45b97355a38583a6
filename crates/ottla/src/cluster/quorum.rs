//! `ottla cluster quorum`

use std::io::{self, Write};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use client::admin::quorum::{Quorum, QuorumMember};
use client::{Client, ErrorKind};
use serde::Serialize;

use crate::context::Common;
use crate::failure::{Exit, Failure, Outcome};
use crate::output::{self, Report};
use crate::table::{Align, Table};

/// A majority answers in milliseconds; without one nobody ever does.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Serialize)]
struct QuorumShown {
    /// -1 while there is none.
    leader: i32,
    epoch: i32,
    high_watermark: i64,
    voters: Vec<Node>,
    observers: Vec<Node>,
}

#[derive(Serialize)]
struct Node {
    id: i32,
    /// -1 if the leader has not heard of it.
    log_end: i64,
    /// When it last fetched; milliseconds since 1970, -1 if never since this leader leads.
    last_fetch_ms: i64,
    /// When it last had everything; likewise.
    last_caught_up_ms: i64,
    #[serde(skip)]
    role: &'static str,
}

pub fn run(common: &Common) -> Outcome {
    let mut client = connect(common)?;
    let quorum = client.quorum().map_err(|error| match error.kind {
        ErrorKind::TimedOut | ErrorKind::Disconnected => no_majority("describe the quorum"),
        _ => error.into(),
    })?;
    output::print(common.output, &QuorumShown::from(quorum))
}

/// Connects with the patience that a question about the quorum deserves.
pub fn connect(common: &Common) -> Result<Client, Failure> {
    let mut options = common.options()?;
    options.request_timeout = options.request_timeout.min(PATIENCE);
    Ok(Client::connect(options)?)
}

/// Nobody answers for the metadata.
fn no_majority(what: &str) -> Failure {
    let why = "no controller answers for the metadata: fewer than a majority of the voters run, \
               or none has been elected yet";
    Failure::new(Exit::TimedOut, "NO_QUORUM", what, why)
        .todo("start the controllers that are down; records are served meanwhile, changes wait")
}

impl From<Quorum> for QuorumShown {
    fn from(quorum: Quorum) -> QuorumShown {
        let leader = quorum.leader;
        let node = |member: &QuorumMember, role| Node {
            id: member.id,
            log_end: member.log_end,
            last_fetch_ms: member.last_fetch_ms,
            last_caught_up_ms: member.last_caught_up_ms,
            role,
        };
        let voter = |member: &QuorumMember| {
            node(member, if member.id == leader { "leader" } else { "voter" })
        };
        QuorumShown {
            leader,
            epoch: quorum.epoch,
            high_watermark: quorum.high_watermark,
            voters: quorum.voters.iter().map(voter).collect(),
            observers: quorum.observers.iter().map(|member| node(member, "observer")).collect(),
        }
    }
}

impl Report for QuorumShown {
    fn write_text(&self, out: &mut dyn Write) -> io::Result<()> {
        let (leader, epoch, committed) = (self.leader, self.epoch, self.high_watermark);
        writeln!(out, "node {leader} leads in epoch {epoch}; committed up to {committed}")?;
        let leads = |node: &&Node| node.id == leader;
        let leader_end = self.voters.iter().find(leads).map_or(committed, |node| node.log_end);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now_ms = i64::try_from(now.as_millis()).unwrap_or(i64::MAX);
        let mut table = Table::new(&[
            ("NODE", Align::Right),
            ("ROLE", Align::Left),
            ("LOG END", Align::Right),
            ("BEHIND", Align::Right),
            ("LAST HEARD", Align::Left),
        ]);
        for node in self.voters.iter().chain(&self.observers) {
            // The place of one that this leader never heard of is not known.
            let is_known = node.log_end >= 0 && node.last_fetch_ms >= 0;
            let known = |number: i64| if is_known { number.to_string() } else { "-".to_owned() };
            table.row(vec![
                node.id.to_string(),
                node.role.to_owned(),
                known(node.log_end),
                known((leader_end - node.log_end).max(0)),
                heard(node, leader, now_ms),
            ]);
        }
        table.write(out)
    }
}

fn heard(node: &Node, leader: i32, now_ms: i64) -> String {
    const NOW_MS: i64 = 1_000;
    let ago_ms = now_ms - node.last_fetch_ms;
    match node.last_fetch_ms {
        _ if node.id == leader => "-".to_owned(),
        ..0 => "never by this leader".to_owned(),
        _ if ago_ms < NOW_MS => "just now".to_owned(),
        _ => format!("{} s ago", ago_ms / 1_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_voter_that_the_leader_has_not_heard_of_has_no_place() {
        let node = |id, log_end, last_fetch_ms, role| Node {
            id,
            log_end,
            last_fetch_ms,
            last_caught_up_ms: last_fetch_ms,
            role,
        };
        let shown = QuorumShown {
            leader: 1,
            epoch: 4,
            high_watermark: 9,
            voters: vec![node(1, 9, 0, "leader"), node(2, 0, -1, "voter"), node(3, 7, 0, "voter")],
            observers: Vec::new(),
        };
        let mut text = Vec::new();
        shown.write_text(&mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "node 1 leads in epoch 4; committed up to 9");
        assert_eq!(lines[3], "   2  voter         -       -  never by this leader");
        assert!(lines[4].starts_with("   3  voter         7       2  "), "{text}");
    }
}
