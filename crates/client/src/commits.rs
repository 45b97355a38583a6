//! Committed offsets of groups: read, write, forget.

use std::collections::BTreeMap;

use protocol::Str;
use protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use protocol::messages::offset_delete_request::{
    OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use protocol::messages::offset_fetch_request::{
    OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics,
};
use protocol::messages::{
    OffsetCommitRequest, OffsetDeleteRequest, OffsetFetchRequest, OffsetFetchResponse,
};
use types::ErrorCode;

use crate::error::ClientError;
use crate::metadata::error_code;
use crate::offsets::Place;
use crate::routing::Client;

/// The last version that names topics instead of giving their ids.
const NAMES_VERSION_MAX: i16 = 9;
/// The first version that asks for several groups at once.
const GROUPS_VERSION_MIN: i16 = 8;

/// What a group has committed for a partition.
#[doc(alias = "OffsetAndMetadata")]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Committed {
    /// The offset to be read next.
    pub offset: i64,
    /// -1 if unknown.
    pub leader_epoch: i32,
    pub metadata: String,
}

impl Committed {
    /// Nothing is known but the offset to come.
    pub fn outset() -> Committed {
        Committed { offset: 0, leader_epoch: -1, metadata: String::new() }
    }
}

/// Who commits. Outside of a group's life (an administrator) generation and member are empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committer {
    pub generation: i32,
    pub member_id: String,
    pub instance_id: Option<String>,
}

impl Committer {
    /// Commits for a group that has no members.
    pub fn outside() -> Committer {
        Committer { generation: -1, member_id: String::new(), instance_id: None }
    }
}

impl Client {
    /// Everything that a group has committed, or what it has for the named topics' partitions.
    pub fn committed(
        &mut self,
        group: &str,
        places: Option<&[Place]>,
    ) -> Result<BTreeMap<Place, Committed>, ClientError> {
        self.with_retries(|client| {
            let answer = client.on_coordinator(group, |connection| {
                let version = connection.version::<OffsetFetchRequest>(NAMES_VERSION_MAX)?;
                connection.call_at(&fetch_request(group, places, version), version)
            })?;
            read_committed(group, answer)
        })
    }

    /// Commits offsets for a group.
    ///
    /// # Errors
    /// The first partition that was refused.
    pub fn commit(
        &mut self,
        group: &str,
        committer: &Committer,
        offsets: &BTreeMap<Place, Committed>,
    ) -> Result<(), ClientError> {
        let mut topics: BTreeMap<&str, Vec<OffsetCommitRequestPartition>> = BTreeMap::new();
        for ((topic, partition), committed) in offsets {
            topics.entry(topic).or_default().push(OffsetCommitRequestPartition {
                partition_index: *partition,
                committed_offset: committed.offset,
                committed_leader_epoch: committed.leader_epoch,
                committed_metadata: Some(Str::from(&committed.metadata)),
            });
        }
        let topics = topics.into_iter().map(|(name, partitions)| OffsetCommitRequestTopic {
            name: Str::from(name),
            partitions,
            ..OffsetCommitRequestTopic::default()
        });
        let request = OffsetCommitRequest {
            group_id: Str::from(group),
            generation_id_or_member_epoch: committer.generation,
            member_id: Str::from(&committer.member_id),
            group_instance_id: committer.instance_id.as_ref().map(Str::from),
            topics: topics.collect(),
            ..OffsetCommitRequest::default()
        };
        self.with_retries(|client| {
            let answer = client.on_coordinator(group, |connection| {
                let version = connection.version::<OffsetCommitRequest>(NAMES_VERSION_MAX)?;
                connection.call_at(&request, version)
            })?;
            for topic in answer.topics {
                let failed = topic.partitions.iter().find(|partition| partition.error_code != 0);
                if let Some(partition) = failed {
                    let (name, index) = (&topic.name, partition.partition_index);
                    let what = format!("commit {name}-{index} for group {group}");
                    return Err(ClientError::broker(what, partition.error_code, None));
                }
            }
            Ok(())
        })
    }

