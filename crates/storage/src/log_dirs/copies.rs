//! A log that moves here from another directory: a copy grows beside the original, and takes its
//! place when it holds as much. Source: KIP-113.

use super::{LogDir, LogSettings};
use crate::error::StorageError;
use crate::file_names::{DirKind, moved_dir, partition_dir};
use crate::limits::FILE_NAME_BYTES_MAX;
use crate::log::PartitionLog;
use crate::reader::LogReader;
use env::Disk;
use types::{TopicPartition, Uuid};

/// Whether the name of a copy of this partition fits a file name. Source: KAFKA-4893.
pub fn can_move(partition: &TopicPartition) -> bool {
    partition_dir(partition)
        .is_some_and(|name| name.len() + ".-future".len() + 32 <= FILE_NAME_BYTES_MAX)
}

impl<D: Disk> LogDir<D> {
    /// Makes an empty copy that begins where `original` does, in a directory `….-future`: until it
    /// is [promoted](Self::promote_copy) no start takes it for the log.
    ///
    /// # Errors
    /// [`StorageError`]; the directory goes offline, but for a full disk, on which nothing is left.
    pub fn create_copy(
        &self,
        original: &LogReader<D>,
        topic_id: Uuid,
        unique: [u8; 16],
        settings: LogSettings,
    ) -> Result<PartitionLog<D>, StorageError> {
        self.check_online()?;
        let partition = original.partition();
        // What an earlier copy has left in the checkpoints.
        self.guard(self.state.forget(partition))?;
        let dir = self.path().join(moved_dir(partition, unique, DirKind::Future));
        let now = settings.now;
        let mut copy = self.create_in(dir, partition, topic_id, settings)?;
        copy.reset_to(original.log_start(), now)?;
        Ok(copy)
    }

    /// Puts a copy that holds all of `original` in its place, for good. The caller owns the
    /// original until this returns, and deletes it then.
    ///
    /// # Errors
    /// [`StorageError`]; the directory goes offline. The original is as it was.
    ///
    /// # Panics
    /// If the copy does not end where the original does.
    pub fn promote_copy(
        &self,
        mut copy: PartitionLog<D>,
        original: &PartitionLog<D>,
        settings: LogSettings,
    ) -> Result<PartitionLog<D>, StorageError> {
        self.check_online()?;
        assert_eq!(copy.log_end(), original.log_end(), "a copy that is not whole");
        let partition = copy.partition().clone();
        let topic_id = copy.state.topic_id;
        copy.advance_log_start(original.log_start())?;
        // Also what batches do not tell any more, or not to whoever reads a copy.
        copy.producers = original.producers.clone();
        let epochs = original.state.epochs(Clone::clone);
        let taken = copy.state.change_epochs(|held| {
            *held = epochs;
            true
        });
        self.guard(taken)?;
        let from = copy.state.dir.path.clone();
        copy.close()?;
        let Some(name) = partition_dir(&partition) else {
            return Err(StorageError::corrupt(&from, "it cannot name a directory"));
        };
        let to = self.path().join(name);
        let promoted = (|| {
            // The log may have been here before: what the journal says of it must not be replayed.
            let journal = self.state.before_replacing_files()?;
            let disk = self.state.disk();
            disk.rename(&from, &to)
                .and_then(|()| disk.sync_dir(self.path()))
                .map_err(StorageError::io("rename", &from))?;
            drop(journal);
            if let Some(cleaned) = original.state.home.cleaner_offset(&partition) {
                self.state.keep_cleaner_offset(&partition, cleaned)?;
            }
            let (log, _) = self.load((&partition, topic_id), to.clone(), settings, true)?;
            Ok(log)
        })();
        self.guard(promoted)
    }

    /// Gives a copy up. Its directory goes, unless it is left for the next start to find.
    ///
    /// # Errors
    /// [`StorageError`]; the directory goes offline.
    pub fn discard_copy(&self, copy: PartitionLog<D>, remove: bool) -> Result<(), StorageError> {
        let (partition, path) = (copy.partition().clone(), copy.state.dir.path.clone());
        copy.state.retire();
        drop(copy);
        self.check_online()?;
        self.guard(self.state.forget(&partition))?;
        if remove { self.guard(self.remove_dir(&path)) } else { Ok(()) }
    }
}
