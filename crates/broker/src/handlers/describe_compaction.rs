//! DescribeCompaction (key 20001), version 0. Ottla's own.
//! Why partitions are not being compacted at present. Only Ottla's own client hears of it in
//! ApiVersions: the number lies where Kafka has none, and nobody else has a use for it (ADR 0008).

use env::Env;
use protocol::messages::describe_compaction_request::DescribeCompactionRequest;
use protocol::messages::describe_compaction_response::{
    DescribeCompactionResponse, PartitionResponse, TopicResponse,
};
use storage::cleaner::WhyNot;

use crate::cleaners::{Cleaners, Standing};
use crate::metadata_cache::MetadataCache;
use crate::network::Reply;
use crate::partitions::PartitionTable;
use crate::request::RequestContext;
use crate::settings::Settings;

pub fn handle<E: Env>(
    ctx: &RequestContext,
    request: DescribeCompactionRequest,
    reply: Reply<DescribeCompactionResponse>,
    partitions: &PartitionTable<E::Disk>,
    cleaners: &Cleaners<E>,
    settings: &Settings,
    metadata: &MetadataCache,
) {
    let config = settings.for_cleaners(&metadata.image());
    let topics = request.topics.into_iter().map(|topic| {
        let answer = |index: &i32| match partitions.find(&topic.name, *index) {
            Ok(partition) => {
                let standing = cleaners.standing(&partition, &config, ctx.now, ctx.wall);
                PartitionResponse { partition_index: *index, ..told(&standing) }
            }
            Err(error) => PartitionResponse {
                partition_index: *index,
                error_code: error.code(),
                ..Default::default()
            },
        };
        let partitions = topic.partition_indexes.iter().map(answer).collect();
        TopicResponse { name: topic.name.clone(), partitions }
    });
    reply.send(DescribeCompactionResponse { topics: topics.collect(), ..Default::default() });
}

fn told(standing: &Standing) -> PartitionResponse {
    let mut answer = PartitionResponse {
        state: state(standing).into(),
        reason: standing.to_string().into(),
        ..Default::default()
    };
    match standing {
        Standing::Due { dirty_ratio } => answer.dirty_ratio = *dirty_ratio,
        Standing::Waiting(WhyNot::NotDirtyEnough { ratio, .. }) => answer.dirty_ratio = *ratio,
        Standing::Waiting(WhyNot::ActiveSegment { first_dirty }) => answer.offset = first_dirty.0,
        Standing::Waiting(WhyNot::Unstable { last_stable_offset, open_transaction }) => {
            answer.offset = open_transaction.map_or(*last_stable_offset, |(_, since)| since).0;
            answer.producer_id = open_transaction.map_or(-1, |(producer, _)| producer.0);
        }
        _ => {}
    }
    answer
}

fn state(standing: &Standing) -> &'static str {
    match standing {
        Standing::BeingCleaned => "compacting",
        Standing::Due { .. } => "due",
        Standing::Quarantined { .. } => "quarantined",
        Standing::Disabled => "disabled",
        Standing::Unknown => "unknown",
        Standing::Waiting(WhyNot::NotCompacted) => "not-compacted",
        Standing::Waiting(WhyNot::Empty) => "empty",
        Standing::Waiting(WhyNot::ActiveSegment { .. }) => "active-segment",
        Standing::Waiting(WhyNot::Unstable { open_transaction: Some(_), .. }) => "open-transaction",
        Standing::Waiting(WhyNot::Unstable { .. }) => "uncommitted",
        Standing::Waiting(WhyNot::TooYoung { .. }) => "too-young",
        Standing::Waiting(WhyNot::NotDirtyEnough { .. }) => "not-dirty-enough",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use types::{Offset, ProducerId};

    #[test]
    fn an_open_transaction_is_told_with_its_producer_and_where_it_began() {
        let unstable = |open_transaction| {
            let last_stable_offset = Offset(17);
            Standing::Waiting(WhyNot::Unstable { last_stable_offset, open_transaction })
        };
        let answer = told(&unstable(Some((ProducerId(7), Offset(12)))));
        assert_eq!(
            (&*answer.state, answer.producer_id, answer.offset),
            ("open-transaction", 7, 12)
        );
        assert_eq!(&*answer.reason, "producer 7 has a transaction open since offset 12");
        let answer = told(&unstable(None));
        assert_eq!((&*answer.state, answer.producer_id, answer.offset), ("uncommitted", -1, 17));
    }
}