    /// Forgets what a group has committed; answers for each partition.
    ///
    /// # Errors
    /// The group does not exist, or is of a kind without offsets.
    pub fn delete_committed(
        &mut self,
        group: &str,
        places: &[Place],
    ) -> Result<BTreeMap<Place, ErrorCode>, ClientError> {
        let mut topics: BTreeMap<&str, Vec<OffsetDeleteRequestPartition>> = BTreeMap::new();
        for (topic, partition) in places {
            let partition = OffsetDeleteRequestPartition { partition_index: *partition };
            topics.entry(topic).or_default().push(partition);
        }
        let topics = topics.into_iter().map(|(name, partitions)| OffsetDeleteRequestTopic {
            name: Str::from(name),
            partitions,
        });
        let request = OffsetDeleteRequest { group_id: Str::from(group), topics: topics.collect() };
        self.with_retries(|client| {
            let answer = client.on_coordinator(group, |connection| connection.call(&request))?;
            if answer.error_code != 0 {
                let what = format!("delete offsets of group {group}");
                return Err(ClientError::broker(what, answer.error_code, None));
            }
            let each = answer.topics.into_iter().flat_map(|topic| {
                let name = topic.name.to_string();
                topic.partitions.into_iter().map(move |partition| {
                    let place = (name.clone(), partition.partition_index);
                    (place, error_code(partition.error_code))
                })
            });
            Ok(each.collect())
        })
    }
}

fn fetch_request(group: &str, places: Option<&[Place]>, version: i16) -> OffsetFetchRequest {
    let topics = places.map(|places| {
        let mut topics: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
        for (topic, partition) in places {
            topics.entry(topic).or_default().push(*partition);
        }
        topics
    });
    if version < GROUPS_VERSION_MIN {
        let topic = |(name, partition_indexes)| OffsetFetchRequestTopic {
            name: Str::from(name),
            partition_indexes,
        };
        return OffsetFetchRequest {
            group_id: Str::from(group),
            topics: topics.map(|topics| topics.into_iter().map(topic).collect()),
            ..OffsetFetchRequest::default()
        };
    }
    let topic = |(name, partition_indexes)| OffsetFetchRequestTopics {
        name: Str::from(name),
        partition_indexes,
        ..OffsetFetchRequestTopics::default()
    };
    let group = OffsetFetchRequestGroup {
        group_id: Str::from(group),
        topics: topics.map(|topics| topics.into_iter().map(topic).collect()),
        ..OffsetFetchRequestGroup::default()
    };
    OffsetFetchRequest { groups: vec![group], ..OffsetFetchRequest::default() }
}

fn read_committed(
    group: &str,
    answer: OffsetFetchResponse,
) -> Result<BTreeMap<Place, Committed>, ClientError> {
    let what = || format!("read the offsets of group {group}");
    let mut found = BTreeMap::new();
    let mut take = |topic: &Str, index: i32, code: i16, committed: Committed| match code {
        0 if committed.offset < 0 => Ok(()),
        0 => {
            found.insert((topic.to_string(), index), committed);
            Ok(())
        }
        code => Err(ClientError::broker(what(), code, None)),
    };
    if answer.error_code != 0 {
        return Err(ClientError::broker(what(), answer.error_code, None));
    }
    for topic in &answer.topics {
        for p in &topic.partitions {
            let committed =
                committed(p.committed_offset, p.committed_leader_epoch, p.metadata.as_ref());
            take(&topic.name, p.partition_index, p.error_code, committed)?;
        }
    }
    for answer in &answer.groups {
        if answer.error_code != 0 {
            return Err(ClientError::broker(what(), answer.error_code, None));
        }
        for topic in &answer.topics {
            for p in &topic.partitions {
                let committed =
                    committed(p.committed_offset, p.committed_leader_epoch, p.metadata.as_ref());
                take(&topic.name, p.partition_index, p.error_code, committed)?;
            }
        }
    }
    Ok(found)
}

fn committed(offset: i64, leader_epoch: i32, metadata: Option<&Str>) -> Committed {
    let metadata = metadata.map(Str::to_string).unwrap_or_default();
    Committed { offset, leader_epoch, metadata }
}
