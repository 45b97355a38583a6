//! A broker without sockets, and clients that speak to it at any version.

use std::collections::VecDeque;
use std::fmt::Debug;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use broker::{
    Company, Connection, ConnectionInfo, Disconnect, Endpoint, Node, NodeOptions, OpenError,
};
use bytes::{Bytes, BytesMut};
use config::Sources;
use env::{Clock, Env};
use env_sim::{Crash, SimBackground, SimEnv};
use metadata::MetadataImage;
use protocol::header::ResponseHeader;
use protocol::messages::fetch_request::{FetchPartition, FetchRequest, FetchTopic, ReplicaState};
use protocol::messages::fetch_response::PartitionData;
use protocol::{ApiKey, Message, Reader, Request, frame};
use types::{MonoTime, Uuid};

const LISTENER: &str = "PLAINTEXT";
/// More than anything in a broker waits for.
const ANSWER_WITHIN: Duration = Duration::from_secs(600);

/// One machine with a broker on it.
pub struct Broker {
    pub env: SimEnv,
    properties: Vec<String>,
    node: Option<Arc<Node<SimEnv>>>,
}

impl Broker {
    pub fn start() -> Broker {
        Broker::with(&[])
    }

    /// Starts with `properties` over those that all tests have.
    pub fn with(properties: &[&str]) -> Broker {
        Broker::on(SimEnv::new(7), properties)
    }

    /// Starts on a disk that may hold something.
    pub fn on(env: SimEnv, properties: &[&str]) -> Broker {
        let started = Broker::try_on(env, properties);
        started.unwrap_or_else(|error| panic!("the broker does not start: {error}"))
    }

    pub fn try_on(env: SimEnv, properties: &[&str]) -> Result<Broker, OpenError> {
        let usual = [
            "node.id=1",
            "process.roles=broker,controller",
            "listeners=PLAINTEXT://here:9092",
            "log.dirs=/data",
            // Index files are reserved in full; the simulated disk is this process's memory.
            "log.index.size.max.bytes=16384",
            "offsets.topic.num.partitions=2",
            "group.initial.rebalance.delay.ms=3000",
        ];
        let properties = usual.iter().chain(properties).map(|line| (*line).to_owned()).collect();
        let mut broker = Broker { env, properties, node: None };
        broker.open()?;
        Ok(broker)
    }

    fn open(&mut self) -> Result<(), OpenError> {
        let sources = Sources { overrides: &self.properties, ..Sources::default() };
        let loaded = config::load(sources).expect("the test's own configuration");
        let listener = LISTENER.to_owned();
        let endpoint = Endpoint { listener, host: "here".to_owned(), port: 9092 };
        let config = Arc::new(loaded.config);
        let listeners = config.node.controller_listeners.iter();
        let controller_endpoints = listeners.map(|at| Endpoint {
            listener: at.name.clone(),
            host: "here".to_owned(),
            port: at.port,
        });
        let options = NodeOptions {
            endpoints: vec![endpoint],
            controller_endpoints: controller_endpoints.collect(),
            config,
        };
        self.node = Some(Node::open(self.env.clone(), options)?);
        Ok(())
    }

    /// Replaces what the configuration says, for the next start.
    pub fn reconfigure(&mut self, property: &str) {
        self.properties.push(property.to_owned());
    }

    /// `kill -9`, then what becomes of a start.
    pub fn kill_and_try(&mut self) -> Result<(), OpenError> {
        self.node = None;
        self.env.disk().crash(Crash::Kill);
        self.open()
    }

    /// Why the node says that it must stop.
    pub fn halted(&self) -> Option<String> {
        self.node().halt().reason()
    }

    fn node(&self) -> &Arc<Node<SimEnv>> {
        self.node.as_ref().expect("a running broker")
    }

    /// `kill -9`, then a start.
    pub fn kill_and_restart(&mut self) {
        self.crash_and_restart(Crash::Kill);
    }

    pub fn crash_and_restart(&mut self, crash: Crash) {
        self.node = None;
        self.env.disk().crash(crash);
        self.env.background().forget();
        self.open().unwrap_or_else(|error| panic!("no start after {crash:?}: {error}"));
    }

    /// SIGTERM; requests still reach what is left.
    pub fn shut_down(&self) {
        self.node().shutdown();
    }

    /// SIGTERM, then a start.
    pub fn restart(&mut self) {
        self.shut_down();
        self.kill_and_restart();
    }

