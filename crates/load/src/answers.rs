//! Finds the few fields that matter in an answer by walking it: no allocation, no decoding.
//!
//! Only for answers to what `frames` builds: one topic, and one partition unless said. Produce is
//! flexible from version 9 on and Fetch from 12 on (KIP-482).

use std::ops::Range;

use crate::frames::{FETCH_FLEXIBLE, PRODUCE_FLEXIBLE};
use crate::walk::Walk;

/// From this version on an answer names the records that were refused (KIP-467).
const PRODUCE_RECORD_ERRORS: i16 = 8;

/// The error code of a Produce answer: the first of its partitions that is not 0.
pub fn produce_error(frame: &[u8], version: i16) -> Option<i16> {
    let mut walk = Walk::new(frame, version >= PRODUCE_FLEXIBLE);
    walk.skip(4)?; // correlation
    walk.tags()?;
    walk.count()?;
    walk.text()?;
    for _ in 0..walk.count()? {
        walk.skip(4)?;
        let error = walk.i16()?;
        if error != 0 {
            return Some(error);
        }
        walk.skip(8 + 8 + 8)?; // base offset, append time, log start
        if version >= PRODUCE_RECORD_ERRORS {
            // Without an error no record is named.
            walk.count()?;
            walk.text()?;
        }
        walk.tags()?;
    }
    Some(0)
}

/// The error code of a Fetch answer, and where its records are.
pub fn fetched(frame: &[u8], version: i16) -> Option<(i16, Range<usize>)> {
    let mut walk = Walk::new(frame, version >= FETCH_FLEXIBLE);
    walk.skip(4)?; // correlation
    walk.tags()?;
    walk.skip(4)?; // throttle time
    let whole = walk.i16()?;
    walk.skip(4)?; // session
    if whole != 0 {
        return Some((whole, 0..0));
    }
    walk.count()?;
    walk.text()?;
    walk.count()?;
    walk.skip(4)?;
    let error = walk.i16()?;
    walk.skip(8 + 8 + 8)?;
    // Aborted transactions; nothing here is transactional.
    if walk.count()? != 0 {
        return None;
    }
    walk.skip(4)?;
    Some((error, walk.records()?))
}

/// The offset behind the last whole batch of `records`: where a consumer goes on.
pub fn next_offset(records: &[u8]) -> Option<i64> {
    const LENGTH_ENDS: usize = 12;
    let mut next = None;
    let mut rest = records;
    while rest.len() > LENGTH_ENDS {
        let mut walk = Walk::new(rest, false);
        let base = walk.i64()?;
        let length = usize::try_from(walk.i32()?).ok()?;
        walk.skip(4 + 1 + 4 + 2)?; // epoch, magic, crc, attributes
        if rest.len() < LENGTH_ENDS + length {
            break;
        }
        next = Some(base + i64::from(walk.i32()?) + 1);
        rest = &rest[LENGTH_ENDS + length..];
    }
    next
}

#[cfg(test)]
mod tests {
    use protocol::messages::fetch_response::{FetchableTopicResponse, PartitionData};
    use protocol::messages::produce_response::{PartitionProduceResponse, TopicProduceResponse};
    use protocol::messages::{FetchResponse, ProduceResponse};
    use protocol::{ApiKey, frame};

    use super::*;
    use crate::batches;
    use crate::cases::CASES;

    #[test]
    fn the_walk_finds_what_the_codec_wrote_in_every_version() {
        let (batch, count) = batches::build(&CASES[0], 1);
        let cut = [&batch[..], &batch[..99]].concat();
        assert_eq!(next_offset(&cut), Some(count));
        for version in 7..=9 {
            for (codes, first) in [([0, 0, 6], 6), ([5, 6, 0], 5), ([0, 0, 0], 0)] {
                let partition = |error_code| PartitionProduceResponse {
                    index: 3,
                    error_code,
                    ..Default::default()
                };
                let topic = TopicProduceResponse {
                    name: "of-some-length".into(),
                    partition_responses: codes.map(partition).into(),
                    ..Default::default()
                };
                let answer = ProduceResponse { responses: vec![topic], ..Default::default() };
                let frame = frame::response(ApiKey::Produce, &answer, version, 1).unwrap().concat();
                assert_eq!(produce_error(&frame[4..], version), Some(first), "version {version}");
            }
        }
        for version in 11..=12 {
            let partition =
                PartitionData { records: Some(cut.clone().into()), ..Default::default() };
            let topic = FetchableTopicResponse {
                topic: "of-some-length".into(),
                partitions: vec![partition],
                ..Default::default()
            };
            let answer = FetchResponse { responses: vec![topic], ..Default::default() };
            let frame = frame::response(ApiKey::Fetch, &answer, version, 1).unwrap().concat();
            let (error, records) = fetched(&frame[4..], version).unwrap();
            assert_eq!((error, &frame[4..][records]), (0, &cut[..]), "version {version}");
        }
    }
}
