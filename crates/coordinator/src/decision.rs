use bytes::Bytes;

/// Names a request that waits for its answer. Opaque: the host gives it, the shard gives it back.
///
/// **Invariant:** every token handed to a shard comes back exactly once, in some [`Decision`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReplyToken(pub u64);

/// One key and value for a compacted internal topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoordinatorRecord {
    pub key: Bytes,
    /// `None` is a tombstone: the key is deleted.
    pub value: Option<Bytes>,
}

/// What an event leads to: records to append, and replies to send once they are committed.
///
/// The host appends the records, replays them into the shard that decided them, and sends the
/// replies when everything it had appended by then is committed. A decision without records waits
/// behind the earlier ones too: it may have been made from state that they changed.
///
/// Source: Kafka `CoordinatorResult`.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "the records must be appended and the replies sent"]
pub struct Decision<R> {
    pub records: Vec<CoordinatorRecord>,
    /// **Invariant:** may answer requests other than the one that was asked: those parked earlier.
    pub replies: Vec<(ReplyToken, R)>,
    /// Whether all records must go into one batch. Tombstones of a clean-up need not.
    pub atomic: bool,
}

impl<R> Decision<R> {
    /// Nothing to write and nobody to answer.
    pub fn nothing() -> Decision<R> {
        Decision { records: Vec::new(), replies: Vec::new(), atomic: true }
    }

    /// One answer, nothing to write.
    pub fn reply(token: ReplyToken, reply: R) -> Decision<R> {
        Decision { records: Vec::new(), replies: vec![(token, reply)], atomic: true }
    }

    pub fn is_nothing(&self) -> bool {
        self.records.is_empty() && self.replies.is_empty()
    }
}

impl<R> Default for Decision<R> {
    fn default() -> Decision<R> {
        Decision::nothing()
    }
}
