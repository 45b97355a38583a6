//! Control records: what brokers and controllers write for each other between the applications'
//! records.
//!
//!   key    | version i16 = 0 | type i16 |
//!   value  | version i16 | fields |       KRaft's with compact lengths and tag sections
//!
//! docs/formats/record-batch.md#control-records

mod wire;

use bytes::Bytes;
use types::{BrokerId, LeaderEpoch, Offset, ProducerEpoch, ProducerId, Sequence, Uuid, WallTime};

use crate::batch::RecordBatch;
use crate::builder::{BatchBuilder, NewRecord};
use crate::error::BatchError;
use crate::record::Record;
use wire::{Reader, Writer};

/// What a control record says. Source: Kafka `ControlRecordType`, KIP-98, KIP-595, KIP-630,
/// KIP-853.
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias = "ControlRecordType")]
#[doc(alias = "EndTransactionMarker")]
pub enum ControlRecord {
    /// The producer's transaction came to nothing. The epoch counts transaction coordinators.
    Abort {
        coordinator_epoch: i32,
    },
    /// The producer's transaction holds.
    Commit {
        coordinator_epoch: i32,
    },
    LeaderChange(LeaderChange),
    /// First in a snapshot: the append time of the last record that went into it.
    SnapshotHeader {
        last_contained_log_timestamp: WallTime,
    },
    /// Last in a snapshot.
    SnapshotFooter,
    /// From here on the quorum follows this version of KRaft.
    KRaftVersion {
        kraft_version: i16,
    },
    /// From here on these are the voters.
    KRaftVoters {
        voters: Vec<QuorumVoter>,
    },
    /// A type that came later; to be passed over.
    Unknown {
        kind: i16,
    },
}

/// Who leads the metadata quorum from this epoch on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias = "LeaderChangeMessage")]
pub struct LeaderChange {
    pub leader: BrokerId,
    pub voters: Vec<VoterId>,
    /// Those whose votes made the leader.
    pub granting_voters: Vec<VoterId>,
}

/// A voter, with its log directory since KIP-853.
///
/// **Invariant:** within one [`LeaderChange`] all voters have a directory or none has: it is the
/// version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VoterId {
    pub id: BrokerId,
    pub directory: Option<Uuid>,
}

/// A voter as [`ControlRecord::KRaftVoters`] describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias = "VotersRecord")]
pub struct QuorumVoter {
    pub id: BrokerId,
    pub directory: Uuid,
    pub endpoints: Vec<VoterEndpoint>,
    /// The lowest and highest `kraft.version` it can follow.
    pub kraft_versions: (i16, i16),
}

/// Where a voter listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VoterEndpoint {
    pub listener: String,
    pub host: String,
    pub port: u16,
}

impl ControlRecord {
    const KEY_VERSION: i16 = 0;
    const ABORT: i16 = 0;
    const COMMIT: i16 = 1;
    const LEADER_CHANGE: i16 = 2;
    const SNAPSHOT_HEADER: i16 = 3;
    const SNAPSHOT_FOOTER: i16 = 4;
    const KRAFT_VERSION: i16 = 5;
    const KRAFT_VOTERS: i16 = 6;

    /// The number in the key.
    pub fn kind(&self) -> i16 {
        match self {
            ControlRecord::Abort { .. } => ControlRecord::ABORT,
            ControlRecord::Commit { .. } => ControlRecord::COMMIT,
            ControlRecord::LeaderChange(_) => ControlRecord::LEADER_CHANGE,
            ControlRecord::SnapshotHeader { .. } => ControlRecord::SNAPSHOT_HEADER,
            ControlRecord::SnapshotFooter => ControlRecord::SNAPSHOT_FOOTER,
            ControlRecord::KRaftVersion { .. } => ControlRecord::KRAFT_VERSION,
            ControlRecord::KRaftVoters { .. } => ControlRecord::KRAFT_VOTERS,
            ControlRecord::Unknown { kind } => *kind,
        }
    }

    pub fn key(&self) -> Bytes {
        let mut out = Writer::default();
        out.i16(ControlRecord::KEY_VERSION);
        out.i16(self.kind());
        out.finish()
    }

