"""The topics of the workload: what each is there to provoke."""

#: Kinds whose log start moves, so that records below it are gone rightly.
FRONT_GOES = ("trimmed", "expiring")

#: name: (kind that the judge knows, partitions, configs)
TOPICS = {
    # One file: group commit has nothing to gather but what comes at the same time.
    "single": ("plain", 1, {}),
    "shared": ("plain", 16, {}),
    # One sync has to cover many dirty files.
    "wide": ("plain", 64, {}),
    # A segment ends every few batches.
    "rolling": ("plain", 4, {"segment.bytes": "1048576", "segment.ms": "40"}),
    # The latest value of each key stays; tombstones stay for the default day.
    "latest": (
        "compacted",
        2,
        {
            "cleanup.policy": "compact",
            "segment.bytes": "1048576",
            "segment.ms": "150",
            "min.cleanable.dirty.ratio": "0.01",
        },
    ),
    # DeleteRecords moves its log start.
    "trimmed": ("trimmed", 2, {"segment.bytes": "1048576"}),
    # As large as batches get; what is old goes, for a disk is small.
    "heavy": ("expiring", 2, {"segment.bytes": "8388608", "retention.bytes": "16777216"}),
    # Retention by size moves its log start.
    "expiring": ("expiring", 2, {"segment.bytes": "1048576", "retention.bytes": "2097152"}),
}

#: `retention.ms` of `single` is altered to this and upwards, one by one.
RETENTION_FROM = 1_000_000_000
#: It is judged like a committed offset: of this group, topic and partition.
RETENTION = ("retention.ms", "single", -1)

GROUPS = ("readers", "auditors")


#: What `--durability` sets on every topic. Only `page-cache` may lose what it acknowledged, and only to a cut.
DURABILITIES = {
    "default": {},
    "fsync": {"durability": "fsync"},
    # With one replica its memory is not enough.
    "replicated": {"durability": "replicated"},
    # Kafka's own way to sync before it acknowledges.
    "flush-messages": {"durability": "page-cache", "flush.messages": "1"},
    "page-cache": {"durability": "page-cache"},
}


def described(durability, widest, replicas):
    """What round.json says of them."""
    configs, kinds, partitions = {}, {}, {}
    for topic, (kind, count, config) in TOPICS.items():
        configs[topic] = {**config, **DURABILITIES[durability]}
        if replicas > 1:
            configs[topic]["min.insync.replicas"] = str(replicas - 1)
        kinds[topic] = kind
        partitions[topic] = widest if topic == "wide" else count
    return {"topics": kinds, "partitions": partitions, "configs": configs, "replicas": replicas}
