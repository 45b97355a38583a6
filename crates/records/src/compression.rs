//! The codecs of a batch's record block.   ADR 0002

mod chunked;
mod gzip;
mod lz4;
mod snappy;
mod xxhash;
mod zstd;

use std::fmt;
use std::io::{self, Read};
use std::str::FromStr;

use bytes::Bytes;

use crate::error::BatchError;
use lz4::DescriptorHash;

/// How a block of records is compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[doc(alias = "CompressionType")]
pub enum Compression {
    #[default]
    None,
    Gzip,
    Snappy,
    Lz4,
    Zstd,
}

impl Compression {
    /// Every codec, by id.
    pub const ALL: [Compression; 5] = [
        Compression::None,
        Compression::Gzip,
        Compression::Snappy,
        Compression::Lz4,
        Compression::Zstd,
    ];

    /// The number in attribute bits 0–2.
    pub fn id(self) -> u8 {
        self as u8
    }

    /// # Errors
    /// [`BatchError::UnknownCodec`]
    pub fn from_id(id: u8) -> Result<Compression, BatchError> {
        Compression::ALL.get(usize::from(id)).copied().ok_or(BatchError::UnknownCodec(id))
    }

    /// Kafka's name, as `compression.type` takes it.
    pub fn name(self) -> &'static str {
        match self {
            Compression::None => "none",
            Compression::Gzip => "gzip",
            Compression::Snappy => "snappy",
            Compression::Lz4 => "lz4",
            Compression::Zstd => "zstd",
        }
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Not the name of a codec.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownCompression(pub String);

impl fmt::Display for UnknownCompression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is no compression codec: use none, gzip, snappy, lz4 or zstd", self.0)
    }
}

impl std::error::Error for UnknownCompression {}

impl FromStr for Compression {
    type Err = UnknownCompression;

    /// Kafka's names; `uncompressed` is the topic config's word for none.
    fn from_str(name: &str) -> Result<Compression, UnknownCompression> {
        match name {
            "uncompressed" => Ok(Compression::None),
            _ => Compression::ALL
                .into_iter()
                .find(|codec| codec.name() == name)
                .ok_or_else(|| UnknownCompression(name.to_owned())),
        }
    }
}

/// A codec with its level: how to compress.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compressor {
    codec: Compression,
    level: i32,
}

/// The codec knows no such level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LevelOutOfRange {
    pub codec: Compression,
    pub level: i32,
}

impl fmt::Display for LevelOutOfRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} has no compression level {}", self.codec, self.level)
    }
}

impl std::error::Error for LevelOutOfRange {}

impl Compressor {
    pub const NONE: Compressor = Compressor { codec: Compression::None, level: 0 };

    /// At Kafka's default level: gzip −1 (which is 6), lz4 9, zstd 3.
    pub fn new(codec: Compression) -> Compressor {
        let level = match codec {
            Compression::None | Compression::Snappy => 0,
            Compression::Gzip => gzip::LEVEL_DEFAULT,
            Compression::Lz4 => lz4::LEVEL_DEFAULT,
            Compression::Zstd => zstd::LEVEL_DEFAULT,
        };
        Compressor { codec, level }
    }

    /// At another level: gzip −1 or 1–9, lz4 1–17 (all alike: ADR 0002), zstd −131072…22.
    ///
    /// # Errors
    /// [`LevelOutOfRange`], also for codecs without levels.
    pub fn with_level(codec: Compression, level: i32) -> Result<Compressor, LevelOutOfRange> {
        let known = match codec {
            Compression::None | Compression::Snappy => false,
            Compression::Gzip => level == gzip::LEVEL_DEFAULT || gzip::LEVELS.contains(&level),
            Compression::Lz4 => lz4::LEVELS.contains(&level),
            Compression::Zstd => zstd::LEVELS.contains(&level),
        };
        match known {
            true => Ok(Compressor { codec, level }),
            false => Err(LevelOutOfRange { codec, level }),
        }
    }

    pub fn codec(self) -> Compression {
        self.codec
    }

