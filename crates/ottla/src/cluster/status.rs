//! `ottla cluster status`: a verdict first, then the brokers.

use std::io::{self, Write};

use client::admin::members::Member;
use client::{Client, Cluster, TopicsWanted};
use serde::Serialize;

use super::quorum::connect;
use crate::context::Common;
use crate::failure::{Exit, Failure, Outcome};
use crate::output::{self, Report};
use crate::table::{Align, Table};

#[derive(Serialize)]
struct Status {
    healthy: bool,
    /// `healthy`; `degraded`: everything is served, less safely; `critical`: something is not.
    state: State,
    verdict: String,
    /// What the verdict is made of.
    problems: Vec<String>,
    cluster_id: Option<String>,
    /// -1 if no controller answers.
    controller: i32,
    topics: usize,
    partitions: usize,
    offline_partitions: Vec<String>,
    under_replicated_partitions: Vec<String>,
    brokers: Vec<BrokerLine>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Healthy,
    Degraded,
    Critical,
}

#[derive(Serialize)]
struct BrokerLine {
    id: i32,
    address: String,
    rack: Option<String>,
    state: BrokerState,
    leads: usize,
    holds: usize,
    /// Nothing if the broker does not say.
    bytes: Option<i64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
enum BrokerState {
    #[serde(rename = "in service")]
    InService,
    #[serde(rename = "out of service")]
    OutOfService,
    /// The controller has not noticed, or there is none.
    #[serde(rename = "no answer")]
    NoAnswer,
}

impl BrokerState {
    fn word(self) -> &'static str {
        match self {
            BrokerState::InService => "in service",
            BrokerState::OutOfService => "out of service",
            BrokerState::NoAnswer => "no answer",
        }
    }
}

pub fn run(common: &Common) -> Outcome {
    let mut client = connect(common)?;
    let cluster = client.refresh(TopicsWanted::All)?.clone();
    // A cluster of Kafka's that is older than the question lists those in service alone.
    let members = client.members().unwrap_or_else(|_| in_service(&cluster));
    let brokers: Vec<BrokerLine> =
        members.iter().map(|member| line(&mut client, &cluster, member)).collect();
    // Metadata names any broker as controller: what is asked of it is passed on.
    let controller = client.quorum().map_or(NONE, |quorum| quorum.leader);
    let status = judge(&cluster, controller, brokers);
    output::print(common.output, &status)?;
    if status.healthy {
        return Ok(());
    }
    let failure = Failure::new(Exit::Unhealthy, "UNHEALTHY", "check the cluster", status.verdict);
    Err(failure.todo(match (controller, status.offline_partitions.is_empty()) {
        (NONE, _) => "start the nodes that are down; ottla cluster quorum shows the voters",
        (_, true) if status.under_replicated_partitions.is_empty() => {
            "start the broker again, or ottla broker decommission if it will not come back"
        }
        _ => "ottla partition list --unhealthy shows them",
    }))
}

const NONE: i32 = -1;

fn in_service(cluster: &Cluster) -> Vec<Member> {
    let member = |broker: &client::Broker| Member {
        id: broker.id,
        address: broker.address(),
        rack: broker.rack.clone(),
        is_fenced: false,
    };
    cluster.brokers.values().map(member).collect()
}

fn line(client: &mut Client, cluster: &Cluster, member: &Member) -> BrokerLine {
    let partitions = || cluster.topics.values().flat_map(|topic| topic.partitions.values());
    let dirs = (!member.is_fenced).then(|| client.log_dir_replicas(member.id));
    let is_silent = matches!(&dirs, Some(Err(error)) if error.broker_code().is_none());
    BrokerLine {
        id: member.id,
        address: member.address.clone(),
        rack: member.rack.clone(),
        state: match (member.is_fenced, is_silent) {
            (true, _) => BrokerState::OutOfService,
            (false, true) => BrokerState::NoAnswer,
            (false, false) => BrokerState::InService,
        },
        leads: partitions().filter(|p| p.leader == member.id).count(),
        holds: partitions().filter(|p| p.replicas.contains(&member.id)).count(),
        bytes: dirs.and_then(Result::ok).map(|dirs| {
            dirs.iter().flat_map(|dir| &dir.replicas).map(|replica| replica.bytes).sum()
        }),
    }
}

fn judge(cluster: &Cluster, controller: i32, brokers: Vec<BrokerLine>) -> Status {
    let places = |is_bad: &dyn Fn(&client::Partition) -> bool| -> Vec<String> {
        let topics = cluster.topics.values();
        let bad = topics.flat_map(|topic| {
            let bad = topic.partitions.values().filter(|partition| is_bad(partition));
            bad.map(|partition| format!("{}-{}", topic.name, partition.index)).collect::<Vec<_>>()
        });
        bad.collect()
    };
    let in_state = |state: BrokerState| -> Vec<i32> {
        brokers.iter().filter(|broker| broker.state == state).map(|broker| broker.id).collect()
    };
    let (fenced, silent) = (in_state(BrokerState::OutOfService), in_state(BrokerState::NoAnswer));
    // A leader that does not answer leads nothing, whatever is written.
    let is_led = |p: &client::Partition| p.leader >= 0 && !silent.contains(&p.leader);
    let offline = places(&|p| !is_led(p));
    let lagging = places(&|p| is_led(p) && p.isr.len() < p.replicas.len());
    let partitions: usize = cluster.topics.values().map(|topic| topic.partitions.len()).sum();
    let mut problems = Vec::new();
    if controller == NONE {
        problems.push("no controller answers: changes and failover wait for a majority".to_owned());
    }
    problems.extend(said_of(&fenced, "is out of service", "are out of service"));
    problems.extend(said_of(&silent, "does not answer", "do not answer"));
    let of = |count: usize, one: &str, many: &str| {
        let said = if count == 1 { one } else { many };
        (count > 0).then(|| format!("{count} of {partitions} partitions {said}"))
    };
    problems.extend(of(offline.len(), "has no leader", "have no leader"));
    problems.extend(of(lagging.len(), "lacks replicas in sync", "lack replicas in sync"));
    let state = match (problems.is_empty(), controller == NONE || !offline.is_empty()) {
        (true, _) => State::Healthy,
        (false, false) => State::Degraded,
        (false, true) => State::Critical,
    };
    Status {
        healthy: state == State::Healthy,
        state,
        verdict: if problems.is_empty() { "healthy".to_owned() } else { problems.join("; ") },
        problems,
        cluster_id: cluster.cluster_id.clone(),
        controller,
        topics: cluster.topics.len(),
        partitions,
        offline_partitions: offline,
        under_replicated_partitions: lagging,
        brokers,
    }
}

