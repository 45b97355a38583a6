//! What is on the disk, and what of it survives.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Component, Path};

use super::faults::{Failure, Mount};
use super::write_back::{Errors, FileSystem};

/// What a write is torn into when the power goes. Real disks promise no more than a sector.
const PAGE_BYTES: usize = 512;

pub(super) type NodeId = u64;
pub(super) type Names = BTreeMap<String, NodeId>;
pub(super) const ROOT: NodeId = 0;

#[derive(Clone, Debug)]
pub(super) enum Node {
    Dir { live: Names, durable: Names },
    File(FileNode),
}

#[derive(Clone, Debug, Default)]
pub(super) struct FileNode {
    pub(super) live: Vec<u8>,
    pub(super) durable: Vec<u8>,
    /// Pages of `live` that were written since the last sync.
    pub(super) dirty: BTreeSet<usize>,
    /// Pages whose write-back has failed. Whatever is written to them does not go down until they
    /// are read anew.
    pub(super) stuck: BTreeSet<usize>,
    pub(super) errors: Errors,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) nodes: BTreeMap<NodeId, Node>,
    pub(super) next_node: NodeId,
    /// Counts the processes that have used the disk; handles carry the one they belong to.
    pub(super) life: u64,
    pub(super) locks: BTreeSet<NodeId>,
    pub(super) random: u64,
    pub(super) capacity: u64,
    /// Mutations until the process dies in the middle of one.
    pub(super) mutations_left: Option<u64>,
    pub(super) mutations: u64,
    pub(super) sync_failures: Vec<String>,
    pub(super) failures: Vec<Failure>,
    pub(super) mounts: Vec<Mount>,
    /// Errors of write-back.
    pub(super) file_systems: BTreeMap<FileSystem, Errors>,
    /// How directories begin and names end, and how many writes are not done.
    pub(super) ignored_writes: Option<(String, String, u64)>,
    pub(super) ignores_syncs: bool,
    pub(super) reads_wait: bool,
    pub(super) syncs: u64,
    pub(super) bytes_read: u64,
    pub(super) open_files_max: usize,
}

impl State {
    pub(super) fn next_random(&mut self) -> u64 {
        // SplitMix64.
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(super) fn coin(&mut self) -> bool {
        self.next_random() & 1 == 1
    }

    /// Counts a mutation; `Ok(false)` means: this one is the last, do it in part.
    pub(super) fn count_mutation(&mut self) -> io::Result<bool> {
        self.check_alive()?;
        self.mutations += 1;
        match &mut self.mutations_left {
            None => Ok(true),
            Some(left) => {
                *left = left.saturating_sub(1);
                Ok(*left > 0)
            }
        }
    }

    pub(super) fn mutate_whole(&mut self) -> io::Result<()> {
        match self.count_mutation()? {
            true => Ok(()),
            false => Err(dead()),
        }
    }

    pub(super) fn check_alive(&self) -> io::Result<()> {
        match self.mutations_left {
            Some(0) => Err(dead()),
            _ => Ok(()),
        }
    }

    pub(super) fn dir(&mut self, node: NodeId) -> io::Result<(&mut Names, &mut Names)> {
        match self.nodes.get_mut(&node) {
            Some(Node::Dir { live, durable }) => Ok((live, durable)),
            _ => Err(io::ErrorKind::NotADirectory.into()),
        }
    }

    pub(super) fn file(&mut self, node: NodeId) -> io::Result<&mut FileNode> {
        match self.nodes.get_mut(&node) {
            Some(Node::File(file)) => Ok(file),
            _ => Err(io::ErrorKind::IsADirectory.into()),
        }
    }

    pub(super) fn find(&mut self, path: &Path) -> io::Result<NodeId> {
        let mut node = ROOT;
        for name in names_of(path) {
            let (live, _) = self.dir(node)?;
            node = *live.get(&name).ok_or_else(|| missing(path))?;
        }
        Ok(node)
    }

    /// The directory that holds `path`, and the last name.
    pub(super) fn find_parent(&mut self, path: &Path) -> io::Result<(NodeId, String)> {
        let name = names_of(path).pop().ok_or_else(|| missing(path))?;
        let parent = path.parent().ok_or_else(|| missing(path))?;
        Ok((self.find(parent)?, name))
    }

    pub(super) fn add(&mut self, node: Node) -> NodeId {
        let id = self.next_node;
        self.next_node += 1;
        self.nodes.insert(id, node);
        id
    }

    pub(super) fn lose_power(&mut self) {
        self.file_systems.clear();
        let ids: Vec<NodeId> = self.nodes.keys().copied().collect();
        for id in ids {
            match self.nodes.remove(&id) {
                Some(Node::File(file)) => {
                    let kept = self.surviving_bytes(file);
                    self.nodes.insert(id, Node::File(kept));
                }
                Some(Node::Dir { live, durable }) => {
                    let names = self.surviving_names(&live, durable);
                    self.nodes.insert(id, Node::Dir { live: names.clone(), durable: names });
                }
                None => {}
            }
        }
    }

    pub(super) fn surviving_bytes(&mut self, file: FileNode) -> FileNode {
        let mut kept = file.durable;
        // The length goes its own way: grown without its data it shows zeros.
        if file.live.len() != kept.len() && self.coin() {
            kept.resize(file.live.len(), 0);
        }
        for page in file.dirty {
            if !self.coin() {
                continue;
            }
            let from = page * PAGE_BYTES;
            let to = (from + PAGE_BYTES).min(file.live.len()).min(kept.len());
            if from < to {
                kept[from..to].copy_from_slice(&file.live[from..to]);
            }
        }
        FileNode { live: kept.clone(), durable: kept, ..FileNode::default() }
    }

    /// Each name that differs is the old or the new one; no file that has a name loses all of them.
    pub(super) fn surviving_names(&mut self, live: &Names, durable: Names) -> Names {
        let mut kept = durable.clone();
        let changed: BTreeSet<&String> = live.keys().chain(durable.keys()).collect();
        for name in changed {
            if live.get(name) == durable.get(name) || !self.coin() {
                continue;
            }
            match live.get(name) {
                Some(node) => _ = kept.insert(name.clone(), *node),
                None => _ = kept.remove(name),
            }
        }
        // Renaming is atomic: a file that was there and still is has one of its names at least.
        let there: BTreeSet<NodeId> = durable.values().copied().collect();
        for (name, node) in live.iter().filter(|(_, node)| there.contains(node)) {
            if !kept.values().any(|known| known == node) {
                kept.insert(name.clone(), *node);
            }
        }
        kept
    }

    /// Frees what no name leads to, once no process can have it open.
    pub(super) fn forget_unreachable(&mut self) {
        let mut reached = BTreeSet::from([ROOT]);
        let mut open = vec![ROOT];
        while let Some(id) = open.pop() {
            if let Some(Node::Dir { live, durable }) = self.nodes.get(&id) {
                let named = live.values().chain(durable.values());
                open.extend(named.filter(|child| reached.insert(**child)));
            }
        }
        self.nodes.retain(|id, _| reached.contains(id));
    }
}

impl FileNode {
    pub(super) fn write(&mut self, bytes: &[u8], position: usize) {
        if bytes.is_empty() {
            return;
        }
        let end = position + bytes.len();
        let from = position.min(self.live.len());
        if self.live.len() < end {
            self.live.resize(end, 0);
        }
        self.live[position..end].copy_from_slice(bytes);
        self.dirty.extend(from / PAGE_BYTES..=(end - 1) / PAGE_BYTES);
    }

