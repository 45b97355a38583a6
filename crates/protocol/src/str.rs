use std::borrow::Borrow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::str::Utf8Error;

use bytes::Bytes;

/// UTF-8 text that shares the frame it was read from; cheap to clone.
///
/// It keeps that whole frame alive: what outlives a request should hold [`Str::detached`].
/// Invariant: the bytes are UTF-8.
#[derive(Clone, Default)]
pub struct Str(Bytes);

impl Str {
    pub const fn from_static(text: &'static str) -> Str {
        Str(Bytes::from_static(text.as_bytes()))
    }

    pub fn from_utf8(bytes: Bytes) -> Result<Str, Utf8Error> {
        std::str::from_utf8(&bytes)?;
        Ok(Str(bytes))
    }

    /// What is not UTF-8 becomes U+FFFD, as in Java: a client is answered, not cut off.
    pub fn from_utf8_lossy(bytes: &[u8]) -> Str {
        Str::from(String::from_utf8_lossy(bytes).into_owned())
    }

    pub fn as_str(&self) -> &str {
        // SAFETY: every constructor takes a `str` or checks. Checking again on every comparison in
        // a map of topics would cost several times the comparison itself.
        unsafe { std::str::from_utf8_unchecked(&self.0) }
    }

    /// A copy that holds no frame.
    pub fn detached(&self) -> Str {
        Str::from(self.as_str())
    }

    pub fn into_bytes(self) -> Bytes {
        self.0
    }
}

impl Deref for Str {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<str> for Str {
    fn as_ref(&self) -> &str {
        self
    }
}

impl Borrow<str> for Str {
    fn borrow(&self) -> &str {
        self
    }
}

impl From<&str> for Str {
    fn from(text: &str) -> Str {
        Str(Bytes::copy_from_slice(text.as_bytes()))
    }
}

impl From<String> for Str {
    fn from(text: String) -> Str {
        Str(Bytes::from(text))
    }
}

impl From<&String> for Str {
    fn from(text: &String) -> Str {
        Str::from(text.as_str())
    }
}

impl From<Str> for String {
    fn from(text: Str) -> String {
        text.as_str().to_owned()
    }
}

impl PartialEq for Str {
    fn eq(&self, other: &Str) -> bool {
        self.0 == other.0
    }
}

impl Eq for Str {}

impl PartialEq<str> for Str {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Str {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl PartialEq<String> for Str {
    fn eq(&self, other: &String) -> bool {
        self.as_str() == other
    }
}

impl PartialOrd for Str {
    fn partial_cmp(&self, other: &Str) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Str {
    fn cmp(&self, other: &Str) -> std::cmp::Ordering {
        self.as_str().cmp(other.as_str())
    }
}

/// As `str` hashes, so that maps keyed by `Str` answer to `&str`.
impl Hash for Str {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl fmt::Display for Str {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

impl fmt::Debug for Str {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashMap};

    use super::*;

    #[test]
    fn maps_keyed_by_str_answer_to_plain_text() {
        let keys = ["", "b", "ä", "orders"].map(Str::from);
        let sorted: BTreeMap<Str, usize> = keys.iter().cloned().zip(0..).collect();
        let hashed: HashMap<Str, usize> = keys.iter().cloned().zip(0..).collect();
        for key in &keys {
            assert_eq!(sorted.get(key.as_str()), hashed.get(key.as_str()));
            assert!(sorted.contains_key(key.as_str()));
        }
        assert_eq!(sorted.keys().collect::<Vec<_>>(), ["", "b", "orders", "ä"]);
    }

    #[test]
    fn detached_text_lets_go_of_its_frame() {
        let frame = Bytes::from(vec![b'x'; 64]);
        let shared = Str::from_utf8(frame.slice(3..9)).unwrap();
        let own = shared.detached();
        drop(shared);
        assert!(frame.is_unique());
        assert_eq!(own, "xxxxxx");
    }

    #[test]
    fn bytes_that_are_not_utf8_are_refused() {
        assert!(Str::from_utf8(Bytes::from_static(b"\xff")).is_err());
    }
}