fn said_of(brokers: &[i32], one: &str, many: &str) -> Option<String> {
    let all: Vec<String> = brokers.iter().map(i32::to_string).collect();
    match brokers.len() {
        0 => None,
        1 => Some(format!("broker {} {one}", all[0])),
        _ => Some(format!("brokers {} {many}", all.join(", "))),
    }
}

impl Report for Status {
    fn write_text(&self, out: &mut dyn Write) -> io::Result<()> {
        let (brokers, topics, partitions) = (self.brokers.len(), self.topics, self.partitions);
        let counts = format!(
            "{brokers} broker{}, {topics} topic{}, {partitions} partition{}",
            plural(brokers),
            plural(topics),
            plural(partitions),
        );
        let word = match self.state {
            State::Healthy => "HEALTHY",
            State::Degraded => "DEGRADED",
            State::Critical => "CRITICAL",
        };
        match self.problems.split_first() {
            None => writeln!(out, "{word}  {counts}")?,
            Some((first, rest)) => {
                writeln!(out, "{word}  {first}")?;
                for problem in rest {
                    writeln!(out, "{:width$}  {problem}", "", width = word.len())?;
                }
                writeln!(out, "{counts}")?;
            }
        }
        if let Some(id) = &self.cluster_id {
            let controller = match self.controller {
                NONE => "no controller".to_owned(),
                id => format!("controller {id}"),
            };
            writeln!(out, "cluster {id}, {controller}")?;
        }
        let mut table = Table::new(&[
            ("BROKER", Align::Right),
            ("ADDRESS", Align::Left),
            ("RACK", Align::Left),
            ("STATE", Align::Left),
            ("LEADS", Align::Right),
            ("HOLDS", Align::Right),
            ("BYTES", Align::Right),
        ]);
        for broker in &self.brokers {
            table.row(vec![
                broker.id.to_string(),
                broker.address.clone(),
                broker.rack.clone().unwrap_or_else(|| "-".to_owned()),
                broker.state.word().to_owned(),
                broker.leads.to_string(),
                broker.holds.to_string(),
                broker.bytes.map_or("-".to_owned(), |bytes| bytes.to_string()),
            ]);
        }
        table.write(out)
    }
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use client::{Partition, Topic};
    use types::{ErrorCode, Uuid};

    use super::*;

    fn cluster(leader: i32, isr: &[i32]) -> Cluster {
        let partition = Partition {
            index: 0,
            leader,
            leader_epoch: 0,
            replicas: vec![1, 2, 3],
            isr: isr.to_vec(),
            error: ErrorCode::None,
        };
        let topic = Topic {
            name: "t".to_owned(),
            id: Uuid::default(),
            is_internal: false,
            error: ErrorCode::None,
            partitions: BTreeMap::from([(0, partition)]),
        };
        Cluster { topics: BTreeMap::from([("t".to_owned(), topic)]), ..Cluster::default() }
    }

    fn brokers(states: [BrokerState; 3]) -> Vec<BrokerLine> {
        let line = |(id, state)| BrokerLine {
            id,
            address: format!("127.0.0.1:{}", 9091 + id),
            rack: None,
            state,
            leads: 0,
            holds: 1,
            bytes: Some(0),
        };
        (1..).zip(states).map(line).collect()
    }

    use BrokerState::{InService, NoAnswer, OutOfService};

    #[test]
    fn a_cluster_with_everything_in_place_is_healthy() {
        let status = judge(&cluster(1, &[1, 2, 3]), 1, brokers([InService; 3]));
        assert_eq!((status.state, status.verdict.as_str()), (State::Healthy, "healthy"));
    }

    #[test]
    fn a_broker_that_is_out_is_named_with_what_it_costs() {
        let states = [InService, OutOfService, InService];
        let status = judge(&cluster(1, &[1, 3]), 1, brokers(states));
        assert_eq!(status.state, State::Degraded);
        assert_eq!(
            status.problems,
            ["broker 2 is out of service", "1 of 1 partitions lacks replicas in sync"]
        );
    }

    #[test]
    fn without_a_majority_what_the_metadata_says_of_leaders_is_not_believed() {
        let states = [InService, OutOfService, NoAnswer];
        let status = judge(&cluster(3, &[1, 3]), NONE, brokers(states));
        assert_eq!(status.state, State::Critical);
        assert_eq!(status.offline_partitions, ["t-0"]);
        assert_eq!(
            status.problems,
            [
                "no controller answers: changes and failover wait for a majority",
                "broker 2 is out of service",
                "broker 3 does not answer",
                "1 of 1 partitions has no leader",
            ]
        );
    }
}
