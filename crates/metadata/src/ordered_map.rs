use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

/// Entries in one chunk at most; a full chunk splits in half. A change copies one chunk and the
/// list of chunks: at a million entries, 64 entries and some 20,000 pointers.
const CHUNK_ENTRIES_MAX: usize = 64;

/// A sorted map whose clones share everything that was not changed since.
///
/// An image of the cluster is cloned for every publication and read by every request, so a clone
/// costs one reference count, and a change costs one chunk, not the map.
///
/// **Invariant:** no chunk is empty; keys rise strictly within and across chunks.
pub struct OrderedMap<K, V> {
    chunks: Arc<Vec<Arc<Chunk<K, V>>>>,
    len: usize,
}

type Chunk<K, V> = Vec<(K, V)>;

impl<K: Ord + Clone, V: Clone> OrderedMap<K, V> {
    pub fn new() -> OrderedMap<K, V> {
        OrderedMap { chunks: Arc::new(Vec::new()), len: 0 }
    }

    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub fn get<Q>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
        Q: Ord + ?Sized,
    {
        let chunk = self.chunks.get(self.chunk_of(key)?)?;
        let at = chunk.binary_search_by(|(k, _)| k.borrow().cmp(key)).ok()?;
        Some(&chunk[at].1)
    }

    pub fn contains_key<Q>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
        Q: Ord + ?Sized,
    {
        self.get(key).is_some()
    }

    /// Returns the value that was there before.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        let Some(at) = self.chunk_of(&key) else {
            Arc::make_mut(&mut self.chunks).insert(0, Arc::new(vec![(key, value)]));
            self.len += 1;
            return None;
        };
        let chunks = Arc::make_mut(&mut self.chunks);
        let chunk = Arc::make_mut(&mut chunks[at]);
        match chunk.binary_search_by(|(k, _)| k.cmp(&key)) {
            Ok(found) => Some(std::mem::replace(&mut chunk[found].1, value)),
            Err(place) => {
                chunk.insert(place, (key, value));
                self.len += 1;
                if chunk.len() > CHUNK_ENTRIES_MAX {
                    let upper = chunk.split_off(chunk.len() / 2);
                    chunks.insert(at + 1, Arc::new(upper));
                }
                None
            }
        }
    }

    /// Returns the value that was there.
    pub fn remove<Q>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Ord + ?Sized,
    {
        let at = self.chunk_of(key)?;
        let found = self.chunks[at].binary_search_by(|(k, _)| k.borrow().cmp(key)).ok()?;
        let chunks = Arc::make_mut(&mut self.chunks);
        let chunk = Arc::make_mut(&mut chunks[at]);
        let (_, value) = chunk.remove(found);
        if chunk.is_empty() {
            chunks.remove(at);
        }
        self.len -= 1;
        Some(value)
    }

    /// In key order.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.chunks.iter().flat_map(|chunk| chunk.iter().map(|(key, value)| (key, value)))
    }

    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.iter().map(|(_, value)| value)
    }

    /// The entries whose key is `first` or greater, in key order: the next page of a listing.
    pub fn iter_from<Q>(&self, first: &Q) -> impl Iterator<Item = (&K, &V)>
    where
        K: Borrow<Q>,
        Q: Ord + ?Sized,
    {
        let at = self.chunk_of(first).unwrap_or(0);
        let skipped = self
            .chunks
            .get(at)
            .map_or(0, |chunk| chunk.partition_point(|(key, _)| key.borrow() < first));
        let rest = self.chunks.iter().skip(at);
        rest.flat_map(|chunk| chunk.iter().map(|(key, value)| (key, value))).skip(skipped)
    }

    /// The chunk where `key` is or would go; `None` only if there is no chunk.
    fn chunk_of<Q>(&self, key: &Q) -> Option<usize>
    where
        K: Borrow<Q>,
        Q: Ord + ?Sized,
    {
        if self.chunks.is_empty() {
            return None;
        }
        let after = self.chunks.partition_point(|chunk| chunk[0].0.borrow() <= key);
        Some(after.saturating_sub(1))
    }
}

impl<K, V> Clone for OrderedMap<K, V> {
    fn clone(&self) -> OrderedMap<K, V> {
        OrderedMap { chunks: Arc::clone(&self.chunks), len: self.len }
    }
}

impl<K: Ord + Clone, V: Clone> Default for OrderedMap<K, V> {
    fn default() -> OrderedMap<K, V> {
        OrderedMap::new()
    }
}

/// Equal content, however it is cut into chunks.
impl<K: Ord + Clone, V: Clone + PartialEq> PartialEq for OrderedMap<K, V> {
    fn eq(&self, other: &OrderedMap<K, V>) -> bool {
        Arc::ptr_eq(&self.chunks, &other.chunks)
            || (self.len == other.len && self.iter().eq(other.iter()))
    }
}

impl<K: Ord + Clone, V: Clone + Eq> Eq for OrderedMap<K, V> {}

impl<K: Ord + Clone + fmt::Debug, V: Clone + fmt::Debug> fmt::Debug for OrderedMap<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        Insert(u16, u32),
        Remove(u16),
        Snapshot,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let key = 0u16..400;
        let step = prop_oneof![
            6 => (key.clone(), any::<u32>()).prop_map(|(k, v)| Step::Insert(k, v)),
            3 => key.prop_map(Step::Remove),
            1 => Just(Step::Snapshot),
        ];
        prop::collection::vec(step, 0..600)
    }

    fn check_alike(map: &OrderedMap<u16, u32>, model: &BTreeMap<u16, u32>) {
        assert_eq!(map.len(), model.len());
        assert!(map.iter().eq(model.iter()));
        assert!(map.chunks.iter().all(|c| !c.is_empty() && c.len() <= CHUNK_ENTRIES_MAX));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn it_behaves_like_a_tree_and_snapshots_never_change(steps in steps(), from in 0u16..400) {
            let (mut map, mut model) = (OrderedMap::new(), BTreeMap::new());
            let mut snapshots = Vec::new();
            for step in steps {
                match step {
                    Step::Insert(k, v) => prop_assert_eq!(map.insert(k, v), model.insert(k, v)),
                    Step::Remove(k) => prop_assert_eq!(map.remove(&k), model.remove(&k)),
                    Step::Snapshot => snapshots.push((map.clone(), model.clone())),
                }
            }
            check_alike(&map, &model);
            prop_assert!(map.iter_from(&from).eq(model.range(from..)));
            for key in 0..400 {
                prop_assert_eq!(map.get(&key), model.get(&key));
            }
            for (map, model) in snapshots {
                check_alike(&map, &model);
            }
        }
    }

    #[test]
    fn maps_are_equal_by_content_not_by_chunks() {
        let rising: Vec<u16> = (0..300).collect();
        let mut a = OrderedMap::new();
        let mut b = OrderedMap::new();
        for key in &rising {
            a.insert(*key, ());
        }
        for key in rising.iter().rev() {
            b.insert(*key, ());
        }
        assert_eq!(a, b);
        b.remove(&7);
        assert_ne!(a, b);
    }
}
