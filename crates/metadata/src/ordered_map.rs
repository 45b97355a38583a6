use std::borrow::Borrow;
use std::fmt;
use std::slice;
use std::sync::Arc;

/// Entries of one node at most; a full node splits in half. A change copies one node a level: at
/// a million entries some 80 entries, where one flat list of chunks would be 30,000 pointers.
const NODE_ENTRIES_MAX: usize = 32;

/// A sorted map whose clones share everything that was not changed since.
///
/// An image of the cluster is cloned for every publication and read by every request, so a clone
/// costs one reference count, and a change costs one path through a tree, not the map.
pub struct OrderedMap<K, V> {
    root: Arc<Node<K, V>>,
    len: usize,
}

/// **Invariant:** keys rise strictly, within a node and from node to node. No node but an empty
/// root is empty. From the second on, the key beside a child is at most the child's first key and
/// above every key of the child before it.
enum Node<K, V> {
    Leaf(Vec<(K, V)>),
    Inner(Vec<Child<K, V>>),
}

type Child<K, V> = (K, Arc<Node<K, V>>);

impl<K: Ord + Clone, V: Clone> OrderedMap<K, V> {
    pub fn new() -> OrderedMap<K, V> {
        OrderedMap { root: Arc::new(Node::Leaf(Vec::new())), len: 0 }
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
        let mut node = &*self.root;
        loop {
            match node {
                Node::Inner(children) => node = &children[child_of(children, key)].1,
                Node::Leaf(entries) => {
                    let at = entries.binary_search_by(|(k, _)| k.borrow().cmp(key)).ok()?;
                    return Some(&entries[at].1);
                }
            }
        }
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
        let (before, split) = Arc::make_mut(&mut self.root).insert(key, value);
        if let Some(upper) = split {
            // The first key of a node's children is never looked at: any will do.
            let lower = (upper.0.clone(), Arc::clone(&self.root));
            self.root = Arc::new(Node::Inner(vec![lower, upper]));
        }
        self.len += usize::from(before.is_none());
        before
    }

    /// Returns the value that was there.
    pub fn remove<Q>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Ord + ?Sized,
    {
        // Nothing is copied for a key that is not there.
        self.get(key)?;
        let removed = Arc::make_mut(&mut self.root).remove(key)?;
        self.len -= 1;
        while let Node::Inner(children) = &*self.root {
            match children.as_slice() {
                [] => self.root = Arc::new(Node::Leaf(Vec::new())),
                [(_, only)] => self.root = Arc::clone(only),
                _ => break,
            }
        }
        Some(removed)
    }

    /// In key order.
    pub fn iter(&self) -> Entries<'_, K, V> {
        let mut entries = Entries { above: Vec::new(), leaf: [].iter() };
        entries.descend(&self.root);
        entries
    }

    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.iter().map(|(_, value)| value)
    }

    /// The entries whose key is `first` or greater, in key order: the next page of a listing.
    pub fn iter_from<Q>(&self, first: &Q) -> Entries<'_, K, V>
    where
        K: Borrow<Q>,
        Q: Ord + ?Sized,
    {
        let mut entries = Entries { above: Vec::new(), leaf: [].iter() };
        let mut node = &*self.root;
        loop {
            match node {
                Node::Inner(children) => {
                    let at = child_of(children, first);
                    entries.above.push(children[at + 1..].iter());
                    node = &children[at].1;
                }
                Node::Leaf(leaf) => {
                    let at = leaf.partition_point(|(key, _)| key.borrow() < first);
                    entries.leaf = leaf[at..].iter();
                    return entries;
                }
            }
        }
    }
}

/// Which child has `key`, or would have it.
fn child_of<K, V, Q>(children: &[Child<K, V>], key: &Q) -> usize
where
    K: Borrow<Q>,
    Q: Ord + ?Sized,
{
    children.partition_point(|(first, _)| first.borrow() <= key).saturating_sub(1)
}

impl<K: Ord + Clone, V: Clone> Node<K, V> {
    /// The value that was there before, and the upper half of this node if it had to split.
    fn insert(&mut self, key: K, value: V) -> (Option<V>, Option<Child<K, V>>) {
        match self {
            Node::Leaf(entries) => match entries.binary_search_by(|(k, _)| k.cmp(&key)) {
                Ok(at) => (Some(std::mem::replace(&mut entries[at].1, value)), None),
                Err(at) => {
                    entries.insert(at, (key, value));
                    (None, split(entries, Node::Leaf))
                }
            },
            Node::Inner(children) => {
                let at = child_of(children, &key);
                let (before, upper) = Arc::make_mut(&mut children[at].1).insert(key, value);
                let Some(upper) = upper else { return (before, None) };
                children.insert(at + 1, upper);
                (before, split(children, Node::Inner))
            }
        }
    }

