use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use env::Disk;
use storage::{GroupCommit, LogDir, LogDirMetrics, OpenFiles, StorageError};
use types::Uuid;

use crate::node::OpenError;

/// One configured directory, in use or not.
pub(super) struct Placed<D: Disk> {
    /// As the configuration has it.
    pub(super) path: String,
    /// The error for which it could not be used from the start.
    pub(super) dir: Result<LogDir<D>, StorageError>,
    /// False: only the metadata log lives here.
    pub(super) holds_topics: bool,
    pub(super) logs: usize,
    /// Who makes its logs durable; `None` if it could not be used from the start.
    pub(super) commit: Option<GroupCommit<D>>,
    /// That it is out of use was told.
    pub(super) is_told: bool,
}

impl<D: Disk> Placed<D> {
    /// # Errors
    /// Another process has it, or it says that it is somebody else's: nobody must start with that.
    pub(super) fn open(
        disk: &D,
        path: &str,
        holds_topics: bool,
        files: &Arc<OpenFiles<D>>,
    ) -> Result<Placed<D>, OpenError> {
        let dir = match LogDir::open_with(disk.clone(), Path::new(path), Arc::clone(files)) {
            Err(error) if is_refused(&error) => {
                return Err(OpenError::LogDir { path: path.to_owned(), error });
            }
            opened => opened,
        };
        let replayed = dir.as_ref().map(LogDir::replayed).unwrap_or_default();
        if replayed.restored > 0 {
            log::warn!(
                target: "kafka.log.LogManager",
                "{path}: {} bytes that were acknowledged had not reached their segments when the \
                 last process ended; they were put back from the commit journal",
                replayed.restored
            );
        }
        for warning in dir.as_ref().map(LogDir::warnings).unwrap_or_default() {
            log::warn!(target: "kafka.log.LogManager", "{warning}");
        }
        Ok(Placed {
            path: path.to_owned(),
            dir,
            holds_topics,
            logs: 0,
            commit: None,
            is_told: false,
        })
    }

    /// The directory, if it is in use.
    pub(super) fn online(&self) -> Option<&LogDir<D>> {
        self.dir.as_ref().ok().filter(|dir| !dir.is_offline())
    }

    pub(super) fn is_online(&self) -> bool {
        self.online().is_some()
    }

    pub(super) fn id(&self) -> Option<Uuid> {
        self.dir.as_ref().ok()?.properties()?.directory_id
    }

    pub(super) fn metrics(&self) -> Arc<LogDirMetrics> {
        self.dir.as_ref().map_or_else(|_| Arc::default(), |dir| Arc::clone(dir.metrics()))
    }

    /// The error that took it out of use, or that it is.
    pub(super) fn why_out(&self) -> StorageError {
        let failure = match &self.dir {
            Ok(dir) => dir.failure(),
            Err(error) => Some(error),
        };
        let unknown = || StorageError::Poisoned { path: self.path.clone().into() };
        failure.cloned().unwrap_or_else(unknown)
    }
}

fn is_refused(error: &StorageError) -> bool {
    match error {
        StorageError::Io { kind, .. } => *kind == ErrorKind::WouldBlock,
        _ => true,
    }
}