    pub fn value(&self) -> Bytes {
        let mut out = Writer::default();
        match self {
            ControlRecord::Abort { coordinator_epoch }
            | ControlRecord::Commit { coordinator_epoch } => {
                out.i16(0);
                out.i32(*coordinator_epoch);
            }
            ControlRecord::LeaderChange(change) => write_leader_change(&mut out, change),
            ControlRecord::SnapshotHeader { last_contained_log_timestamp } => {
                out.i16(0);
                out.i64(last_contained_log_timestamp.0);
                out.no_tags();
            }
            ControlRecord::SnapshotFooter => {
                out.i16(0);
                out.no_tags();
            }
            ControlRecord::KRaftVersion { kraft_version } => {
                out.i16(0);
                out.i16(*kraft_version);
                out.no_tags();
            }
            ControlRecord::KRaftVoters { voters } => write_voters(&mut out, voters),
            ControlRecord::Unknown { .. } => {}
        }
        out.finish()
    }

    /// Reads the key and value of a record in a control batch.
    ///
    /// # Errors
    /// [`BatchError::BadControlRecord`]
    pub fn parse(key: &[u8], value: &[u8]) -> Result<ControlRecord, BatchError> {
        ControlRecord::read(key, value).ok_or(BatchError::BadControlRecord)
    }

    /// Reads a record of a control batch.
    ///
    /// # Errors
    /// [`BatchError::BadControlRecord`], also without a key.
    pub fn from_record(record: &Record) -> Result<ControlRecord, BatchError> {
        let key = record.key.as_deref().unwrap_or_default();
        ControlRecord::parse(key, record.value.as_deref().unwrap_or_default())
    }

    /// Keys and values may grow at the end in later versions; what follows is passed over.
    fn read(key: &[u8], value: &[u8]) -> Option<ControlRecord> {
        let mut key = Reader::new(key);
        if key.i16()? < 0 {
            return None;
        }
        let kind = key.i16()?;
        let mut body = Reader::new(value);
        if !(ControlRecord::ABORT..=ControlRecord::KRAFT_VOTERS).contains(&kind) {
            return Some(ControlRecord::Unknown { kind });
        }
        let version = body.i16()?;
        if version < 0 {
            return None;
        }
        Some(match kind {
            ControlRecord::ABORT => ControlRecord::Abort { coordinator_epoch: body.i32()? },
            ControlRecord::COMMIT => ControlRecord::Commit { coordinator_epoch: body.i32()? },
            ControlRecord::LEADER_CHANGE => {
                ControlRecord::LeaderChange(read_leader_change(&mut body, version)?)
            }
            ControlRecord::SNAPSHOT_HEADER => ControlRecord::SnapshotHeader {
                last_contained_log_timestamp: WallTime(body.i64()?),
            },
            ControlRecord::SNAPSHOT_FOOTER => ControlRecord::SnapshotFooter,
            ControlRecord::KRAFT_VERSION => {
                ControlRecord::KRaftVersion { kraft_version: body.i16()? }
            }
            _ => ControlRecord::KRaftVoters { voters: body.array(read_voter)? },
        })
    }

    /// A batch of the metadata log with this one record, from the leader of `leader_epoch`.
    pub fn quorum_batch(
        &self,
        offset: Offset,
        leader_epoch: LeaderEpoch,
        now: WallTime,
    ) -> RecordBatch {
        let builder = BatchBuilder::new().base_offset(offset).leader_epoch(leader_epoch);
        self.batch(builder, now)
    }

    /// A transaction marker: goes to every partition of the transaction.
    ///
    /// # Panics
    /// If this is neither [`ControlRecord::Abort`] nor [`ControlRecord::Commit`].
    pub fn marker_batch(
        &self,
        producer: ProducerId,
        epoch: ProducerEpoch,
        now: WallTime,
    ) -> RecordBatch {
        let is_marker = matches!(self, ControlRecord::Abort { .. } | ControlRecord::Commit { .. });
        assert!(is_marker, "{self:?} ends no transaction");
        let builder = BatchBuilder::new().producer(producer, epoch, Sequence::NONE);
        self.batch(builder.transactional(), now)
    }

    fn batch(&self, builder: BatchBuilder, now: WallTime) -> RecordBatch {
        let mut builder = builder.control();
        builder.push(NewRecord {
            timestamp: now,
            key: Some(&self.key()),
            value: Some(&self.value()),
            headers: &[],
        });
        builder.build()
    }
}

fn write_leader_change(out: &mut Writer, change: &LeaderChange) {
    let mut all = change.voters.iter().chain(&change.granting_voters);
    let version = i16::from(all.any(|voter| voter.directory.is_some()));
    let voter = |out: &mut Writer, voter: &VoterId| {
        out.i32(voter.id.0);
        if version > 0 {
            out.uuid(voter.directory.unwrap_or(Uuid::ZERO));
        }
        out.no_tags();
    };
    out.i16(version);
    out.i32(change.leader.0);
    out.array(&change.voters, voter);
    out.array(&change.granting_voters, voter);
    out.no_tags();
}

