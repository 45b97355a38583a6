//! A client of a whole cluster: finds the broker that a request belongs to, and tries again.

use std::collections::{BTreeMap, BTreeSet};

use protocol::messages::{FindCoordinatorRequest, FindCoordinatorResponse};
use protocol::{ApiKey, Request, Str};
use types::ErrorCode;

use crate::connection::Connection;
use crate::error::{ClientError, ErrorKind};
use crate::metadata::{Broker, Cluster, TopicsWanted, request};
use crate::options::Options;
use crate::retry::Retry;

/// Topics and partitions by the broker that leads them.
pub type ByLeader<'a> = BTreeMap<i32, Vec<(&'a str, i32)>>;

/// A connection to a cluster. One request at a time.
///
/// Connections are opened when they are needed and opened again when they broke.
#[derive(Debug)]
pub struct Client {
    options: Options,
    /// The connection that was made first, to whichever bootstrap address answered.
    bootstrap: Option<Connection>,
    brokers: BTreeMap<i32, Connection>,
    coordinators: BTreeMap<String, i32>,
    cluster: Cluster,
    wanted: TopicsWanted,
    /// Connected to controllers, which know no topics.
    is_of_controllers: bool,
}

impl Client {
    /// Connects to one bootstrap address and asks it for the cluster's brokers.
    ///
    /// # Errors
    /// None of the addresses answers as a broker does.
    pub fn connect(options: Options) -> Result<Client, ClientError> {
        Client::connect_with(options, |client| client.refresh(TopicsWanted::None).map(|_| ()))
    }

    /// A client that `learn` asks somebody who the others are.
    pub(crate) fn connect_with(
        options: Options,
        learn: impl FnOnce(&mut Client) -> Result<(), ClientError>,
    ) -> Result<Client, ClientError> {
        let mut client = Client {
            options,
            bootstrap: None,
            brokers: BTreeMap::new(),
            coordinators: BTreeMap::new(),
            cluster: Cluster::default(),
            wanted: TopicsWanted::None,
            is_of_controllers: false,
        };
        learn(&mut client)?;
        Ok(client)
    }

    /// Notes the controllers, and which of them is active.
    pub(crate) fn know_controllers(&mut self, active: i32, nodes: Vec<(i32, String, i32)>) {
        let nodes = nodes.into_iter().map(|(id, host, port)| {
            let node = Broker { id, host, port, rack: None };
            (id, node)
        });
        let brokers = nodes.collect();
        self.cluster = Cluster { controller_id: active, brokers, ..Cluster::default() };
        self.is_of_controllers = true;
    }

    pub(crate) fn knows_controllers_only(&self) -> bool {
        self.is_of_controllers
    }

    pub fn options(&self) -> &Options {
        &self.options
    }

    /// What the cluster last said about itself and the topics asked for.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// Asks for metadata of these topics; [`cluster`](Self::cluster) then knows them and no others.
    pub fn refresh(&mut self, wanted: TopicsWanted) -> Result<&Cluster, ClientError> {
        let answer = self.call_any(&request(&wanted))?;
        if answer.error_code != 0 {
            return Err(ClientError::broker("ask for metadata", answer.error_code, None));
        }
        self.cluster = Cluster::from(answer);
        self.wanted = wanted;
        Ok(&self.cluster)
    }

    /// Asks again for what was asked last.
    pub fn refresh_again(&mut self) -> Result<&Cluster, ClientError> {
        if self.is_of_controllers {
            self.ask_for_controllers()?;
            return Ok(&self.cluster);
        }
        self.refresh(self.wanted.clone())
    }

    /// Asks for the topics and fails if one of them does not exist.
    pub fn refresh_existing(&mut self, names: &[String]) -> Result<&Cluster, ClientError> {
        let mut retry = self.retry();
        loop {
            self.refresh(TopicsWanted::Named(names.to_vec()))?;
            match names.iter().try_for_each(|name| self.cluster.topic(name).map(|_| ())) {
                Ok(()) => return Ok(&self.cluster),
                Err(error) => retry.after(error)?,
            }
        }
    }

    /// Patience as the options say, beginning now.
    pub fn retry(&self) -> Retry {
        Retry::within(self.options.operation_timeout)
    }

