//! Where partitions begin and end, and which offset belongs to a time.

use std::collections::BTreeMap;

use protocol::Str;
use protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use protocol::messages::{ListOffsetsRequest, ListOffsetsResponse};

use crate::error::ClientError;
use crate::routing::Client;

/// One partition by name.
pub type Place = (String, i32);

/// A place in a partition, by meaning.
#[doc(alias = "OffsetSpec")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OffsetAt {
    /// The first offset.
    Earliest,
    /// The offset that the next record will have.
    Latest,
    /// The record with the greatest timestamp.
    MaxTimestamp,
    /// The first offset on the local disk.
    EarliestLocal,
    /// The last offset in remote storage.
    LatestTiered,
    /// The first record whose timestamp is at least this, in milliseconds.
    Time(i64),
}

impl OffsetAt {
    /// The number on the wire. Source: Kafka `ListOffsetsRequest`.
    pub fn wire_code(self) -> i64 {
        match self {
            OffsetAt::Latest => -1,
            OffsetAt::Earliest => -2,
            OffsetAt::MaxTimestamp => -3,
            OffsetAt::EarliestLocal => -4,
            OffsetAt::LatestTiered => -5,
            OffsetAt::Time(ms) => ms,
        }
    }

    /// The first version of ListOffsets that knows it.
    fn version_min(self) -> i16 {
        match self {
            OffsetAt::MaxTimestamp => 7,
            OffsetAt::EarliestLocal => 8,
            OffsetAt::LatestTiered => 9,
            _ => 1,
        }
    }
}

/// What ListOffsets found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FoundOffset {
    /// -1 if there is no such record.
    pub offset: i64,
    pub timestamp: i64,
    pub leader_epoch: i32,
}

impl Client {
    /// Finds offsets in partitions of topics that were refreshed.
    ///
    /// # Errors
    /// The first partition that could not be asked.
    pub fn list_offsets(
        &mut self,
        wanted: &BTreeMap<Place, OffsetAt>,
    ) -> Result<BTreeMap<Place, FoundOffset>, ClientError> {
        let each = self.list_offsets_each(wanted)?;
        each.into_iter().map(|(place, found)| Ok((place, found?))).collect()
    }

    /// Finds offsets, with an answer for each partition.
    pub fn list_offsets_each(
        &mut self,
        wanted: &BTreeMap<Place, OffsetAt>,
    ) -> Result<BTreeMap<Place, Result<FoundOffset, ClientError>>, ClientError> {
        self.with_retries(|client| {
            let places = wanted.keys().map(|(topic, partition)| (topic.as_str(), *partition));
            let leaders = client.by_leader(places)?;
            let mut found = BTreeMap::new();
            for (leader, owned) in leaders {
                let answer = client.list_offsets_at(leader, &owned, wanted)?;
                collect(answer, &mut found)?;
            }
            Ok(found)
        })
    }

    fn list_offsets_at(
        &mut self,
        leader: i32,
        owned: &[(&str, i32)],
        wanted: &BTreeMap<Place, OffsetAt>,
    ) -> Result<ListOffsetsResponse, ClientError> {
        let mut topics: BTreeMap<&str, Vec<ListOffsetsPartition>> = BTreeMap::new();
        let mut version_min = 1;
        for (topic, index) in owned {
            let Some(at) = wanted.get(&((*topic).to_owned(), *index)) else { continue };
            version_min = version_min.max(at.version_min());
            topics.entry(topic).or_default().push(ListOffsetsPartition {
                partition_index: *index,
                timestamp: at.wire_code(),
                ..ListOffsetsPartition::default()
            });
        }
        let topics = topics
            .into_iter()
            .map(|(name, partitions)| ListOffsetsTopic { name: Str::from(name), partitions });
        let request =
            ListOffsetsRequest { replica_id: -1, topics: topics.collect(), ..Default::default() };
        self.on_broker(leader, |connection| {
            let version = connection.version::<ListOffsetsRequest>(i16::MAX)?;
            if version < version_min {
                let what = format!("ask {} for offsets", connection.address());
                let why = "the broker is too old for this kind of offset";
                let kind = crate::error::ErrorKind::UnsupportedVersion;
                return Err(ClientError::new(kind, what, why));
            }
            connection.call_at(&request, version)
        })
    }
}

fn collect(
    answer: ListOffsetsResponse,
    found: &mut BTreeMap<Place, Result<FoundOffset, ClientError>>,
) -> Result<(), ClientError> {
    for topic in answer.topics {
        for partition in topic.partitions {
            let place = (topic.name.to_string(), partition.partition_index);
            let result = match partition.error_code {
                0 => Ok(FoundOffset {
                    offset: partition.offset,
                    timestamp: partition.timestamp,
                    leader_epoch: partition.leader_epoch,
                }),
                code => {
                    let what = format!("list offsets of {}-{}", place.0, place.1);
                    Err(ClientError::broker(what, code, None))
                }
            };
            match result {
                Err(error) if error.is_retriable() => return Err(error),
                settled => found.insert(place, settled),
            };
        }
    }
    Ok(())
}
