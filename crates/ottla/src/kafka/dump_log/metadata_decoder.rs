//! Records of `__cluster_metadata` as JSON, and the control records of logs and snapshots.
//!
//! Source: Kafka `DumpLogSegments.ClusterMetadataLogMessageParser`, `printControlRecord`.

use bytes::Bytes;
use protocol::metadata_records::{
    KRaftVersionRecord, LeaderChangeMessage, SnapshotFooterRecord, SnapshotHeaderRecord,
    VotersRecord, record_json,
};
use protocol::{DecodeError, Json, Message, Reader};
use records::Record;
use records::control::ControlRecord;

/// Source: Kafka `AbstractApiMessageSerde.DEFAULT_FRAME_VERSION`.
const FRAME_VERSION: u32 = 1;

/// The record's type, version and fields. What cannot be read is said, and passed over.
pub fn decode(record: &Record) -> String {
    let value = record.value.clone().unwrap_or_default();
    read(value).unwrap_or_else(|why| format!("Error at {}, skipping. {why}", record.offset))
}

fn read(value: Bytes) -> Result<String, String> {
    let told = |error: DecodeError| error.to_string();
    let mut r = Reader::new(value);
    let frame = r.unsigned_varint().map_err(told)?;
    if frame != FRAME_VERSION {
        return Err(format!(
            "Could not deserialize metadata record due to unknown frame version {frame}(only \
             frame version {FRAME_VERSION} is supported)"
        ));
    }
    let id = r.unsigned_varint().map_err(told)?;
    let version = r.unsigned_varint().map_err(told)?;
    let version = i16::try_from(version).unwrap_or(i16::MAX);
    let known = i16::try_from(id).map_or(Ok(None), |id| record_json(id, &mut r, version));
    let (kind, data) = known.map_err(told)?.ok_or_else(|| format!("Unknown metadata id {id}"))?;
    match r.remaining() {
        0 => Ok(format!("{{\"type\":\"{kind}\",\"version\":{version},\"data\":{data}}}")),
        left => Err(format!("Found {left} byte(s) of garbage after {kind}")),
    }
}

/// What a control record says, with its name in front.
pub fn control(record: &Record) -> String {
    let value = record.value.clone().unwrap_or_default();
    let told = match ControlRecord::from_record(record) {
        Ok(ControlRecord::Abort { coordinator_epoch }) => {
            return format!("endTxnMarker: ABORT coordinatorEpoch: {coordinator_epoch}");
        }
        Ok(ControlRecord::Commit { coordinator_epoch }) => {
            return format!("endTxnMarker: COMMIT coordinatorEpoch: {coordinator_epoch}");
        }
        Ok(ControlRecord::Unknown { kind }) => return format!("controlType: UNKNOWN({kind})"),
        Ok(ControlRecord::LeaderChange(_)) => json::<LeaderChangeMessage>("LeaderChange:", value),
        Ok(ControlRecord::SnapshotHeader { .. }) => {
            json::<SnapshotHeaderRecord>("SnapshotHeader", value)
        }
        Ok(ControlRecord::SnapshotFooter) => json::<SnapshotFooterRecord>("SnapshotFooter", value),
        Ok(ControlRecord::KRaftVersion { .. }) => json::<KRaftVersionRecord>("KRaftVersion", value),
        Ok(ControlRecord::KRaftVoters { .. }) => json::<VotersRecord>("KRaftVoters", value),
        Err(error) => return format!("unreadable control record: {error}"),
    };
    told.unwrap_or_else(|error| format!("unreadable control record: {error}"))
}

/// The version stands in front, as a field of the message. Later ones only add to the end.
fn json<M: Message + Json>(name: &str, value: Bytes) -> Result<String, DecodeError> {
    let version = Reader::new(value.clone()).i16()?.min(*M::VERSIONS.end());
    let message = M::decode(&mut Reader::new(value), version)?;
    Ok(format!("{name} {}", message.to_json(version)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_is_said_and_passed_over() {
        let told = |bytes: &'static [u8]| read(Bytes::from_static(bytes));
        // Frame 1, type 20, version 0, and tagged fields of which there are none.
        let no_op = "{\"type\":\"NO_OP_RECORD\",\"version\":0,\"data\":{}}";
        assert_eq!(told(&[1, 20, 0, 0]).as_deref(), Ok(no_op));
        assert_eq!(told(&[1, 99, 0, 0]).unwrap_err(), "Unknown metadata id 99");
        let garbage = "Found 1 byte(s) of garbage after NO_OP_RECORD";
        assert_eq!(told(&[1, 20, 0, 0, 7]).unwrap_err(), garbage);
        assert!(told(&[2, 20, 0, 0]).unwrap_err().contains("unknown frame version 2"));
        assert!(told(&[1, 20, 9, 0]).is_err() && told(&[1]).is_err() && told(&[]).is_err());
    }
}