    fn remove<Q>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Ord + ?Sized,
    {
        match self {
            Node::Leaf(entries) => {
                let at = entries.binary_search_by(|(k, _)| k.borrow().cmp(key)).ok()?;
                Some(entries.remove(at).1)
            }
            Node::Inner(children) => {
                let at = child_of(children, key);
                let removed = Arc::make_mut(&mut children[at].1).remove(key)?;
                if children[at].1.is_empty() {
                    children.remove(at);
                }
                Some(removed)
            }
        }
    }

    fn is_empty(&self) -> bool {
        match self {
            Node::Leaf(entries) => entries.is_empty(),
            Node::Inner(children) => children.is_empty(),
        }
    }
}

impl<K: Clone, V: Clone> Clone for Node<K, V> {
    fn clone(&self) -> Node<K, V> {
        match self {
            Node::Leaf(entries) => Node::Leaf(entries.clone()),
            Node::Inner(children) => Node::Inner(children.clone()),
        }
    }
}

/// Takes the upper half off a list that has grown too long.
fn split<K: Clone, V, T>(
    list: &mut Vec<(K, T)>,
    node: impl FnOnce(Vec<(K, T)>) -> Node<K, V>,
) -> Option<Child<K, V>> {
    if list.len() <= NODE_ENTRIES_MAX {
        return None;
    }
    let upper = list.split_off(list.len() / 2);
    let first = upper[0].0.clone();
    Some((first, Arc::new(node(upper))))
}

/// Entries of an [`OrderedMap`], in key order.
pub struct Entries<'a, K, V> {
    /// What is left of each node on the way down, the root's first.
    above: Vec<slice::Iter<'a, Child<K, V>>>,
    leaf: slice::Iter<'a, (K, V)>,
}

impl<'a, K, V> Entries<'a, K, V> {
    /// Goes to the first leaf under `node`.
    fn descend(&mut self, mut node: &'a Node<K, V>) {
        loop {
            match node {
                Node::Leaf(entries) => {
                    self.leaf = entries.iter();
                    return;
                }
                Node::Inner(children) => {
                    let mut children = children.iter();
                    let Some((_, first)) = children.next() else { return };
                    self.above.push(children);
                    node = first;
                }
            }
        }
    }
}

impl<'a, K, V> Iterator for Entries<'a, K, V> {
    type Item = (&'a K, &'a V);

    fn next(&mut self) -> Option<(&'a K, &'a V)> {
        loop {
            if let Some((key, value)) = self.leaf.next() {
                return Some((key, value));
            }
            match self.above.last_mut()?.next() {
                Some((_, child)) => self.descend(child),
                None => {
                    self.above.pop();
                }
            }
        }
    }
}

impl<K, V> Clone for OrderedMap<K, V> {
    fn clone(&self) -> OrderedMap<K, V> {
        OrderedMap { root: Arc::clone(&self.root), len: self.len }
    }
}

impl<K: Ord + Clone, V: Clone> Default for OrderedMap<K, V> {
    fn default() -> OrderedMap<K, V> {
        OrderedMap::new()
    }
}

/// Equal content, however it is cut into nodes.
impl<K: Ord + Clone, V: Clone + PartialEq> PartialEq for OrderedMap<K, V> {
    fn eq(&self, other: &OrderedMap<K, V>) -> bool {
        Arc::ptr_eq(&self.root, &other.root)
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
        let key = 0u16..3000;
        let step = prop_oneof![
            12 => (key.clone(), any::<u32>()).prop_map(|(k, v)| Step::Insert(k, v)),
            6 => key.prop_map(Step::Remove),
            1 => Just(Step::Snapshot),
        ];
        prop::collection::vec(step, 0..3000)
    }

    fn is_sound(node: &Node<u16, u32>) -> bool {
        let fits = |len| (1..=NODE_ENTRIES_MAX).contains(&len);
        match node {
            Node::Leaf(entries) => fits(entries.len()) && entries.is_sorted_by(|a, b| a.0 < b.0),
            Node::Inner(children) => {
                fits(children.len()) && children.iter().all(|(_, child)| is_sound(child))
            }
        }
    }

    fn check_alike(map: &OrderedMap<u16, u32>, model: &BTreeMap<u16, u32>) {
        assert_eq!(map.len(), model.len());
        assert!(map.iter().eq(model.iter()));
        assert!(map.is_empty() || is_sound(&map.root));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn it_behaves_like_a_tree_and_snapshots_never_change(steps in steps(), from in 0u16..3000) {
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
            for key in 0..3000 {
                prop_assert_eq!(map.get(&key), model.get(&key));
            }
            for (map, model) in snapshots {
                check_alike(&map, &model);
            }
        }
    }

    #[test]
    fn maps_are_equal_by_content_not_by_nodes() {
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
