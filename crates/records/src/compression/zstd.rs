//! zstd by the reference library. Contexts cost more than a small batch, so each thread keeps one.

use std::cell::Cell;
use std::io::{self, Read};
use std::ops::RangeInclusive;

use zstd::zstd_safe::{
    CCtx, CParameter, DCtx, InBuffer, OutBuffer, ResetDirective, compress_bound,
};

use crate::limits::CODEC_CONTEXT_BYTES_KEPT;

pub(super) const LEVEL_DEFAULT: i32 = 3;
pub(super) const LEVELS: RangeInclusive<i32> = -131_072..=22;

thread_local! {
    static ENCODER: Cell<Option<CCtx<'static>>> = const { Cell::new(None) };
    static DECODER: Cell<Option<DCtx<'static>>> = const { Cell::new(None) };
}

pub(super) fn compress(level: i32, input: &[u8], out: &mut Vec<u8>) {
    let mut context = ENCODER.take().unwrap_or_else(CCtx::create);
    let start = out.len();
    out.resize(start + compress_bound(input.len()), 0);
    let written = context
        .set_parameter(CParameter::CompressionLevel(level))
        .and_then(|_| context.compress2(&mut out[start..], input));
    assert!(written.is_ok(), "the level is checked and the space as large as zstd asks for");
    out.truncate(start + written.unwrap_or(0));
    ENCODER.set((context.sizeof() <= CODEC_CONTEXT_BYTES_KEPT).then_some(context));
}

/// Decodes frame after frame; a frame cut off is an error.
pub(super) struct Reader<'a> {
    /// Goes back to its thread on drop.
    context: Option<DCtx<'static>>,
    input: InBuffer<'a>,
    /// Whether the input so far ends with a frame.
    between_frames: bool,
}

impl<'a> Reader<'a> {
    pub fn new(block: &'a [u8]) -> io::Result<Reader<'a>> {
        let mut context = DECODER.take().unwrap_or_else(DCtx::create);
        // A batch given up half-way leaves the context inside a frame.
        context.reset(ResetDirective::SessionOnly).map_err(invalid)?;
        Ok(Reader { context: Some(context), input: InBuffer::around(block), between_frames: true })
    }
}

impl Read for Reader<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let Some(context) = &mut self.context else { return Ok(0) };
        let mut output = OutBuffer::around(out);
        loop {
            let input_done = self.input.pos() == self.input.src.len();
            if input_done && self.between_frames {
                return Ok(output.pos());
            }
            let before = (self.input.pos(), output.pos());
            let hint = context.decompress_stream(&mut output, &mut self.input).map_err(invalid)?;
            self.between_frames = hint == 0;
            if output.pos() > 0 {
                return Ok(output.pos());
            }
            if before == (self.input.pos(), output.pos()) && !self.between_frames {
                return match output.capacity() {
                    0 => Ok(0),
                    _ => Err(io::ErrorKind::UnexpectedEof.into()),
                };
            }
        }
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        DECODER.set(self.context.take().filter(|it| it.sizeof() <= CODEC_CONTEXT_BYTES_KEPT));
    }
}

fn invalid(_: zstd::zstd_safe::ErrorCode) -> io::Error {
    io::ErrorKind::InvalidData.into()
}
