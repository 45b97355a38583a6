//! A broker that is measured, and its topics.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{SocketAddr, ToSocketAddrs};
use std::time::{Duration, Instant};

use client::admin::topics::NewTopic;
use client::{Client, ClientError, Connection, ErrorKind, OffsetAt, Options, TopicsWanted};
use types::ErrorCode;

use crate::cases::Durability;
use crate::frames::Versions;
use crate::limits::{READY_MAX, TOPIC_PARTITIONS_MAX};

/// A broker, where it is and which process it is.
pub struct Target {
    pub name: String,
    pub address: String,
    /// Needed for CPU time and memory, which the operating system tells.
    pub pid: Option<u32>,
    pub(crate) versions: Versions,
    client: Client,
}

/// Partitions that are ready to take records, over one topic or several.
#[derive(Clone, Debug)]
pub struct Ground {
    pub places: Vec<Place>,
    /// From the first request until every partition answered.
    pub made_in: Duration,
}

#[derive(Clone, Debug)]
pub struct Place {
    pub topic: String,
    pub partition: i32,
    pub leader: SocketAddr,
}

impl Target {
    /// Connects to the broker at `address` (`host:port`).
    ///
    /// # Errors
    /// It is not there, or too old to be measured.
    pub fn connect(name: &str, address: &str, pid: Option<u32>) -> Result<Target, ClientError> {
        let mut options = Options::new(address);
        options.request_timeout = READY_MAX;
        options.operation_timeout = READY_MAX;
        let versions = Versions::agree(&Connection::open(address, &options)?)?;
        if let Some(pid) = pid {
            crate::process::usage(pid).map_err(|error| {
                let what = format!("read the CPU time of process {pid}");
                ClientError::usage(what, error.to_string())
                    .todo("give the process id of the broker, on this machine")
            })?;
        }
        let client = Client::connect(options)?;
        let (name, address) = (name.to_owned(), address.to_owned());
        Ok(Target { name, address, pid, versions, client })
    }

    /// Makes topics with `partitions` in all and waits until each partition answers.
    pub(crate) fn make_ground(
        &mut self,
        name: &str,
        partitions: usize,
        durability: Durability,
    ) -> Result<Ground, ClientError> {
        let began = Instant::now();
        let mut places = Vec::with_capacity(partitions);
        for (number, from) in (0..partitions).step_by(TOPIC_PARTITIONS_MAX).enumerate() {
            let count = TOPIC_PARTITIONS_MAX.min(partitions - from);
            let name = format!("{name}-{number}");
            self.create(&name, count, durability)?;
            places.extend((0..count).map(|partition| (name.clone(), partition as i32)));
        }
        self.wait_until_ready(&places)?;
        let made_in = began.elapsed();
        let leaders = self.leaders(&places)?;
        let places = places.into_iter().zip(leaders);
        let places = places.map(|((topic, partition), leader)| Place { topic, partition, leader });
        Ok(Ground { places: places.collect(), made_in })
    }

    /// Makes one topic and waits until each partition answers.
    ///
    /// # Errors
    /// The broker does not want it, or takes too long.
    pub fn make_topic(
        &mut self,
        name: &str,
        partitions: usize,
        durability: Durability,
    ) -> Result<(), ClientError> {
        self.create(name, partitions, durability)?;
        let places: Vec<_> = (0..partitions).map(|at| (name.to_owned(), at as i32)).collect();
        self.wait_until_ready(&places)
    }

    /// Deletes a topic with all its records.
    ///
    /// # Errors
    /// There is none of this name, or the broker does not let us.
    pub fn delete_topic(&mut self, name: &str) -> Result<(), ClientError> {
        self.client.delete_topic(name)
    }

    /// Deletes the topics of `ground`.
    pub(crate) fn clear(&mut self, ground: &Ground) -> Result<(), ClientError> {
        let names: BTreeSet<&str> = ground.places.iter().map(|at| at.topic.as_str()).collect();
        names.into_iter().try_for_each(|name| self.client.delete_topic(name))
    }

    /// Ours knows `durability`; any other broker syncs after every batch with `flush.messages`.
    fn create(&mut self, name: &str, count: usize, want: Durability) -> Result<(), ClientError> {
        let topic = |config: Option<(&str, &str)>| NewTopic {
            name: name.to_owned(),
            partitions: Some(count as i32),
            replication_factor: None,
            assignment: Vec::new(),
            configs: config
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .into_iter()
                .collect(),
        };
        let (ours, theirs) = match want {
            Durability::PageCache => ("page-cache", None),
            Durability::Fsync => ("fsync", Some(("flush.messages", "1"))),
        };
        match self.client.create_topic(&topic(Some(("durability", ours))), false) {
            Err(error) if error.is_broker(ErrorCode::InvalidConfig) => {
                self.client.create_topic(&topic(theirs), false).map(drop)
            }
            other => other.map(drop),
        }
    }

    /// A leader that is known need not serve yet; it does once it tells where a partition ends. Nor
    /// has every broker heard of a topic when the controller has made it.
    fn wait_until_ready(&mut self, places: &[(String, i32)]) -> Result<(), ClientError> {
        let names: BTreeSet<String> = places.iter().map(|(topic, _)| topic.clone()).collect();
        let names: Vec<String> = names.into_iter().collect();
        let wanted: BTreeMap<_, _> =
            places.iter().map(|place| (place.clone(), OffsetAt::Latest)).collect();
        self.client.with_retries(|client| {
            client.refresh(TopicsWanted::Named(names.clone()))?;
            client.list_offsets(&wanted).map(drop).map_err(|error| {
                if !error.is_broker(ErrorCode::UnknownTopicOrPartition) {
                    return error;
                }
                ClientError::broker(error.what, ErrorCode::LeaderNotAvailable.code(), None)
            })
        })
    }

    fn leaders(&self, places: &[(String, i32)]) -> Result<Vec<SocketAddr>, ClientError> {
        let cluster = self.client.cluster();
        let mut known = BTreeMap::new();
        for (id, broker) in &cluster.brokers {
            // A lone broker is where we reached it, whatever it advertises.
            let is_lone = cluster.brokers.len() == 1;
            let address = if is_lone { self.address.clone() } else { broker.address() };
            known.insert(*id, resolved(&address)?);
        }
        let leader = |(topic, partition): &(String, i32)| {
            let id = cluster.partition(topic, *partition)?.leader;
            known.get(&id).copied().ok_or_else(|| {
                let code = ErrorCode::LeaderNotAvailable.code();
                ClientError::broker(format!("find the leader of {topic}-{partition}"), code, None)
            })
        };
        places.iter().map(leader).collect()
    }
}

fn resolved(address: &str) -> Result<SocketAddr, ClientError> {
    let found = address.to_socket_addrs().ok().and_then(|mut found| found.next());
    found.ok_or_else(|| {
        let why = "its name does not resolve here";
        ClientError::new(ErrorKind::Unreachable, format!("connect to {address}"), why)
    })
}
