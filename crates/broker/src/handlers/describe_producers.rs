//! DescribeProducers (key 61), version 0.
//! The idempotent producers a partition remembers, for finding hanging transactions (KIP-664).
//! Differs from Kafka: nothing known.

use env::Disk;
use protocol::messages::describe_producers_request::DescribeProducersRequest;
use protocol::messages::describe_producers_response::{
    DescribeProducersResponse, PartitionResponse, ProducerState, TopicResponse,
};
use types::{ErrorCode, ProducerId};

use crate::network::Reply;
use crate::partitions::{Partition, PartitionTable};
use crate::request::RequestContext;

pub fn handle<D: Disk>(
    ctx: &RequestContext,
    request: DescribeProducersRequest,
    reply: Reply<DescribeProducersResponse>,
    partitions: &PartitionTable<D>,
) {
    let topics = request.topics.into_iter().map(|topic| {
        let answer = |index: &i32| match partitions.find(&topic.name, *index) {
            Ok(partition) => PartitionResponse {
                partition_index: *index,
                active_producers: producers(ctx, &partition),
                ..Default::default()
            },
            Err(error) => PartitionResponse {
                partition_index: *index,
                error_code: error.code(),
                error_message: (error == ErrorCode::UnknownTopicOrPartition)
                    .then(|| "This server does not host this topic-partition.".into()),
                ..Default::default()
            },
        };
        let partitions = topic.partition_indexes.iter().map(answer).collect();
        TopicResponse { name: topic.name.clone(), partitions }
    });
    reply.send(DescribeProducersResponse { topics: topics.collect(), ..Default::default() });
}

fn producers<D: Disk>(ctx: &RequestContext, partition: &Partition<D>) -> Vec<ProducerState> {
    let state = |(id, producer): (ProducerId, &storage::ProducerState)| ProducerState {
        producer_id: id.0,
        producer_epoch: i32::from(producer.epoch.0),
        last_sequence: producer.last_sequence().0,
        last_timestamp: producer.last_timestamp.0,
        coordinator_epoch: producer.coordinator_epoch,
        current_txn_start_offset: producer.transaction_start.map_or(-1, |offset| offset.0),
    };
    let active = partition.with_log(ctx.wall, |log| log.producers().iter().map(state).collect());
    active.unwrap_or_default()
}
