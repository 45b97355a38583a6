//! What a produce is refused for, with Kafka's codes.

use protocol::messages::ProduceRequest;
use protocol::messages::produce_response::PartitionProduceResponse;
use records::{BatchBuilder, Compression, NewRecord};
use types::{ErrorCode, WallTime};

use crate::harness::Broker;
use crate::shorthand::{ACKS_ALL, batch, error, fetch, produce, push, record, values};

fn refused(broker: &Broker, request: &ProduceRequest) -> (ErrorCode, PartitionProduceResponse) {
    let answer = broker.produce(request);
    assert_eq!(answer.base_offset, -1, "what was refused has no offset");
    (error(answer.error_code), answer)
}

#[test]
fn unknown_topics_and_partitions_are_refused_and_the_rest_is_appended() {
    let broker = Broker::start();
    broker.create_topic("t", 1, &[]);
    let mut request = produce("t", 0, ACKS_ALL, batch(&["a"]));
    request.topic_data.extend(produce("t", 1, ACKS_ALL, batch(&["b"])).topic_data);
    request.topic_data.extend(produce("nowhere", 0, ACKS_ALL, batch(&["c"])).topic_data);
    let answer = broker.call(12, &request);
    let codes = answer.responses.iter().flat_map(|topic| &topic.partition_responses);
    let codes: Vec<_> = codes.map(|partition| error(partition.error_code)).collect();
    let unknown = ErrorCode::UnknownTopicOrPartition;
    assert_eq!(codes, [ErrorCode::None, unknown, unknown]);
    assert_eq!(broker.read_all("t", 0), ["a"]);
}

#[test]
fn a_batch_with_a_wrong_checksum_is_corrupt() {
    let broker = Broker::start();
    broker.create_topic("t", 1, &[]);
    let mut bytes = batch(&["a"]).to_vec();
    *bytes.last_mut().expect("bytes") ^= 1;
    let request = produce("t", 0, ACKS_ALL, bytes.into());
    assert_eq!(refused(&broker, &request).0, ErrorCode::CorruptMessage);
    assert!(broker.read_all("t", 0).is_empty());
}

#[test]
fn garbage_and_nothing_are_refused_without_harm() {
    let broker = Broker::start();
    broker.create_topic("t", 1, &[]);
    let garbage: Vec<u8> = (0..200_u32).map(|byte| (byte * 37) as u8).collect();
    for bytes in [Vec::new(), vec![0], garbage, batch(&["a"])[..40].to_vec()] {
        let (code, _) = refused(&broker, &produce("t", 0, ACKS_ALL, bytes.clone().into()));
        let is_fitting = matches!(
            code,
            ErrorCode::CorruptMessage
                | ErrorCode::InvalidRecord
                | ErrorCode::UnsupportedForMessageFormat
        );
        assert!(is_fitting, "{code:?} for {} bytes", bytes.len());
    }
    assert_eq!(broker.append("t", 0, &["a"]), 0);
}

#[test]
fn two_batches_for_one_partition_are_an_invalid_record() {
    let broker = Broker::start();
    broker.create_topic("t", 1, &[]);
    let two = [batch(&["a"]), batch(&["b"])].concat();
    let (code, _) = refused(&broker, &produce("t", 0, ACKS_ALL, two.into()));
    assert_eq!(code, ErrorCode::InvalidRecord);
}

#[test]
fn a_batch_above_max_message_bytes_is_too_large() {
    let broker = Broker::start();
    broker.create_topic("t", 1, &[("max.message.bytes", "100")]);
    let request = produce("t", 0, ACKS_ALL, batch(&[&"x".repeat(100)]));
    assert_eq!(refused(&broker, &request).0, ErrorCode::MessageTooLarge);
    assert_eq!(broker.append("t", 0, &["small"]), 0);
}

#[test]
fn the_size_that_counts_is_the_compressed_one() {
    let broker = Broker::start();
    broker.create_topic("t", 1, &[("max.message.bytes", "200")]);
    let text = "x".repeat(10_000);
    let compressed = push(BatchBuilder::new().compression(Compression::Zstd), &[&text]).build();
    let answer = broker.produce(&produce("t", 0, ACKS_ALL, compressed.bytes().clone()));
    assert_eq!(answer.error_code, 0, "{:?}", answer.error_message);
    assert_eq!(broker.read_all("t", 0), [text]);
}

#[test]
fn timestamps_too_far_from_now_are_invalid_and_the_records_are_named() {
    let broker = Broker::start();
    let configs = [("message.timestamp.before.max.ms", "1000")];
    broker.create_topic("t", 1, &configs);
    let now = broker.wall_ms();
    let hour_and_more = 3_600_001;
    for off in [-1001, hour_and_more] {
        let mut builder = BatchBuilder::new();
        builder.push(NewRecord { timestamp: WallTime(now), ..record(None, "fine") });
        builder.push(NewRecord { timestamp: WallTime(now + off), ..record(None, "far") });
        let request = produce("t", 0, ACKS_ALL, builder.build().bytes().clone());
        let (code, answer) = refused(&broker, &request);
        assert_eq!(code, ErrorCode::InvalidTimestamp);
        let named: Vec<_> = answer.record_errors.iter().map(|e| e.batch_index).collect();
        assert_eq!(named, [1]);
    }
}

