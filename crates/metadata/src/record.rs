use bytes::Bytes;
use protocol::metadata_records::*;
use protocol::{Message, Numbered, Reader, Writer};

use crate::{MetadataVersion, RecordError};

const FRAME_VERSION: u32 = 1;

macro_rules! metadata_records {
    ($($variant:ident $record:ident),+ ; $($other:ident),+ $(,)?) => {
        /// The value of one record of the metadata log.
        ///
        /// Framing: frame version 1, record type, record version, each an unsigned varint, then
        /// the message. Source: Kafka `MetadataRecordSerde`, `MetadataRecordType`.
        #[doc(alias = "ApiMessageAndVersion")]
        #[derive(Clone, Debug, PartialEq)]
        pub enum MetadataRecord {
            $($variant($record)),+
        }

        impl MetadataRecord {
            /// Kafka's name of the record type, as `kafka-dump-log` prints it.
            pub fn name(&self) -> &'static str {
                match self { $(MetadataRecord::$variant(_) => $record::NAME),+ }
            }

            /// The number of the record type.
            pub fn id(&self) -> i16 {
                match self { $(MetadataRecord::$variant(_) => $record::ID),+ }
            }

            fn write(&self, w: &mut Writer, version: i16) -> Result<(), protocol::EncodeError> {
                match self { $(MetadataRecord::$variant(record) => record.encode(w, version)),+ }
            }

            fn read(r: &mut Reader, id: u32, version: i16) -> Result<MetadataRecord, RecordError> {
                match i16::try_from(id) {
                    $(Ok($record::ID) => {
                        let record = $record::decode(r, version)
                            .and_then(|record| r.finish().map(|()| record));
                        let record = record.map_err(|error| {
                            RecordError::BadMessage { record: $record::NAME, error }
                        })?;
                        Ok(MetadataRecord::$variant(record))
                    })+
                    $(Ok($other::ID) => {
                        Err(RecordError::UnsupportedType { id, name: $other::NAME })
                    })+
                    _ => Err(RecordError::UnknownType(id)),
                }
            }
        }

        $(impl From<$record> for MetadataRecord {
            fn from(record: $record) -> MetadataRecord {
                MetadataRecord::$variant(record)
            }
        })+
    };
}

metadata_records! {
    RegisterBroker RegisterBrokerRecord,
    UnregisterBroker UnregisterBrokerRecord,
    Topic TopicRecord,
    Partition PartitionRecord,
    Config ConfigRecord,
    PartitionChange PartitionChangeRecord,
    FenceBroker FenceBrokerRecord,
    UnfenceBroker UnfenceBrokerRecord,
    RemoveTopic RemoveTopicRecord,
    FeatureLevel FeatureLevelRecord,
    ProducerIds ProducerIdsRecord,
    BrokerRegistrationChange BrokerRegistrationChangeRecord,
    NoOp NoOpRecord,
    ZkMigrationState ZkMigrationStateRecord,
    BeginTransaction BeginTransactionRecord,
    EndTransaction EndTransactionRecord,
    AbortTransaction AbortTransactionRecord,
    RegisterController RegisterControllerRecord,
    ClearElr ClearElrRecord;
    // Each of these means something that would be lost if it were skipped.
    DelegationTokenRecord,
    UserScramCredentialRecord,
    ClientQuotaRecord,
    AccessControlEntryRecord,
    RemoveAccessControlEntryRecord,
    RemoveUserScramCredentialRecord,
    RemoveDelegationTokenRecord,
}

impl MetadataRecord {
    /// The bytes in the log, in the record version that `level` prescribes.
    ///
    /// # Errors
    /// A field is set that `level` cannot say, or a string is longer than the format allows.
    pub fn encode(&self, level: MetadataVersion) -> Result<Bytes, RecordError> {
        let version = self.version_at(level);
        let mut w = Writer::new();
        w.unsigned_varint(FRAME_VERSION);
        w.unsigned_varint(u32::from(self.id().unsigned_abs()));
        w.unsigned_varint(u32::from(version.unsigned_abs()));
        self.write(&mut w, version).map_err(RecordError::CannotEncode)?;
        Ok(w.into_bytes())
    }

