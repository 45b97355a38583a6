use std::collections::{BTreeMap, BTreeSet};

use config::{Overrides, describe_topic, new_topic_overrides};
use metadata::{ConfigResourceKind, MetadataRecord};
use protocol::Str;
use protocol::messages::create_topics_request::{
    CreatableReplicaAssignment, CreatableTopic, CreateTopicsRequest,
};
use protocol::messages::create_topics_response::{
    CreatableTopicConfigs, CreatableTopicResult, CreateTopicsResponse,
};
use protocol::metadata_records::{ConfigRecord, TopicRecord};
use types::{BrokerId, ErrorCode, TopicName, Uuid};

use super::{TopicIds, draw_id, seed_of};
use crate::configs::check_sizes;
use crate::limits::{PARTITIONS_PER_REQUEST_MAX, RECORDS_PER_REQUEST_MAX};
use crate::topic_name::{CLUSTER_METADATA_TOPIC, CollidingNames, validate_topic_name};
use crate::{ApiError, Controller, ControllerResult};

/// A number in the request that asks for the broker's default.
const DEFAULT: i32 = -1;

impl Controller {
    /// Creates topics, each on its own: one that cannot be is answered with its error and does not
    /// hinder the others. Answers are in the order of the request; a name that appears more than
    /// once is answered once.
    ///
    /// Source: Kafka `ReplicationControlManager.createTopics`, `ControllerApis.createTopics`.
    pub fn create_topics(
        &self,
        request: &CreateTopicsRequest,
        ids: &mut TopicIds<'_>,
    ) -> ControllerResult<CreateTopicsResponse> {
        if self.partitions_asked_for(request) > PARTITIONS_PER_REQUEST_MAX {
            let message = "Excessively large number of partitions per request.";
            return refuse_all(request, &ApiError::new(ErrorCode::PolicyViolation, message));
        }
        let mut batch = NewTopics::default();
        let duplicates = duplicate_names(request);
        let mut topics = Vec::with_capacity(request.topics.len());
        let mut answered = BTreeSet::new();
        for topic in &request.topics {
            if !answered.insert(&*topic.name) {
                continue;
            }
            let created = match duplicates.contains(&*topic.name) {
                true => Err(ApiError::invalid_request("Duplicate topic name.")),
                false => self.create_topic(topic, &mut batch, ids),
            };
            topics.push(created.unwrap_or_else(|error| refused(&topic.name, &error)));
        }
        if batch.records.len() > RECORDS_PER_REQUEST_MAX {
            return refuse_all(request, &ApiError::too_many_records());
        }
        let reply = CreateTopicsResponse { topics, ..CreateTopicsResponse::default() };
        ControllerResult::atomic(batch.records, reply).without_records_if(request.validate_only)
    }

    /// Counts without believing: negative numbers and nonsense are refused topic by topic.
    fn partitions_asked_for(&self, request: &CreateTopicsRequest) -> usize {
        let of_topic = |topic: &CreatableTopic| match topic.num_partitions {
            _ if !topic.assignments.is_empty() => topic.assignments.len(),
            DEFAULT => usize::try_from(self.config.topics.num_partitions).unwrap_or(0),
            count => usize::try_from(count).unwrap_or(0),
        };
        request.topics.iter().map(of_topic).fold(0, usize::saturating_add)
    }

