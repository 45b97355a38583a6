use crate::limits::DAMAGE_REMEMBERED_MAX;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use types::Offset;

/// The damaged batches that readers of a log directory have met, so that each is reported once.
#[derive(Debug, Default)]
pub(crate) struct DamageSeen {
    seen: Mutex<BTreeSet<(PathBuf, Offset)>>,
}

impl DamageSeen {
    /// True the first time. A disk that rots more than is remembered is reported enough.
    pub(crate) fn note(&self, path: &Path, at: Offset) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.len() < DAMAGE_REMEMBERED_MAX && seen.insert((path.to_owned(), at))
    }
}
