use std::path::{Path, PathBuf};
use types::Offset;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing is wrong, but somebody may wonder: what a crash left, a directory set aside.
    Note,
    /// The next start puts it right, perhaps by cutting off what was no whole batch.
    Repair,
    /// Records are lost or cannot be read, or something will stay wrong until somebody acts.
    Damage,
}

impl Severity {
    pub fn name(self) -> &'static str {
        match self {
            Severity::Note => "note",
            Severity::Repair => "repair",
            Severity::Damage => "damage",
        }
    }
}

/// One thing that was found, in the parts of every error here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub severity: Severity,
    pub code: &'static str,
    pub path: PathBuf,
    /// In the file, in bytes.
    pub position: Option<u64>,
    pub offset: Option<Offset>,
    pub what: String,
    pub todo: &'static str,
}

/// What to do, for each kind of finding. One place, so that the same advice reads the same.
pub(super) mod todo {
    pub const NOTHING: &str = "nothing to do";
    pub const CLEARED: &str = "the next start clears it up";
    pub const JOURNAL: &str =
        "the next start puts it back from the commit journal; then verify again";
    pub const START: &str = "the next start puts it right";
    pub const REPLICA: &str =
        "bring the records back from another replica or a backup; a restart serves what is around";
    pub const CUT: &str = "a start cuts the log here: copy the directory first if what follows \
                           may be needed";
    pub const INDEX: &str = "stop the node and remove the file; the next start makes it anew";
    pub const TXN_INDEX: &str = "read_committed consumers may see records of aborted transactions: \
                                 bring the file back from another replica";
    pub const CHECKPOINT: &str = "stop the node and remove the file; the next start scans more";
    pub const STRAY: &str = "a start sets the directory aside as -stray; put partition.metadata \
                             back first to keep it";
    pub const META: &str = "write it anew with ottla kafka-storage format and the cluster's id";
}

impl Finding {
    pub(super) fn new(
        severity: Severity,
        code: &'static str,
        path: &Path,
        what: impl Into<String>,
        todo: &'static str,
    ) -> Finding {
        let (path, what) = (path.to_owned(), what.into());
        Finding { severity, code, path, position: None, offset: None, what, todo }
    }

    pub(super) fn at(mut self, position: u64) -> Finding {
        self.position = Some(position);
        self
    }

    pub(super) fn offset(mut self, offset: Offset) -> Finding {
        self.offset = Some(offset);
        self
    }
}
