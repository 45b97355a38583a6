//! The names of files and directories.   docs/formats/log-dir.md

use crate::limits::{FILE_NAME_BYTES_MAX, TOPIC_NAME_BYTES_MAX};
use types::{Offset, TopicPartition};

pub const META_PROPERTIES: &str = "meta.properties";
pub const LOCK: &str = ".lock";
pub const CLEAN_SHUTDOWN: &str = ".kafka_cleanshutdown";
pub const RECOVERY_POINTS: &str = "recovery-point-offset-checkpoint";
pub const HIGH_WATERMARKS: &str = "replication-offset-checkpoint";
pub const LOG_STARTS: &str = "log-start-offset-checkpoint";
pub const CLEANER_OFFSETS: &str = "cleaner-offset-checkpoint";
pub const LEADER_EPOCHS: &str = "leader-epoch-checkpoint";
pub const PARTITION_METADATA: &str = "partition.metadata";
pub const TEMPORARY_SUFFIX: &str = ".tmp";

/// What a file that is named by an offset holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FileKind {
    Log,
    OffsetIndex,
    TimeIndex,
    TxnIndex,
    ProducerSnapshot,
}

impl FileKind {
    pub(crate) const ALL: [FileKind; 5] = [
        FileKind::Log,
        FileKind::OffsetIndex,
        FileKind::TimeIndex,
        FileKind::TxnIndex,
        FileKind::ProducerSnapshot,
    ];

    fn suffix(self) -> &'static str {
        match self {
            FileKind::Log => "log",
            FileKind::OffsetIndex => "index",
            FileKind::TimeIndex => "timeindex",
            FileKind::TxnIndex => "txnindex",
            FileKind::ProducerSnapshot => "snapshot",
        }
    }
}

/// Where a file stands in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileStage {
    Live,
    /// Waits to be removed.
    Deleted,
    /// A compaction was writing it: worthless.
    Cleaned,
    /// A compaction finished it and was putting it in place: to be renamed.
    Swap,
}

/// A file named by an offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OffsetFile {
    /// The first offset of the segment; of a snapshot, the first offset it does not know of.
    pub base: Offset,
    pub kind: FileKind,
    pub stage: FileStage,
}

impl OffsetFile {
    pub fn live(base: Offset, kind: FileKind) -> OffsetFile {
        OffsetFile { base, kind, stage: FileStage::Live }
    }

    /// `None` for every name that is not exactly one of ours.
    pub fn parse(name: &str) -> Option<OffsetFile> {
        let (digits, rest) = name.split_once('.')?;
        if digits.len() != 20 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let base = Offset(digits.parse().ok()?);
        let (kind, stage) = match rest.split_once('.') {
            None => (rest, FileStage::Live),
            Some((kind, "deleted")) => (kind, FileStage::Deleted),
            Some((kind, "cleaned")) => (kind, FileStage::Cleaned),
            Some((kind, "swap")) => (kind, FileStage::Swap),
            Some(_) => return None,
        };
        let kind = FileKind::ALL.into_iter().find(|known| known.suffix() == kind)?;
        Some(OffsetFile { base, kind, stage })
    }

    pub fn name(self) -> String {
        let stage = match self.stage {
            FileStage::Live => "",
            FileStage::Deleted => ".deleted",
            FileStage::Cleaned => ".cleaned",
            FileStage::Swap => ".swap",
        };
        format!("{:020}.{}{stage}", self.base.0, self.kind.suffix())
    }
}

/// What a partition directory is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DirKind {
    Live,
    /// A replica on its way from another log directory.
    Future,
    /// Waits to be removed.
    Deleted,
    /// Belongs to no known topic; set aside for a person to look at.
    Stray,
}

impl DirKind {
    fn suffix(self) -> &'static str {
        match self {
            DirKind::Live => "",
            DirKind::Future => "-future",
            DirKind::Deleted => "-delete",
            DirKind::Stray => "-stray",
        }
    }
}

