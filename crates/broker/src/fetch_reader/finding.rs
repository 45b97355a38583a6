//! The partitions that a fetch asks for, and those of its session that have changed.

use std::sync::Arc;

use env::Disk;
use metadata::MetadataImage;
use protocol::Str;
use protocol::messages::fetch_response::PartitionData;
use types::{ErrorCode, Offset, Uuid};

use super::{FetchReader, Reading};
use crate::fetch_sessions::{ChangesSeen, FetchTarget, FetchTopic};
use crate::leader_hints::why_not_here;
use crate::partitions::{Partition, PartitionTable};

pub(super) struct Found<D: Disk> {
    pub(super) name: Str,
    pub(super) id: Uuid,
    pub(super) partition: Result<Arc<Partition<D>>, ErrorCode>,
}

impl<D: Disk> FetchReader<D> {
    /// Finds the targets that are not found yet. Those of a session with changes note them from
    /// here on, before they are read.
    pub(super) fn find_rest(&mut self) {
        for target in &self.context.targets[self.found.len()..] {
            let found = find(target, &self.partitions, &self.image);
            if let (Some(seen), Ok(partition)) = (self.context.changes(), &found.partition) {
                partition.tell_of_changes(&seen.changes);
            }
            self.found.push(found);
        }
    }

    /// Where its session notes changes, if it does: then all of it is waited for, and afterwards
    /// [`read_changed`](Self::read_changed).
    pub fn changes(&self) -> Option<&ChangesSeen> {
        self.context.changes()
    }

    /// Reads again, and what else has changed since.
    pub fn read_changed(&mut self) -> Reading {
        self.context.take_changes();
        self.find_rest();
        self.read()
    }
}

/// Whether the next fetch has something to hear of the partition, whatever happens to it. After
/// records it names it itself.
pub(super) fn is_unfinished<D: Disk>(
    target: &FetchTarget,
    found: &Found<D>,
    data: &PartitionData,
) -> bool {
    let has_records = data.records.as_ref().is_some_and(|records| !records.is_empty());
    let has_more =
        |partition: &Arc<Partition<D>>| Offset(target.fetch_offset) < partition.reader().log_end();
    let is_left_out = !has_records && found.partition.as_ref().is_ok_and(has_more);
    is_left_out || data.error_code != 0 || data.diverging_epoch.epoch >= 0
}

fn find<D: Disk>(
    target: &FetchTarget,
    partitions: &PartitionTable<D>,
    image: &MetadataImage,
) -> Found<D> {
    match &target.topic {
        FetchTopic::Name(name) => {
            let id = Uuid::ZERO;
            let here = partitions.find(name, target.partition);
            let partition =
                here.map_err(|error| why_not_here(image, name, target.partition, error));
            Found { name: name.clone(), id, partition }
        }
        FetchTopic::Id(id) => match image.topics.by_id(*id) {
            Some(topic) => {
                let found = partitions.find(&topic.name, target.partition);
                let found = found
                    .map_err(|error| why_not_here(image, &topic.name, target.partition, error));
                let partition = match found {
                    Ok(found) if found.topic_id != *id => Err(ErrorCode::UnknownTopicOrPartition),
                    found => found,
                };
                Found { name: (&*topic.name).into(), id: *id, partition }
            }
            None => {
                let partition = Err(why_gone(target, image));
                Found { name: Str::default(), id: *id, partition }
            }
        },
    }
}

/// Why a topic id that the client uses means nothing any more. A session remembers the topic's name
/// and can tell that another topic has taken it.
fn why_gone(target: &FetchTarget, image: &MetadataImage) -> ErrorCode {
    match &target.name {
        None => ErrorCode::UnknownTopicId,
        Some(name) if image.topics.by_name(name).is_some() => ErrorCode::InconsistentTopicId,
        Some(_) => ErrorCode::UnknownTopicOrPartition,
    }
}
