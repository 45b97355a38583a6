/// Something that the world around the machines could do wrong, and that the model must find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Defect {
    /// A follower cuts its log to the high watermark it remembers when it starts (KIP-101).
    HighWatermarkTruncation,
    /// The answer to a log that diverges names the follower's epoch instead of the leader's
    /// (KIP-279).
    OneLineageQuery,
    /// The high watermark goes by the committed in-sync set alone (KIP-497).
    NoMaximalIsr,
    /// The controller takes changes that were decided on older partition epochs.
    NoPartitionEpochCheck,
    /// The controller lets a broker in that is no more who the leader thinks (KIP-903).
    NoBrokerEpochCheck,
    /// A follower vouches for what it has not synced (KIP-966).
    FollowerVouchesForMemory,
    /// A leader acknowledges with fewer in sync than were asked for (Jepsen, Kafka 0.8).
    MinIsrIgnored,
    /// A follower takes the high watermark of an answer that says its log diverges (KAFKA-14704).
    HighWatermarkBeforeTruncation,
    /// A follower does not say the epoch of its last record (KAFKA-15510).
    LastEpochForgotten,
    /// A follower empties its log when its leader is none any more (KAFKA-2143).
    TruncationToZero,
    /// Metadata that comes late is taken for the present (KAFKA-9539).
    StaleMetadata,
    /// A leader counts what it has not synced (etcd#14143).
    LeaderCountsMemory,
    /// A follower joins at the high watermark of a leader that does not know yet what is committed
    /// (KAFKA-7128).
    JoinsAtHighWatermark,
    /// The same, but of the two rules against it only the one that it holds what was there when the
    /// reign began is missing; that it keeps up is asked for still (KAFKA-19996).
    ReignsBeginningForgotten,
    /// An epoch without records takes in the records of the epoch before that are copied later.
    EmptyEpochKept,
    /// A refusal is taken for the end of a change whose first attempt went unanswered.
    DoubtForgotten,
}