    /// Appends `input`, compressed, to `out`.
    pub fn compress(self, input: &[u8], out: &mut Vec<u8>) {
        match self.codec {
            Compression::None => out.extend_from_slice(input),
            Compression::Gzip => gzip::compress(self.level, input, out),
            Compression::Snappy => snappy::compress(input, out),
            Compression::Lz4 => lz4::compress(input, out),
            Compression::Zstd => zstd::compress(self.level, input, out),
        }
    }
}

impl From<Compression> for Compressor {
    fn from(codec: Compression) -> Compressor {
        Compressor::new(codec)
    }
}

/// The whole of `block`, decompressed; shares its bytes if there is nothing to do.
///
/// # Errors
/// [`BatchError::Undecodable`]; [`BatchError::TooLargeDecompressed`] past `limit` bytes.
pub fn decompress(codec: Compression, block: &Bytes, limit: usize) -> Result<Bytes, BatchError> {
    match Decoder::new(codec, block, limit)? {
        Some(decoder) => drain(decoder, block.len(), limit),
        None => Ok(block.clone()),
    }
}

/// [`decompress`] for formats 0 and 1.
pub(crate) fn decompress_legacy(
    codec: Compression,
    block: &Bytes,
    magic: i8,
    limit: usize,
) -> Result<Bytes, BatchError> {
    match (codec, magic) {
        (Compression::Lz4, 0) => {
            let stream = lz4::reader(block, DescriptorHash::Ignored);
            let stream = stream.map_err(|_| BatchError::Undecodable(codec))?;
            drain(
                Decoder { codec, stream: Box::new(stream), decoded: 0, limit },
                block.len(),
                limit,
            )
        }
        _ => decompress(codec, block, limit),
    }
}

/// All that `decoder` gives, in a buffer that grows with what comes.
fn drain(mut decoder: Decoder<'_>, block_bytes: usize, limit: usize) -> Result<Bytes, BatchError> {
    const GROWTH_BYTES_MIN: usize = 16 * 1024;
    let mut out = vec![0; GROWTH_BYTES_MIN.max(4 * block_bytes).min(limit)];
    let mut filled = 0;
    loop {
        if filled == out.len() {
            // When all that is allowed is there, one byte of room lets the decoder say what it
            // thinks.
            let grown = out.len().saturating_mul(2).min(limit).max(filled + 1);
            out.reserve_exact(grown - filled);
            out.resize(grown, 0);
        }
        match decoder.read(&mut out[filled..])? {
            0 => break,
            read => filled += read,
        }
    }
    out.truncate(filled);
    Ok(Bytes::from(out))
}

/// A compressed block on its way out, piece by piece, up to a limit.
pub(crate) struct Decoder<'a> {
    codec: Compression,
    stream: Box<dyn Read + 'a>,
    decoded: usize,
    limit: usize,
}

impl<'a> Decoder<'a> {
    /// `None` if there is nothing to decode.
    pub fn new(
        codec: Compression,
        block: &'a [u8],
        limit: usize,
    ) -> Result<Option<Decoder<'a>>, BatchError> {
        let undecodable = |_| BatchError::Undecodable(codec);
        let stream: Box<dyn Read + 'a> = match codec {
            Compression::None => return Ok(None),
            Compression::Gzip => Box::new(gzip::reader(block)),
            Compression::Snappy => Box::new(snappy::reader(block)),
            Compression::Lz4 => {
                Box::new(lz4::reader(block, DescriptorHash::Checked).map_err(undecodable)?)
            }
            Compression::Zstd => Box::new(zstd::Reader::new(block).map_err(undecodable)?),
        };
        Ok(Some(Decoder { codec, stream, decoded: 0, limit }))
    }

    /// Some of the decompressed bytes; 0 at the end or if `out` is empty.
    ///
    /// # Errors
    /// [`BatchError::Undecodable`]; [`BatchError::TooLargeDecompressed`] past the limit.
    pub fn read(&mut self, out: &mut [u8]) -> Result<usize, BatchError> {
        loop {
            match self.stream.read(out) {
                Ok(read) => {
                    self.decoded += read;
                    return match self.decoded > self.limit {
                        true => Err(BatchError::TooLargeDecompressed { limit: self.limit }),
                        false => Ok(read),
                    };
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Err(BatchError::Undecodable(self.codec)),
            }
        }
    }
}
