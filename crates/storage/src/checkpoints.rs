//! Text checkpoints: a version, a count, one entry a line.   docs/formats/checkpoints.md
//!
//! ```text
//! 0
//! 2
//! orders 0 4711
//! orders 1 42
//! ```

use crate::error::StorageError;
use crate::limits::CHECKPOINT_BYTES_MAX;
use env::Disk;
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use types::{LeaderEpoch, Offset, TopicPartition};

/// Offsets by partition: recovery points, high watermarks or log starts of one log directory.
pub type OffsetCheckpoint = BTreeMap<TopicPartition, Offset>;

/// One line of `leader-epoch-checkpoint`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EpochEntry {
    pub epoch: LeaderEpoch,
    /// The first offset that this leader wrote, or would have written.
    pub start_offset: Offset,
}

const VERSION: &str = "0";

/// Why a checkpoint's text cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MalformedCheckpoint(pub String);

pub fn encode_offsets(entries: &OffsetCheckpoint) -> String {
    let lines = entries.iter().map(|(of, offset)| (&of.topic, of.partition, offset));
    encode(
        entries.len(),
        lines.map(|(topic, partition, offset)| format!("{topic} {partition} {offset}")),
    )
}

pub fn decode_offsets(text: &str) -> Result<OffsetCheckpoint, MalformedCheckpoint> {
    let entry = |line: &str| {
        let (rest, offset) = line.rsplit_once(' ')?;
        let (topic, partition) = rest.rsplit_once(' ')?;
        let partition = TopicPartition::new(topic, partition.parse().ok()?);
        Some((partition, Offset(offset.parse().ok()?)))
    };
    Ok(decode(text, entry)?.into_iter().collect())
}

pub fn encode_epochs(entries: &[EpochEntry]) -> String {
    encode(entries.len(), entries.iter().map(|e| format!("{} {}", e.epoch, e.start_offset)))
}

pub fn decode_epochs(text: &str) -> Result<Vec<EpochEntry>, MalformedCheckpoint> {
    decode(text, |line| {
        let (epoch, start) = line.split_once(' ')?;
        let epoch = LeaderEpoch(epoch.parse().ok()?);
        Some(EpochEntry { epoch, start_offset: Offset(start.parse().ok()?) })
    })
}

/// The offsets in `path`; empty if there is no such file.
///
/// # Errors
/// [`StorageError::Corrupt`] if it is there and does not parse.
pub fn read_offsets<D: Disk>(disk: &D, path: &Path) -> Result<OffsetCheckpoint, StorageError> {
    match read_text(disk, path)? {
        None => Ok(OffsetCheckpoint::new()),
        Some(text) => decode_offsets(&text)
            .map_err(|MalformedCheckpoint(why)| StorageError::corrupt(path, why)),
    }
}

/// Replaces `path` durably.
pub fn write_offsets<D: Disk>(
    disk: &D,
    path: &Path,
    entries: &OffsetCheckpoint,
) -> Result<(), StorageError> {
    disk.replace_file(path, encode_offsets(entries).as_bytes())
        .map_err(StorageError::io("write checkpoint", path))
}

pub(crate) fn read_text<D: Disk>(disk: &D, path: &Path) -> Result<Option<String>, StorageError> {
    match disk.read_file(path, CHECKPOINT_BYTES_MAX) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StorageError::io("read checkpoint", path)(error)),
    }
}

fn encode(count: usize, lines: impl Iterator<Item = String>) -> String {
    let mut text = format!("{VERSION}\n{count}\n");
    for line in lines {
        text.push_str(&line);
        text.push('\n');
    }
    text
}

fn decode<T>(text: &str, entry: impl Fn(&str) -> Option<T>) -> Result<Vec<T>, MalformedCheckpoint> {
    let malformed = |why: String| Err(MalformedCheckpoint(why));
    // Kafka makes the files before it has anything to say.
    if text.is_empty() {
        return Ok(Vec::new());
    }
    // The last line feed is the proof that the last number is whole.
    if !text.ends_with('\n') {
        return malformed("the last line is torn".into());
    }
    let mut lines = text.lines();
    match lines.next() {
        Some(VERSION) => {}
        version => return malformed(format!("version {version:?} is unknown, 0 is expected")),
    }
    let count: usize = match lines.next().map(str::parse) {
        Some(Ok(count)) => count,
        _ => return malformed("line 2 is no entry count".into()),
    };
    let mut entries = Vec::new();
    for (index, line) in lines.enumerate() {
        match entry(line) {
            Some(parsed) => entries.push(parsed),
            None => return malformed(format!("line {} is no entry: {line:?}", index + 3)),
        }
    }
    match entries.len() == count {
        true => Ok(entries),
        false => malformed(format!("{count} entries are announced, {} are there", entries.len())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_read_and_print_as_kafka_writes_them() {
        let text = "0\n3\n__consumer_offsets 12 0\norders 0 4711\norders 1 42\n";
        let offsets = decode_offsets(text).unwrap();
        assert_eq!(offsets[&TopicPartition::new("orders", 0)], Offset(4711));
        assert_eq!(encode_offsets(&offsets), text);
    }

    #[test]
    fn epochs_read_and_print_as_kafka_writes_them() {
        let text = "0\n2\n0 0\n3 17\n";
        let epochs = decode_epochs(text).unwrap();
        assert_eq!(epochs[1], EpochEntry { epoch: LeaderEpoch(3), start_offset: Offset(17) });
        assert_eq!(encode_epochs(&epochs), text);
    }

    #[test]
    fn a_torn_or_foreign_checkpoint_is_refused_at_every_cut() {
        let text = "0\n2\norders 0 4711\norders 1 42\n";
        for cut in 1..text.len() {
            assert!(decode_offsets(&text[..cut]).is_err(), "cut at {cut}");
        }
        for bad in
            ["1\n0\n", "0\n1\n", "0\n1\norders x 1\n", "0\n0\norders 0 1\n", "0\n-1\n", "\0\0\0\n"]
        {
            assert!(decode_offsets(bad).is_err(), "{bad:?}");
        }
        assert!(decode_offsets("0\n0\n").unwrap().is_empty());
        assert!(decode_offsets("").unwrap().is_empty());
    }
}