    pub(super) fn set_len(&mut self, bytes: usize) {
        let from = self.live.len().min(bytes);
        let to = self.live.len().max(bytes);
        self.live.resize(bytes, 0);
        self.stuck.retain(|page| page * PAGE_BYTES < bytes);
        if to > from {
            self.dirty.extend(from / PAGE_BYTES..=(to - 1) / PAGE_BYTES);
        }
    }

    /// Pages that are clean are as they are on the platter again.
    pub(super) fn forget_cached(&mut self, position: usize) {
        let pages = position / PAGE_BYTES..self.live.len().div_ceil(PAGE_BYTES);
        for page in pages.filter(|page| !self.dirty.contains(page)) {
            self.stuck.remove(&page);
            let from = page * PAGE_BYTES;
            let to = (from + PAGE_BYTES).min(self.live.len());
            let known = self.durable.len().clamp(from, to);
            self.live[from..known].copy_from_slice(&self.durable[from..known]);
            self.live[known..to].fill(0);
        }
    }

    /// Only dirty pages go down, so what a failed sync left behind stays lost.
    pub(super) fn sync(&mut self) {
        self.durable.resize(self.live.len(), 0);
        let dirty = std::mem::take(&mut self.dirty);
        for page in dirty.difference(&self.stuck) {
            let from = (page * PAGE_BYTES).min(self.live.len());
            let to = (from + PAGE_BYTES).min(self.live.len());
            self.durable[from..to].copy_from_slice(&self.live[from..to]);
        }
    }
}

impl State {
    pub(super) fn failing_sync(&mut self, node: NodeId) -> bool {
        let Some(name) = self.name_of(node) else { return false };
        match self.sync_failures.iter().position(|end| name.ends_with(end.as_str())) {
            Some(index) => {
                self.sync_failures.remove(index);
                true
            }
            None => false,
        }
    }

    pub(super) fn ignores_write(&mut self, node: NodeId) -> bool {
        let Some((dir, end, left)) = self.ignored_writes.take() else { return false };
        let here = |name: &str| name.ends_with(&end);
        let named = |dir: NodeId| match self.nodes.get(&dir) {
            Some(Node::Dir { live, .. }) => live.iter().any(|(name, id)| *id == node && here(name)),
            _ => false,
        };
        let dirs = self.nodes.values().filter_map(|parent| match parent {
            Node::Dir { live, .. } => Some(live),
            Node::File(_) => None,
        });
        let mut children = dirs.flatten().filter(|(name, _)| name.starts_with(&dir));
        let ignored = left > 0 && children.any(|(_, id)| named(*id));
        self.ignored_writes = Some((dir, end, left - u64::from(ignored)));
        ignored
    }

    pub(super) fn name_of(&self, node: NodeId) -> Option<String> {
        self.nodes.values().find_map(|dir| match dir {
            Node::Dir { live, .. } => {
                live.iter().find(|(_, id)| **id == node).map(|(name, _)| name.clone())
            }
            Node::File(_) => None,
        })
    }
}

pub(super) fn names_of(path: &Path) -> Vec<String> {
    let name = |part: Component<'_>| match part {
        Component::Normal(name) => Some(name.to_string_lossy().into_owned()),
        _ => None,
    };
    path.components().filter_map(name).collect()
}

pub(super) fn missing(path: &Path) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, format!("{} does not exist", path.display()))
}

pub(super) fn dead() -> io::Error {
    io::Error::other("the simulated process is dead")
}
