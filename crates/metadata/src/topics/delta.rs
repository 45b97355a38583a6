use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use protocol::metadata_records::{
    PartitionChangeRecord, PartitionRecord, RemoveTopicRecord, TopicRecord,
};
use types::{TopicName, Uuid};

use crate::limits::TOPIC_PARTITIONS_MAX;
use crate::{PartitionImage, ReplayError, TopicImage, TopicsImage};

/// What some records change about the topics of an image.
#[derive(Clone, Debug, Default)]
pub struct TopicsDelta {
    changed: BTreeMap<Uuid, TopicDelta>,
    /// Topics of the image that are gone, as they were in it.
    deleted: BTreeMap<Uuid, Arc<TopicImage>>,
    /// Names of the topics in `changed` that were created.
    created_names: BTreeMap<TopicName, Uuid>,
}

/// A topic that was created or has changed partitions.
#[derive(Clone, Debug)]
pub struct TopicDelta {
    /// The topic with the change in it.
    pub topic: Arc<TopicImage>,
    pub created: bool,
    /// Indexes of partitions that were added or changed.
    pub changed_partitions: BTreeSet<i32>,
}

impl TopicDelta {
    /// The partitions that were added or changed, as they are now, in index order.
    pub fn partitions(&self) -> impl Iterator<Item = (i32, &Arc<PartitionImage>)> {
        let pick = |index: &i32| Some((*index, self.topic.partition(*index)?));
        self.changed_partitions.iter().filter_map(pick)
    }
}

impl TopicsDelta {
    /// Created and changed topics, by id.
    pub fn changed(&self) -> &BTreeMap<Uuid, TopicDelta> {
        &self.changed
    }

    /// Deleted topics as they were, by id.
    pub fn deleted(&self) -> &BTreeMap<Uuid, Arc<TopicImage>> {
        &self.deleted
    }

    pub fn created(&self) -> impl Iterator<Item = &Arc<TopicImage>> {
        self.changed.values().filter(|delta| delta.created).map(|delta| &delta.topic)
    }

    pub fn is_empty(&self) -> bool {
        self.changed.is_empty() && self.deleted.is_empty()
    }

    /// What leads from one image to another.
    pub(crate) fn between(before: &TopicsImage, after: &TopicsImage) -> TopicsDelta {
        let mut delta = TopicsDelta::default();
        let gone = before.iter().filter(|topic| after.by_id(topic.id).is_none());
        delta.deleted = gone.map(|topic| (topic.id, Arc::clone(topic))).collect();
        for topic in after.iter() {
            let known = before.by_id(topic.id);
            let is_changed = |(index, partition): (i32, &Arc<PartitionImage>)| {
                let was = known.and_then(|known| known.partition(index));
                (was != Some(partition)).then_some(index)
            };
            let changed_partitions: BTreeSet<_> =
                topic.partitions().filter_map(is_changed).collect();
            let created = known.is_none();
            if created {
                delta.created_names.insert(Arc::clone(&topic.name), topic.id);
            }
            if created || !changed_partitions.is_empty() {
                let topic = Arc::clone(topic);
                delta.changed.insert(topic.id, TopicDelta { topic, created, changed_partitions });
            }
        }
        delta
    }

    pub(crate) fn create(
        &mut self,
        base: &TopicsImage,
        record: &TopicRecord,
    ) -> Result<(), ReplayError> {
        let id = record.topic_id;
        let in_base = base.by_id(id).is_some() && !self.deleted.contains_key(&id);
        if in_base || self.changed.contains_key(&id) {
            return Err(ReplayError::TopicIdTaken(id));
        }
        let name: &str = &record.name;
        let in_base = base.by_name(name).map(|topic| topic.id);
        let in_base = in_base.filter(|id| !self.deleted.contains_key(id));
        if let Some(by) = self.created_names.get(name).copied().or(in_base) {
            let name = name.to_owned();
            return Err(ReplayError::TopicNameTaken { name, by, refused: id });
        }
        // The record's text is a slice of the batch it came in; the image must not hold that.
        let name = TopicName::from(name);
        self.created_names.insert(Arc::clone(&name), id);
        let topic = Arc::new(TopicImage { name, id, partitions: Vec::new() });
        let changed_partitions = BTreeSet::new();
        self.changed.insert(id, TopicDelta { topic, created: true, changed_partitions });
        Ok(())
    }

