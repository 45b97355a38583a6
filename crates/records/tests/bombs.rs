//! A few bytes that claim or hold a lot: refused, or walked through in little memory.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use bytes::Bytes;
use records::validate::{ProduceRules, validate_produce};
use records::{
    BatchBuilder, BatchError, BatchHeader, Compression, Compressor, NewRecord, RecordBatch, header,
    limits,
};
use types::{ErrorCode, WallTime};

const NOW: WallTime = WallTime(1_700_000_000_000);
const MIB: usize = 1024 * 1024;

/// Counts what the calling thread holds, so that tests do not see each other.
struct Counting;

thread_local! {
    static HELD: Cell<usize> = const { Cell::new(0) };
    static PEAK: Cell<usize> = const { Cell::new(0) };
}

fn account(grown: usize, shrunk: usize) {
    let _ = HELD.try_with(|held| {
        held.set((held.get() + grown).saturating_sub(shrunk));
        let _ = PEAK.try_with(|peak| peak.set(peak.get().max(held.get())));
    });
}

// SAFETY: hands every call to the system's allocator unchanged; the counters do not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        account(layout.size(), 0);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        account(0, layout.size());
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How much more was held while `work` ran than before.
fn peak_of<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = HELD.get();
    PEAK.set(before);
    let done = work();
    (done, PEAK.get() - before)
}

/// One record of that many zeros.
fn bomb(codec: Compression, zeros: usize) -> RecordBatch {
    let mut builder = BatchBuilder::new().compression(codec);
    let value = vec![0; zeros];
    builder.push(NewRecord { timestamp: NOW, value: Some(&value), ..NewRecord::default() });
    builder.build()
}

#[test]
fn validation_takes_the_same_little_memory_whatever_the_records_expand_to() {
    for codec in [Compression::Gzip, Compression::Snappy, Compression::Lz4, Compression::Zstd] {
        let batch = bomb(codec, 15 * MIB).into_bytes();
        let sent = batch.len();
        let (accepted, peak) = peak_of(|| validate_produce(batch, &ProduceRules::default(), NOW));
        accepted.unwrap();
        assert!(peak < MIB, "{codec}: {peak} bytes for a batch of {sent}");
    }
}

#[test]
fn what_expands_beyond_reason_is_refused() {
    let batch = bomb(Compression::Zstd, 64 * MIB);
    assert!(batch.size_bytes() < 16 * 1024, "{} bytes", batch.size_bytes());
    let limit = limits::DECOMPRESSED_BYTES_FREE;
    let (read, peak) = peak_of(|| batch.records().map(drop));
    assert_eq!(read, Err(BatchError::TooLargeDecompressed { limit }));
    assert!(peak < 2 * limit + MIB, "{peak} bytes");
    let sent = batch.into_bytes();
    let (rejected, peak) = peak_of(|| validate_produce(sent, &ProduceRules::default(), NOW));
    assert_eq!(rejected.unwrap_err().code, ErrorCode::InvalidRecord);
    assert!(peak < MIB, "{peak} bytes");
}

#[test]
fn the_largest_expansion_that_other_codecs_can_do_is_allowed() {
    // Deflate's 1032:1 on a batch beyond the free allowance.
    let batch = bomb(Compression::Gzip, 20 * MIB);
    let record = batch.records().unwrap().next().unwrap().unwrap();
    assert_eq!(record.value.unwrap().len(), 20 * MIB);
}

/// A batch that says `count` records and holds this block.
fn claiming(codec: Compression, count: i32, block: &[u8]) -> Bytes {
    let mut batch = bomb(Compression::None, 1).into_bytes()[..BatchHeader::BYTES].to_vec();
    batch.extend_from_slice(block);
    let length = (batch.len() - BatchHeader::LOG_OVERHEAD) as u32;
    batch[8..12].copy_from_slice(&length.to_be_bytes());
    batch[21..23].copy_from_slice(&[0, codec.id()]);
    batch[23..27].copy_from_slice(&(count - 1).to_be_bytes());
    batch[57..61].copy_from_slice(&count.to_be_bytes());
    header::patch_checksum(&mut batch);
    Bytes::from(batch)
}

#[test]
fn counts_and_lengths_that_lie_allocate_nothing() {
    let compressed = |codec: Compression, plain: &[u8]| {
        let mut out = Vec::new();
        Compressor::new(codec).compress(plain, &mut out);
        out
    };
    // Two billion records; a record, a key and a header count of two billion.
    let records: [(i32, &[u8]); 4] = [
        (i32::MAX, &[12, 0, 0, 0, 1, 1, 0]),
        (1, &[0xfe, 0xff, 0xff, 0xff, 0x0f, 0, 0, 0, 1, 1, 0]),
        (1, &[20, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff, 0x0f, 1, 0]),
        (1, &[20, 0, 0, 0, 1, 1, 0xfe, 0xff, 0xff, 0xff, 0x0f]),
    ];
    for codec in Compression::ALL {
        for (count, plain) in records {
            let batch = claiming(codec, count, &compressed(codec, plain));
            // Codecs' own tables aside: gzip and LZ4 frames need some tens of KiB.
            let own = 512 * 1024;
            let parsed = RecordBatch::parse(&batch).unwrap();
            let (read, peak) =
                peak_of(|| parsed.records().and_then(Iterator::collect::<Result<Vec<_>, _>>));
            assert!(read.is_err(), "{codec} {plain:?}");
            assert!(peak < own, "{codec} {plain:?}: {peak} bytes");
            let (rejected, peak) =
                peak_of(|| validate_produce(batch, &ProduceRules::default(), NOW));
            assert_eq!(rejected.unwrap_err().code, ErrorCode::InvalidRecord);
            assert!(peak < own, "{codec} {plain:?}: {peak} bytes");
        }
    }
}

#[test]
fn blocks_that_lie_about_their_size_allocate_nothing() {
    let snappy_block: &[u8] = &[0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0];
    let snappy_chunk: &[u8] = b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01\x7f\xff\xff\xff\0\0\0";
    // LZ4 frame with a content size of 2^60 and 4 MiB blocks; its descriptor hash is wrong anyway.
    let lz4_frame: &[u8] = &[4, 0x22, 0x4d, 0x18, 0x68, 0x70, 0, 0, 0, 0, 0, 0, 0, 0x10, 0, 1];
    // zstd frame with a content size of 2^60.
    let zstd_frame: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0, 0, 0, 0, 0, 0x10, 1, 0, 0];
    for (codec, block) in [
        (Compression::Snappy, snappy_block),
        (Compression::Snappy, snappy_chunk),
        (Compression::Lz4, lz4_frame),
        (Compression::Zstd, zstd_frame),
    ] {
        let batch = claiming(codec, 1, block);
        let parsed = RecordBatch::parse(&batch).unwrap();
        let (read, peak) = peak_of(|| parsed.records().map(drop));
        assert_eq!(read, Err(BatchError::Undecodable(codec)));
        assert!(peak < 512 * 1024, "{codec}: {peak} bytes");
    }
}
