//! Every bound of this crate, with its arithmetic.

/// A text checkpoint: 100 000 partitions with 255-byte names come to 28 MB; beyond it is not ours.
pub const CHECKPOINT_BYTES_MAX: u64 = 64 << 20;

/// `meta.properties`, `partition.metadata`, `.kafka_cleanshutdown`: a few lines each.
pub const SMALL_FILE_BYTES_MAX: u64 = 64 << 10;

/// A producer snapshot: 46 bytes a row, five rows a producer, so about 580 000 producers.
pub const SNAPSHOT_BYTES_MAX: u64 = 128 << 20;

/// An offset or time index of one segment. Kafka's default is 10 MiB; a larger one is rebuilt.
pub const INDEX_BYTES_MAX: u64 = 256 << 20;

/// One read while a segment is scanned. Large enough for sequential disk speed.
pub const SCAN_CHUNK_BYTES: usize = 1 << 20;

/// The first read of a lookup: an index gap (4 KiB by default) and a few small batches.
pub const LOOKUP_CHUNK_BYTES: usize = 16 << 10;

/// What was written last to a log is taken to be in memory still.
pub const WARM_TAIL_BYTES: u64 = 4 << 20;

/// With fewer bytes than this between two index entries a reader reads them along rather than guess
/// where in them a batch begins: copying so much costs less than a second read.
pub const GUESS_BYTES_MIN: usize = 8 << 10;

/// Batches from this size on are hopped over head by head: a read of a head costs what a copy of so
/// much does.
pub const HOP_BYTES_MIN: u64 = 4 << 10;

/// So many heads of batches a start keeps of a log from one look to the next: half a megabyte.
pub const HEADS_SEEN_MAX: usize = 4096;

/// What one [`read`](crate::LogReader::read) returns at most, whatever is asked. A larger first
/// batch is still returned alone.
pub const READ_BYTES_MAX: usize = 64 << 20;

/// How much a pending index may hold back from its file: a page of 8-byte entries.
pub const INDEX_BUFFER_ENTRIES: usize = 512;

/// A segment's space is reserved ahead of the writer in steps that double between these.
pub const RESERVE_BYTES_MIN: u64 = 256 << 10;
pub const RESERVE_BYTES_MAX: u64 = 32 << 20;

/// One half of the commit journal. While one is brought to the disk in the segments, which takes
/// tens of milliseconds, the other takes what a gigabyte a second brings meanwhile.
pub const JOURNAL_BYTES: u64 = 32 << 20;

/// On a small disk a half takes this part of it, and at least so much.
pub const JOURNAL_DISK_SHARE: u64 = 64;
pub const JOURNAL_BYTES_MIN: u64 = 256 << 10;

/// A larger commit is cheaper as a sync of the segments themselves: the journal would write every
/// byte twice.
pub const JOURNAL_ROUND_BYTES_MAX: u64 = 1 << 20;

/// With so much in each file a sync of the files makes as much durable in the same time as the
/// journal, and writes the bytes once.
pub const SYNCED_FILE_BYTES_MIN: u64 = 512 << 10;

/// What such a sync may bring to the disk besides: a few milliseconds.
pub const SYNCED_BESIDE_BYTES_MAX: u64 = 4 << 20;

/// What somebody who serves others commits instead of handing it over: written to a disk within
/// tens of microseconds, so that the time it takes is that of the sync.
pub const COMMIT_HERE_BYTES_MAX: u64 = 64 << 10;

/// The recovery points are written down at least whenever so much was synced: a start after a crash
/// reads through what came later, at about a gigabyte a second.
pub const RECOVERY_POINTS_BYTES: u64 = 256 << 20;

/// What a start needs to know of a log's batches, its producers and where in the segment they are,
/// is written down about as often as so much was appended: at 16 KiB a batch 4 MiB are 256 reads of
/// a head, a millisecond. To write it takes about as long, and most of that is the removal of what
/// was written before.
pub const WRITE_DOWN_BYTES: u64 = 4 << 20;

/// What one frame of the journal takes at most.
pub const JOURNAL_FRAME_BYTES_MAX: usize = 4 << 20;

/// A larger commit is several frames: they are read back and summed while they are in a core's own
/// cache.
pub const JOURNAL_FRAME_BYTES: usize = 256 << 10;

/// So much of a commit's frames is written at once, and held in memory for that.
pub const JOURNAL_WRITE_BYTES: usize = 1 << 20;

