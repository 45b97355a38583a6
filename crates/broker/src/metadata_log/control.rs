//! The quorum's own batches as Kafka's control records.

use std::io;

use bytes::Bytes;
use consensus::{ControlBatch, NodeId, Voter, VoterEndpoint, VoterKey};
use records::control::{self, ControlRecord, LeaderChange, QuorumVoter, VoterId};
use records::{BatchBuilder, NewRecord, Record, RecordBatch};
use types::{BrokerId, LeaderEpoch, Offset, Uuid, WallTime};

/// What a voter can follow: `kraft.version` 0 and 1, the second with directories.
pub const KRAFT_VERSIONS: (i16, i16) = (0, 1);

/// The records of a batch of ours; none for a foreign one, whose records are what they are.
fn records_of(batch: &ControlBatch) -> Vec<ControlRecord> {
    match batch {
        ControlBatch::LeaderChange { leader, voters } => {
            // Without directories, whatever the voters have: Kafka writes version 0 and takes what
            // it reads for that. Source: `ControlRecordUtils.LEADER_CHANGE_CURRENT_VERSION`.
            let voters: Vec<_> = voters
                .iter()
                .map(|voter| VoterId { id: BrokerId(voter.id.0), directory: None })
                .collect();
            // Who voted for the leader is not kept: the log is equal on all voters.
            let leader = BrokerId(leader.0);
            let granting_voters = voters.clone();
            vec![ControlRecord::LeaderChange(LeaderChange { leader, voters, granting_voters })]
        }
        ControlBatch::Voters(voters) => vec![voters_record(voters)],
        ControlBatch::KRaftVersion { level, voters } => {
            let version = ControlRecord::KRaftVersion { kraft_version: *level };
            let voters = (!voters.is_empty()).then(|| voters_record(voters));
            std::iter::once(version).chain(voters).collect()
        }
        ControlBatch::Foreign(_) => Vec::new(),
    }
}

fn voters_record(voters: &[Voter]) -> ControlRecord {
    ControlRecord::KRaftVoters { voters: voters.iter().map(quorum_voter).collect() }
}

/// The control batch that is to be appended at `offset`.
pub(crate) fn encode(
    batch: &ControlBatch,
    offset: Offset,
    epoch: LeaderEpoch,
    now: WallTime,
) -> RecordBatch {
    let ours = records_of(batch).into_iter().map(|record| (record.key(), record.value()));
    let foreign = match batch {
        ControlBatch::Foreign(records) => &records[..],
        _ => &[],
    };
    let mut builder = BatchBuilder::new().base_offset(offset).leader_epoch(epoch).control();
    for (key, value) in ours.chain(foreign.iter().cloned()) {
        let (key, value) = (Some(&*key), Some(&*value));
        builder.push(NewRecord { timestamp: now, key, value, headers: &[] });
    }
    builder.build()
}

/// What a snapshot says of the quorum where `kraft.version` is finalized: before that Kafka's say
/// nothing either. Source: Kafka `RecordsSnapshotWriter.Builder`.
pub(crate) fn of_snapshot(kraft_version: i16, voters: &[Voter]) -> Vec<ControlRecord> {
    if kraft_version == 0 {
        return Vec::new();
    }
    let version = ControlRecord::KRaftVersion { kraft_version };
    let are_known = voters.iter().any(|voter| !voter.key.directory.is_zero());
    std::iter::once(version).chain(are_known.then(|| voters_record(voters))).collect()
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
pub(crate) fn batch_of(records: &[Record]) -> io::Result<ControlBatch> {
    let foreign = || {
        let raw = |bytes: &Option<Bytes>| bytes.clone().unwrap_or_default();
        ControlBatch::Foreign(records.iter().map(|r| (raw(&r.key), raw(&r.value))).collect())
    };
    let parsed = match records.iter().map(ControlRecord::from_record).collect::<Result<Vec<_>, _>>()
    {
        Ok(parsed) => parsed,
        Err(error) if records.len() == 1 => return Err(io::Error::other(error)),
        Err(_) => return Ok(foreign()),
    };
    let voters_of = |voters: &[QuorumVoter]| voters.iter().cloned().map(voter_of).collect();
    Ok(match &parsed[..] {
        [ControlRecord::LeaderChange(change)] => {
            let voter = |voter: &VoterId| VoterKey {
                id: NodeId(voter.id.0),
                directory: voter.directory.unwrap_or(Uuid::ZERO),
            };
            let leader = NodeId(change.leader.0);
            let voters = change.voters.iter().map(voter).collect();
            ControlBatch::LeaderChange { leader, voters }
        }
        [ControlRecord::KRaftVoters { voters }] => ControlBatch::Voters(voters_of(voters)),
        [ControlRecord::KRaftVersion { kraft_version: level }] => {
            ControlBatch::KRaftVersion { level: *level, voters: Vec::new() }
        }
        [
            ControlRecord::KRaftVersion { kraft_version: level },
            ControlRecord::KRaftVoters { voters },
        ] => ControlBatch::KRaftVersion { level: *level, voters: voters_of(voters) },
        _ => foreign(),
    })
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
