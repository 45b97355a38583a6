//! The facts of the machine without which a figure means nothing.

use std::fs;
use std::path::Path;

use ::load::Machine;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::options::Options;

/// Name and value, in the order they are printed.
pub type Facts = Vec<(&'static str, String)>;

pub fn facts(options: &Options) -> Facts {
    let here = Machine::here();
    let mounts = fs::read_to_string("/proc/mounts").unwrap_or_default();
    vec![
        ("processor", format!("{} × {}", here.cores, here.processor)),
        ("kernel", here.kernel),
        ("memory", format!("{} GiB", here.memory_gib)),
        ("congestion control", here.congestion_control),
        ("file system", file_system(&options.dir, &mounts)),
        ("load before", here.load_before),
        ("rounds", options.rounds.to_string()),
    ]
}

/// The type of the mount that holds `dir`.
fn file_system(dir: &Path, mounts: &str) -> String {
    let dir = fs::canonicalize(dir).unwrap_or_else(|_| std::env::temp_dir());
    let fields = |line: &str| {
        let mut fields = line.split(' ').skip(1).map(str::to_owned);
        Some((fields.next()?, fields.next()?))
    };
    let holding = mounts.lines().filter_map(fields).filter(|(at, _)| dir.starts_with(at));
    holding.max_by_key(|(at, _)| at.len()).map_or_else(String::new, |(_, kind)| kind)
}

/// What this process and those it starts may have open.
pub fn limit_files(files_max: u64) -> Result<(), String> {
    let granted = getrlimit(Resource::Nofile).maximum;
    let limit = Some(granted.map_or(files_max, |granted| granted.min(files_max)));
    let both = Rlimit { current: limit, maximum: limit };
    setrlimit(Resource::Nofile, both).map_err(|error| format!("file limit: {error}"))
}

/// Makes the host give memory for `bytes` of page cache before the clock runs: the first touch of a
/// page it has taken back costs ten times the write itself.
pub fn warm_up(dir: &Path, bytes: u64) -> std::io::Result<()> {
    use std::io::Write;
    let path = dir.join("warm-up");
    let mut file = fs::File::create(&path)?;
    let block = vec![1_u8; 1 << 20];
    for _ in 0..bytes >> 20 {
        file.write_all(&block)?;
    }
    drop(file);
    fs::remove_file(path)
}

/// Returns once everything that was written under `dir` is on the disk.
pub fn sync_file_system(dir: &Path) -> std::io::Result<()> {
    Ok(rustix::fs::syncfs(fs::File::open(dir)?)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deepest_mount_holds_a_directory() {
        let dir = tempfile::tempdir().unwrap();
        let deep = fs::canonicalize(dir.path()).unwrap();
        let mounts = format!("a / ext4 rw 0 0\nb {} tmpfs rw 0 0\nc /none xfs\n", deep.display());
        assert_eq!(file_system(&deep, &mounts), "tmpfs");
    }
}