    /// # Errors
    /// Bytes that are no record, and records of types that cannot be applied.
    pub fn decode(value: Bytes) -> Result<MetadataRecord, RecordError> {
        let mut r = Reader::new(value);
        let frame = r.unsigned_varint().map_err(RecordError::BadFrame)?;
        if frame != FRAME_VERSION {
            return Err(RecordError::UnknownFrameVersion(frame));
        }
        let id = r.unsigned_varint().map_err(RecordError::BadFrame)?;
        let version = r.unsigned_varint().map_err(RecordError::BadFrame)?;
        // A version beyond i16 is beyond every record's range too, and is refused as such.
        let version = i16::try_from(version).unwrap_or(i16::MAX);
        MetadataRecord::read(&mut r, id, version)
    }

    /// Source: Kafka `MetadataVersion.{partition,partitionChange,registerBroker}RecordVersion`.
    fn version_at(&self, level: MetadataVersion) -> i16 {
        match self {
            MetadataRecord::Partition(_) | MetadataRecord::PartitionChange(_) => {
                if level >= MetadataVersion::ELIGIBLE_LEADERS {
                    2
                } else {
                    i16::from(level >= MetadataVersion::DIRECTORIES)
                }
            }
            MetadataRecord::RegisterBroker(_) => match level {
                level if level >= MetadataVersion::DIRECTORIES => 3,
                // 3.4-IV0 added the flag of a migrating ZooKeeper broker.
                level if level >= MetadataVersion(8) => 2,
                _ => 1,
            },
            MetadataRecord::BrokerRegistrationChange(_) => {
                1 + i16::from(level >= MetadataVersion::DIRECTORIES)
            }
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use types::Uuid;

    use super::*;

    fn topic() -> MetadataRecord {
        TopicRecord { name: "orders".into(), topic_id: Uuid([7; 16]) }.into()
    }

    #[test]
    fn a_record_reads_back_at_every_level() {
        for level in (MetadataVersion::MIN.0..=MetadataVersion::LATEST.0).map(MetadataVersion) {
            for record in [
                topic(),
                PartitionRecord { partition_id: 3, replicas: vec![1], ..Default::default() }.into(),
                PartitionChangeRecord { leader: 4, ..Default::default() }.into(),
                RegisterBrokerRecord { broker_id: 1, ..Default::default() }.into(),
                BrokerRegistrationChangeRecord { fenced: -1, ..Default::default() }.into(),
            ] {
                let bytes = record.encode(level).expect("nothing newer is set");
                assert_eq!(MetadataRecord::decode(bytes), Ok(record), "at {level}");
            }
        }
    }

    #[test]
    fn a_topic_record_has_kafkas_bytes() {
        let bytes = topic().encode(MetadataVersion::LATEST).expect("encodes");
        let mut expected = vec![1, 2, 0, 7];
        expected.extend_from_slice(b"orders");
        expected.extend_from_slice(&[7; 16]);
        expected.push(0);
        assert_eq!(bytes, expected);
    }

    #[test]
    fn what_cannot_be_applied_is_refused_by_name() {
        let decode = |bytes: &[u8]| MetadataRecord::decode(Bytes::copy_from_slice(bytes));
        let text = |bytes: &[u8]| decode(bytes).expect_err("refused").to_string();
        assert_eq!(decode(&[2, 2, 0]), Err(RecordError::UnknownFrameVersion(2)));
        assert_eq!(decode(&[1, 99, 0]), Err(RecordError::UnknownType(99)));
        assert!(text(&[1, 18, 0]).contains("AccessControlEntryRecord (type 18)"));
        assert!(text(&[1, 2, 9]).contains("TopicRecord has no version 9"));
        assert!(matches!(decode(&[]), Err(RecordError::BadFrame(_))));
        assert!(matches!(decode(&[1, 20, 0, 0, 5]), Err(RecordError::BadMessage { .. })));
        // 4.2 billion would be a negative 16-bit number.
        assert_eq!(
            decode(&[1, 0xff, 0xff, 0xff, 0xff, 0x0f, 0]),
            Err(RecordError::UnknownType(u32::MAX))
        );
    }
}
