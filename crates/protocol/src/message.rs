use std::fmt::Debug;
use std::ops::RangeInclusive;

use bytes::Bytes;

use crate::{ApiKey, DecodeError, EncodeError, Reader, Writer};

/// What Kafka sends as a unit: a request, a response, a header, the key or value of a record.
///
/// One struct serves all versions. A version without a field leaves it at Kafka's default when
/// decoding; when encoding, a set field is dropped if the schema calls it ignorable and refused
/// otherwise.
pub trait Message: Fields + Clone + Debug + Default + PartialEq {
    const NAME: &'static str;
    const VERSIONS: RangeInclusive<i16>;
    /// The first version with compact lengths and tagged fields.
    const FLEXIBLE_FROM: Option<i16>;

    /// Reads the message and leaves the reader behind it; bytes that follow are the caller's.
    fn decode(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        r.begin::<Self>(version)?;
        Self::read(r, version)
    }

    fn encode(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.begin::<Self>(version)?;
        self.write(w, version)
    }

    /// Reads a message that fills `bytes`.
    fn from_bytes(bytes: Bytes, version: i16) -> Result<Self, DecodeError> {
        let mut r = Reader::new(bytes);
        let message = Self::decode(&mut r, version)?;
        r.finish()?;
        Ok(message)
    }

    fn to_bytes(&self, version: i16) -> Result<Bytes, EncodeError> {
        let mut w = Writer::new();
        self.encode(&mut w, version)?;
        Ok(w.into_bytes())
    }
}

/// A message that asks for an answer.
pub trait Request: Message {
    const KEY: ApiKey;
    type Response: Message;
}

/// A record key or value that is told from its siblings by a number: the record type in
/// `__cluster_metadata`, the key version in `__consumer_offsets` and `__transaction_state`.
pub trait Numbered: Message {
    const ID: i16;
}

/// The fields of a message, or of a struct inside one, in wire order.
///
/// Generated; use [`Message`], which checks the version first.
pub trait Fields: Sized {
    /// The fewest bytes the fields take in any version: what a length field is checked against.
    const MIN_BYTES: usize;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError>;
    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError>;
}
