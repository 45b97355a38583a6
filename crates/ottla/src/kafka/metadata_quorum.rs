//! `kafka-metadata-quorum`. Source of flags and output: Kafka `MetadataQuorumCommand`.

mod voters;

use std::io::{self, Write};
use std::time::{SystemTime, UNIX_EPOCH};

use client::Client;
use client::admin::quorum::{Quorum, QuorumMember};
use types::Uuid;

use super::exceptions::exception;
use super::options::{Flag, Parsed, Tool, switch, value};
use super::{ScriptError, ScriptResult, connect_to_either};

const FLAGS: &[Flag] = &[
    value("bootstrap-server", "host:port,…", "The brokers to connect to."),
    value("bootstrap-controller", "host:port,…", "The controllers to connect to."),
    value("command-config", "file", "Client properties; of add-controller, the controller's."),
    switch("status", "describe: the quorum in a few lines."),
    switch("replication", "describe: how far each node is."),
    switch("human-readable", "describe --replication: times as how long ago."),
    value("controller-id", "id", "remove-controller: who."),
    value("i", "id", "Short for --controller-id."),
    value("controller-directory-id", "id", "remove-controller: its directory."),
    value("d", "id", "Short for --controller-directory-id."),
    switch("dry-run", "Say what would be done; change nothing."),
];

static TOOL: Tool = Tool {
    name: "kafka-metadata-quorum",
    about: "This tool describes kraft metadata quorum status.",
    flags: FLAGS,
};

const COMMANDS: &[&str] = &["describe", "add-controller", "remove-controller"];

pub fn run(arguments: &[String]) -> ScriptResult {
    let parsed = TOOL.parse(arguments)?;
    let command = super::subcommand(&parsed, TOOL.name, COMMANDS)?;
    match command {
        "describe" => describe(&parsed),
        "add-controller" => voters::add(&parsed),
        _ => voters::remove(&parsed),
    }
}

fn told(error: &client::ClientError) -> ScriptError {
    ScriptError::Stderr(exception(error))
}

fn describe(parsed: &Parsed) -> ScriptResult {
    let human = parsed.has("human-readable");
    let refused = match (parsed.has("status"), parsed.has("replication")) {
        (true, true) => {
            "Only one of --status or --replication should be specified with describe sub-command"
        }
        (false, false) => {
            "One of --status or --replication must be specified with describe sub-command"
        }
        (true, false) if human => {
            "The option --human-readable is only supported along with --replication"
        }
        _ => "",
    };
    if !refused.is_empty() {
        return Err(ScriptError::Stderr(refused.to_owned()));
    }
    let mut client = connect_to_either(parsed)?;
    match parsed.has("status") {
        true => status(&mut client),
        false => replication(&mut client, human),
    }
}

fn quorum_with_leader(client: &mut Client) -> Result<(Quorum, QuorumMember), ScriptError> {
    let quorum = client.quorum().map_err(|error| told(&error))?;
    let leader = quorum.voters.iter().find(|voter| voter.id == quorum.leader).cloned();
    let leader = leader.ok_or_else(|| ScriptError::Stderr("No value present".to_owned()))?;
    Ok((quorum, leader))
}

fn status(client: &mut Client) -> ScriptResult {
    let cluster_id = client.cluster_id().map_err(|error| told(&error))?;
    let (quorum, leader) = quorum_with_leader(client)?;
    let (lag, lag_ms) = furthest_behind(&quorum, &leader);
    let mut out = io::stdout().lock();
    writeln!(out, "ClusterId:              {cluster_id}")?;
    writeln!(out, "LeaderId:               {}", quorum.leader)?;
    writeln!(out, "LeaderEpoch:            {}", quorum.epoch)?;
    writeln!(out, "HighWatermark:          {}", quorum.high_watermark)?;
    writeln!(out, "MaxFollowerLag:         {lag}")?;
    writeln!(out, "MaxFollowerLagTimeMs:   {lag_ms}")?;
    writeln!(out, "CurrentVoters:          {}", nodes(&quorum, &quorum.voters))?;
    writeln!(out, "CurrentObservers:       {}", nodes(&quorum, &quorum.observers))?;
    Ok(())
}

/// How many records the last voter is behind the leader, and how long.
fn furthest_behind(quorum: &Quorum, leader: &QuorumMember) -> (i64, i64) {
    let last = quorum.voters.iter().min_by_key(|voter| voter.log_end).unwrap_or(leader);
    let lag_ms = if last.id == leader.id {
        0
    } else if leader.last_caught_up_ms >= 0 && last.last_caught_up_ms >= 0 {
        leader.last_caught_up_ms - last.last_caught_up_ms
    } else {
        -1
    };
    (leader.log_end - last.log_end, lag_ms)
}

