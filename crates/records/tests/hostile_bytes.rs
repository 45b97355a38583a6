//! Whatever the bytes are, every reader answers; none panics, none asks for memory that is not
//! earned.

#[path = "hostile_bytes/feed.rs"]
mod feed;

use bytes::Bytes;
use feed::feed;
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use records::{BatchBuilder, Compression, NewRecord};
use types::WallTime;

const NOW: WallTime = WallTime(1_700_000_000_000);

/// A batch to start from, so that the damage lands deep.
fn seed(codec: Compression, count: u8) -> Vec<u8> {
    let mut builder = BatchBuilder::new().compression(codec);
    for at in 0..=count {
        let value = vec![at; usize::from(at) * 3];
        builder.push(NewRecord {
            timestamp: NOW,
            key: Some(&[at]),
            value: Some(&value),
            headers: &[records::Header::new("name", Bytes::from_static(b"value"))],
        });
    }
    builder.build().into_bytes().to_vec()
}

/// Runs `work` on cases from the seed in `OTTLA_FUZZ_SEED`, the same ones each time.
fn rounds<S: Strategy>(cases: S, work: impl Fn(S::Value)) {
    let seed: u64 =
        std::env::var("OTTLA_FUZZ_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    let mut long = [0; 32];
    long[..8].copy_from_slice(&seed.to_le_bytes());
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    let chance = TestRng::from_seed(RngAlgorithm::ChaCha, &long);
    let outcome = TestRunner::new_with_rng(config, chance).run(&cases, |case| {
        work(case);
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("seed {seed}: {failure}");
    }
}

#[test]
fn fuzz_noise_is_survived() {
    rounds(prop::collection::vec(any::<u8>(), 0..300), |data| feed(&data));
}

#[test]
fn fuzz_noise_behind_a_plausible_frame_is_survived() {
    let noise = prop::collection::vec(any::<u8>(), 62..300);
    rounds((0..4u8, any::<u8>(), -2..200i32, noise), |(magic, attributes, count, mut data)| {
        let length = (data.len() - 12) as u32;
        data[8..12].copy_from_slice(&length.to_be_bytes());
        data[16] = magic;
        if magic < 2 {
            data[17] = attributes;
        } else {
            data[21..23].copy_from_slice(&[0, attributes]);
            data[23..27].copy_from_slice(&(count - 1).to_be_bytes());
            data[57..61].copy_from_slice(&count.to_be_bytes());
        }
        feed(&data);
    });
}

#[test]
fn fuzz_damaged_batches_are_survived() {
    let codec = prop::sample::select(Compression::ALL.to_vec());
    let damage = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8);
    rounds((codec, 0..20u8, damage), |(codec, count, damage)| {
        let mut data = seed(codec, count);
        for (at, byte) in damage {
            let at = at.index(data.len());
            data[at] = byte;
        }
        feed(&data);
    });
}
