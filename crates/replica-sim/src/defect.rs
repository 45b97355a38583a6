/// Something that a broker around the machines, or the controller, could do wrong. Each is an entry
/// of the catalogue of replication bugs, and a run with it must be found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Defect {
    /// A follower cuts its log to the high watermark it remembers when it starts (KIP-101).
    HighWatermarkTruncation,
    /// Divergence is looked for once a reign, and the answer names no epoch (KIP-279).
    OneLineageQuery,
    /// The high watermark goes by the committed in-sync set alone (KIP-497).
    NoMaximalIsr,
    /// The controller takes changes that were decided on older partition epochs.
    NoPartitionEpochCheck,
    /// The controller lets a broker in that is no more who the leader thinks (KIP-903).
    NoBrokerEpochCheck,
    /// A follower vouches for what it has not synced (KIP-966).
    FollowerVouchesForMemory,
    /// A leader counts what it has not synced.
    LeaderCountsMemory,
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
    /// The history of epochs is lost with every start (KAFKA-15608).
    EpochHistoryLost,
    /// A replica that found its disk damaged says nothing of it (NATS 2.12.1).
    DamageConcealed,
    /// A leader counts fetches of an earlier reign (KIP-320).
    FetchEpochUnchecked,
    /// A follower joins at the high watermark of a leader that does not know yet what is committed
    /// (KAFKA-7128).
    JoinsAtHighWatermark,
    /// Whoever serves may lead, whether it holds everything or not (KIP-966).
    UncleanElection,
    /// An epoch without records takes in the records of the epoch before that are copied later.
    EmptyEpochKept,
    /// The replicas that stay need not be in sync before the others are removed (KIP-455).
    MovedBeforeInSync,
    /// A replica is removed and its leader's reign goes on: it may come back empty, and what it
    /// said before still counts.
    RemovalWithinReign,
    /// A replica is removed by metadata that comes late (KIP-570, KAFKA-9539).
    LateRemoval,
    /// A refusal is taken for the end of a change whose first attempt went unanswered.
    DoubtForgotten,
}

impl Defect {
    pub const ALL: [(&str, Defect); 19] = [
        ("high-watermark-truncation", Defect::HighWatermarkTruncation),
        ("one-lineage-query", Defect::OneLineageQuery),
        ("no-maximal-isr", Defect::NoMaximalIsr),
        ("no-partition-epoch-check", Defect::NoPartitionEpochCheck),
        ("follower-vouches-for-memory", Defect::FollowerVouchesForMemory),
        ("leader-counts-memory", Defect::LeaderCountsMemory),
        ("min-isr-ignored", Defect::MinIsrIgnored),
        ("high-watermark-before-truncation", Defect::HighWatermarkBeforeTruncation),
        ("last-epoch-forgotten", Defect::LastEpochForgotten),
        ("truncation-to-zero", Defect::TruncationToZero),
        ("stale-metadata", Defect::StaleMetadata),
        ("epoch-history-lost", Defect::EpochHistoryLost),
        ("damage-concealed", Defect::DamageConcealed),
        ("joins-at-high-watermark", Defect::JoinsAtHighWatermark),
        ("unclean-election", Defect::UncleanElection),
        ("empty-epoch-kept", Defect::EmptyEpochKept),
        ("moved-before-in-sync", Defect::MovedBeforeInSync),
        ("removal-within-reign", Defect::RemovalWithinReign),
        ("late-removal", Defect::LateRemoval),
    ];

    /// Their damage needs three things within a second; 4,000 seeds do not meet it. The rules that
    /// forbid them are shown by the tests of `replication` step by step.
    pub const RARE: [(&str, Defect); 3] = [
        ("fetch-epoch-unchecked", Defect::FetchEpochUnchecked),
        ("no-broker-epoch-check", Defect::NoBrokerEpochCheck),
        ("doubt-forgotten", Defect::DoubtForgotten),
    ];
}
