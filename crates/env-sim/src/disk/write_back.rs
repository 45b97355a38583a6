//! Errors of write-back, told as Linux tells them: once to everybody who has the file open.
//!
//! Source: `errseq_t` in the kernel's documentation; `file_check_and_advance_wb_err` (4.13);
//! `syncfs`, which has a place of its own in each open file (5.8).

use std::ffi::OsString;
use std::path::Path;

use super::SimDisk;
use super::state::{FileNode, Node, NodeId, State};

/// Errors that write-back has met, of a file or of a file system.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Errors {
    count: u64,
    /// Somebody was told of the last one.
    is_seen: bool,
}

impl Errors {
    /// Those that nobody has been told of count as one.
    fn note(&mut self) {
        self.count += u64::from(self.is_seen || self.count == 0);
        self.is_seen = false;
    }

    /// What an open file begins with. It is told of an error from before if nobody was.
    pub(super) fn known(self) -> u64 {
        if self.is_seen { self.count } else { 0 }
    }

    /// Whether there is one that `known` does not know of; the next time it does.
    pub(super) fn tell(&mut self, known: &mut u64) -> bool {
        let is_news = *known != self.count;
        self.is_seen |= is_news;
        *known = self.count;
        is_news
    }
}

/// The errors that an open file was told of: of itself, and of its file system.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Known {
    pub(super) file: u64,
    pub(super) file_system: u64,
}

/// What lies under one name of the root is a file system of its own.
pub(super) type FileSystem = Option<OsString>;

pub(super) fn file_system_of(path: &Path) -> FileSystem {
    path.components().nth(1).map(|name| name.as_os_str().to_owned())
}

impl SimDisk {
    /// The kernel writes back the files whose paths end so, of its own accord, and cannot: whoever
    /// has them open is told at the next sync.
    pub fn fail_write_back(&self, path_end: &str) {
        let mut state = self.lock_state();
        let mut failing = Vec::new();
        state.walk(&mut |path, id, node| {
            if let (true, Node::File(_)) = (path.to_string_lossy().ends_with(path_end), node) {
                failing.push((id, file_system_of(path)));
            }
        });
        for (node, file_system) in failing {
            state.lose_dirty(node, &file_system);
        }
    }
}

impl State {
    /// Brings a file, or the names of a directory, to the platter, or fails to.
    pub(super) fn write_back(&mut self, node: NodeId, file_system: &FileSystem) {
        let is_broken = self.check_node(super::Operation::Sync, node).is_err();
        let is_failing = self.failing_sync(node) || is_broken;
        match self.nodes.get_mut(&node) {
            Some(Node::Dir { live, durable }) => durable.clone_from(live),
            Some(Node::File(_)) if is_failing => self.lose_dirty(node, file_system),
            Some(Node::File(file)) => file.sync(),
            None => {}
        }
    }

    /// The kernel drops the pages' dirty mark although they never reached the platter.
    fn lose_dirty(&mut self, node: NodeId, file_system: &FileSystem) {
        if let Some(Node::File(FileNode { dirty, stuck, errors, .. })) = self.nodes.get_mut(&node) {
            stuck.append(dirty);
            errors.note();
            self.errors_of(file_system).note();
        }
    }

    pub(super) fn errors_of(&mut self, file_system: &FileSystem) -> &mut Errors {
        self.file_systems.entry(file_system.clone()).or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::{Crash, SimFile};
    use env::{Disk, DiskFile, OpenMode};

    fn open(disk: &SimDisk) -> SimFile {
        disk.open(Path::new("/a/f.log"), OpenMode::Create).unwrap()
    }

    fn disk() -> SimDisk {
        let disk = SimDisk::new(1);
        disk.create_dir_all(Path::new("/a")).unwrap();
        disk
    }

    #[test]
    fn what_could_not_be_written_back_is_on_the_disk_only_if_it_is_written_to_pages_read_anew() {
        let disk = disk();
        let file = open(&disk);
        file.write_at(b"kept", 0).unwrap();
        file.sync().unwrap();
        file.write_at(b"lost", 0).unwrap();
        disk.fail_write_back(".log");
        assert!(file.sync().is_err());
        let content = |file: &SimFile| {
            let mut content = [0; 4];
            file.read_at(&mut content, 0).unwrap();
            content
        };
        file.write_at(b"lost", 0).unwrap();
        file.sync().unwrap();
        assert_eq!(content(&file), *b"lost");
        file.forget_cached(0).unwrap();
        assert_eq!(content(&file), *b"kept");
        file.write_at(b"more", 0).unwrap();
        file.sync().unwrap();
        disk.crash(Crash::PowerLoss);
        assert_eq!(content(&open(&disk)), *b"more");
    }

    #[test]
    fn an_error_of_write_back_is_told_once_to_everybody_who_has_the_file_open() {
        let disk = disk();
        let files = [open(&disk), open(&disk)];
        files[0].write_at(b"lost", 0).unwrap();
        disk.fail_write_back(".log");
        for file in &files {
            assert!(file.sync().is_err());
            file.sync().unwrap();
        }
        // The sync of the file system has its own.
        for file in &files {
            assert!(file.sync_file_system().is_err());
            file.sync_file_system().unwrap();
        }
    }

    #[test]
    fn who_opens_a_file_later_is_told_of_an_error_only_if_nobody_was() {
        let disk = disk();
        let early = open(&disk);
        early.write_at(b"lost", 0).unwrap();
        disk.fail_write_back(".log");
        let late = open(&disk);
        assert!(late.sync().is_err() && late.sync_file_system().is_err());
        open(&disk).sync().unwrap();
        open(&disk).sync_file_system().unwrap();
        disk.fail_write_back(".log");
        assert!(open(&disk).sync().is_err(), "another one");
        assert!(early.sync().is_err());
        early.sync().unwrap(); // both at once
    }

    #[test]
    fn a_kernel_remembers_errors_as_long_as_it_runs() {
        for (crash, is_told) in [(Crash::Kill, true), (Crash::PowerLoss, false)] {
            let disk = disk();
            open(&disk).sync_file_system().unwrap();
            disk.fail_write_back(".log");
            disk.crash(crash);
            assert_eq!(open(&disk).sync().is_err(), is_told);
            assert_eq!(open(&disk).sync_file_system().is_err(), is_told);
        }
    }

    #[test]
    fn an_error_of_one_file_is_told_by_every_sync_of_its_file_system_and_of_no_other() {
        let disk = disk();
        disk.create_dir_all(Path::new("/b")).unwrap();
        let there = disk.open(Path::new("/b/f"), OpenMode::Create).unwrap();
        let dirs = [(); 2].map(|()| disk.open(Path::new("/a"), OpenMode::Read).unwrap());
        open(&disk).write_at(b"lost", 0).unwrap();
        disk.fail_next_sync(".log");
        assert!(open(&disk).sync().is_err());
        assert!(dirs.iter().all(|dir| dir.sync_file_system().is_err()));
        there.sync_file_system().unwrap();
    }
}
