//! Frames: a length of four bytes, a header, a body.

use bytes::{Bytes, BytesMut};

use crate::header::{RequestHeader, ResponseHeader};
use crate::limits::FRAME_BUFFER_BYTES;
use crate::{ApiKey, EncodeError, EncodeErrorKind, Message, Request, Str, Writer};

/// Bytes of the length before a frame, which does not count itself.
pub const PREFIX_BYTES: usize = 4;

/// Why a length prefix is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameTooLong {
    pub claimed: i32,
}

impl std::fmt::Display for FrameTooLong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "a frame of {} bytes", self.claimed)
    }
}

impl std::error::Error for FrameTooLong {}

/// The length of the frame behind a prefix.
///
/// Errors: a length that is negative or above `bytes_max`.
pub fn length(prefix: [u8; PREFIX_BYTES], bytes_max: usize) -> Result<usize, FrameTooLong> {
    let claimed = i32::from_be_bytes(prefix);
    match usize::try_from(claimed) {
        Ok(length) if length <= bytes_max => Ok(length),
        _ => Err(FrameTooLong { claimed }),
    }
}

/// A request ready for the socket: prefix, header, body.
pub fn request<R: Request>(
    body: &R,
    version: i16,
    correlation_id: i32,
    client_id: Option<Str>,
) -> Result<Vec<Bytes>, EncodeError> {
    let header = RequestHeader {
        request_api_key: R::KEY.as_i16(),
        request_api_version: version,
        correlation_id,
        client_id,
    };
    let w = Writer::with_buffer(empty_prefix());
    framed(w, &header, R::KEY.request_header_version(version), body, version)
}

/// A response ready for the socket: prefix, header, body. Fields that `version` does not have are
/// left out.
pub fn response<M: Message>(
    key: ApiKey,
    body: &M,
    version: i16,
    correlation_id: i32,
) -> Result<Vec<Bytes>, EncodeError> {
    let header = ResponseHeader { correlation_id };
    let w = Writer::for_response(empty_prefix());
    framed(w, &header, key.response_header_version(version), body, version)
}

fn empty_prefix() -> BytesMut {
    let mut small = BytesMut::with_capacity(FRAME_BUFFER_BYTES);
    small.extend_from_slice(&[0; PREFIX_BYTES]);
    small
}

fn framed<H: Message, M: Message>(
    mut w: Writer,
    header: &H,
    header_version: i16,
    body: &M,
    version: i16,
) -> Result<Vec<Bytes>, EncodeError> {
    header.encode(&mut w, header_version)?;
    body.encode(&mut w, version)?;
    let length = w.len() - PREFIX_BYTES;
    let Ok(prefix) = i32::try_from(length) else {
        let kind = EncodeErrorKind::TooLong(length);
        return Err(EncodeError { message: M::NAME, version, kind });
    };
    w.patch_i32(0, prefix);
    Ok(w.finish())
}
