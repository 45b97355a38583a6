//! What other clients' libraries may write: every framing is read, nothing cut off passes.

use std::io::Write;

use bytes::Bytes;
use proptest::prelude::*;
use records::compression::decompress;
use records::{BatchError, Compression, Compressor};

const LIMIT: usize = 1 << 20;
const TEXT: &[u8] = b"the quick brown fox jumps over the lazy dog and over the lazy dog again";

fn read(codec: Compression, block: Vec<u8>) -> Result<Bytes, BatchError> {
    decompress(codec, &Bytes::from(block), LIMIT)
}

fn compressed(codec: Compression, plain: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    Compressor::new(codec).compress(plain, &mut out);
    out
}

/// librdkafka and franz-go send the bare block, Java's library chunks with a header.
#[test]
fn snappy_is_read_bare_and_in_javas_chunks() {
    let bare = snap::raw::Encoder::new().compress_vec(TEXT).unwrap();
    assert_eq!(read(Compression::Snappy, bare).unwrap(), TEXT);
    let chunked = compressed(Compression::Snappy, TEXT);
    assert!(chunked.starts_with(b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01"));
    assert_eq!(read(Compression::Snappy, chunked).unwrap(), TEXT);
}

#[test]
fn snappy_streams_put_one_after_another_are_one() {
    let twice = [compressed(Compression::Snappy, TEXT), compressed(Compression::Snappy, TEXT)];
    assert_eq!(read(Compression::Snappy, twice.concat()).unwrap(), TEXT.repeat(2));
}

#[test]
fn gzip_members_and_zstd_frames_put_one_after_another_are_one() {
    for codec in [Compression::Gzip, Compression::Zstd] {
        let twice = [compressed(codec, TEXT), compressed(codec, TEXT)].concat();
        assert_eq!(read(codec, twice).unwrap(), TEXT.repeat(2), "{codec}");
    }
}

fn lz4_frame(info: lz4_flex::frame::FrameInfo, plain: &[u8]) -> Vec<u8> {
    let mut encoder = lz4_flex::frame::FrameEncoder::with_frame_info(info, Vec::new());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn lz4_is_read_with_every_block_size_and_all_its_checksums() {
    use lz4_flex::frame::{BlockMode, BlockSize, FrameInfo};
    let plain = TEXT.repeat(3000);
    for size in [BlockSize::Max64KB, BlockSize::Max256KB, BlockSize::Max1MB, BlockSize::Max4MB] {
        let info = FrameInfo::new().block_mode(BlockMode::Independent).block_size(size);
        assert_eq!(read(Compression::Lz4, lz4_frame(info.clone(), &plain)).unwrap(), plain);
        let info = info
            .block_checksums(true)
            .content_checksum(true)
            .content_size(Some(plain.len() as u64));
        let mut frame = lz4_frame(info, &plain);
        assert_eq!(read(Compression::Lz4, frame.clone()).unwrap(), plain);
        // A byte in the first block, which its hash covers.
        frame[30] ^= 1;
        assert!(read(Compression::Lz4, frame).is_err());
    }
}

/// A batch that Java's consumers cannot read must not get into a log.
#[test]
fn lz4_that_java_does_not_read_is_refused() {
    use lz4_flex::frame::{BlockMode, FrameInfo};
    let linked = lz4_frame(FrameInfo::new().block_mode(BlockMode::Linked), TEXT);
    let whole = compressed(Compression::Lz4, TEXT);
    let without_end_mark = whole[..whole.len() - 4].to_vec();
    let twice = whole.repeat(2);
    for frame in [linked, without_end_mark, twice] {
        let refused = Err(BatchError::Undecodable(Compression::Lz4));
        assert_eq!(read(Compression::Lz4, frame), refused);
    }
}

#[test]
fn our_lz4_frames_are_ones_that_java_reads() {
    let frame = compressed(Compression::Lz4, TEXT);
    // Version 1, independent blocks, no checksums, no content size; blocks of up to 64 KiB.
    assert_eq!(frame[..6], [0x04, 0x22, 0x4d, 0x18, 0x60, 0x40]);
}

#[test]
fn levels_are_kafkas() {
    let allowed = |codec, level| Compressor::with_level(codec, level).is_ok();
    for (codec, level, expected) in [
        (Compression::Gzip, -1, true),
        (Compression::Gzip, 0, false),
        (Compression::Gzip, 1, true),
        (Compression::Gzip, 9, true),
        (Compression::Gzip, 10, false),
        (Compression::Lz4, 0, false),
        (Compression::Lz4, 1, true),
        (Compression::Lz4, 17, true),
        (Compression::Lz4, 18, false),
        (Compression::Zstd, -131_073, false),
        (Compression::Zstd, -131_072, true),
        (Compression::Zstd, 22, true),
        (Compression::Zstd, 23, false),
        (Compression::Snappy, 1, false),
        (Compression::None, 0, false),
    ] {
        assert_eq!(allowed(codec, level), expected, "{codec} {level}");
    }
}

#[test]
fn every_level_can_be_read() {
    let levels = [-1, 1, 9].map(|level| (Compression::Gzip, level));
    let levels = levels.into_iter().chain([1, 9, 17].map(|level| (Compression::Lz4, level)));
    let zstd = [-131_072, -1, 0, 1, 3, 19, 22].map(|level| (Compression::Zstd, level));
    for (codec, level) in levels.chain(zstd) {
        let mut out = Vec::new();
        Compressor::with_level(codec, level).unwrap().compress(TEXT, &mut out);
        assert_eq!(read(codec, out).unwrap(), TEXT, "{codec} {level}");
    }
}

#[test]
fn codecs_are_named_as_in_topic_configs() {
    for codec in Compression::ALL {
        assert_eq!(codec.name().parse(), Ok(codec));
        assert_eq!(Compression::from_id(codec.id()), Ok(codec));
    }
    assert_eq!("uncompressed".parse(), Ok(Compression::None));
    assert!("LZ4".parse::<Compression>().is_err());
    assert_eq!(Compression::from_id(5), Err(BatchError::UnknownCodec(5)));
}

proptest! {
    #[test]
    fn what_is_compressed_comes_back(
        plain in prop::collection::vec(any::<u8>(), 0..3000),
        repeated in 1..80usize,
        codec in prop::sample::select(Compression::ALL.to_vec()),
    ) {
        let plain = plain.repeat(repeated);
        prop_assert_eq!(read(codec, compressed(codec, &plain)).unwrap(), plain);
    }

    /// Some cuts leave whole chunks, and then fewer bytes come back. None brings others.
    #[test]
    fn a_block_cut_off_never_reads_as_something_else(
        plain in prop::collection::vec(any::<u8>(), 1..2000),
        cut in any::<prop::sample::Index>(),
        codec in prop::sample::select(Compression::ALL[1..].to_vec()),
    ) {
        let mut block = compressed(codec, &plain);
        block.truncate(cut.index(block.len()));
        if let Ok(out) = read(codec, block) {
            prop_assert!(plain.starts_with(&out) && out.len() < plain.len());
        }
    }
}