/// A start holds so much of the journal in memory, and writes it back to all its segments side by
/// side.
pub const RESTORED_AT_ONCE_BYTES: usize = 8 << 20;

/// The journal's files are filled with zeros ahead of the frames in such steps: of the smallest
/// commits one in 256 takes a millisecond longer and the others half as long, until all of a file
/// was written once.
pub const JOURNAL_FILL_BYTES: u64 = 1 << 20;

/// Whoever writes more at once does not fill ahead: what comes next would be written twice.
pub const JOURNAL_FILLING_BYTES_MAX: usize = 256 << 10;

/// How many log files a process keeps open that may have `process_max` files and sockets, of which
/// `sockets` are connections: what those leave, but for a sixteenth, or 64, that is kept for all
/// else. At most three quarters, so that connections always find room for more, and a quarter in
/// any case: of 20 000 up to 15 000, and 5 000. More than [`LOG_FILES_OPEN_MAX`] are of no use,
/// fewer than [`LOG_FILES_OPEN_MIN`] would be opened and closed at every turn.
pub fn log_files_open_max(process_max: usize, sockets: usize) -> usize {
    let quarter = process_max / 4;
    let left = process_max.saturating_sub((process_max / 16).max(64)).saturating_sub(sockets);
    let share = left.clamp(quarter, quarter * 3);
    share.clamp(LOG_FILES_OPEN_MIN, LOG_FILES_OPEN_MAX)
}

/// 16 384 open files are about 20 MB in the kernel.
pub const LOG_FILES_OPEN_MAX: usize = 16_384;
pub const LOG_FILES_OPEN_MIN: usize = 4;

/// Whoever looks for a clean file to close passes over so many that are not.
pub const DIRTY_SKIPPED_MAX: usize = 64;

/// Producer snapshots that are kept besides those at the base of a segment: the newest, and the one
/// before it in case power loss tears the newest.
pub const CHECKPOINT_SNAPSHOTS_MAX: usize = 2;

/// So many logs are flushed each by itself; with more, one sync of the file system is cheaper
/// (ADR 7).
pub const FLUSH_APART_MAX: usize = 4;

/// Batches remembered per producer to recognise a retry: a client has at most five in flight.
pub const DUPLICATE_WINDOW: usize = 5;

/// How often a read starts again because a truncation passed underneath.
pub const READ_RETRIES_MAX: usize = 8;

/// Verifying tells so many findings of one file and counts the rest.
pub const FINDINGS_PER_FILE_MAX: usize = 20;

/// How much of a cleaned segment is gathered before it is written: sequential disk speed again.
pub const CLEANED_BUFFER_BYTES: usize = 1 << 20;

/// The head of a batch: none is smaller.
pub const BATCH_BYTES_MIN: u64 = 61;

/// A file name on Linux.
pub const FILE_NAME_BYTES_MAX: usize = 255;

/// A topic name, so that `-<partition>.<32 hex>-delete` still fits a file name.
pub const TOPIC_NAME_BYTES_MAX: usize = 249;

/// Damaged batches that are remembered, so that each is reported once: about 100 bytes each.
pub const DAMAGE_REMEMBERED_MAX: usize = 1000;

/// Of a file system, this part is kept free of clients' records: 64 MiB of 1 GiB, 256 KiB of 4 MiB.
pub const SPACE_RESERVE_PARTS: u64 = 16;

/// No more is kept free, however large the disk: it holds an hour of offset commits (20 000 a
/// second of 100 bytes would fill it in two minutes, 500 in an hour and a half) and the first
/// blocks of 8 000 new partitions.
pub const SPACE_RESERVE_BYTES_MAX: u64 = 256 << 20;

/// How long a measurement of free space counts. A neighbour that writes 256 MiB meanwhile runs into
/// the disk's own end, which is survived but refused later.
pub const SPACE_CHECK_MS: u64 = 1000;

const _: () = assert!(LOOKUP_CHUNK_BYTES < SCAN_CHUNK_BYTES);
const _: () = assert!(JOURNAL_ROUND_BYTES_MAX * 2 <= JOURNAL_BYTES);
const _: () = assert!(JOURNAL_FRAME_BYTES <= JOURNAL_FRAME_BYTES_MAX);
const _: () = assert!(COMMIT_HERE_BYTES_MAX <= JOURNAL_ROUND_BYTES_MAX);
const _: () = assert!(RESERVE_BYTES_MIN < RESERVE_BYTES_MAX);
