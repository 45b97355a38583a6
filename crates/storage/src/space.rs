//! How much room a file system has left, asked seldom.

use crate::limits::{SPACE_CHECK_MS, SPACE_RESERVE_BYTES_MAX, SPACE_RESERVE_PARTS};
use env::Disk;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use types::WallTime;

/// Keeps the last bytes of a file system for what must be written even then: committed offsets,
/// metadata, checkpoints, the names of new files.
///
/// **Invariant:** what it believes to be left is the last measurement less everything admitted
/// since. That is trusted for [`SPACE_CHECK_MS`] while there is plenty; near the edge every append
/// measures (a microsecond): the commit journal, checkpoints and neighbours write too.
#[derive(Debug, Default)]
pub(crate) struct SpaceGuard {
    known: Mutex<Option<Known>>,
    is_short: AtomicBool,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    usable: u64,
    reserve: u64,
    measured: WallTime,
}

/// Too little is left for a client's records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoRoom {
    pub(crate) usable: u64,
    pub(crate) reserve: u64,
}

impl SpaceGuard {
    /// Admits `bytes` more, if the reserve stays whole. A file system that cannot be measured
    /// admits everything: the write itself will tell.
    pub(crate) fn admit<D: Disk>(
        &self,
        disk: &D,
        dir: &Path,
        bytes: u64,
        now: WallTime,
    ) -> Result<(), NoRoom> {
        let mut guard = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |known: &Known| known.usable >= known.reserve.saturating_add(bytes);
        let is_trusted = |known: &Known| {
            let is_plenty = known.usable / 2 >= known.reserve.saturating_add(bytes);
            is_plenty && now.0.abs_diff(known.measured.0) < SPACE_CHECK_MS
        };
        let known = match *guard {
            Some(known) if is_trusted(&known) => known,
            _ => {
                let Ok((total, usable)) = disk.space(dir) else { return Ok(()) };
                Known { usable, reserve: space_reserve(total), measured: now }
            }
        };
        let refused = !fits(&known);
        let usable = if refused { known.usable } else { known.usable - bytes };
        *guard = Some(Known { usable, ..known });
        self.is_short.store(refused, Ordering::Release);
        match refused {
            true => Err(NoRoom { usable, reserve: known.reserve }),
            false => Ok(()),
        }
    }

    /// A write has found the disk full: what was believed is wrong.
    pub(crate) fn note_full(&self) {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.is_short.store(true, Ordering::Release);
    }

    /// Whether the last to ask for room, or to use it, found none.
    pub(crate) fn is_short(&self) -> bool {
        self.is_short.load(Ordering::Acquire)
    }

    /// What lies above the reserve, as far as is known; everything if nothing was measured.
    pub(crate) fn spare(&self) -> u64 {
        let guard = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        guard.map_or(u64::MAX, |known| known.usable.saturating_sub(known.reserve))
    }
}

/// What a file system of `total` bytes keeps from clients' records.
pub fn space_reserve(total: u64) -> u64 {
    (total / SPACE_RESERVE_PARTS).min(SPACE_RESERVE_BYTES_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use env::{DiskFile, OpenMode};
    use env_sim::SimDisk;

    #[test]
    fn a_reserve_is_kept_and_room_that_returns_is_seen_at_once() {
        let disk = SimDisk::new(1);
        let (dir, now) = (Path::new("/"), WallTime(0));
        let parts = SPACE_RESERVE_PARTS;
        disk.set_capacity(parts * 100);
        let guard = SpaceGuard::default();
        assert_eq!(guard.spare(), u64::MAX);
        guard.admit(&disk, dir, parts * 100 - 200, now).unwrap();
        assert_eq!(guard.spare(), 100, "what was admitted counts before it is written");
        let file = disk.open(Path::new("/f"), OpenMode::Create).unwrap();
        file.set_len(parts * 100 - 200).unwrap();
        assert_eq!(guard.admit(&disk, dir, 101, now), Err(NoRoom { usable: 200, reserve: 100 }));
        assert!(guard.is_short());
        guard.admit(&disk, dir, 100, now).unwrap();
        assert!(!guard.is_short());
        file.set_len(0).unwrap();
        guard.admit(&disk, dir, 101, now).unwrap();
    }

    #[test]
    fn what_others_write_is_seen_after_a_while() {
        let disk = SimDisk::new(1);
        let (dir, guard) = (Path::new("/"), SpaceGuard::default());
        disk.set_capacity(1 << 20);
        guard.admit(&disk, dir, 1, WallTime(0)).unwrap();
        let file = disk.open(Path::new("/others"), OpenMode::Create).unwrap();
        file.set_len(1 << 20).unwrap();
        guard.admit(&disk, dir, 1, WallTime(SPACE_CHECK_MS as i64 - 1)).unwrap();
        guard.admit(&disk, dir, 1, WallTime(SPACE_CHECK_MS as i64)).unwrap_err();
    }

    #[test]
    fn near_the_edge_what_others_write_is_seen_at_once() {
        let disk = SimDisk::new(1);
        let (dir, guard) = (Path::new("/"), SpaceGuard::default());
        disk.set_capacity(SPACE_RESERVE_PARTS * 100);
        let file = disk.open(Path::new("/others"), OpenMode::Create).unwrap();
        file.set_len(SPACE_RESERVE_PARTS * 100 - 150).unwrap();
        guard.admit(&disk, dir, 1, WallTime(0)).unwrap();
        file.set_len(SPACE_RESERVE_PARTS * 100 - 50).unwrap();
        guard.admit(&disk, dir, 1, WallTime(0)).unwrap_err();
    }
}