    /// Repeats `operation` until it succeeds, fails for good, or time is up.
    ///
    /// Between two tries metadata and coordinators are asked for anew.
    pub fn with_retries<T>(
        &mut self,
        mut operation: impl FnMut(&mut Client) -> Result<T, ClientError>,
    ) -> Result<T, ClientError> {
        let mut retry = self.retry();
        loop {
            match operation(self) {
                Ok(value) => return Ok(value),
                Err(error) => retry.after(error)?,
            }
            self.coordinators.clear();
            // A failure here is a failure of the next try, which will tell it better.
            let _ = self.refresh_again();
        }
    }

    /// Whether the cluster speaks an API; asked of the broker that any request goes to.
    pub fn supports(&mut self, key: ApiKey) -> Result<bool, ClientError> {
        Ok(self.any()?.supports(key))
    }

    /// The highest common version of a request that any broker may be asked.
    pub(crate) fn version_of_any<R: Request>(&mut self) -> Result<i16, ClientError> {
        self.any()?.version::<R>(i16::MAX)
    }

    /// Asks whichever broker is connected.
    pub fn call_any<R: Request>(&mut self, request: &R) -> Result<R::Response, ClientError> {
        let had_connection = self.bootstrap.is_some();
        match self.any()?.call(request) {
            // It was idle too long, or the broker restarted: once more, freshly connected.
            Err(error) if had_connection && error.kind == ErrorKind::Disconnected => {
                self.bootstrap = None;
                self.any()?.call(request)
            }
            other => other.inspect_err(|error| self.forget_bootstrap_after(error)),
        }
    }

    /// Asks the broker that takes changes.
    pub fn call_controller<R: Request>(&mut self, request: &R) -> Result<R::Response, ClientError> {
        self.with_retries(|client| {
            let id = client.cluster.controller_id;
            let answer = match client.cluster.brokers.contains_key(&id) {
                true => client.call_broker(id, request),
                // Brokers forward changes to a controller that clients cannot see.
                false => client.call_any(request),
            };
            // It may have been carried out although the answer was lost: the caller must see that.
            answer.map_err(|error| match error.kind {
                ErrorKind::Disconnected => ClientError { kind: ErrorKind::TimedOut, ..error },
                _ => error,
            })
        })
    }

    /// Asks one broker.
    pub fn call_broker<R: Request>(
        &mut self,
        id: i32,
        request: &R,
    ) -> Result<R::Response, ClientError> {
        self.on_broker(id, |connection| connection.call(request))
    }

    /// Asks one broker in at most version `cap`.
    pub fn call_broker_capped<R: Request>(
        &mut self,
        id: i32,
        request: &R,
        cap: i16,
    ) -> Result<R::Response, ClientError> {
        self.on_broker(id, |connection| {
            let version = connection.version::<R>(cap)?;
            connection.call_at(request, version)
        })
    }

    /// Talks to one broker; a connection that fails is dropped.
    pub fn on_broker<T>(
        &mut self,
        id: i32,
        talk: impl FnOnce(&mut Connection) -> Result<T, ClientError>,
    ) -> Result<T, ClientError> {
        let result = talk(self.broker(id)?);
        if result.as_ref().is_err_and(breaks_connection) {
            self.brokers.remove(&id);
        }
        result
    }

    /// Talks to a group's coordinator.
    pub fn on_coordinator<T>(
        &mut self,
        group: &str,
        talk: impl FnOnce(&mut Connection) -> Result<T, ClientError>,
    ) -> Result<T, ClientError> {
        let id = self.coordinator(group)?;
        self.on_broker(id, talk)
    }

    /// The broker that coordinates a group.
    pub fn coordinator(&mut self, group: &str) -> Result<i32, ClientError> {
        if let Some(id) = self.coordinators.get(group) {
            return Ok(*id);
        }
        let version = self.any()?.version::<FindCoordinatorRequest>(i16::MAX)?;
        let mut request = FindCoordinatorRequest { key_type: 0, ..Default::default() };
        if version >= 4 {
            request.coordinator_keys = vec![Str::from(group)];
        } else {
            request.key = Str::from(group);
        }
        let answer = self.any()?.call_at(&request, version);
        let answer = answer.inspect_err(|error| self.forget_bootstrap_after(error))?;
        let id = coordinator_id(group, answer)?;
        self.coordinators.insert(group.to_owned(), id);
        Ok(id)
    }

