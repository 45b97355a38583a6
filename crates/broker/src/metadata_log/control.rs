//! The quorum's own batches as Kafka's control records.

use std::io;

use consensus::{ControlBatch, NodeId, Voter, VoterEndpoint, VoterKey};
use records::Record;
use records::control::{self, ControlRecord, LeaderChange, QuorumVoter, VoterId};
use types::{BrokerId, Uuid};

/// What a voter can follow: `kraft.version` 0 and 1, the second with directories.
const KRAFT_VERSIONS: (i16, i16) = (0, 1);

pub(super) fn record_of(batch: &ControlBatch) -> ControlRecord {
    match batch {
        ControlBatch::LeaderChange { leader, voters } => {
            // The record's version says of all of them whether they have directories.
            let has_directories = voters.iter().any(|voter| !voter.directory.is_zero());
            let voters: Vec<_> = voters
                .iter()
                .map(|voter| VoterId {
                    id: BrokerId(voter.id.0),
                    directory: has_directories.then_some(voter.directory),
                })
                .collect();
            // Who voted for the leader is not kept: the log is equal on all voters.
            let leader = BrokerId(leader.0);
            let granting_voters = voters.clone();
            ControlRecord::LeaderChange(LeaderChange { leader, voters, granting_voters })
        }
        ControlBatch::Voters(voters) => {
            ControlRecord::KRaftVoters { voters: voters.iter().map(quorum_voter).collect() }
        }
    }
}

fn quorum_voter(voter: &Voter) -> QuorumVoter {
    let endpoints = voter.endpoints.iter().map(|endpoint| control::VoterEndpoint {
        listener: endpoint.listener.clone(),
        host: endpoint.host.clone(),
        port: endpoint.port,
    });
    QuorumVoter {
        id: BrokerId(voter.key.id.0),
        directory: voter.key.directory,
        endpoints: endpoints.collect(),
        kraft_versions: KRAFT_VERSIONS,
    }
}

/// # Errors
/// A control record that no engine of ours writes into the metadata log.
pub(super) fn batch_of(record: &Record) -> io::Result<ControlBatch> {
    match ControlRecord::from_record(record).map_err(io::Error::other)? {
        ControlRecord::LeaderChange(change) => {
            let voter = |voter: &VoterId| VoterKey {
                id: NodeId(voter.id.0),
                directory: voter.directory.unwrap_or(Uuid::ZERO),
            };
            let leader = NodeId(change.leader.0);
            let voters = change.voters.iter().map(voter).collect();
            Ok(ControlBatch::LeaderChange { leader, voters })
        }
        ControlRecord::KRaftVoters { voters } => {
            Ok(ControlBatch::Voters(voters.into_iter().map(voter_of).collect()))
        }
        other => {
            let why = format!("the metadata log holds a control record of kind {}", other.kind());
            Err(io::Error::new(io::ErrorKind::InvalidData, why))
        }
    }
}

fn voter_of(voter: QuorumVoter) -> Voter {
    let endpoints = voter.endpoints.into_iter().map(|endpoint| VoterEndpoint {
        listener: endpoint.listener,
        host: endpoint.host,
        port: endpoint.port,
    });
    let key = VoterKey { id: NodeId(voter.id.0), directory: voter.directory };
    Voter { key, endpoints: endpoints.collect() }
}
