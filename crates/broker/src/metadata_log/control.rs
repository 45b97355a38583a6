//! The quorum's own batches as Kafka's control records.

use std::io;

use bytes::Bytes;
use consensus::{ControlBatch, NodeId, Voter, VoterEndpoint, VoterKey};
use records::control::{self, ControlRecord, LeaderChange, QuorumVoter, VoterId};
use records::{BatchBuilder, NewRecord, Record, RecordBatch};
use types::{BrokerId, LeaderEpoch, Offset, Uuid, WallTime};

/// What a voter can follow: `kraft.version` 0 and 1, the second with directories.
pub const KRAFT_VERSIONS: (i16, i16) = (0, 1);

/// The record of a batch of ours; `None` for a foreign one, whose records are what they are.
fn record_of(batch: &ControlBatch) -> Option<ControlRecord> {
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
            Some(ControlRecord::LeaderChange(LeaderChange { leader, voters, granting_voters }))
        }
        ControlBatch::Voters(voters) => {
            let voters = voters.iter().map(quorum_voter).collect();
            Some(ControlRecord::KRaftVoters { voters })
        }
        ControlBatch::Foreign(_) => None,
    }
}

/// The control batch that is to be appended at `offset`.
pub(super) fn encode(
    batch: &ControlBatch,
    offset: Offset,
    epoch: LeaderEpoch,
    now: WallTime,
) -> RecordBatch {
    if let Some(record) = record_of(batch) {
        return record.quorum_batch(offset, epoch, now);
    }
    let mut builder = BatchBuilder::new().base_offset(offset).leader_epoch(epoch).control();
    if let ControlBatch::Foreign(records) = batch {
        for (key, value) in records {
            let (key, value) = (Some(&**key), Some(&**value));
            builder.push(NewRecord { timestamp: now, key, value, headers: &[] });
        }
    }
    builder.build()
}

/// What a snapshot says of the quorum, if its voters have directories: before that Kafka's say
/// nothing either. Source: Kafka `RecordsSnapshotWriter.Builder`.
pub(crate) fn of_snapshot(voters: &[Voter]) -> Vec<ControlRecord> {
    if voters.iter().all(|voter| voter.key.directory.is_zero()) {
        return Vec::new();
    }
    let version = ControlRecord::KRaftVersion { kraft_version: KRAFT_VERSIONS.1 };
    let voters = voters.iter().map(quorum_voter).collect();
    vec![version, ControlRecord::KRaftVoters { voters }]
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

/// What a control batch says, from its records.
///
/// # Errors
/// A control record of ours that cannot be read.
pub(super) fn batch_of(records: &[Record]) -> io::Result<ControlBatch> {
    let foreign = || {
        let raw = |bytes: &Option<Bytes>| bytes.clone().unwrap_or_default();
        ControlBatch::Foreign(records.iter().map(|r| (raw(&r.key), raw(&r.value))).collect())
    };
    let [record] = records else { return Ok(foreign()) };
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
        _ => Ok(foreign()),
    }
}

/// A voter as a record names it.
pub fn voter_of(voter: QuorumVoter) -> Voter {
    let endpoints = voter.endpoints.into_iter().map(|endpoint| VoterEndpoint {
        listener: endpoint.listener,
        host: endpoint.host,
        port: endpoint.port,
    });
    let key = VoterKey { id: NodeId(voter.id.0), directory: voter.directory };
    Voter { key, endpoints: endpoints.collect() }
}
