//! What the floor must know of a request, found by walking it: no allocation, no decoding.
//!
//! Only for frames of the shape that `load::frames` builds: one topic, one partition.

use std::ops::Range;

use ::load::walk::Walk;

const KEY_PRODUCE: i16 = 0;
const KEY_FETCH: i16 = 1;

/// What the floor must know of a request, positions counted from behind the prefix.
#[derive(Debug, PartialEq, Eq)]
pub enum Request {
    Produce { correlation: i32, partition: i32, batch: Range<usize> },
    Fetch { correlation: i32, partition: i32, offset: i64, bytes_max: usize },
}

pub fn request(frame: &[u8]) -> Option<Request> {
    let mut walk = Walk::new(frame, true);
    let key = walk.i16()?;
    walk.skip(2)?;
    let correlation = walk.i32()?;
    // The client's id is no compact string, although the header has tags (KIP-482).
    let client = walk.i16()?;
    walk.skip(usize::try_from(client).unwrap_or(0))?;
    walk.tags()?;
    match key {
        KEY_PRODUCE => {
            walk.text()?; // transactional id
            walk.skip(2 + 4)?; // acks, timeout
            walk.count()?;
            walk.text()?; // name
            walk.count()?;
            let partition = walk.i32()?;
            Some(Request::Produce { correlation, partition, batch: walk.records()? })
        }
        KEY_FETCH => {
            walk.skip(4 + 4 + 4 + 4 + 1 + 4 + 4)?;
            walk.count()?;
            walk.text()?; // name
            walk.count()?;
            let partition = walk.i32()?;
            walk.skip(4)?;
            let offset = walk.i64()?;
            walk.skip(4 + 8)?;
            let bytes_max = usize::try_from(walk.i32()?).ok()?;
            Some(Request::Fetch { correlation, partition, offset, bytes_max })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use ::load::answers::next_offset;
    use ::load::frames::ACKS_LEADER;

    use super::*;
    use crate::batches::{BatchShape, fetch_frame, produce_frame};

    #[test]
    fn the_walk_finds_what_the_codec_wrote() {
        let batch = BatchShape { batch_bytes: 3000, value_bytes: 100 }.build();
        let frame = produce_frame(7..8, &batch, ACKS_LEADER).unwrap();
        let Some(Request::Produce { correlation: 1, partition: 7, batch: found }) =
            request(&frame[4..])
        else {
            panic!("{:?}", request(&frame[4..]));
        };
        assert_eq!(frame[4..][found], batch);
        let count = records::BatchHeader::parse(&batch).unwrap().records_count;
        assert_eq!(next_offset(&batch), Some(i64::from(count)));
        assert_eq!(next_offset(&[&batch[..], &batch[..99]].concat()), Some(i64::from(count)));

        let (mut frame, at) = fetch_frame(3, 65536).unwrap();
        frame[at..at + 8].copy_from_slice(&99_i64.to_be_bytes());
        let fetch = Request::Fetch { correlation: 1, partition: 3, offset: 99, bytes_max: 65536 };
        assert_eq!(request(&frame[4..]), Some(fetch));
        for cut in 0..frame.len() - 20 {
            assert_eq!(request(&frame[4.min(cut)..cut]), None, "{cut} bytes");
        }
    }
}
