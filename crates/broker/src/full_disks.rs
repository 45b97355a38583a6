//! Says in the log when the disk of a log directory has no room for records, and when it has again.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use env::{Clock, Env, Lane};
use types::MonoTime;

use crate::limits::{FULL_DISK_CHECK, ROOM_STAYS};
use crate::log_store::{DirFacts, DirIndex};
use crate::node::Node;
use crate::timers::Expire;

/// Looks every [`FULL_DISK_CHECK`] whether anything was refused for want of room. Every refusal is
/// told its client and counted; an operator who reads the log is told when they begin and end.
pub struct FullDisks<E: Env> {
    node: Weak<Node<E>>,
    watched: Mutex<BTreeMap<DirIndex, Watched>>,
}

impl<E: Env> FullDisks<E> {
    pub fn watch(node: &Arc<Node<E>>) {
        let watched = Mutex::default();
        Arc::new(FullDisks { node: Arc::downgrade(node), watched }).rest(node);
    }

    fn rest(self: Arc<Self>, node: &Node<E>) {
        let now = node.env().clock().mono();
        node.timers().register(now.plus(FULL_DISK_CHECK), self);
    }

    fn look(&self, node: &Node<E>) {
        let now = node.env().clock().mono();
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        for dir in node.log_store.describe().iter().filter(|dir| !dir.is_offline) {
            let watched = watched.entry(dir.index).or_default();
            match watched.look(dir.refused_for_space(), dir.has_room(), now) {
                Some(News::Refuses) => log::error!(
                    target: "kafka.log.LogManager",
                    "log directory {} takes no records · {} · lower retention.ms or \
                     retention.bytes of large topics, delete topics, or add space: then it takes \
                     records again, and what it has is served meanwhile · KAFKA_STORAGE_ERROR",
                    dir.path, Left(dir)
                ),
                Some(News::Takes { refused }) => log::info!(
                    target: "kafka.log.LogManager",
                    "log directory {} takes records again · {} · there was no room {refused} times",
                    dir.path, Left(dir)
                ),
                None => {}
            }
        }
    }
}

impl<E: Env> Expire for FullDisks<E> {
    /// To measure a file system may wait for its disk: nobody who serves does.
    fn expire(self: Arc<Self>, _now: MonoTime) {
        let Some(node) = self.node.upgrade() else { return };
        node.log_store.lane().run(Box::new(move || {
            if let Some(node) = self.node.upgrade() {
                self.look(&node);
                self.rest(&node);
            }
        }));
    }
}

/// What is left of the file system of a directory.
struct Left<'a>(&'a DirFacts);

impl fmt::Display for Left<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((total, free)) = self.0.space else {
            return f.write_str("its file system cannot be measured");
        };
        let kept = storage::space_reserve(total);
        write!(
            f,
            "{free} of {total} bytes are free, of which {kept} are kept for offsets, metadata and \
             deleting"
        )
    }
}

/// What is known, and was told, of one directory.
#[derive(Debug, Default)]
struct Watched {
    /// How much had been refused when this was last looked at.
    refused: u64,
    told: Option<Told>,
}

/// An operator knows that the directory has no room.
#[derive(Debug)]
struct Told {
    /// How much had been refused before.
    before: u64,
    last_refusal: MonoTime,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum News {
    Refuses,
    Takes { refused: u64 },
}

impl Watched {
    /// A disk at its edge, where retention makes room and producers take it, is full until nothing
    /// was refused for [`ROOM_STAYS`].
    fn look(&mut self, refused: u64, has_room: bool, now: MonoTime) -> Option<News> {
        let before = std::mem::replace(&mut self.refused, refused);
        let is_refused = refused > before;
        match &mut self.told {
            None if is_refused => {
                self.told = Some(Told { before, last_refusal: now });
                Some(News::Refuses)
            }
            None => None,
            Some(told) if is_refused => {
                told.last_refusal = now;
                None
            }
            Some(told) if has_room && now >= told.last_refusal.plus(ROOM_STAYS) => {
                let refused = refused - told.before;
                self.told = None;
                Some(News::Takes { refused })
            }
            Some(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn at(seconds: u64) -> MonoTime {
        MonoTime(0).plus(Duration::from_secs(seconds))
    }

    #[test]
    fn a_disk_at_its_edge_is_told_of_once_until_it_has_had_room_for_a_while() {
        let mut watched = Watched::default();
        assert_eq!(watched.look(0, true, at(0)), None);
        assert_eq!(watched.look(3, false, at(1)), Some(News::Refuses));
        // Small batches find room where large ones do not.
        for second in 2..20 {
            assert_eq!(watched.look(2 + second, true, at(second)), None);
        }
        assert_eq!(watched.look(21, true, at(28)), None);
        assert_eq!(watched.look(21, false, at(40)), None, "nobody asks, and there is none");
        assert_eq!(watched.look(21, true, at(41)), Some(News::Takes { refused: 21 }));
        assert_eq!(watched.look(21, true, at(42)), None);
        assert_eq!(watched.look(22, false, at(43)), Some(News::Refuses), "it begins anew");
    }
}
