use std::fmt::{self, Write};
use std::str::FromStr;

/// A 128-bit id in Kafka's spelling: 22 characters of URL-safe base64 without padding.
///
/// Topics, clusters and log directories have one. Source: Kafka `Uuid`.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uuid(pub [u8; 16]);

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const TEXT_CHARS: usize = 22;

impl Uuid {
    /// "No id" on the wire.
    pub const ZERO: Uuid = Uuid([0; 16]);
    /// The id of `__cluster_metadata`: (0, 1).
    pub const METADATA_TOPIC: Uuid = Uuid([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);

    /// A version-4 id from 16 random bytes.
    pub fn from_random(mut bytes: [u8; 16]) -> Uuid {
        bytes[6] = (bytes[6] & 0x0f) | 0x40;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        Uuid(bytes)
    }

    pub fn is_zero(&self) -> bool {
        *self == Uuid::ZERO
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = u128::from_be_bytes(self.0);
        for i in 0..TEXT_CHARS {
            // 22 characters carry 132 bits: the last one holds two bits and four zeros.
            let shift = 122 - 6 * i as i32;
            let six = if shift >= 0 { bits >> shift } else { bits << -shift } & 0x3f;
            f.write_char(char::from(ALPHABET[six as usize]))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not 22 characters of URL-safe base64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UuidParseError;

impl fmt::Display for UuidParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "an id is 22 characters of URL-safe base64, as `kafka-storage random-uuid` prints",
        )
    }
}

impl std::error::Error for UuidParseError {}

impl FromStr for Uuid {
    type Err = UuidParseError;

    fn from_str(text: &str) -> Result<Uuid, UuidParseError> {
        let text = text.trim_end_matches('=').as_bytes();
        if text.len() != TEXT_CHARS {
            return Err(UuidParseError);
        }
        let mut bits: u128 = 0;
        for (i, c) in text.iter().enumerate() {
            let six = ALPHABET.iter().position(|a| a == c).ok_or(UuidParseError)? as u128;
            bits = if i + 1 == TEXT_CHARS { (bits << 2) | (six >> 4) } else { (bits << 6) | six };
        }
        Ok(Uuid(bits.to_be_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_round_trips_and_matches_kafka() {
        // Kafka prints the metadata topic's id (0, 1) like this.
        assert_eq!(Uuid::METADATA_TOPIC.to_string(), "AAAAAAAAAAAAAAAAAAAAAQ");
        let id = Uuid::from_random(*b"\xff\x01\x80\x7fabcdefghijkl");
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!("short".parse::<Uuid>(), Err(UuidParseError));
        assert_eq!("AAAAAAAAAAAAAAAAAAAA!!".parse::<Uuid>(), Err(UuidParseError));
    }
}