    /// The brokers that lead partitions, with the partitions of `of` that each leads.
    ///
    /// # Errors
    /// A partition that does not exist, or has no leader right now.
    pub fn by_leader<'a>(
        &self,
        of: impl IntoIterator<Item = (&'a str, i32)>,
    ) -> Result<ByLeader<'a>, ClientError> {
        let mut leaders = ByLeader::new();
        for (topic, index) in of {
            let partition = self.cluster.partition(topic, index)?;
            if partition.leader < 0 {
                let what = format!("find the leader of {topic}-{index}");
                let code = ErrorCode::LeaderNotAvailable.code();
                return Err(ClientError::broker(what, code, None));
            }
            leaders.entry(partition.leader).or_default().push((topic, index));
        }
        Ok(leaders)
    }

    fn broker(&mut self, id: i32) -> Result<&mut Connection, ClientError> {
        if !self.brokers.contains_key(&id) {
            let broker = self.cluster.brokers.get(&id).ok_or_else(|| {
                let what = format!("find broker {id}");
                ClientError::broker(what, ErrorCode::BrokerNotAvailable.code(), None)
            })?;
            let opened = Connection::open(&broker.address(), &self.options)
                .map_err(|error| self.unreachable_as_advertised(id, error))?;
            self.brokers.insert(id, opened);
        }
        let missing = || ClientError::usage(format!("find broker {id}"), "it was just connected");
        self.brokers.get_mut(&id).ok_or_else(missing)
    }

    /// The commonest mistake of all: the bootstrap address works, the advertised one does not.
    fn unreachable_as_advertised(&self, id: i32, error: ClientError) -> ClientError {
        let bootstrap = self.bootstrap.as_ref().map_or("the cluster", Connection::address);
        if error.kind != ErrorKind::Unreachable {
            return error;
        }
        let why = format!(
            "{}; {bootstrap} answered, but broker {id} advertises an address that cannot be \
             reached from here",
            error.why
        );
        ClientError { why, ..error }
            .todo("set advertised.listeners to an address clients can reach")
    }

    fn any(&mut self) -> Result<&mut Connection, ClientError> {
        if self.bootstrap.is_none() {
            self.bootstrap = Some(self.connect_to_any()?);
        }
        let missing = || ClientError::usage("connect", "it was just connected");
        self.bootstrap.as_mut().ok_or_else(missing)
    }

    /// Tries the bootstrap addresses, then those of all brokers known.
    fn connect_to_any(&self) -> Result<Connection, ClientError> {
        let known = self.cluster.brokers.values().map(|broker| broker.address());
        let addresses = self.options.bootstrap.iter().cloned().chain(known);
        let mut tried = BTreeSet::new();
        let mut first_error = None;
        for address in addresses {
            if !tried.insert(address.clone()) {
                continue;
            }
            match Connection::open(&address, &self.options) {
                Ok(connection) => return Ok(connection),
                Err(error) => {
                    first_error.get_or_insert(error);
                }
            }
        }
        Err(first_error
            .unwrap_or_else(|| ClientError::usage("connect", "there is no bootstrap address")))
    }

    fn forget_bootstrap_after(&mut self, error: &ClientError) {
        if breaks_connection(error) {
            self.bootstrap = None;
        }
    }
}

fn breaks_connection(error: &ClientError) -> bool {
    matches!(error.kind, ErrorKind::Disconnected | ErrorKind::TimedOut | ErrorKind::Malformed)
}

fn coordinator_id(group: &str, answer: FindCoordinatorResponse) -> Result<i32, ClientError> {
    let what = || format!("find the coordinator of group {group}");
    // From version 4 on the answer is a list.
    let (code, message, id) = match answer.coordinators.first() {
        Some(found) => (found.error_code, found.error_message.clone(), found.node_id),
        None => (answer.error_code, answer.error_message, answer.node_id),
    };
    match code {
        0 => Ok(id),
        code => Err(ClientError::broker(what(), code, message.as_deref())),
    }
}
