//! Which partition a record goes to: by its key as Java clients choose, or stick to one.

/// Murmur2 with Kafka's seed. Every client that wants to agree on keys computes this.
#[doc(alias = "Utils.murmur2")]
pub fn murmur2(bytes: &[u8]) -> i32 {
    const SEED: u32 = 0x9747_b28c;
    const M: u32 = 0x5bd1_e995;
    const R: u32 = 24;
    let mut hash = SEED ^ bytes.len() as u32;
    let mut words = bytes.chunks_exact(4);
    for word in &mut words {
        let mut k = u32::from_le_bytes([word[0], word[1], word[2], word[3]]).wrapping_mul(M);
        k ^= k >> R;
        hash = hash.wrapping_mul(M) ^ k.wrapping_mul(M);
    }
    let rest = words.remainder();
    if !rest.is_empty() {
        for (i, byte) in rest.iter().enumerate() {
            hash ^= u32::from(*byte) << (8 * i);
        }
        hash = hash.wrapping_mul(M);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(M);
    (hash ^ (hash >> 15)) as i32
}

/// The partition of a key among `partitions`.
///
/// # Panics
/// If there are no partitions.
#[doc(alias = "BuiltInPartitioner.partitionForKey")]
pub fn partition_for_key(key: &[u8], partitions: i32) -> i32 {
    assert!(partitions > 0, "a topic has a partition");
    (murmur2(key) & i32::MAX) % partitions
}

/// Chooses partitions for records without key: one until its batch is full, then the next.
/// Source: KIP-480, simplified to a round.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sticky {
    next: i32,
}

impl Sticky {
    /// Begins at a partition that differs from one producer to the next.
    pub fn starting_at(seed: u32) -> Sticky {
        Sticky { next: (seed & 0xffff) as i32 }
    }

    /// # Panics
    /// If there are no partitions.
    pub fn partition(&self, partitions: i32) -> i32 {
        assert!(partitions > 0, "a topic has a partition");
        self.next % partitions
    }

    /// The batch was sent: move on.
    pub fn advance(&mut self) {
        self.next = self.next.wrapping_add(1) & i32::MAX;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_the_java_client() {
        // The published test vectors of Kafka's UtilsTest.
        for (text, hash) in [
            ("21", -973_932_308),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
            ("abc", 479_470_107),
        ] {
            assert_eq!(murmur2(text.as_bytes()), hash, "{text}");
        }
    }

    #[test]
    fn a_negative_hash_still_names_a_partition() {
        assert!(murmur2(b"foobar") < 0);
        assert_eq!(partition_for_key(b"foobar", 7), (-790_332_482 & i32::MAX) % 7);
    }

    #[test]
    fn sticky_stays_until_told_to_move_and_visits_all() {
        let mut sticky = Sticky::starting_at(u32::MAX);
        assert_eq!(sticky.partition(3), sticky.partition(3));
        let mut seen = [false; 3];
        for _ in 0..3 {
            seen[sticky.partition(3) as usize] = true;
            sticky.advance();
        }
        assert_eq!(seen, [true; 3]);
    }
}
