//! Requests in few words, and the parts of responses that tests look at.

use bytes::Bytes;
use protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use protocol::messages::delete_records_request::{DeleteRecordsPartition, DeleteRecordsTopic};
use protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use protocol::messages::fetch_response::PartitionData;
use protocol::messages::incremental_alter_configs_request::{
    AlterConfigsResource, AlterableConfig,
};
use protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use protocol::messages::list_offsets_response::ListOffsetsPartitionResponse;
use protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use protocol::messages::produce_response::PartitionProduceResponse;
use protocol::messages::{
    CreateTopicsRequest, DeleteRecordsRequest, DeleteTopicsRequest, DescribeLogDirsRequest,
    FetchRequest, FindCoordinatorRequest, IncrementalAlterConfigsRequest, ListOffsetsRequest,
    MetadataRequest, ProduceRequest,
};
use records::{BatchBuilder, NewRecord};
use types::{ErrorCode, Uuid, WallTime};

use crate::harness::Broker;

pub const ACKS_ALL: i16 = -1;
pub const LATEST: i64 = -1;
pub const EARLIEST: i64 = -2;

/// The error with this number.
pub fn error(code: i16) -> ErrorCode {
    ErrorCode::from_code(code).unwrap_or_else(|| panic!("{code} is no error of Kafka's"))
}

/// A batch of one record for each value, without keys.
pub fn batch(values: &[&str]) -> Bytes {
    push(BatchBuilder::new(), values).build().bytes().clone()
}

/// Adds keyless records of the first simulated day.
pub fn push(mut builder: BatchBuilder, values: &[&str]) -> BatchBuilder {
    for value in values {
        builder.push(record(None, value));
    }
    builder
}

pub fn record<'a>(key: Option<&'a str>, value: &'a str) -> NewRecord<'a> {
    NewRecord {
        timestamp: WallTime(1_767_225_600_000),
        key: key.map(str::as_bytes),
        value: Some(value.as_bytes()),
        ..NewRecord::default()
    }
}

/// One batch for one partition.
pub fn produce(topic: &str, partition: i32, acks: i16, records: Bytes) -> ProduceRequest {
    let data = PartitionProduceData { index: partition, records: Some(records) };
    let topic = TopicProduceData {
        name: topic.into(),
        partition_data: vec![data],
        ..TopicProduceData::default()
    };
    ProduceRequest { acks, timeout_ms: 1000, topic_data: vec![topic], ..Default::default() }
}

/// One partition from `offset`, answered at once.
pub fn fetch(topic: &str, partition: i32, offset: i64) -> FetchRequest {
    FetchRequest {
        max_bytes: 1 << 20,
        min_bytes: 1,
        topics: vec![fetch_topic(topic, partition, offset)],
        ..FetchRequest::default()
    }
}

pub fn fetch_topic(topic: &str, partition: i32, fetch_offset: i64) -> FetchTopic {
    let partition = FetchPartition {
        partition,
        fetch_offset,
        partition_max_bytes: 1 << 20,
        ..FetchPartition::default()
    };
    FetchTopic { topic: topic.into(), partitions: vec![partition], ..FetchTopic::default() }
}

/// The same by topic id.
pub fn fetch_by_id(id: Uuid, partition: i32, offset: i64) -> FetchRequest {
    let mut request = fetch("", partition, offset);
    request.topics[0].topic_id = id;
    request
}

/// The values of all data records in a partition's answer, in order.
/// Asks for the end of the only partition of `topic` that consumers see.
pub fn latest(topic: &str) -> ListOffsetsRequest {
    let partition = ListOffsetsPartition { timestamp: LATEST, ..ListOffsetsPartition::default() };
    let topic = ListOffsetsTopic { name: topic.into(), partitions: vec![partition] };
    ListOffsetsRequest { topics: vec![topic], ..Default::default() }
}

pub fn values(data: &PartitionData) -> Vec<String> {
    let records = data.records.clone().unwrap_or_default();
    let mut values = Vec::new();
    for batch in records::batches(&records) {
        let batch = batch.expect("a whole batch");
        if batch.header().is_control() {
            continue;
        }
        for record in batch.records().expect("a readable batch") {
            let value = record.expect("a readable record").value.unwrap_or_default();
            values.push(String::from_utf8_lossy(&value).into_owned());
        }
    }
    values
}

impl Broker {
    /// Creates a topic with one replica.
    ///
    /// # Panics
    /// If it is refused.
    pub fn create_topic(&self, name: &str, partitions: i32, configs: &[(&str, &str)]) -> Uuid {
        let config = |(name, value): &(&str, &str)| CreatableTopicConfig {
            name: (*name).into(),
            value: Some((*value).into()),
        };
        let topic = CreatableTopic {
            name: name.into(),
            num_partitions: partitions,
            replication_factor: 1,
            configs: configs.iter().map(config).collect(),
            ..CreatableTopic::default()
        };
        let request = CreateTopicsRequest { topics: vec![topic], ..Default::default() };
        let created = self.call(7, &request).topics.remove(0);
        assert_eq!(error(created.error_code), ErrorCode::None, "{:?}", created.error_message);
        created.topic_id
    }

    /// Sets properties of a topic, live.
    ///
    /// # Panics
    /// If they are refused.
    pub fn alter_topic(&self, name: &str, configs: &[(&str, &str)]) {
        const TOPIC: i8 = 2;
        let config = |(name, value): &(&str, &str)| AlterableConfig {
            name: (*name).into(),
            config_operation: 0,
            value: Some((*value).into()),
        };
        let resource = AlterConfigsResource {
            resource_type: TOPIC,
            resource_name: name.into(),
            configs: configs.iter().map(config).collect(),
        };
        let request =
            IncrementalAlterConfigsRequest { resources: vec![resource], validate_only: false };
        let altered = self.call(1, &request).responses.remove(0);
        assert_eq!(error(altered.error_code), ErrorCode::None, "{:?}", altered.error_message);
    }

