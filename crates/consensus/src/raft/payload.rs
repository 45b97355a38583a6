//! What one Raft entry carries: one batch of the metadata log.
//!
//! ```text
//! version u8 = 1 | kind u8 | appended at i64 | by kind:
//!   0 records:       count u32, (length u32, bytes)*
//!   1 leader change: leader i32, voters
//!   2 voters:        voters with their endpoints
//!   3 foreign:       count u32, (length u32, key, length u32, value)*
//!   4 kraft.version: level u16, voters with their endpoints
//! ```

use bytes::Bytes;
use types::WallTime;

use super::wire::{Parsed, Reader, Writer};
use crate::limits::PROPOSAL_RECORDS_MAX;
use crate::{ControlBatch, LogBatch, MessageError};

const VERSION: u8 = 1;
const RECORDS: u8 = 0;
const LEADER_CHANGE: u8 = 1;
const VOTERS: u8 = 2;
const FOREIGN: u8 = 3;
const KRAFT_VERSION: u8 = 4;

/// One batch without its place in the log: that follows from the entry's index and term.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Payload {
    pub(super) appended_at: WallTime,
    pub(super) content: Content,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Content {
    Records(Vec<Bytes>),
    Control(ControlBatch),
}

impl Payload {
    pub(super) fn records(appended_at: WallTime, records: Vec<Bytes>) -> Payload {
        Payload { appended_at, content: Content::Records(records) }
    }

    pub(super) fn control(appended_at: WallTime, control: ControlBatch) -> Payload {
        Payload { appended_at, content: Content::Control(control) }
    }

    pub(super) fn of_batch(batch: LogBatch) -> Payload {
        let content = match batch.control {
            Some(control) => Content::Control(control),
            None => Content::Records(batch.records),
        };
        Payload { appended_at: batch.appended_at, content }
    }

    pub(super) fn is_voters(&self) -> bool {
        match &self.content {
            Content::Control(ControlBatch::Voters(_)) => true,
            Content::Control(ControlBatch::KRaftVersion { voters, .. }) => !voters.is_empty(),
            _ => false,
        }
    }

    pub(super) fn encode(&self) -> Bytes {
        let bytes = match &self.content {
            Content::Records(records) => records.iter().map(|value| 4 + value.len()).sum(),
            Content::Control(_) => 256,
        };
        let mut out = Writer::with_capacity(16 + bytes);
        out.u8(VERSION);
        out.u8(match &self.content {
            Content::Records(_) => RECORDS,
            Content::Control(ControlBatch::LeaderChange { .. }) => LEADER_CHANGE,
            Content::Control(ControlBatch::Voters(_)) => VOTERS,
            Content::Control(ControlBatch::Foreign(_)) => FOREIGN,
            Content::Control(ControlBatch::KRaftVersion { .. }) => KRAFT_VERSION,
        });
        out.i64(self.appended_at.0);
        match &self.content {
            Content::Records(records) => {
                out.count(records.len());
                records.iter().for_each(|value| out.bytes(value));
            }
            Content::Control(ControlBatch::LeaderChange { leader, voters }) => {
                out.node(*leader);
                out.keys(voters);
            }
            Content::Control(ControlBatch::Voters(voters)) => out.voters(voters),
            Content::Control(ControlBatch::KRaftVersion { level, voters }) => {
                out.u16(level.unsigned_abs());
                out.voters(voters);
            }
            Content::Control(ControlBatch::Foreign(records)) => {
                out.count(records.len());
                for (key, value) in records {
                    out.bytes(key);
                    out.bytes(value);
                }
            }
        }
        out.finish()
    }

    pub(super) fn decode(bytes: Bytes) -> Parsed<Payload> {
        let mut reader = Reader::new(bytes);
        if reader.u8()? != VERSION {
            return Err(MessageError::Malformed("an entry of a version that came later"));
        }
        let (kind, appended_at) = (reader.u8()?, reader.wall()?);
        let content = match kind {
            RECORDS => {
                let count = reader.count(4, PROPOSAL_RECORDS_MAX)?;
                let records: Vec<_> = (0..count).map(|_| reader.bytes()).collect::<Parsed<_>>()?;
                if records.is_empty() {
                    return Err(MessageError::Malformed("an entry without records"));
                }
                Content::Records(records)
            }
            LEADER_CHANGE => {
                let (leader, voters) = (reader.node()?, reader.keys()?);
                Content::Control(ControlBatch::LeaderChange { leader, voters })
            }
            VOTERS => Content::Control(ControlBatch::Voters(reader.voters()?)),
            KRAFT_VERSION => {
                let level = i16::try_from(reader.u16()?);
                let level = level.map_err(|_| MessageError::Malformed("no level is as high"))?;
                let voters = reader.voters()?;
                Content::Control(ControlBatch::KRaftVersion { level, voters })
            }
            FOREIGN => {
                let count = reader.count(8, PROPOSAL_RECORDS_MAX)?;
                let record = |_| Ok((reader.bytes()?, reader.bytes()?));
                let records: Vec<_> = (0..count).map(record).collect::<Parsed<_>>()?;
                if records.is_empty() {
                    return Err(MessageError::Malformed("an entry without records"));
                }
                Content::Control(ControlBatch::Foreign(records))
            }
            _ => return Err(MessageError::Malformed("an entry of an unknown kind")),
        };
        reader.end()?;
        Ok(Payload { appended_at, content })
    }
}