fn read_leader_change(body: &mut Reader<'_>, version: i16) -> Option<LeaderChange> {
    let voter = |body: &mut Reader<'_>| {
        let id = BrokerId(body.i32()?);
        let directory = if version > 0 { Some(body.uuid()?) } else { None };
        body.skip_tags()?;
        Some(VoterId { id, directory })
    };
    Some(LeaderChange {
        leader: BrokerId(body.i32()?),
        voters: body.array(voter)?,
        granting_voters: body.array(voter)?,
    })
}

fn write_voters(out: &mut Writer, voters: &[QuorumVoter]) {
    out.i16(0);
    out.array(voters, |out, voter| {
        out.i32(voter.id.0);
        out.uuid(voter.directory);
        out.array(&voter.endpoints, |out, endpoint| {
            out.text(&endpoint.listener);
            out.text(&endpoint.host);
            out.u16(endpoint.port);
            out.no_tags();
        });
        out.i16(voter.kraft_versions.0);
        out.i16(voter.kraft_versions.1);
        out.no_tags();
        out.no_tags();
    });
    out.no_tags();
}

fn read_voter(body: &mut Reader<'_>) -> Option<QuorumVoter> {
    let id = BrokerId(body.i32()?);
    let directory = body.uuid()?;
    let endpoints = body.array(|body| {
        let endpoint =
            VoterEndpoint { listener: body.text()?, host: body.text()?, port: body.u16()? };
        body.skip_tags()?;
        Some(endpoint)
    })?;
    let kraft_versions = (body.i16()?, body.i16()?);
    // The versions are a structure of their own, inside the voter's.
    body.skip_tags()?;
    body.skip_tags()?;
    Some(QuorumVoter { id, directory, endpoints, kraft_versions })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples() -> Vec<ControlRecord> {
        let voter = |id: i32, directory| VoterId { id: BrokerId(id), directory };
        vec![
            ControlRecord::Abort { coordinator_epoch: 3 },
            ControlRecord::Commit { coordinator_epoch: i32::MAX },
            ControlRecord::LeaderChange(LeaderChange {
                leader: BrokerId(1),
                voters: vec![voter(1, None), voter(2, None)],
                granting_voters: vec![voter(2, None)],
            }),
            ControlRecord::LeaderChange(LeaderChange {
                leader: BrokerId(1),
                voters: vec![voter(1, Some(Uuid([7; 16])))],
                granting_voters: vec![],
            }),
            ControlRecord::SnapshotHeader { last_contained_log_timestamp: WallTime(12) },
            ControlRecord::SnapshotFooter,
            ControlRecord::KRaftVersion { kraft_version: 1 },
            ControlRecord::KRaftVoters {
                voters: vec![QuorumVoter {
                    id: BrokerId(5),
                    directory: Uuid([9; 16]),
                    endpoints: vec![VoterEndpoint {
                        listener: "CONTROLLER".into(),
                        host: "localhost".into(),
                        port: 65535,
                    }],
                    kraft_versions: (0, 1),
                }],
            },
        ]
    }

    #[test]
    fn every_control_record_reads_back() {
        for sample in samples() {
            let read = ControlRecord::parse(&sample.key(), &sample.value());
            assert_eq!(read.as_ref(), Ok(&sample));
        }
    }

    #[test]
    fn a_later_type_is_unknown_and_a_cut_value_an_error() {
        let later = ControlRecord::Unknown { kind: 7 };
        assert_eq!(ControlRecord::parse(&later.key(), b"whatever"), Ok(later));
        for sample in samples() {
            let (key, value) = (sample.key(), sample.value());
            assert!(ControlRecord::parse(&key[..3], &value).is_err());
            let needed = match sample {
                ControlRecord::SnapshotFooter => 2,
                ControlRecord::KRaftVersion { .. } => 4,
                _ => 5,
            };
            for cut in 0..needed {
                let read = ControlRecord::parse(&key, &value[..cut]);
                assert_eq!(read, Err(BatchError::BadControlRecord), "{sample:?} at {cut}");
            }
        }
    }

    #[test]
    fn markers_are_transactional_control_batches_without_a_sequence() {
        let commit = ControlRecord::Commit { coordinator_epoch: 4 };
        let batch = commit.marker_batch(ProducerId(9), ProducerEpoch(2), WallTime(77));
        let header = batch.header();
        assert!(header.is_control() && header.is_transactional());
        assert_eq!(header.base_sequence, Sequence::NONE);
        assert_eq!(header.last_sequence(), Sequence::NONE);
        let record = batch.records().unwrap().next().unwrap().unwrap();
        assert_eq!(ControlRecord::from_record(&record), Ok(commit));
    }
}