    /// Deletes what lies before `offset`; −1 means all. Returns the new start, or the error.
    pub fn delete_records(&self, topic: &str, offset: i64) -> Result<i64, ErrorCode> {
        let partition = DeleteRecordsPartition { partition_index: 0, offset };
        let topic = DeleteRecordsTopic { name: topic.into(), partitions: vec![partition] };
        let request = DeleteRecordsRequest { topics: vec![topic], ..Default::default() };
        let answer = self.call(2, &request).topics.remove(0).partitions.remove(0);
        match error(answer.error_code) {
            ErrorCode::None => Ok(answer.low_watermark),
            error => Err(error),
        }
    }

    /// Appends one record of that time to partition 0; returns its offset.
    pub fn append_at(&self, topic: &str, timestamp: i64, value: &str) -> i64 {
        let mut builder = BatchBuilder::new();
        builder.push(NewRecord { timestamp: WallTime(timestamp), ..record(None, value) });
        let answer = self.produce(&produce(topic, 0, ACKS_ALL, builder.build().bytes().clone()));
        assert_eq!(error(answer.error_code), ErrorCode::None, "{:?}", answer.error_message);
        answer.base_offset
    }

    /// What a partition 0 is made of: its segments, as the metrics show it.
    pub fn segment_count(&self, topic: &str) -> u64 {
        let name = format!("kafka_log_log_numlogsegments{{topic=\"{topic}\",partition=\"0\"}} ");
        let page = self.metrics();
        let value = page.lines().find_map(|line| line.strip_prefix(&name));
        value.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("no {name}"))
    }

    pub fn delete_topic(&self, name: &str) {
        let request = DeleteTopicsRequest { topic_names: vec![name.into()], ..Default::default() };
        let deleted = self.call(5, &request).responses.remove(0);
        assert_eq!(error(deleted.error_code), ErrorCode::None);
    }

    /// Makes `__consumer_offsets`, as the first client of any group does.
    pub fn create_offsets_topic(&self) {
        let key = FindCoordinatorRequest { key: "any".into(), ..FindCoordinatorRequest::default() };
        assert_eq!(self.call(3, &key).error_code, 0);
    }

    /// The answer for the only partition of a produce request, by name.
    pub fn produce(&self, request: &ProduceRequest) -> PartitionProduceResponse {
        self.produce_at(12, request)
    }

    pub fn produce_at(&self, version: i16, request: &ProduceRequest) -> PartitionProduceResponse {
        let mut response = self.call(version, request);
        response.responses.remove(0).partition_responses.remove(0)
    }

    /// Appends values to a partition; returns their first offset.
    ///
    /// # Panics
    /// If they are refused.
    pub fn append(&self, topic: &str, partition: i32, values: &[&str]) -> i64 {
        let answer = self.produce(&produce(topic, partition, ACKS_ALL, batch(values)));
        assert_eq!(error(answer.error_code), ErrorCode::None, "{:?}", answer.error_message);
        answer.base_offset
    }

    /// The answer for the only partition of a fetch, by name.
    pub fn fetch(&self, request: &FetchRequest) -> PartitionData {
        self.call(12, request).responses.remove(0).partitions.remove(0)
    }

    /// All values in a partition.
    pub fn read_all(&self, topic: &str, partition: i32) -> Vec<String> {
        let start = self.list_offset(topic, partition, EARLIEST).offset;
        self.read_on(topic, partition, start)
    }

    /// All values from the batch that holds `offset` on.
    pub fn read_on(&self, topic: &str, partition: i32, mut offset: i64) -> Vec<String> {
        let mut all = Vec::new();
        loop {
            let answer = self.fetch(&fetch(topic, partition, offset));
            assert_eq!(error(answer.error_code), ErrorCode::None);
            all.extend(values(&answer));
            let records = answer.records.unwrap_or_default();
            let Some(last) = records::batches(&records).last() else { return all };
            offset = last.expect("a whole batch").next_offset().0;
        }
    }

    pub fn list_offset(
        &self,
        topic: &str,
        partition: i32,
        timestamp: i64,
    ) -> ListOffsetsPartitionResponse {
        self.list_offset_at(11, topic, partition, timestamp)
    }

    pub fn list_offset_at(
        &self,
        version: i16,
        topic: &str,
        partition_index: i32,
        timestamp: i64,
    ) -> ListOffsetsPartitionResponse {
        let partition =
            ListOffsetsPartition { partition_index, timestamp, ..ListOffsetsPartition::default() };
        let topic = ListOffsetsTopic { name: topic.into(), partitions: vec![partition] };
        let request = ListOffsetsRequest { topics: vec![topic], ..Default::default() };
        self.call(version, &request).topics.remove(0).partitions.remove(0)
    }

    /// The bytes of a topic's partitions in all log directories.
    pub fn size_bytes(&self, topic: &str) -> i64 {
        let request = DescribeLogDirsRequest { topics: None };
        let dirs = self.call(4, &request).results;
        let topics = dirs.iter().flat_map(|dir| &dir.topics).filter(|found| &*found.name == topic);
        topics.flat_map(|topic| &topic.partitions).map(|partition| partition.partition_size).sum()
    }

    /// The names of all topics but the internal ones.
    pub fn topics(&self) -> Vec<String> {
        let all = MetadataRequest { topics: None, ..MetadataRequest::default() };
        let topics = self.call(13, &all).topics.into_iter().filter(|topic| !topic.is_internal);
        topics.map(|topic| topic.name.as_deref().unwrap_or_default().to_owned()).collect()
    }
}
