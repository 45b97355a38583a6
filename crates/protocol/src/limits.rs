//! The bounds of this crate, each with its arithmetic.

/// Heap bytes that decoding may take for arrays and mended text, for each byte of the frame.
///
/// The worst honest case is an array of empty strings: one byte on the wire, 32 as a `Str`. A frame
/// of 100 MiB (`socket.request.max.bytes`) can so cost 3.2 GiB only if it is all empty strings;
/// topics and partitions with real names stay below 5.
pub const DECODE_BYTES_PER_FRAME_BYTE: usize = 32;

/// Heap bytes that decoding may take whatever the frame's size, so that small frames with wide
/// structs pass.
pub const DECODE_BYTES_MIN: usize = 64 * 1024;

/// From this size on a `bytes` or `records` field is passed on by reference instead of copied.
///
/// One more entry for `writev` costs about as much as copying 1 KiB.
pub const UNCOPIED_BYTES_MIN: usize = 1024;

/// Tagged fields that one struct may carry; Kafka's largest has 8.
pub const TAGS_MAX: u32 = 1024;

/// First size of a frame's buffer: a response for a dozen partitions fits without growing.
pub const FRAME_BUFFER_BYTES: usize = 1024;
