//! What the page cache holds can be told from what it does not.

use std::fs;
use std::path::Path;

use env::{Disk, DiskFile, OpenMode};
use env_os::OsDisk;
use rustix::fs::{Advice, fadvise, fstatfs};

const BYTES: usize = 1 << 20;
/// `statfs(2)`: ext4, xfs and btrfs. Others have no page cache, or do not say what it holds.
const TELLING: [u32; 3] = [0xef53, 0x5846_5342, 0x9123_683e];

#[test]
fn what_was_just_written_or_read_is_at_hand_and_what_the_cache_gave_up_is_not() {
    let dir = tempfile::tempdir_in(Path::new(env!("CARGO_TARGET_TMPDIR"))).unwrap();
    let file = OsDisk.open(&dir.path().join("f"), OpenMode::Create).unwrap();
    file.write_at(&[7; BYTES], 0).unwrap();
    assert!(file.is_at_hand(0, BYTES) && file.is_at_hand(5, 0));
    assert!(file.is_at_hand(BYTES as u64 - 1, 10), "what is not there needs no waiting");
    for count in [10, 5000, BYTES] {
        let mut got = vec![1];
        assert!(file.read_at_hand(&mut got, (BYTES - count) as u64, count + 3).unwrap());
        assert_eq!(got.len(), 1 + count, "as far as the file goes");
        assert!(got[1..].iter().all(|byte| *byte == 7) && got[0] == 1);
    }
    let kind = fstatfs(file.file()).unwrap().f_type as u32;
    if !TELLING.contains(&kind) {
        eprintln!("half skipped: file system {kind:#x} does not tell what is in memory");
        return;
    }
    // Whoever asks makes the kernel read ahead, and what is on its way cannot be given up.
    let give_up = || {
        file.read_at(&mut vec![0; BYTES], 0).unwrap();
        file.sync().unwrap();
        fadvise(file.file(), 0, None, Advice::DontNeed).unwrap();
    };
    give_up();
    assert!(!file.is_at_hand(0, BYTES));
    for count in [10, BYTES] {
        give_up();
        let mut got = vec![1];
        assert!(!file.read_at_hand(&mut got, (BYTES - count) as u64, count).unwrap());
        assert_eq!(got, [1], "nothing of what would have had to be waited for");
    }
    file.read_at(&mut [0; BYTES], 0).unwrap();
    assert!(file.is_at_hand(0, BYTES));
}

#[test]
fn what_is_to_be_forgotten_is_read_from_the_disk_and_what_lies_before_stays_at_hand() {
    const PIECE_BYTES: usize = 16 << 10;
    let dir = tempfile::tempdir_in(Path::new(env!("CARGO_TARGET_TMPDIR"))).unwrap();
    let file = OsDisk.open(&dir.path().join("f"), OpenMode::Create).unwrap();
    let kind = fstatfs(file.file()).unwrap().f_type as u32;
    if !TELLING.contains(&kind) {
        eprintln!("skipped: file system {kind:#x} does not tell what is in memory");
        return;
    }
    for at in (0..BYTES).step_by(PIECE_BYTES) {
        file.write_at(&[7; PIECE_BYTES], at as u64).unwrap();
    }
    file.sync().unwrap();
    let (position, before) = ((BYTES - PIECE_BYTES) as u64, bytes_from_disk());
    file.forget_cached(position).unwrap();
    assert!(file.is_at_hand(0, BYTES / 2));
    // To ask whether it is at hand would be a race: whoever asks makes the kernel read ahead.
    file.read_at(&mut [0; PIECE_BYTES], position).unwrap();
    let read = bytes_from_disk() - before;
    assert!(read >= PIECE_BYTES as u64, "only {read} bytes were read from the disk");
}

/// What this thread has had read for it, ahead or at once. Source: `proc_pid_io(5)`.
fn bytes_from_disk() -> u64 {
    let counts = fs::read_to_string("/proc/thread-self/io").expect("a kernel that counts");
    let bytes = counts.lines().find_map(|line| line.strip_prefix("read_bytes: "));
    bytes.expect("what came from the disk").parse().expect("a number")
}
