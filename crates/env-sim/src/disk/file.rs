//! An open file of the simulated disk.

use env::DiskFile;
use std::io::{self, IoSlice};
use std::sync::{Mutex, MutexGuard};

use super::state::{NodeId, State, dead};
use super::write_back::{FileSystem, Known};
use super::{Operation, SimDisk};

/// A handle; it stays valid when its file is renamed or removed, as on a real system.
#[derive(Debug)]
pub struct SimFile {
    pub(super) disk: SimDisk,
    pub(super) node: NodeId,
    pub(super) life: u64,
    pub(super) writable: bool,
    pub(super) file_system: FileSystem,
    pub(super) known: Mutex<Known>,
}

impl SimFile {
    fn with<T>(&self, act: impl FnOnce(&mut State) -> io::Result<T>) -> io::Result<T> {
        let mut state = self.disk.lock_state();
        if state.life != self.life {
            return Err(dead());
        }
        state.check_alive()?;
        act(&mut state)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().expect("no simulated call panics while it holds it")
    }

    fn write_all(&self, bytes: &[u8], position: u64) -> io::Result<()> {
        if !self.writable {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        let position = position as usize;
        self.with(|state| {
            state.check_node(Operation::Write, self.node)?;
            let whole = state.count_mutation()?;
            let cut = match whole {
                true => bytes.len(),
                false => state.next_random() as usize % (bytes.len() + 1),
            };
            if whole && state.ignores_write(self.node) {
                return Ok(());
            }
            let room = state.room_for(self.node);
            let file = state.file(self.node)?;
            let grows = (position + cut).saturating_sub(file.live.len()) as u64;
            // A full disk takes what fits: short writes are real.
            let fits = if grows > room { cut.saturating_sub((grows - room) as usize) } else { cut };
            file.write(&bytes[..fits], position);
            match (whole, fits == bytes.len()) {
                (false, _) => Err(dead()),
                (true, false) => Err(io::ErrorKind::StorageFull.into()),
                (true, true) => Ok(()),
            }
        })
    }
}

impl DiskFile for SimFile {
    fn read_at(&self, into: &mut [u8], position: u64) -> io::Result<usize> {
        self.with(|state| {
            state.check_node(Operation::Read, self.node)?;
            let file = state.file(self.node)?;
            let from = (position as usize).min(file.live.len());
            let got = into.len().min(file.live.len() - from);
            into[..got].copy_from_slice(&file.live[from..from + got]);
            state.bytes_read += got as u64;
            Ok(got)
        })
    }

    fn is_at_hand(&self, _position: u64, _count: usize) -> bool {
        !self.disk.lock_state().reads_wait
    }

    fn write_at(&self, bytes: &[u8], position: u64) -> io::Result<()> {
        self.write_all(bytes, position)
    }

    fn write_vectored_at(&self, slices: &mut [IoSlice<'_>], position: u64) -> io::Result<()> {
        let joined: Vec<u8> = slices.iter().flat_map(|slice| slice.iter().copied()).collect();
        self.write_all(&joined, position)
    }

    fn len(&self) -> io::Result<u64> {
        self.with(|state| Ok(state.file(self.node)?.live.len() as u64))
    }

    fn set_len(&self, bytes: u64) -> io::Result<()> {
        self.with(|state| {
            state.check_node(Operation::Write, self.node)?;
            state.mutate_whole()?;
            state.file(self.node)?.set_len(bytes as usize);
            Ok(())
        })
    }

    /// Takes no room, but knows whether there is any: blocks that were reserved are not counted.
    fn reserve(&self, bytes: u64) -> io::Result<()> {
        self.with(|state| {
            state.check_node(Operation::Write, self.node)?;
            let room = state.room_for(self.node);
            let grows = bytes.saturating_sub(state.file(self.node)?.live.len() as u64);
            if grows > room { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
        })
    }

    fn forget_cached(&self, position: u64) -> io::Result<()> {
        self.with(|state| {
            state.check_node(Operation::Read, self.node)?;
            state.file(self.node)?.forget_cached(position as usize);
            Ok(())
        })
    }

    fn sync(&self) -> io::Result<()> {
        self.disk.begin_sync();
        let synced = self.with(|state| {
            state.syncs += 1;
            state.mutate_whole()?;
            if state.ignores_syncs {
                return Ok(());
            }
            state.write_back(self.node, &self.file_system);
            match state.file(self.node)?.errors.tell(&mut self.known().file) {
                true => Err(io::Error::other("simulated sync failure")),
                false => Ok(()),
            }
        });
        self.disk.end_sync();
        synced
    }

    /// A file that cannot be synced fails the whole, and the others are saved none the less.
    fn sync_file_system(&self) -> io::Result<()> {
        self.disk.begin_sync();
        let synced = self.with(|state| {
            state.syncs += 1;
            state.mutate_whole()?;
            if state.ignores_syncs {
                return Ok(());
            }
            for node in state.all_of(&self.file_system) {
                state.write_back(node, &self.file_system);
            }
            match state.errors_of(&self.file_system).tell(&mut self.known().file_system) {
                true => Err(io::Error::other("simulated sync failure")),
                false => Ok(()),
            }
        });
        self.disk.end_sync();
        synced
    }
}
