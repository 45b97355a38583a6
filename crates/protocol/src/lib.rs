//! Kafka's wire protocol: bytes in, structs out, and back.
//!
//! The messages are generated from `schema/`; the rest of this crate is what the generated code
//! stands on. Record batches are opaque bytes here. Nothing behind this crate and the handlers
//! knows a wire version. docs/formats/wire.md has the encoding, docs/adr/0001 the reasons.

mod api_key;
mod error;
pub mod frame;
pub mod header;
mod json;
mod limits;
mod message;
pub mod messages;
pub mod metadata_records;
pub mod offsets_records;
mod reader;
mod str;
pub mod transaction_records;
mod writer;

pub use api_key::{ApiKey, PRODUCE_ADVERTISED_VERSION_MIN};
pub use error::{DecodeError, DecodeErrorKind, EncodeError, EncodeErrorKind};
pub use json::{Json, JsonText};
pub use limits::{DECODE_BYTES_MIN, DECODE_BYTES_PER_FRAME_BYTE, UNCOPIED_BYTES_MIN};
pub use message::{Fields, Message, Numbered, Request};
pub use reader::Reader;
pub use str::Str;
pub use writer::{Tags, Writer};
