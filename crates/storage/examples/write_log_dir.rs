//! Writes a log directory with everything a log can hold, for Kafka's own tools to look at:
//!
//! `cargo run -p storage --example write_log_dir -- DIR`
//!
//! `orders-0`: every codec, several segments, three leader epochs, a truncation, deleted records.
//! `payments-0`: idempotent and transactional producers, a commit, an abort, one left open.

use records::control::ControlRecord;
use records::validate::{AppendOrigin, ValidatedBatch};
use records::{BatchBuilder, Compression, NewRecord};
use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;
use storage::{AppendContext, LogConfig, LogDir, LogSettings, MetaProperties, PartitionLog};
use types::{
    BrokerId, LeaderEpoch, Offset, ProducerEpoch, ProducerId, Sequence, TopicPartition, Uuid,
    WallTime,
};

const START: i64 = 1_700_000_000_000;
const CODECS: [Compression; 5] = [
    Compression::None,
    Compression::Gzip,
    Compression::Snappy,
    Compression::Lz4,
    Compression::Zstd,
];

type Log = PartitionLog<env_os::OsDisk>;
type Outcome = Result<(), Box<dyn Error>>;

fn main() -> Outcome {
    let path: PathBuf = std::env::args_os().nth(1).ok_or("say which directory")?.into();
    let mut dir = LogDir::open(env_os::OsDisk, &path)?;
    dir.format(MetaProperties {
        cluster_id: Some(Uuid::from_random([1; 16]).to_string()),
        node_id: Some(BrokerId(1)),
        directory_id: Some(Uuid::from_random([2; 16])),
    })?;
    let mut orders = create(&dir, "orders", 3)?;
    write_orders(&mut orders)?;
    let mut payments = create(&dir, "payments", 4)?;
    write_payments(&mut payments)?;
    let marks = [&orders, &payments].map(|log| (log.partition().clone(), log.log_end()));
    dir.checkpoint_high_watermarks(marks)?;
    dir.finish_loading()?;
    orders.close()?;
    payments.close()?;
    dir.close(1)?.map_err(|why| format!("not clean: {why:?}"))?;
    Ok(())
}

fn create(dir: &LogDir<env_os::OsDisk>, topic: &str, id: u8) -> Result<Log, Box<dyn Error>> {
    let config = LogConfig {
        segment_bytes: 3000,
        index_interval_bytes: 200,
        segment_index_bytes: 4096,
        ..LogConfig::default()
    };
    let settings = LogSettings { config: Arc::new(config), now: WallTime(START), jitter_seed: 1 };
    let partition = TopicPartition::new(topic, 0);
    Ok(dir.create_log(&partition, Uuid::from_random([id; 16]), settings)?)
}

fn context(epoch: i32, origin: AppendOrigin) -> AppendContext {
    AppendContext { leader_epoch: LeaderEpoch(epoch), now: WallTime(START), origin }
}

fn filled(mut builder: BatchBuilder, first: i64, count: i64) -> ValidatedBatch {
    for number in first..first + count {
        let (key, value) = (format!("key-{}", number % 7), format!("value-{number}"));
        builder.push(NewRecord {
            timestamp: WallTime(START + number * 10),
            key: Some(key.as_bytes()),
            value: (number % 11 != 10).then_some(value.as_bytes()),
            headers: &[records::Header::new("number", number.to_string().into_bytes())],
        });
    }
    ValidatedBatch::trusted(builder.build())
}

fn write_orders(log: &mut Log) -> Outcome {
    let mut number = 0;
    for epoch in 0..3 {
        for codec in CODECS.into_iter().cycle().take(20) {
            let batch = filled(BatchBuilder::new().compression(codec), number, 3);
            log.append(batch, context(epoch, AppendOrigin::Client))?;
            number += 3;
        }
        // The next leader never had the last three batches.
        log.truncate_to(log.log_end().plus(-8), WallTime(START))?;
    }
    log.advance_log_start(Offset(40))?;
    Ok(())
}

fn write_payments(log: &mut Log) -> Outcome {
    let producer = |id: i64, sequence: i32| {
        let (id, epoch) = (ProducerId(id), ProducerEpoch(0));
        BatchBuilder::new().producer(id, epoch, Sequence(sequence))
    };
    for round in 0..12 {
        let client = context(0, AppendOrigin::Client);
        let (first, sequence) = (i64::from(round) * 10, round * 2);
        log.append(filled(producer(1, sequence), first, 2), client)?;
        log.append(filled(producer(2, sequence).transactional(), first + 2, 2), client)?;
        log.append(filled(producer(3, sequence).transactional(), first + 4, 2), client)?;
        end(log, 2, ControlRecord::Commit { coordinator_epoch: 0 })?;
        end(log, 3, ControlRecord::Abort { coordinator_epoch: 0 })?;
    }
    log.append(filled(producer(2, 24).transactional(), 500, 1), context(0, AppendOrigin::Client))?;
    Ok(())
}

fn end(log: &mut Log, id: i64, record: ControlRecord) -> Outcome {
    let marker = record.marker_batch(ProducerId(id), ProducerEpoch(0), WallTime(START));
    log.append(ValidatedBatch::trusted(marker), context(0, AppendOrigin::Coordinator))?;
    Ok(())
}