    fn create_topic(
        &self,
        topic: &CreatableTopic,
        batch: &mut NewTopics,
        ids: &mut TopicIds<'_>,
    ) -> Result<CreatableTopicResult, ApiError> {
        self.check_name(&topic.name, &batch.colliding_names)?;
        let overrides = check_configs(topic)?;
        let id = draw_id(ids, &self.view().topics);
        let assignments = match topic.assignments.is_empty() {
            true => self.place(topic, id)?,
            false => self.check_assignments(topic)?,
        };
        let mut records = vec![TopicRecord { name: topic.name.clone(), topic_id: id }.into()];
        // Configurations precede partitions: whoever starts a partition knows how.
        records.extend(config_records(&topic.name, &overrides));
        for (index, replicas) in (0..).zip(&assignments) {
            let partition = self.new_partition(id, index, replicas);
            records.push(partition.ok_or_else(|| all_out_of_service(topic, index, replicas))?);
        }
        batch.records.append(&mut records);
        batch.colliding_names.insert(&TopicName::from(&*topic.name));
        Ok(CreatableTopicResult {
            name: topic.name.clone(),
            topic_id: id,
            error_message: None,
            num_partitions: assignments.len() as i32,
            replication_factor: assignments.first().map_or(0, |replicas| replicas.len() as i16),
            configs: Some(self.effective_configs(&overrides)),
            ..CreatableTopicResult::default()
        })
    }

    fn check_name(&self, name: &str, in_request: &CollidingNames) -> Result<(), ApiError> {
        if name == CLUSTER_METADATA_TOPIC {
            let message =
                format!("Creation of internal topic {CLUSTER_METADATA_TOPIC} is prohibited.");
            return Err(ApiError::invalid_request(message));
        }
        if self.view().topics.by_name(name).is_some() {
            let message = format!("Topic '{name}' already exists.");
            return Err(ApiError::new(ErrorCode::TopicAlreadyExists, message));
        }
        let invalid = |message| ApiError::new(ErrorCode::InvalidTopicException, message);
        validate_topic_name(name).map_err(|error| invalid(error.to_string()))?;
        let here = self.colliding_names.colliding_with(name);
        match here.or(in_request.colliding_with(name)) {
            Some(other) => {
                Err(invalid(format!("Topic '{name}' collides with existing topic: {other}")))
            }
            None => Ok(()),
        }
    }

    fn place(&self, topic: &CreatableTopic, id: Uuid) -> Result<Vec<Vec<BrokerId>>, ApiError> {
        let replication_factor = match i32::from(topic.replication_factor) {
            DEFAULT => self.config.topics.default_replication_factor,
            0 | ..DEFAULT => {
                let message =
                    "Replication factor must be larger than 0, or -1 to use the default value.";
                return Err(ApiError::new(ErrorCode::InvalidReplicationFactor, message));
            }
            _ => topic.replication_factor,
        };
        let partitions = match topic.num_partitions {
            DEFAULT => self.config.topics.num_partitions,
            0 | ..DEFAULT => {
                let message = "Number of partitions was set to an invalid non-positive value.";
                return Err(ApiError::new(ErrorCode::InvalidPartitions, message));
            }
            count => count,
        };
        // Bounded: the whole request was, before any topic was looked at.
        let partitions = usize::try_from(partitions).unwrap_or(0);
        self.placer().place(partitions, replication_factor, seed_of(id))
    }

    /// The assignments that the request gives, by partition index.
    fn check_assignments(&self, topic: &CreatableTopic) -> Result<Vec<Vec<BrokerId>>, ApiError> {
        let not_default = |what| {
            ApiError::invalid_request(format!(
                "A manual partition assignment was specified, but {what} was not set to -1."
            ))
        };
        if i32::from(topic.replication_factor) != DEFAULT {
            return Err(not_default("replication factor"));
        }
        if topic.num_partitions != DEFAULT {
            return Err(not_default("numPartitions"));
        }
        let mut by_index = BTreeMap::new();
        let mut replication_factor = None;
        for CreatableReplicaAssignment { partition_index, broker_ids } in &topic.assignments {
            if by_index.contains_key(partition_index) {
                let message = format!(
                    "Found multiple manual partition assignments for partition {partition_index}"
                );
                return Err(ApiError::new(ErrorCode::InvalidReplicaAssignment, message));
            }
            let replicas = self.check_assignment(broker_ids, replication_factor)?;
            replication_factor = Some(replicas.len());
            by_index.insert(*partition_index, replicas);
        }
        if !by_index.keys().copied().eq((0..).take(by_index.len())) {
            let message = "partitions should be a consecutive 0-based integer sequence";
            return Err(ApiError::new(ErrorCode::InvalidReplicaAssignment, message));
        }
        Ok(by_index.into_values().collect())
    }