/// Splits a directory's name at its last `-`. `None` if it is not a partition's.
pub fn parse_partition_dir(name: &str) -> Option<(TopicPartition, DirKind)> {
    let moved = [DirKind::Future, DirKind::Deleted, DirKind::Stray]
        .into_iter()
        .find_map(|kind| Some((name.strip_suffix(kind.suffix())?, kind)));
    let (plain, kind) = match moved {
        Some((rest, kind)) => {
            let (plain, unique) = rest.rsplit_once('.')?;
            let is_unique = unique.len() == 32 && unique.bytes().all(|b| b.is_ascii_hexdigit());
            is_unique.then_some((plain, kind))?
        }
        None => (name, DirKind::Live),
    };
    let (topic, partition) = plain.rsplit_once('-')?;
    let is_number = !partition.is_empty() && partition.bytes().all(|b| b.is_ascii_digit());
    let partition: i32 = is_number.then(|| partition.parse().ok())??;
    is_legal_topic(topic).then(|| (TopicPartition::new(topic, partition), kind))
}

/// The directory of a partition; `None` if the topic's name may not become a path.
pub fn partition_dir(of: &TopicPartition) -> Option<String> {
    let legal = is_legal_topic(&of.topic) && of.partition >= 0;
    legal.then(|| format!("{}-{}", of.topic, of.partition))
}

/// The name a directory gets when it is set aside. The topic is cut so that the whole stays legal.
///
/// # Panics
/// If `kind` is [`DirKind::Live`].
pub fn moved_dir(of: &TopicPartition, unique: [u8; 16], kind: DirKind) -> String {
    assert!(kind != DirKind::Live, "a live directory has no suffix");
    let unique = format!("{:032x}", u128::from_be_bytes(unique));
    let tail = format!("-{}.{unique}{}", of.partition, kind.suffix());
    let kept = of.topic.len().min(FILE_NAME_BYTES_MAX - tail.len());
    format!("{}{tail}", &of.topic[..kept])
}

/// Whether Kafka would take it as a topic name; it contains no separator and is no `.` or `..`.
pub fn is_legal_topic(name: &str) -> bool {
    let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    (1..=TOPIC_NAME_BYTES_MAX).contains(&name.len())
        && name.bytes().all(legal)
        && name != "."
        && name != ".."
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offset_files_round_trip_and_other_names_are_left_alone() {
        let file = OffsetFile::live(Offset(368769), FileKind::TimeIndex);
        assert_eq!(file.name(), "00000000000000368769.timeindex");
        assert_eq!(OffsetFile::parse(&file.name()), Some(file));
        let swap = OffsetFile { stage: FileStage::Swap, ..file };
        assert_eq!(OffsetFile::parse("00000000000000368769.timeindex.swap"), Some(swap));
        for name in [
            "leader-epoch-checkpoint",
            "0000000000000036876.log",
            "00000000000000368769.log.bak",
            "00000000000000368769.checkpoint",
            "00000000000000000000-0000000000.checkpoint",
            "99999999999999999999.log",
            "+0000000000000000001.log",
        ] {
            assert_eq!(OffsetFile::parse(name), None, "{name}");
        }
    }

    #[test]
    fn a_partition_directory_is_split_at_its_last_dash() {
        let (partition, kind) = parse_partition_dir("my-topic-7").unwrap();
        assert_eq!((partition, kind), (TopicPartition::new("my-topic", 7), DirKind::Live));
        for name in ["lost+found", "topic", "-1", "a--1x", "a-99999999999", "a/b-1", "..-1x", "a-"]
        {
            assert_eq!(parse_partition_dir(name), None, "{name}");
        }
        // A topic may itself end like a moved directory.
        let (partition, kind) = parse_partition_dir("logs-delete-0").unwrap();
        assert_eq!((partition, kind), (TopicPartition::new("logs-delete", 0), DirKind::Live));
    }

    #[test]
    fn a_moved_directory_says_what_it_was_and_never_outgrows_a_file_name() {
        let long = TopicPartition::new("t".repeat(249), 123);
        for kind in [DirKind::Deleted, DirKind::Stray, DirKind::Future] {
            let name = moved_dir(&long, [0xab; 16], kind);
            assert_eq!(name.len(), 255);
            let (partition, parsed) = parse_partition_dir(&name).unwrap();
            assert_eq!((partition.partition, parsed), (123, kind));
        }
    }

    #[test]
    fn a_topic_name_never_becomes_another_path() {
        for topic in ["", ".", "..", "a/b", "../x", "a\0b", "ä", &"t".repeat(250)] {
            assert_eq!(partition_dir(&TopicPartition::new(topic, 0)), None, "{topic:?}");
        }
        assert_eq!(partition_dir(&TopicPartition::new("ok", -1)), None);
        assert_eq!(partition_dir(&TopicPartition::new("a.b_c-d", 3)).unwrap(), "a.b_c-d-3");
    }
}
