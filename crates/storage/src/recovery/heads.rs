//! The heads of batches that a start has looked at, so that it looks once.

use crate::frame::Frame;
use crate::limits::HEADS_SEEN_MAX;
use records::BatchHeader;
use types::Offset;

/// What was seen of the segment that was looked through last: the heads of all batches from some
/// offset on that have a producer.
#[derive(Debug)]
pub(crate) struct HeadsSeen {
    base: Offset,
    /// No batch before it was seen; none at all if it is greater than every offset.
    from: Offset,
    heads: Vec<(u64, BatchHeader)>,
}

impl HeadsSeen {
    /// Nothing.
    pub(crate) fn none() -> HeadsSeen {
        HeadsSeen::of(Offset::NONE, Offset(i64::MAX))
    }

    /// Nothing yet, of a segment that is looked through from `from` on.
    pub(super) fn of(base: Offset, from: Offset) -> HeadsSeen {
        HeadsSeen { base, from, heads: Vec::new() }
    }

    pub(super) fn note(&mut self, position: u64, frame: &Frame) {
        let Some(header) = frame.header.as_ref().filter(|header| header.has_producer()) else {
            return;
        };
        if self.heads.len() == HEADS_SEEN_MAX {
            *self = HeadsSeen::none();
        }
        if self.from < Offset(i64::MAX) {
            self.heads.push((position, header.clone()));
        }
    }

    /// The offset from which on all is known of a segment, with the heads of its batches that have
    /// a producer, and where they are.
    pub(super) fn in_segment(&self, base: Offset) -> (Offset, &[(u64, BatchHeader)]) {
        match base == self.base {
            true => (self.from, &self.heads),
            false => (Offset(i64::MAX), &[]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use records::{BatchBuilder, NewRecord};
    use types::{ProducerEpoch, ProducerId, Sequence};

    fn frame(has_producer: bool) -> Frame {
        let mut builder = BatchBuilder::new();
        builder.push(NewRecord::default());
        if has_producer {
            builder = builder.producer(ProducerId(1), ProducerEpoch(0), Sequence(0));
        }
        Frame::of(builder.build().header())
    }

    #[test]
    fn of_too_many_heads_none_is_known() {
        let (base, from) = (Offset(10), Offset(20));
        let mut seen = HeadsSeen::of(base, from);
        (0..HEADS_SEEN_MAX).for_each(|_| seen.note(0, &frame(true)));
        seen.note(0, &frame(false));
        let (known_from, heads) = seen.in_segment(base);
        assert_eq!((known_from, heads.len()), (from, HEADS_SEEN_MAX));
        assert_eq!(seen.in_segment(Offset(11)).0, Offset(i64::MAX), "of another segment");
        (0..2).for_each(|_| seen.note(0, &frame(true)));
        assert_eq!(seen.in_segment(base).0, Offset(i64::MAX));
    }
}
