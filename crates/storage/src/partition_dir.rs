use crate::file_names::{FileKind, FileStage, OffsetFile};
use crate::log_dir_state::LogDirState;
use env::Disk;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use types::Offset;

/// A partition's directory, as every file in it needs it to be opened. One for all of them: with
/// 50 000 partitions a path in each file would be most of what they take.
pub(crate) struct PartitionDir<D: Disk> {
    pub(crate) home: Arc<LogDirState<D>>,
    pub(crate) path: PathBuf,
    /// The last part of the path: every commit says it.
    pub(crate) name: Box<str>,
}

impl<D: Disk> PartitionDir<D> {
    pub(crate) fn new(home: Arc<LogDirState<D>>, path: PathBuf) -> Arc<PartitionDir<D>> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into();
        Arc::new(PartitionDir { home, path, name })
    }

    pub(crate) fn disk(&self) -> &D {
        self.home.disk()
    }

    pub(crate) fn file(&self, name: impl AsRef<Path>) -> PathBuf {
        self.path.join(name)
    }

    pub(crate) fn offset_file(&self, base: Offset, kind: FileKind, stage: FileStage) -> PathBuf {
        self.path.join(OffsetFile { base, kind, stage }.name())
    }
}
