//! Every message behind one door, for tests and fuzz targets.

use std::ops::RangeInclusive;

use bytes::Bytes;
use protocol::{DecodeError, EncodeError, EncodeErrorKind, Message};

/// A message whose type is known at run time only.
#[derive(Clone, Copy, Debug)]
pub struct Exercise {
    pub room: &'static str,
    pub name: &'static str,
    pub versions: RangeEnds,
    decode: fn(Bytes, i16) -> Result<(), DecodeError>,
    echo: fn(Bytes, i16) -> Result<Bytes, DecodeError>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RangeEnds(pub i16, pub i16);

macro_rules! table {
    ($($room:ident $name:ident;)*) => {
        /// One entry a message, in the order of the schema folders.
        pub const EVERY: &[Exercise] = &[
            $(exercise::<protocol::$room::$name>(stringify!($room)),)*
        ];
    };
}

every_message!(table);

impl Exercise {
    pub fn versions(&self) -> RangeInclusive<i16> {
        self.versions.0..=self.versions.1
    }

    pub fn decode(&self, bytes: Bytes, version: i16) -> Result<(), DecodeError> {
        (self.decode)(bytes, version)
    }

    /// Decodes and encodes again.
    ///
    /// Panics: when what was decoded cannot be encoded, or does not survive another round.
    pub fn echo(&self, bytes: Bytes, version: i16) -> Result<Bytes, DecodeError> {
        (self.echo)(bytes, version)
    }

    pub fn find(name: &str) -> Option<&'static Exercise> {
        EVERY.iter().find(|exercise| exercise.name == name)
    }
}

const fn exercise<M: Message>(room: &'static str) -> Exercise {
    let versions = RangeEnds(*M::VERSIONS.start(), *M::VERSIONS.end());
    Exercise { room, name: M::NAME, versions, decode: decode::<M>, echo: echo::<M> }
}

fn decode<M: Message>(bytes: Bytes, version: i16) -> Result<(), DecodeError> {
    M::from_bytes(bytes, version).map(drop)
}

fn echo<M: Message>(bytes: Bytes, version: i16) -> Result<Bytes, DecodeError> {
    let value = M::from_bytes(bytes.clone(), version)?;
    let encoded = match value.to_bytes(version) {
        Ok(encoded) => encoded,
        // Text that was not UTF-8 grows when it is mended.
        Err(EncodeError { kind: EncodeErrorKind::TooLong(_), .. }) => return Ok(bytes),
        Err(error) => panic!("{error}: {value:?}"),
    };
    let again = M::from_bytes(encoded.clone(), version);
    let again = again.unwrap_or_else(|error| panic!("{error} in what {value:?} became"));
    // Bytes, not values: NaN is no equal of itself.
    assert_eq!(again.to_bytes(version).as_ref(), Ok(&encoded), "{value:?}");
    Ok(encoded)
}
