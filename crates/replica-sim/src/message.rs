use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

use history::Value;
use replication::{FetchAnswer, FetchFrom, IsrOutcome, IsrProposal, PartitionState};
use types::{BrokerEpoch, BrokerId, LeaderEpoch, Offset, PartitionEpoch};

/// Whoever sends and receives: the controller, then brokers, then clients.
pub type NodeId = usize;

pub const CONTROLLER: NodeId = 0;
/// Where the set of replicas stays what it is, all of them hold one.
pub const BROKERS: usize = 3;
/// Where it changes there are more to choose from.
pub const BROKERS_MAX: usize = 5;
pub const FIRST_CLIENT: NodeId = 100;

/// A value: whose, and the how manieth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tag {
    pub producer: u32,
    pub number: u64,
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p{}:{}", self.producer, self.number)
    }
}

impl Value for Tag {
    type Producer = u32;

    fn source(&self) -> Option<(u32, u64)> {
        Some((self.producer, self.number))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    pub epoch: LeaderEpoch,
    pub tag: Tag,
}

/// What the controller has committed.
#[derive(Clone, Debug)]
pub struct Image {
    pub version: u64,
    pub state: PartitionState,
    /// The life of each broker in service.
    pub live: BTreeMap<BrokerId, BrokerEpoch>,
    pub registered: BTreeMap<BrokerId, BrokerEpoch>,
}

/// What a producer hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Produced {
    At(Offset),
    /// Nothing was written.
    Refused,
    /// Something was written, and nobody knows what becomes of it.
    Unknown,
}

#[derive(Clone, Debug)]
pub enum Message {
    Register { incarnation: u64, kept_everything: bool },
    Registered { incarnation: u64, epoch: BrokerEpoch },
    Heartbeat { epoch: BrokerEpoch, seen_version: u64 },
    Metadata(Rc<Image>),
    Fetch { id: u64, broker_epoch: BrokerEpoch, from: FetchFrom },
    Fetched { id: u64, answer: FetchAnswer, records: Vec<Record> },
    AlterPartition { broker_epoch: BrokerEpoch, proposal: IsrProposal },
    Altered { asked: PartitionEpoch, outcome: IsrOutcome },
    Produce { tags: Vec<Tag> },
    Produced { first: u64, result: Produced },
    Read { from: Offset },
    ReadAnswer { from: Offset, tags: Vec<Tag> },
}

/// What happens at a node without anybody sending it.
#[derive(Clone, Debug)]
pub enum Alarm {
    /// A broker looks after its lags, heartbeats and checkpoints.
    Tick,
    /// What was written before `up_to` is on disk.
    Synced {
        up_to: usize,
        cuts: u64,
    },
    FetchTimeout {
        id: u64,
    },
    AlterTimeout {
        asked: PartitionEpoch,
        attempt: u64,
    },
    ParkedTimeout {
        id: u64,
    },
    Start,
    /// The controller looks for brokers that it does not hear of.
    Sessions,
    /// A client goes on.
    Next,
    ClientTimeout {
        number: u64,
    },
}
