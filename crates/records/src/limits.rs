//! Every bound of this crate, with its arithmetic.

/// The largest batch that a length field may announce: Kafka's lengths are `i32`, and a batch has
/// 12 bytes before the counted part.
pub const BATCH_BYTES_MAX: usize = i32::MAX as usize;

/// Kafka's default for `max.message.bytes`: 1 MiB of records plus 12 bytes of offset and length.
pub const MESSAGE_BYTES_MAX_DEFAULT: usize = 1024 * 1024 + 12;

/// Up to here any batch may expand, however few bytes it came in: 16 MiB of zstd zeros take
/// about 3 ms to decode, which is what one tiny hostile request may cost.
pub const DECOMPRESSED_BYTES_FREE: usize = 16 * 1024 * 1024;

/// Beyond [`DECOMPRESSED_BYTES_FREE`] a batch may expand this many times. Deflate cannot do more
/// than 1032:1, LZ4 255:1, snappy 22:1; only zstd can, and only with data that says nothing.
pub const DECOMPRESSED_RATIO_MAX: usize = 1032;

/// No batch may expand beyond this: 256 times Kafka's default `max.message.bytes`, and what a
/// reader that wants all records at once has to hold.
pub const DECOMPRESSED_BYTES_MAX: usize = 256 * 1024 * 1024;

/// How far `compressed_bytes` may expand.
pub fn decompressed_bytes_max(compressed_bytes: usize) -> usize {
    compressed_bytes
        .saturating_mul(DECOMPRESSED_RATIO_MAX)
        .clamp(DECOMPRESSED_BYTES_FREE, DECOMPRESSED_BYTES_MAX)
}

/// Decompressed bytes in hand while a batch is validated: one zstd block (128 KiB) is the
/// largest piece a decoder produces at once.
pub const WINDOW_BYTES: usize = 128 * 1024;

/// The decoded block that a thread keeps room for between batches: LZ4's and Java's snappy blocks
/// have at most 64 KiB; frames with blocks of up to 4 MiB give their room back.
pub const SCRATCH_BYTES_KEPT: usize = 64 * 1024;

/// A codec's context that a thread keeps between batches: zstd's at level 3 take 1.3 MB to encode
/// and, with Java's 2 MiB window, 2.3 MB to decode. Level 22 asks for 128 MiB windows; those go
/// back at once.
pub const CODEC_CONTEXT_BYTES_KEPT: usize = 4 * 1024 * 1024;

/// A record takes at least this: length, attributes, timestamp delta, offset delta, key length,
/// value length and header count, one byte each.
pub const RECORD_BYTES_MIN: usize = 7;

/// A header takes at least this: key length and value length, one byte each.
pub const RECORD_HEADER_BYTES_MIN: usize = 2;

/// Record errors listed in one refusal: a client's 16 KiB batch holds at most 2340 records of 7
/// bytes; 1000 errors of about 100 bytes keep the response near 100 KiB. Kafka lists all.
pub const RECORD_ERRORS_MAX: usize = 1000;

const _: () = assert!(DECOMPRESSED_BYTES_FREE <= DECOMPRESSED_BYTES_MAX);
const _: () = assert!(MESSAGE_BYTES_MAX_DEFAULT <= DECOMPRESSED_BYTES_FREE);