    /// The newest committed metadata.
    pub fn image(&self) -> Arc<MetadataImage> {
        self.node().image()
    }

    pub fn now(&self) -> MonoTime {
        self.env.clock().mono()
    }

    /// The wall clock in milliseconds.
    pub fn wall_ms(&self) -> i64 {
        self.env.clock().wall().0
    }

    /// Lets time pass; what is due on the way happens at its own time.
    pub fn pass_ms(&self, ms: u64) {
        let end = self.now().plus(Duration::from_millis(ms));
        let timers = self.node().timers();
        while let Some(due) = timers.next_deadline().filter(|due| *due <= end) {
            self.env.clock().set(due);
            timers.expire(self.now());
            self.env.background().run_due();
        }
        self.env.clock().set(end);
    }

    /// Lets time pass in which nothing is done that the broker leaves to other hands.
    pub fn pass_ms_without_commits(&self, ms: u64) {
        self.env.clock().set(self.now().plus(Duration::from_millis(ms)));
        self.node().timers().expire(self.now());
    }

    /// What a scraper would read.
    pub fn metrics(&self) -> String {
        broker::metrics::render(&**self.node())
    }

    /// The codes of what an operator should look at.
    pub fn problems(&self) -> Vec<&'static str> {
        let health = broker::health::health(&**self.node());
        health.problems.iter().map(|problem| problem.code).collect()
    }

    /// A connection of its own.
    pub fn client(&self) -> Client {
        self.client_of(LISTENER)
    }

    /// What a broker that knows the metadata up to here is sent of its log.
    pub fn fetch_metadata(&self, fetch_offset: i64, last_fetched_epoch: i32) -> PartitionData {
        let mut client = self.client_of("CONTROLLER");
        let partition = FetchPartition { fetch_offset, last_fetched_epoch, ..Default::default() };
        let topic = FetchTopic {
            topic_id: Uuid::METADATA_TOPIC,
            partitions: vec![partition],
            ..Default::default()
        };
        let request = FetchRequest {
            replica_state: ReplicaState { replica_id: 4, replica_epoch: -1 },
            max_bytes: 1 << 20,
            topics: vec![topic],
            ..Default::default()
        };
        client.send(17, &request);
        client.answer::<FetchRequest>().responses.remove(0).partitions.remove(0)
    }

    /// A connection that is served by the same thread as others.
    pub fn client_beside(&self, company: &Arc<Company>) -> Client {
        let client = self.client();
        Client { connection: client.connection.joined(company), ..client }
    }

    /// A connection to the listener of this name.
    pub fn client_of(&self, listener: &str) -> Client {
        let peer = ([127, 0, 0, 1], 40_000).into();
        let info = ConnectionInfo { peer, listener: listener.into() };
        Client {
            connection: Connection::new(Arc::clone(self.node()), info),
            background: self.env.background().clone(),
            name: "test".to_owned(),
            sent: VecDeque::new(),
            sent_count: 0,
            received: BytesMut::new(),
            end: None,
        }
    }

    /// One request on a connection of its own, answered at once.
    pub fn call<R: Request>(&self, version: i16, request: &R) -> R::Response {
        let mut client = self.client();
        client.send(version, request);
        client.answer::<R>()
    }

    /// One request on a connection of its own; time passes until it is answered.
    pub fn call_waiting<R: Request>(&self, version: i16, request: &R) -> R::Response {
        let mut client = self.client();
        client.send(version, request);
        self.wait_for::<R>(&mut client)
    }

    /// Lets time pass until the next answer is there.
    pub fn wait_for<R: Request>(&self, client: &mut Client) -> R::Response {
        let end = self.now().plus(ANSWER_WITHIN);
        loop {
            if let Some(answer) = client.try_answer::<R>() {
                return answer;
            }
            let due = self.node().timers().next_deadline().filter(|due| *due <= end);
            let due = due.unwrap_or_else(|| panic!("{} is never answered", R::NAME));
            self.env.clock().set(due);
            self.node().timers().expire(self.now());
            self.env.background().run_due();
        }
    }
}

/// One connection, seen from the client.
pub struct Client {
    connection: Connection<SimEnv>,
    /// What a request leaves to other hands is done before its answer is looked for.
    background: SimBackground,
    pub name: String,
    sent: VecDeque<(i32, ApiKey, i16)>,
    sent_count: i32,
    received: BytesMut,
    end: Option<Disconnect>,
}