    /// Adds a partition, or states one anew.
    pub(crate) fn add_partition(
        &mut self,
        base: &TopicsImage,
        record: &PartitionRecord,
    ) -> Result<(), ReplayError> {
        let delta = self.topic_mut(base, record.topic_id)?;
        let topic = Arc::make_mut(&mut delta.topic);
        let partitions = topic.partitions.len();
        let mut image = PartitionImage::from_record(record);
        if let Some(before) = topic.partitions.last() {
            image.share_lists(before);
        }
        let image = Arc::new(image);
        match usize::try_from(record.partition_id) {
            Ok(at) if at == partitions && at < TOPIC_PARTITIONS_MAX => topic.partitions.push(image),
            Ok(at) if at < partitions => topic.partitions[at] = image,
            _ => {
                let (topic, partition) = (record.topic_id, record.partition_id);
                return Err(ReplayError::PartitionGap { topic, partition, partitions });
            }
        }
        delta.changed_partitions.insert(record.partition_id);
        Ok(())
    }

    pub(crate) fn change_partition(
        &mut self,
        base: &TopicsImage,
        record: &PartitionChangeRecord,
    ) -> Result<(), ReplayError> {
        let delta = self.topic_mut(base, record.topic_id)?;
        let topic = Arc::make_mut(&mut delta.topic);
        let at = usize::try_from(record.partition_id).ok();
        let Some(partition) = at.and_then(|at| topic.partitions.get_mut(at)) else {
            let (topic, partition) = (record.topic_id, record.partition_id);
            return Err(ReplayError::NoSuchPartition { topic, partition });
        };
        *partition = Arc::new(partition.changed(record));
        delta.changed_partitions.insert(record.partition_id);
        Ok(())
    }

    /// Returns the name of the topic that is gone.
    pub(crate) fn remove(
        &mut self,
        base: &TopicsImage,
        record: &RemoveTopicRecord,
    ) -> Result<TopicName, ReplayError> {
        let id = record.topic_id;
        let in_base = base.by_id(id).filter(|_| !self.deleted.contains_key(&id));
        let changed = self.changed.remove(&id).map(|delta| delta.topic);
        let Some(last) = changed.as_ref().or(in_base) else {
            return Err(ReplayError::NoSuchTopic(id));
        };
        let name = Arc::clone(&last.name);
        self.created_names.remove(&name);
        // Created and deleted in one delta: nobody needs to hear of it.
        if let Some(before) = in_base {
            self.deleted.insert(id, Arc::clone(before));
        }
        Ok(name)
    }

    /// Clears the eligible leaders of the named topic; of every topic if the name is empty.
    pub(crate) fn clear_elr(&mut self, base: &TopicsImage, name: &str) -> Result<(), ReplayError> {
        let in_base = base.iter().filter(|topic| !self.deleted.contains_key(&topic.id));
        let created = self.created();
        let wanted = |topic: &&Arc<TopicImage>| name.is_empty() || &*topic.name == name;
        let ids: Vec<_> = in_base.chain(created).filter(wanted).map(|topic| topic.id).collect();
        for id in ids {
            let delta = self.changed.get(&id).map(|delta| &delta.topic);
            let Some(topic) = delta.or(base.by_id(id)) else { continue };
            let clears = topic.partitions().filter_map(|(at, p)| Some((at, p.without_elr()?)));
            let clears: Vec<_> = clears.collect();
            if clears.is_empty() {
                continue;
            }
            let delta = self.topic_mut(base, id)?;
            let topic = Arc::make_mut(&mut delta.topic);
            for (index, partition) in clears {
                topic.partitions[index as usize] = Arc::new(partition);
                delta.changed_partitions.insert(index);
            }
        }
        Ok(())
    }

    fn topic_mut(&mut self, base: &TopicsImage, id: Uuid) -> Result<&mut TopicDelta, ReplayError> {
        match self.changed.entry(id) {
            Entry::Occupied(entry) => Ok(entry.into_mut()),
            Entry::Vacant(_) if self.deleted.contains_key(&id) => Err(ReplayError::NoSuchTopic(id)),
            Entry::Vacant(entry) => {
                let topic = base.by_id(id).ok_or(ReplayError::NoSuchTopic(id))?;
                let (topic, changed_partitions) = (Arc::clone(topic), BTreeSet::new());
                Ok(entry.insert(TopicDelta { topic, created: false, changed_partitions }))
            }
        }
    }
}
