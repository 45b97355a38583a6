use types::Offset;

/// The offset below which every in-sync replica holds the log. Consumers never read at or above it.
///
/// **Unit:** a record [`Offset`], exclusive: `0` means nothing is committed.
/// **Invariant:** it never decreases within one leader epoch and never passes the log end.
/// **Written by:** the owner of the partition only, through [`advance_to`](Self::advance_to).
///
/// # Source
/// Kafka `Partition.maybeIncrementLeaderHW`; truncation by epoch instead: KIP-101, KIP-279.
#[doc(alias = "HW")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct HighWatermark(Offset);

impl HighWatermark {
    pub fn at(offset: Offset) -> HighWatermark {
        HighWatermark(offset)
    }

    pub fn offset(self) -> Offset {
        self.0
    }

    /// Moves forward to `candidate`; says where it is now if it moved.
    ///
    /// # Panics
    /// If asked to pass the log end: that is a bug in replica accounting, never an input.
    pub fn advance_to(&mut self, candidate: Offset, log_end: Offset) -> Option<Offset> {
        assert!(candidate <= log_end, "high watermark {candidate} is past the log end {log_end}");
        if candidate <= self.0 {
            return None;
        }
        self.0 = candidate;
        Some(candidate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_high_watermark_never_moves_back() {
        let mut watermark = HighWatermark::at(Offset(5));
        assert_eq!(watermark.advance_to(Offset(4), Offset(9)), None);
        assert_eq!(watermark.advance_to(Offset(9), Offset(9)), Some(Offset(9)));
        assert_eq!(watermark.offset(), Offset(9));
    }

    #[test]
    #[should_panic(expected = "past the log end")]
    fn the_high_watermark_never_passes_the_log_end() {
        HighWatermark::default().advance_to(Offset(2), Offset(1));
    }
}