/// `[{"id": 1, "directoryId": "…", "endpoints": ["CONTROLLER://host:port"]}]`
fn nodes(quorum: &Quorum, members: &[QuorumMember]) -> String {
    let one = |member: &QuorumMember| {
        let mut text = format!("{{\"id\": {}", member.id);
        if member.directory != Uuid::default() {
            text.push_str(&format!(", \"directoryId\": \"{}\"", member.directory));
        }
        let endpoints = quorum.nodes.get(&member.id).map_or(&[][..], Vec::as_slice);
        if !endpoints.is_empty() {
            let all: Vec<String> =
                endpoints.iter().map(|at| format!("\"{}\"", voters::url(at))).collect();
            text.push_str(&format!(", \"endpoints\": [{}]", all.join(", ")));
        }
        text + "}"
    };
    let all: Vec<String> = members.iter().map(one).collect();
    format!("[{}]", all.join(", "))
}

const HEADINGS: [&str; 7] = [
    "NodeId",
    "DirectoryId",
    "LogEndOffset",
    "Lag",
    "LastFetchTimestamp",
    "LastCaughtUpTimestamp",
    "Status",
];

fn replication(client: &mut Client, human: bool) -> ScriptResult {
    let (quorum, leader) = quorum_with_leader(client)?;
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now_ms = human.then(|| i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX));
    let mut rows = vec![HEADINGS.map(str::to_owned)];
    let followers = quorum.voters.iter().filter(|voter| voter.id != leader.id);
    rows.push(row(&leader, &leader, "Leader", now_ms));
    rows.extend(followers.map(|voter| row(&leader, voter, "Follower", now_ms)));
    rows.extend(quorum.observers.iter().map(|node| row(&leader, node, "Observer", now_ms)));
    write_rows(&mut io::stdout().lock(), &rows).map_err(ScriptError::from)
}

fn row(
    leader: &QuorumMember,
    member: &QuorumMember,
    status: &str,
    now_ms: Option<i64>,
) -> [String; 7] {
    let time = |at: i64| match now_ms {
        Some(now) if at >= 0 => format!("{} ms ago", now - at),
        _ => at.to_string(),
    };
    [
        member.id.to_string(),
        member.directory.to_string(),
        member.log_end.to_string(),
        (leader.log_end - member.log_end).to_string(),
        time(member.last_fetch_ms),
        time(member.last_caught_up_ms),
        status.to_owned(),
    ]
}

/// Columns as wide as their widest cell, a tab after each. Source: Kafka
/// `ToolsUtils.prettyPrintTable`.
fn write_rows(out: &mut dyn Write, rows: &[[String; 7]]) -> io::Result<()> {
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..HEADINGS.len()).map(width).collect();
    for row in rows {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}\t"));
        writeln!(out, "{}", cells.collect::<String>())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use client::admin::quorum::QuorumEndpoint;

    use super::*;

    fn member(id: i32, log_end: i64) -> QuorumMember {
        QuorumMember {
            id,
            directory: Uuid::default(),
            log_end,
            last_fetch_ms: 90,
            last_caught_up_ms: 100 - i64::from(id),
        }
    }

    fn quorum() -> Quorum {
        let endpoint = QuorumEndpoint {
            listener: "CONTROLLER".to_owned(),
            host: "::1".to_owned(),
            port: 9093,
        };
        Quorum {
            leader: 1,
            epoch: 3,
            high_watermark: 10,
            voters: vec![member(1, 12), member(2, 9)],
            observers: vec![member(7, 4)],
            nodes: BTreeMap::from([(1, vec![endpoint])]),
        }
    }

    #[test]
    fn lag_is_that_of_the_voter_furthest_behind() {
        let quorum = quorum();
        assert_eq!(furthest_behind(&quorum, &quorum.voters[0]), (3, 1));
        let mut alone = quorum.clone();
        alone.voters.truncate(1);
        assert_eq!(furthest_behind(&alone, &quorum.voters[0]), (0, 0));
        let mut unheard = quorum;
        unheard.voters[1].last_caught_up_ms = -1;
        assert_eq!(furthest_behind(&unheard, &unheard.voters[0]), (3, -1));
    }

    #[test]
    fn nodes_are_written_with_what_is_known_of_them() {
        let quorum = quorum();
        assert_eq!(
            nodes(&quorum, &quorum.voters),
            r#"[{"id": 1, "endpoints": ["CONTROLLER://[::1]:9093"]}, {"id": 2}]"#
        );
        assert_eq!(nodes(&quorum, &[]), "[]");
    }

    #[test]
    fn a_row_tells_times_as_numbers_or_as_how_long_ago() {
        let quorum = quorum();
        let cells = |now| row(&quorum.voters[0], &quorum.voters[1], "Follower", now)[2..].join(" ");
        assert_eq!(cells(None), "9 3 90 98 Follower");
        assert_eq!(cells(Some(100)), "9 3 10 ms ago 2 ms ago Follower");
    }
}
