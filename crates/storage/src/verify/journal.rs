//! The commit journal: what the next start will put back.   docs/formats/commit-journal.md

use super::finding::{Severity, todo};
use super::{Check, Finding};
use crate::commit::{FrameHead, HALVES, HEADER_BYTES};
use crate::error::StorageError;
use env::{Disk, DiskFile};
use std::path::Path;

/// Whether the journal holds commits. Then what a power loss took from the ends of segments may
/// come back.
pub(super) fn holds_commits<D: Disk>(
    check: &mut Check<'_, D>,
    root: &Path,
) -> Result<bool, StorageError> {
    let mut holds = false;
    for name in HALVES {
        let path = root.join(name);
        let Some(file) = check.open(&path)? else { continue };
        let (frames, bytes) = count(&file).map_err(StorageError::io("read", &path))?;
        holds |= frames > 0;
        if frames > 0 && !check.options.is_live {
            let what = format!(
                "it holds {frames} commits, {bytes} bytes: whatever of them the segments lack, the \
                 next start puts back"
            );
            check.found(Finding::new(Severity::Note, "JOURNAL", &path, what, todo::CLEARED));
        }
    }
    Ok(holds)
}

/// Whole frames from the start on, as a replay takes them, and their bytes.
fn count(file: &impl DiskFile) -> std::io::Result<(u64, u64)> {
    let (mut at, mut frames, mut total) = (0, 0, 0);
    let mut expected = None;
    loop {
        let mut head = [0; HEADER_BYTES];
        let got = file.read_at(&mut head, at)?;
        let Some(head) = FrameHead::parse(&head[..got]) else { break };
        if expected.is_some_and(|expected| expected != head.sequence) {
            break;
        }
        let mut frame = vec![0; head.bytes];
        let got = file.read_at(&mut frame, at)?;
        match head.entries(&frame[..got]) {
            None => break,
            Some(none) if none.is_empty() => {}
            Some(_) => {
                frames += 1;
                total += head.bytes as u64;
            }
        }
        expected = Some(head.sequence.wrapping_add(1));
        at += head.padded_bytes();
    }
    Ok((frames, total))
}
