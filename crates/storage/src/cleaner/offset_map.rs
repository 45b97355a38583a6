//! The newest offset of each key in the stretch of a log that is being cleaned.

use super::key_hash::{Digest, KeyHash};
use types::Offset;

/// Keys by digest, in a table of fixed size.
///
/// **Invariant:** `used < slots.len()`: a search ends at an empty slot.
/// **Unit:** a slot has 24 bytes, as in Kafka: 16 of digest, 8 of offset.
#[doc(alias = "SkimpyOffsetMap")]
pub(crate) struct OffsetMap {
    hash: KeyHash,
    /// Digest, and the offset plus one; 0 is an empty slot.
    slots: Vec<[u64; 3]>,
    used: usize,
    keys_max: usize,
}

pub(crate) const SLOT_BYTES: usize = 24;

impl OffsetMap {
    /// Holds up to `load_factor` of what fits `bytes_max`, and no more than `keys_expected`.
    pub(crate) fn new(
        hash: KeyHash,
        bytes_max: u64,
        load_factor: f64,
        keys_expected: u64,
    ) -> OffsetMap {
        let slots_max = (bytes_max / SLOT_BYTES as u64).max(2);
        let load = load_factor.clamp(0.1, 0.95);
        let fits = ((slots_max as f64 * load) as u64).clamp(1, slots_max - 1);
        let keys_max = fits.min(keys_expected.max(1));
        let slots = ((keys_max as f64 / load) as u64 + 1).clamp(keys_max + 1, slots_max);
        OffsetMap {
            hash,
            slots: vec![[0; 3]; slots as usize],
            used: 0,
            keys_max: keys_max as usize,
        }
    }

    /// How many further keys fit for certain.
    pub(crate) fn room(&self) -> usize {
        self.keys_max.saturating_sub(self.used)
    }

    pub(crate) fn len(&self) -> usize {
        self.used
    }

    /// Makes the empty map hold `keys`, whatever its bound: a batch that is in memory whole is
    /// larger than what is noted of it.
    ///
    /// # Panics
    /// If the map is not empty.
    pub(crate) fn make_room(&mut self, keys: usize) {
        assert_eq!(self.used, 0, "only an empty map grows");
        if keys > self.keys_max {
            self.slots = vec![[0; 3]; keys + keys / 4 + 2];
            self.keys_max = keys;
        }
    }

    /// Notes that `key` is at `offset`; offsets come in order.
    ///
    /// # Panics
    /// If the key is new and there is no [`room`](Self::room).
    pub(crate) fn put(&mut self, key: &[u8], offset: Offset) {
        let digest = self.hash.digest(key);
        let at = self.slot_of(digest);
        if self.slots[at][2] == 0 {
            assert!(self.used < self.keys_max, "the map is full");
            self.used += 1;
        }
        self.slots[at] = [digest[0], digest[1], offset.0 as u64 + 1];
    }

    /// Where the key was seen last.
    pub(crate) fn get(&self, key: &[u8]) -> Option<Offset> {
        let at = self.slot_of(self.hash.digest(key));
        self.slots[at][2].checked_sub(1).map(|offset| Offset(offset as i64))
    }

    /// The digest's slot, or the empty one where it would go.
    fn slot_of(&self, digest: Digest) -> usize {
        // The digest is uniform, so its upper bits scaled to the table are as good as a remainder.
        let slots = self.slots.len();
        let mut at = ((u128::from(digest[0]) * slots as u128) >> 64) as usize;
        loop {
            let [first, second, offset] = self.slots[at];
            if offset == 0 || [first, second] == digest {
                return at;
            }
            at = if at + 1 == slots { 0 } else { at + 1 };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn map(bytes_max: u64, keys_expected: u64) -> OffsetMap {
        OffsetMap::new(KeyHash::new([7; 16]), bytes_max, 0.9, keys_expected)
    }

    #[test]
    fn the_last_offset_of_each_key_is_found_up_to_the_last_slot() {
        let mut map = map(240, 1000);
        assert_eq!((map.room(), map.slots.len()), (9, 10));
        let mut expected = BTreeMap::new();
        for offset in 0..40 {
            let key = format!("key {}", offset % 9);
            map.put(key.as_bytes(), Offset(offset));
            expected.insert(key, Offset(offset));
        }
        assert_eq!((map.room(), map.len()), (0, 9));
        for (key, offset) in expected {
            assert_eq!(map.get(key.as_bytes()), Some(offset));
        }
        assert_eq!(map.get(b"another"), None);
        assert_eq!(map.get(b""), None);
    }

    #[test]
    fn memory_is_bounded_by_the_buffer_and_by_what_is_expected() {
        assert!(map(24_000, 1 << 40).slots.len() <= 1000);
        assert!(map(128 << 20, 10).slots.len() <= 13);
        let tiny = map(0, 1 << 40);
        assert_eq!((tiny.room(), tiny.slots.len()), (1, 2));
    }

    #[test]
    fn one_batch_always_fits() {
        let mut map = map(0, 100);
        map.make_room(50);
        assert_eq!(map.room(), 50);
        (0..50).for_each(|i: i64| map.put(&i.to_be_bytes(), Offset(i)));
        (0..50).for_each(|i: i64| assert_eq!(map.get(&i.to_be_bytes()), Some(Offset(i))));
    }
}
