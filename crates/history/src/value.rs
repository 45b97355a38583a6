use std::fmt::{Debug, Display};

/// What a record carries: no two sends share one, and it says where it comes from.
pub trait Value: Clone + Ord + Debug + Display {
    /// Names a producer.
    type Producer: Ord;

    /// Who sent it, and as the how manieth of his.
    fn source(&self) -> Option<(Self::Producer, u64)>;

    /// By which a compacted log knows what is older.
    fn key(&self) -> Option<&str> {
        None
    }

    /// Whether its producer sends it again when in doubt, without a number by which a broker would
    /// know it.
    fn may_repeat(&self) -> bool {
        false
    }

    /// Whether one broker alone acknowledges it (acks=1).
    fn is_weak(&self) -> bool {
        false
    }
}

/// `name:number`.
impl Value for String {
    type Producer = String;

    fn source(&self) -> Option<(String, u64)> {
        let (producer, number) = self.rsplit_once(':')?;
        Some((producer.to_owned(), number.parse().ok()?))
    }
}

/// A value that knows more of itself than its name.
#[cfg(test)]
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Told {
    pub name: &'static str,
    pub key: &'static str,
    pub may_repeat: bool,
    pub is_weak: bool,
}

#[cfg(test)]
impl Told {
    pub fn keyed(name: &'static str, key: &'static str) -> Told {
        Told { name, key, may_repeat: false, is_weak: false }
    }

    pub fn weak(name: &'static str) -> Told {
        Told { name, key: "-", may_repeat: true, is_weak: true }
    }
}

#[cfg(test)]
impl std::fmt::Display for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

#[cfg(test)]
impl Value for Told {
    type Producer = String;

    fn source(&self) -> Option<(String, u64)> {
        self.name.to_owned().source()
    }

    fn key(&self) -> Option<&str> {
        Some(self.key)
    }

    fn may_repeat(&self) -> bool {
        self.may_repeat
    }

    fn is_weak(&self) -> bool {
        self.is_weak
    }
}