#[test]
fn a_compacted_topic_refuses_records_without_a_key_and_names_them() {
    let broker = Broker::start();
    broker.create_topic("t", 1, &[("cleanup.policy", "compact")]);
    let mut builder = BatchBuilder::new();
    builder.push(record(Some("k"), "keyed"));
    builder.push(record(None, "keyless"));
    let request = produce("t", 0, ACKS_ALL, builder.build().bytes().clone());
    let (code, answer) = refused(&broker, &request);
    assert_eq!(code, ErrorCode::InvalidRecord);
    assert!(answer.error_message.is_some());
    let named: Vec<_> = answer.record_errors.iter().map(|e| e.batch_index).collect();
    assert_eq!(named, [1]);
    assert!(answer.record_errors[0].batch_index_error_message.is_some());

    // Versions before 8 cannot name records.
    let answer = broker.produce_at(7, &request);
    assert_eq!(error(answer.error_code), ErrorCode::InvalidRecord);
    assert!(answer.record_errors.is_empty());
}

#[test]
fn zstd_is_refused_below_version_7() {
    let broker = Broker::start();
    broker.create_topic("t", 1, &[]);
    let zstd = push(BatchBuilder::new().compression(Compression::Zstd), &["a"]).build();
    let request = produce("t", 0, ACKS_ALL, zstd.bytes().clone());
    let answer = broker.produce_at(6, &request);
    assert_eq!(error(answer.error_code), ErrorCode::UnsupportedCompressionType);
    assert_eq!(broker.produce_at(7, &request).error_code, 0);
}

#[test]
fn every_codec_is_stored_and_read_back() {
    let broker = Broker::start();
    broker.create_topic("t", 1, &[]);
    let codecs = [
        Compression::None,
        Compression::Gzip,
        Compression::Snappy,
        Compression::Lz4,
        Compression::Zstd,
    ];
    for codec in codecs {
        let batch = push(BatchBuilder::new().compression(codec), &[&format!("{codec:?}")]).build();
        let answer = broker.produce(&produce("t", 0, ACKS_ALL, batch.bytes().clone()));
        assert_eq!(answer.error_code, 0, "{codec:?}: {:?}", answer.error_message);
    }
    assert_eq!(broker.read_all("t", 0), ["None", "Gzip", "Snappy", "Lz4", "Zstd"]);
}

#[test]
fn a_topic_with_its_own_codec_stores_everything_in_it() {
    let broker = Broker::start();
    broker.create_topic("t", 1, &[("compression.type", "lz4")]);
    broker.append("t", 0, &["a"]);
    let answer = broker.fetch(&fetch("t", 0, 0));
    let stored = records::batches(&answer.records.clone().expect("records")).next();
    let codec = stored.expect("a batch").expect("whole").header().compression();
    assert_eq!(codec.expect("a codec"), Compression::Lz4);
    assert_eq!(values(&answer), ["a"]);
}

#[test]
fn internal_topics_are_closed_to_producers() {
    let broker = Broker::start();
    broker.create_offsets_topic();
    let request = produce("__consumer_offsets", 0, ACKS_ALL, batch(&["a"]));
    assert_eq!(refused(&broker, &request).0, ErrorCode::InvalidTopicException);
}

/// Kafka's effective minimum is the least of `min.insync.replicas` and the replication factor.
#[test]
fn more_in_sync_replicas_than_there_are_replicas_are_not_asked_for() {
    let broker = Broker::start();
    broker.create_topic("t", 1, &[("min.insync.replicas", "2")]);
    for acks in [ACKS_ALL, 1] {
        let request = ProduceRequest { acks, ..produce("t", 0, ACKS_ALL, batch(&["a"])) };
        assert_eq!(broker.produce(&request).error_code, 0);
    }
}

#[test]
fn acks_other_than_all_one_and_none_are_invalid() {
    let broker = Broker::start();
    broker.create_topic("t", 1, &[]);
    for acks in [2, -2] {
        let request = produce("t", 0, acks, batch(&["a"]));
        assert_eq!(refused(&broker, &request).0, ErrorCode::InvalidRequiredAcks);
    }
}

#[test]
fn append_time_is_told_and_stored_where_the_topic_wants_it() {
    let broker = Broker::start();
    broker.create_topic("t", 1, &[("message.timestamp.type", "LogAppendTime")]);
    broker.pass_ms(12_345);
    let answer = broker.produce(&produce("t", 0, ACKS_ALL, batch(&["a"])));
    assert_eq!(answer.log_append_time_ms, broker.wall_ms());
    let stored = broker.fetch(&fetch("t", 0, 0)).records.expect("records");
    let batch = records::batches(&stored).next().expect("a batch").expect("whole");
    let record = batch.records().expect("records").next().expect("one").expect("readable");
    assert_eq!(record.timestamp.0, broker.wall_ms());

    broker.create_topic("create-time", 1, &[]);
    let answer =
        broker.produce(&produce("create-time", 0, ACKS_ALL, crate::shorthand::batch(&["a"])));
    assert_eq!(answer.log_append_time_ms, -1);
}