impl Client {
    pub fn send<R: Request>(&mut self, version: i16, request: &R) {
        self.sent.push_back((self.sent_count + 1, R::KEY, version));
        self.send_unanswered(version, request);
    }

    /// Sends what will have no response: a produce with acks=0.
    pub fn send_unanswered<R: Request>(&mut self, version: i16, request: &R) {
        self.hold_unanswered(version, request);
        self.serve();
    }

    /// Sends, and leaves what the broker leaves to other hands undone.
    pub fn send_without_commits<R: Request>(&mut self, version: i16, request: &R) {
        self.hold(version, request);
        self.end = self.connection.handle_input().err();
    }

    /// Holds a request back: the broker reads it together with what is sent next.
    pub fn hold<R: Request>(&mut self, version: i16, request: &R) {
        self.sent.push_back((self.sent_count + 1, R::KEY, version));
        self.hold_unanswered(version, request);
    }

    /// Holds back what will have no response.
    pub fn hold_unanswered<R: Request>(&mut self, version: i16, request: &R) {
        self.sent_count += 1;
        let name = Some((*self.name).into());
        let chunks = frame::request(request, version, self.sent_count, name)
            .unwrap_or_else(|error| panic!("a test cannot write that request: {error}"));
        self.connection.read_buffer().extend_from_slice(&chunks.concat());
    }

    pub fn send_bytes(&mut self, bytes: &[u8]) {
        self.connection.read_buffer().extend_from_slice(bytes);
        self.serve();
    }

    fn serve(&mut self) {
        while self.end.is_none() {
            self.end = self.connection.handle_input().err();
            self.background.run_due();
            if !self.connection.has_work() {
                return;
            }
        }
    }

    /// Reads what the broker has written; true if the connection is still open after it.
    pub fn is_open(&mut self) -> bool {
        let responses = self.connection.responses();
        loop {
            match responses.poll_ready(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(Some(chunks)) => {
                    chunks.iter().for_each(|chunk| self.received.extend_from_slice(chunk));
                    self.serve();
                }
                Poll::Ready(None) => return false,
                Poll::Pending => return self.end.is_none(),
            }
        }
    }

    /// True while the broker would read more of what this client sends.
    pub fn wants_input(&self) -> bool {
        self.connection.wants_input()
    }

    /// Bytes of answers that this client has not taken.
    pub fn owed_bytes(&self) -> usize {
        self.connection.responses().ready_bytes()
    }

    /// The next response without its length, as bytes.
    pub fn frame(&mut self) -> Option<Bytes> {
        self.is_open();
        let prefix = *self.received.first_chunk()?;
        let length = frame::length(prefix, usize::MAX >> 1).expect("a length");
        if self.received.len() < frame::PREFIX_BYTES + length {
            return None;
        }
        let mut frame = self.received.split_to(frame::PREFIX_BYTES + length);
        Some(frame.split_off(frame::PREFIX_BYTES).freeze())
    }

    /// The body of the next response, whatever it answers.
    pub fn body(&mut self) -> Option<(ApiKey, i16, Bytes)> {
        let mut reader = Reader::new(self.frame()?);
        let (id, key, version) = self.sent.pop_front().expect("a response without a request");
        let header_version = key.response_header_version(version);
        let header = ResponseHeader::decode(&mut reader, header_version).expect("a header");
        assert_eq!(header.correlation_id, id, "responses out of order");
        Some((key, version, reader.rest()))
    }

    /// The next response, if it is there.
    pub fn try_answer<R: Request>(&mut self) -> Option<R::Response> {
        let (key, version, body) = self.body()?;
        assert_eq!(key, R::KEY, "this answers another request");
        Some(read::<R::Response>(body, version))
    }

    /// # Panics
    /// If no response is there: the broker waits, or has cut the connection.
    pub fn answer<R: Request>(&mut self) -> R::Response {
        let answer = self.try_answer::<R>();
        answer.unwrap_or_else(|| panic!("{} has no answer ({:?})", R::NAME, self.end))
    }
}

/// # Panics
/// If the bytes are no such response.
pub fn read<M: Message + Debug>(body: Bytes, version: i16) -> M {
    M::from_bytes(body, version).unwrap_or_else(|error| panic!("{} v{version}: {error}", M::NAME))
}