    /// Everything a topic with these overrides is configured to, by name.
    fn effective_configs(&self, overrides: &Overrides) -> Vec<CreatableTopicConfigs> {
        let mut entries = self.with_broker_layers(|layers| describe_topic(overrides, layers));
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        let shown = entries.into_iter().map(|entry| CreatableTopicConfigs {
            name: entry.name.into(),
            value: entry.value.map(Str::from),
            read_only: entry.read_only,
            config_source: entry.source.wire_code(),
            is_sensitive: entry.sensitive,
        });
        shown.collect()
    }
}

/// What the topics of one request amount to so far.
#[derive(Default)]
struct NewTopics {
    records: Vec<MetadataRecord>,
    /// Kafka lets two new topics of one request collide; nothing is gained by that.
    colliding_names: CollidingNames,
}

fn duplicate_names(request: &CreateTopicsRequest) -> BTreeSet<&str> {
    let mut seen = BTreeSet::new();
    request.topics.iter().map(|topic| &*topic.name).filter(|name| !seen.insert(*name)).collect()
}

fn check_configs(topic: &CreatableTopic) -> Result<Overrides, ApiError> {
    let nulls: Vec<_> =
        topic.configs.iter().filter(|c| c.value.is_none()).map(|c| &*c.name).collect();
    if !nulls.is_empty() {
        let message = format!("Null value not supported for topic configs: {}", nulls.join(","));
        return Err(ApiError::new(ErrorCode::InvalidConfig, message));
    }
    let asked = topic.configs.iter().map(|config| (&*config.name, config.value.as_deref()));
    let overrides = new_topic_overrides(asked)
        .map_err(|error| ApiError::new(ErrorCode::InvalidConfig, error.message()))?;
    check_sizes(overrides.values().map(String::as_str))?;
    Ok(overrides)
}

fn config_records<'a>(
    topic: &'a Str,
    overrides: &'a Overrides,
) -> impl Iterator<Item = MetadataRecord> + 'a {
    overrides.iter().map(|(name, value)| {
        MetadataRecord::Config(ConfigRecord {
            resource_type: ConfigResourceKind::Topic.code(),
            resource_name: topic.clone(),
            name: name.into(),
            value: Some(value.into()),
        })
    })
}

fn all_out_of_service(topic: &CreatableTopic, index: i32, replicas: &[BrokerId]) -> ApiError {
    match topic.assignments.is_empty() {
        true => {
            let message = format!(
                "Unable to replicate the partition {} time(s): All brokers are currently fenced or \
                 in controlled shutdown.",
                replicas.len()
            );
            ApiError::new(ErrorCode::InvalidReplicationFactor, message)
        }
        false => all_assigned_out_of_service(index),
    }
}

pub(super) fn all_assigned_out_of_service(index: i32) -> ApiError {
    let message = format!(
        "All brokers specified in the manual partition assignment for partition {index} are \
         fenced or in controlled shutdown."
    );
    ApiError::new(ErrorCode::InvalidReplicaAssignment, message)
}

fn refused(name: &Str, error: &ApiError) -> CreatableTopicResult {
    CreatableTopicResult {
        name: name.clone(),
        error_code: error.code.code(),
        error_message: error.message.as_ref().map(Str::from),
        // Never null: Java's admin client dies of it.
        configs: Some(Vec::new()),
        ..CreatableTopicResult::default()
    }
}

fn refuse_all(
    request: &CreateTopicsRequest,
    error: &ApiError,
) -> ControllerResult<CreateTopicsResponse> {
    let topics = request.topics.iter().map(|topic| refused(&topic.name, error)).collect();
    ControllerResult::reply_only(CreateTopicsResponse { topics, ..Default::default() })
}
