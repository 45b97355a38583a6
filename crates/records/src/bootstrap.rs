//! The checkpoint with which a quorum begins: who votes first, before there is a log.
//!
//! `__cluster_metadata-0/00000000000000000000-0000000000.checkpoint`, written by whoever formats a
//! controller with `--standalone` or `--initial-controllers`:
//!
//! ```text
//! control batches: SnapshotHeader · KRaftVersion 1 · KRaftVoters · … · SnapshotFooter
//! ```
//!
//! Offsets count from 0. Kafka puts metadata records in between, which are passed over.
//! Source: KIP-853, Kafka `Formatter`, `RecordsSnapshotWriter`.

use types::{LeaderEpoch, Offset, WallTime};

use crate::control::{ControlRecord, QuorumVoter};
use crate::error::BatchError;

/// The file's name in the directory of the metadata log.
pub const FILE_NAME: &str = "00000000000000000000-0000000000.checkpoint";

/// A checkpoint that names 31 voters of 16 endpoints, and whatever Kafka puts beside them, is
/// shorter.
pub const BYTES_MAX: u64 = 16 * 1024 * 1024;

/// The file that names `voters`, as of `kraft.version` 1.
pub fn encode(voters: Vec<QuorumVoter>, now: WallTime) -> Vec<u8> {
    let records = [
        ControlRecord::SnapshotHeader { last_contained_log_timestamp: now },
        ControlRecord::KRaftVersion { kraft_version: 1 },
        ControlRecord::KRaftVoters { voters },
        ControlRecord::SnapshotFooter,
    ];
    let batches = records.iter().zip(0..).map(|(record, at)| {
        let batch = record.quorum_batch(Offset(at), LeaderEpoch(0), now);
        batch.into_bytes()
    });
    batches.flatten().collect()
}

/// Who votes by this file; nobody, if it names none.
///
/// # Errors
/// It is damaged, or not whole.
pub fn decode(bytes: &bytes::Bytes) -> Result<Vec<QuorumVoter>, BatchError> {
    let (mut voters, mut is_whole) = (Vec::new(), false);
    for batch in crate::batches(bytes) {
        let batch = batch?;
        batch.verify_crc()?;
        if !batch.header().is_control() {
            continue;
        }
        for record in batch.records()? {
            match ControlRecord::from_record(&record?)? {
                ControlRecord::KRaftVoters { voters: named } => voters = named,
                ControlRecord::SnapshotFooter => is_whole = true,
                _ => {}
            }
        }
    }
    match is_whole {
        true => Ok(voters),
        false => Err(BatchError::BadControlRecord),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use types::{BrokerId, Uuid};

    use super::*;
    use crate::control::VoterEndpoint;

    #[test]
    fn the_first_voters_are_read_as_they_were_written_and_a_cut_file_not_at_all() {
        let (listener, host) = ("CONTROLLER".to_owned(), "::1".to_owned());
        let voter = QuorumVoter {
            id: BrokerId(3),
            directory: Uuid([7; 16]),
            endpoints: vec![VoterEndpoint { listener, host, port: 9093 }],
            kraft_versions: (0, 1),
        };
        let bytes = encode(vec![voter.clone()], WallTime(5));
        assert_eq!(decode(&Bytes::from(bytes.clone())), Ok(vec![voter]));
        for cut in 0..bytes.len() {
            assert!(decode(&Bytes::copy_from_slice(&bytes[..cut])).is_err(), "cut at {cut}");
        }
    }
}
