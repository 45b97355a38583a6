//! Throws what lies on the disk out of the page cache, so that reads of it are cold.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{Advice, fadvise};

const LOG: &str = "log";

/// Evicts the log files of the partitions of `topic` that the process `pid` has open; how many
/// bytes those are. Needs the right to look at the process and its files.
pub fn evict(pid: u32, topic: &str) -> io::Result<u64> {
    let mut bytes = 0;
    for dir in partition_dirs(pid, topic)? {
        for entry in fs::read_dir(dir)? {
            let path = entry?.path();
            if is_log(&path) {
                bytes += evict_file(&path)?;
            }
        }
    }
    Ok(bytes)
}

/// The same for every log file that process `pid` has open.
pub fn evict_open(pid: u32) -> io::Result<u64> {
    logs_open(pid)?.iter().map(|path| evict_file(path)).sum()
}

/// A file that is open tells its directory, which tells the rest.
fn partition_dirs(pid: u32, topic: &str) -> io::Result<BTreeSet<PathBuf>> {
    let is_of_topic = |dir: &PathBuf| {
        let name = dir.file_name().unwrap_or_default().to_string_lossy();
        name.strip_prefix(topic).is_some_and(|rest| rest.starts_with('-'))
    };
    let logs = logs_open(pid)?;
    Ok(logs.iter().filter_map(|log| Some(log.parent()?.to_owned())).filter(is_of_topic).collect())
}

fn logs_open(pid: u32) -> io::Result<Vec<PathBuf>> {
    let mut logs = Vec::new();
    for entry in fs::read_dir(format!("/proc/{pid}/fd"))? {
        // It may have been closed in the meantime.
        logs.extend(fs::read_link(entry?.path()).ok().filter(|path| is_log(path)));
    }
    Ok(logs)
}

fn is_log(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == LOG)
}

/// Only clean pages can be thrown away.
fn evict_file(path: &Path) -> io::Result<u64> {
    let file = File::open(path)?;
    file.sync_data()?;
    fadvise(&file, 0, None, Advice::DontNeed)?;
    Ok(file.metadata()?.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_files_are_found_through_the_process_that_has_them_open() {
        let dir = std::env::temp_dir().join(format!("evict-{}", std::process::id()));
        let partition = dir.join("topic-0");
        fs::create_dir_all(&partition).unwrap();
        fs::write(partition.join("0.log"), [7; 5000]).unwrap();
        fs::write(partition.join("5.log"), [7; 100]).unwrap();
        fs::write(partition.join("0.index"), [7; 900]).unwrap();
        let held = File::open(partition.join("5.log")).unwrap();
        let pid = std::process::id();
        assert_eq!(evict(pid, "topic").unwrap(), 5100);
        assert_eq!(evict(pid, "top").unwrap(), 0);
        assert!(evict_open(pid).unwrap() >= 100, "others may have some open, too");
        drop(held);
        fs::remove_dir_all(dir).unwrap();
    }
}
