//! Parts of a disk that fail: with an error for each call, as long as they are not healed.

use std::io;
use std::path::{Path, PathBuf};

use super::SimDisk;
use super::state::{Node, NodeId, ROOT, State};
use super::write_back::{FileSystem, file_system_of};

/// What a broken part of the disk does not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// Reading a file, or listing a directory.
    Read,
    /// Writing, cutting or extending a file.
    Write,
    /// `fdatasync`; the pages count as clean afterwards, as a kernel has it.
    Sync,
    /// Opening a file.
    Open,
    /// Making, renaming, removing and syncing names.
    Names,
}

impl Operation {
    pub const ALL: [Operation; 5] =
        [Operation::Read, Operation::Write, Operation::Sync, Operation::Open, Operation::Names];
}

#[derive(Clone, Debug)]
pub(super) struct Failure {
    operation: Operation,
    under: PathBuf,
    name_end: String,
}

/// A file system of its own: its files' bytes are bounded together.
#[derive(Clone, Debug)]
pub(super) struct Mount {
    at: PathBuf,
    capacity: u64,
}

impl SimDisk {
    /// From now on `operation` fails with an I/O error for everything at or under `under` whose
    /// name ends with `name_end`.
    pub fn fail(&self, operation: Operation, under: &str, name_end: &str) {
        let failure = Failure { operation, under: under.into(), name_end: name_end.to_owned() };
        self.lock_state().failures.push(failure);
    }

    /// The disk under `path` is gone: everything there fails.
    pub fn break_under(&self, path: &str) {
        Operation::ALL.into_iter().for_each(|operation| self.fail(operation, path, ""));
    }

    /// Nothing fails any more.
    pub fn heal(&self) {
        self.lock_state().failures.clear();
    }

    /// What lies under `path` is a file system of `bytes`; replaces what was said of it before.
    pub fn set_capacity_under(&self, path: &str, bytes: u64) {
        let mut state = self.lock_state();
        state.mounts.retain(|mount| mount.at != Path::new(path));
        state.mounts.push(Mount { at: path.into(), capacity: bytes });
    }
}

impl State {
    pub(super) fn check(&self, operation: Operation, path: &Path) -> io::Result<()> {
        let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
        let strikes = |failure: &Failure| {
            failure.operation == operation
                && path.starts_with(&failure.under)
                && name.ends_with(&failure.name_end)
        };
        match self.failures.iter().any(strikes) {
            true => Err(io::Error::other(format!("simulated {operation:?} failure"))),
            false => Ok(()),
        }
    }

    pub(super) fn check_node(&self, operation: Operation, node: NodeId) -> io::Result<()> {
        match self.failures.is_empty() {
            true => Ok(()),
            false => self.path_of(node).map_or(Ok(()), |path| self.check(operation, &path)),
        }
    }

    /// (total, usable) bytes of the file system that `path` is on.
    pub(super) fn space_at(&self, path: &Path) -> (u64, u64) {
        let mounts = self.mounts.iter().filter(|mount| path.starts_with(&mount.at));
        match mounts.max_by_key(|mount| mount.at.components().count()) {
            Some(mount) => (mount.capacity, mount.capacity.saturating_sub(self.used_at(&mount.at))),
            None => (self.capacity, self.capacity.saturating_sub(self.used_at(Path::new("/")))),
        }
    }

    /// How many bytes the file system of `node` still takes.
    pub(super) fn room_for(&self, node: NodeId) -> u64 {
        if self.mounts.is_empty() && self.capacity == u64::MAX {
            return u64::MAX;
        }
        self.path_of(node).map_or(u64::MAX, |path| self.space_at(&path).1)
    }

    /// Everything that lies on a file system, in a fixed order.
    pub(super) fn all_of(&self, file_system: &FileSystem) -> Vec<NodeId> {
        let mut found = Vec::new();
        self.walk(&mut |path, id, _| {
            if file_system_of(path) == *file_system {
                found.push(id);
            }
        });
        found
    }

    /// Bytes of files with a name there; what was removed gives its room back.
    fn used_at(&self, at: &Path) -> u64 {
        let mut bytes = 0;
        self.walk(&mut |path, _, node| {
            if let (true, Node::File(file)) = (path.starts_with(at), node) {
                bytes += file.live.len() as u64;
            }
        });
        bytes
    }

    fn path_of(&self, wanted: NodeId) -> Option<PathBuf> {
        let mut found = None;
        self.walk(&mut |path, id, _| {
            if id == wanted {
                found = Some(path.to_owned());
            }
        });
        found
    }

    pub(super) fn walk(&self, see: &mut impl FnMut(&Path, NodeId, &Node)) {
        let mut open = vec![(PathBuf::from("/"), ROOT)];
        while let Some((path, id)) = open.pop() {
            let Some(node) = self.nodes.get(&id) else { continue };
            see(&path, id, node);
            if let Node::Dir { live, .. } = node {
                open.extend(live.iter().map(|(name, child)| (path.join(name), *child)));
            }
        }
    }
}
