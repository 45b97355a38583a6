//! The cases: one table, each with fixed parameters.

use records::Compression;
use serde::Serialize;

/// Something that a broker is asked to do, the same bytes for every broker.
///
/// `acks=all` everywhere, one partition a request, replication as the broker's default.
#[derive(Clone, Debug, Serialize)]
pub struct Case {
    pub name: &'static str,
    pub about: &'static str,
    pub value_bytes: usize,
    /// Of a batch before compression; 0 is one record a batch.
    pub batch_bytes: usize,
    pub codec: Codec,
    pub durability: Durability,
    pub partitions: usize,
    /// That write.
    pub connections: usize,
    /// Requests that a connection may have in flight. Kafka's clients allow five.
    pub depth: usize,
    pub pace: Pace,
    pub readers: Readers,
    /// Once is enough, and takes long.
    pub is_long: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Codec {
    None,
    Lz4,
    Zstd,
}

impl From<Codec> for Compression {
    fn from(codec: Codec) -> Compression {
        match codec {
            Codec::None => Compression::None,
            Codec::Lz4 => Compression::Lz4,
            Codec::Zstd => Compression::Zstd,
        }
    }
}

/// What acknowledged means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Durability {
    /// In the page cache of the leader, Kafka's default.
    PageCache,
    /// On the disk.
    Fsync,
}

/// When requests are sent.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pace {
    /// Nothing is written.
    Silent,
    /// The next as soon as one is answered.
    Saturate,
    /// Requests a second, whatever is answered.
    PerSecond(f64),
    /// This share of what the first broker took at saturation in the case `batched-1k`.
    OfSaturation(f64),
}

/// Who reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Readers {
    None,
    /// Each reads everything, at the end of the log.
    Tail {
        readers: usize,
    },
    /// Each reads a partition of its own from the start, round and round, written before.
    Backlog {
        readers: usize,
        bytes_each: u64,
        fetch_bytes: usize,
        is_cold: bool,
    },
}

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;
/// The one whose saturation others are a share of.
pub const SATURATION: &str = "batched-1k";

const PLAIN: Case = Case {
    name: SATURATION,
    about: "1 KiB records in batches of 16 KiB, as fast as they are taken",
    value_bytes: KIB,
    batch_bytes: 16 * KIB,
    codec: Codec::None,
    durability: Durability::PageCache,
    partitions: 4,
    connections: 4,
    depth: 5,
    pace: Pace::Saturate,
    readers: Readers::None,
    is_long: false,
};

const ONE_RECORD: Case = Case { batch_bytes: 0, pace: Pace::PerSecond(2_000.0), ..PLAIN };

/// Every case, in the order in which they run.
pub const CASES: &[Case] = &[
    PLAIN,
    Case {
        name: "batched-100b",
        about: "100 B records in batches of 16 KiB, as fast as they are taken",
        value_bytes: 100,
        ..PLAIN
    },
    Case {
        name: "large-batches",
        about: "1 KiB records in batches of 1 MiB, one in flight",
        batch_bytes: MIB,
        depth: 1,
        ..PLAIN
    },
    Case {
        name: "lz4",
        about: "1 KiB records in batches of 64 KiB, compressed with lz4",
        batch_bytes: 64 * KIB,
        codec: Codec::Lz4,
        ..PLAIN
    },
    Case {
        name: "zstd",
        about: "1 KiB records in batches of 64 KiB, compressed with zstd",
        batch_bytes: 64 * KIB,
        codec: Codec::Zstd,
        ..PLAIN
    },
    Case {
        name: "fsync",
        about: "as batched-1k, acknowledged once it is on the disk",
        durability: Durability::Fsync,
        ..PLAIN
    },
    Case {
        name: "small-20k",
        about: "single keyed records of 100 B, 20,000 a second",
        value_bytes: 100,
        partitions: 16,
        pace: Pace::PerSecond(20_000.0),
        ..ONE_RECORD
    },
    Case {
        name: "latency-idle",
        about: "single records of 1 KiB, 500 a second on a broker with nothing else to do",
        pace: Pace::PerSecond(500.0),
        ..ONE_RECORD
    },
    Case {
        name: "latency-half",
        about: "as batched-1k, at half the rate at which the first broker is saturated",
        pace: Pace::OfSaturation(0.5),
        ..PLAIN
    },
    Case {
        name: "fan-out",
        about: "20 MB/s in batches of 16 KiB into one partition, read by 10 consumers at its end",
        partitions: 1,
        connections: 1,
        pace: Pace::PerSecond(1_221.0),
        readers: Readers::Tail { readers: 10 },
        ..PLAIN
    },
    Case {
        name: "fetch-hot",
        about: "4 consumers read 64 MiB each over and over, 256 KiB at a time, from memory",
        connections: 0,
        pace: Pace::Silent,
        readers: Readers::Backlog {
            readers: 4,
            bytes_each: 64 << 20,
            fetch_bytes: 256 * KIB,
            is_cold: false,
        },
        ..PLAIN
    },
    Case {
        name: "catch-up",
        about: "2 consumers read 512 MiB each from the disk, 1 MiB a fetch, while 20 MB/s come in",
        pace: Pace::PerSecond(1_221.0),
        readers: Readers::Backlog {
            readers: 2,
            bytes_each: 512 << 20,
            fetch_bytes: MIB,
            is_cold: true,
        },
        ..PLAIN
    },
    Case {
        name: "partitions-1000",
        about: "single records of 1 KiB over 1,000 partitions that have records, 2,000 a second",
        partitions: 1_000,
        is_long: true,
        ..ONE_RECORD
    },
    Case {
        name: "partitions-10000",
        about: "single records of 1 KiB over 10,000 partitions that have records, 2,000 a second",
        partitions: 10_000,
        is_long: true,
        ..ONE_RECORD
    },
    Case {
        name: "connections-1000",
        about: "single records of 1 KiB over 1,000 connections, 2,000 a second",
        partitions: 16,
        connections: 1_000,
        ..ONE_RECORD
    },
    Case {
        name: "connections-10000",
        about: "single records of 1 KiB over 10,000 connections, 2,000 a second",
        partitions: 16,
        connections: 10_000,
        is_long: true,
        ..ONE_RECORD
    },
];

/// The case of this name.
pub fn case_named(name: &str) -> Option<&'static Case> {
    CASES.iter().find(|case| case.name == name)
}

impl Case {
    /// Partitions that are read and not written, beside those of the writers.
    pub fn backlog_partitions(&self) -> usize {
        match self.readers {
            Readers::Backlog { readers, .. } => readers,
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_the_page_of_figures_has_each() {
        let page = include_str!("../../../docs/performance.md");
        for (at, case) in CASES.iter().enumerate() {
            assert!(CASES[..at].iter().all(|other| other.name != case.name), "{}", case.name);
            let row = format!("| `{}` | {} |", case.name, case.about);
            assert!(page.contains(&row), "docs/performance.md has no row {row}");
        }
        assert!(case_named(SATURATION).is_some_and(|case| case.pace == Pace::Saturate));
    }

    #[test]
    fn a_delivery_can_be_told_from_its_offset_alone() {
        for case in CASES {
            if let Readers::Tail { .. } = case.readers {
                assert_eq!((case.partitions, case.connections), (1, 1), "{}", case.name);
            }
        }
    }
}
