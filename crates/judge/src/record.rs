use std::cmp::Ordering;
use std::fmt;
use std::rc::Rc;

use history::Value;

/// What a producer's settings promise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    #[default]
    Idempotent,
    Plain,
    Acks1,
}

impl Kind {
    pub fn named(name: &str) -> Result<Kind, String> {
        match name {
            "idempotent" => Ok(Kind::Idempotent),
            "plain" => Ok(Kind::Plain),
            "acks1" => Ok(Kind::Acks1),
            _ => Err(format!("there is no producer of kind `{name}`")),
        }
    }
}

/// One producer object.
#[derive(Debug)]
pub struct Producer {
    /// Which of the round it is.
    pub id: usize,
    pub name: Rc<str>,
    pub may_repeat: bool,
    pub is_weak: bool,
}

/// What its bytes say of themselves: `ok`, or what is wrong with them.
pub const SOUND: &str = "ok";

/// A record by its producer and its number there.
#[derive(Clone, Debug)]
pub struct Record {
    pub producer: Rc<Producer>,
    pub number: u64,
    /// [`SOUND`], or what is wrong with its bytes.
    pub state: Rc<str>,
    /// `-` is none.
    pub key: Rc<str>,
}

impl Record {
    /// By what two of them are the same: the key is only what a log cleaner goes by.
    fn identity(&self) -> (usize, u64, &str) {
        (self.producer.id, self.number, &self.state)
    }
}

impl PartialEq for Record {
    fn eq(&self, other: &Self) -> bool {
        self.identity() == other.identity()
    }
}

impl Eq for Record {}

impl PartialOrd for Record {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Record {
    fn cmp(&self, other: &Self) -> Ordering {
        self.identity().cmp(&other.identity())
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.producer.name, self.number)?;
        if &*self.state == SOUND { Ok(()) } else { write!(f, " ({})", self.state) }
    }
}

impl Value for Record {
    type Producer = usize;

    fn source(&self) -> Option<(usize, u64)> {
        Some((self.producer.id, self.number))
    }

    fn key(&self) -> Option<&str> {
        (&*self.key != "-").then_some(&*self.key)
    }

    fn may_repeat(&self) -> bool {
        self.producer.may_repeat
    }

    fn is_weak(&self) -> bool {
        self.producer.is_weak
    }
}
