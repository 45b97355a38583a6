//! The part of a client that finds leaders and coordinators, and gives up on brokers that do not
//! answer.

use broker::{Connection, ConnectionInfo};
use protocol::ApiKey;
use protocol::messages::metadata_request::{MetadataRequest, MetadataRequestTopic};
use protocol::messages::{
    FetchResponse, FindCoordinatorRequest, FindCoordinatorResponse, JoinGroupResponse,
    LeaveGroupResponse, MetadataResponse, OffsetCommitResponse, OffsetFetchResponse,
    ProduceResponse, SyncGroupResponse,
};
use types::ErrorCode;

use super::machine::CLIENT_PORT;
use super::network::Source;
use super::{Cluster, Due, MACHINES};
use crate::actors::{Actor, Io};
use crate::wire::{Answer, Wire};
use crate::world::Lie;

pub(super) const TOPIC: &str = "events";
const RECONNECT_MS: u64 = 50;
/// A fetch waits for 200 ms, a produce request for a leader that may be about to be fenced.
const PATIENCE_MS: u64 = 3_000;

/// Whom a client wants to talk to.
pub(super) enum Seeks {
    Leader { partition: i32 },
    Coordinator { group: String },
    Anybody,
}

pub(super) struct Client {
    pub(super) actor: Box<dyn Actor>,
    wire: Wire,
    seeks: Seeks,
    pub(super) link: Option<u64>,
    /// Where the one that it seeks was said to be.
    found: Option<usize>,
    /// The actor has the connection; before, it is asked for the way.
    is_served: bool,
}

impl Cluster {
    pub(super) fn add(&mut self, actor: Box<dyn Actor>, seeks: Seeks) {
        let (wire, link, found) = (Wire::default(), None, None);
        self.clients.push(Client { actor, wire, seeks, link, found, is_served: false });
        self.schedule(1, Due::Connect { client: self.clients.len() - 1 });
    }

    pub(super) fn connect_client(&mut self, number: usize) {
        if self.clients[number].link.is_some() {
            return;
        }
        let anybody = 1 + self.rng.below(MACHINES as u64) as usize;
        let found = self.clients[number].found.take();
        let target = found.unwrap_or(anybody);
        if !self.is_reachable(target) || !self.machine(target).listens(CLIENT_PORT) {
            return self.schedule(RECONNECT_MS, Due::Connect { client: number });
        }
        let link = self.connect(Source::Client(number), target, CLIENT_PORT);
        let client = &mut self.clients[number];
        client.wire = Wire::default();
        client.link = Some(link);
        client.is_served = found.is_some() || matches!(client.seeks, Seeks::Anybody);
        match client.is_served {
            true => self.act(number, |actor, io| actor.connected(io)),
            false => self.ask_the_way(number, link),
        }
    }

    fn ask_the_way(&mut self, number: usize, link: u64) {
        let Client { wire, seeks, .. } = &mut self.clients[number];
        let bytes = match seeks {
            Seeks::Leader { .. } => {
                let topic = MetadataRequestTopic { name: Some(TOPIC.into()), ..Default::default() };
                wire.request(&MetadataRequest { topics: Some(vec![topic]), ..Default::default() })
            }
            Seeks::Coordinator { group } => wire.request(&FindCoordinatorRequest {
                coordinator_keys: vec![group.as_str().into()],
                ..Default::default()
            }),
            Seeks::Anybody => return,
        };
        self.send_from_client(link, bytes);
    }

    fn send_from_client(&mut self, link: u64, bytes: Vec<u8>) {
        let answers = self.links.get(&link).map_or(0, |link| link.answers);
        self.schedule(PATIENCE_MS, Due::Patience { link, answers });
        self.send(link, true, bytes);
    }

    pub(super) fn lose_patience(&mut self, number: u64, answers: u64) {
        let Some(link) = self.links.get(&number) else { return };
        let Source::Client(client) = link.source else { return };
        if link.answers == answers && self.clients[client].link == Some(number) {
            self.hang_up(client);
        }
    }

    /// It looks for the leader again.
    fn hang_up(&mut self, client: usize) {
        if let Some(link) = self.clients[client].link {
            self.leave(link);
            self.client_is_cut(client);
        }
    }

    pub(super) fn client_is_cut(&mut self, client: usize) {
        self.clients[client].link = None;
        self.schedule(RECONNECT_MS, Due::Connect { client });
    }

    pub(super) fn deliver_to_client(&mut self, number: usize, link: u64, bytes: &[u8]) {
        let answers = self.clients[number].wire.receive(bytes);
        for answer in answers {
            if let Some(link) = self.links.get_mut(&link) {
                link.answers += 1;
            }
            match self.clients[number].is_served {
                true => self.serve(number, answer),
                false => self.take_the_way(number, &answer),
            }
        }
    }

    fn serve(&mut self, number: usize, answer: Answer) {
        let knows_leader = !names_another_leader(&answer);
        self.act(number, |actor, io| actor.answered(answer, io));
        if !knows_leader {
            self.hang_up(number);
        }
    }

    fn take_the_way(&mut self, number: usize, answer: &Answer) {
        let found = match &self.clients[number].seeks {
            Seeks::Leader { partition } => {
                let response: MetadataResponse = answer.to();
                let mut known = response.topics.iter().flat_map(|topic| &topic.partitions);
                known.find(|known| known.partition_index == *partition).map(|p| p.leader_id)
            }
            Seeks::Coordinator { .. } => {
                let response: FindCoordinatorResponse = answer.to();
                response.coordinators.first().filter(|c| c.error_code == 0).map(|c| c.node_id)
            }
            Seeks::Anybody => None,
        };
        self.clients[number].found = found.and_then(|id| usize::try_from(id).ok());
        self.hang_up(number);
    }

    pub(super) fn act(&mut self, number: usize, act: impl FnOnce(&mut dyn Actor, &mut Io<'_>)) {
        let client = &mut self.clients[number];
        let Some(link) = client.link.filter(|_| client.is_served) else { return };
        let mut io = Io {
            rng: &self.rng,
            history: &mut self.history,
            clock: &self.clock,
            wire: &mut client.wire,
            out: Vec::new(),
            wake_at: None,
            hang_up: false,
        };
        act(client.actor.as_mut(), &mut io);
        let Io { out, wake_at, hang_up, .. } = io;
        if let Some(at) = wake_at {
            self.schedule_at(at, Due::Wake { client: number, link });
        }
        if !out.is_empty() {
            self.tell_lie_about(link, &out);
            self.send_from_client(link, out);
        }
        if hang_up {
            self.hang_up(number);
        }
    }
}

impl Cluster {
    /// The second delivery comes over a connection whose answers nobody reads.
    fn tell_lie_about(&mut self, link: u64, request: &[u8]) {
        let key = request.get(4..6).map(|key| i16::from_be_bytes([key[0], key[1]]));
        let is_produce = key == Some(ApiKey::Produce as i16);
        if self.lie != Some(Lie::ProduceIsRepeated) || !is_produce || !self.rng.one_in(4) {
            return;
        }
        let Some(server) = self.links.get(&link).map(|link| link.to) else { return };
        let Some(node) = self.machine(server).node.clone() else { return };
        let peer = ([10, 0, 0, 0], 2).into();
        let info = ConnectionInfo { peer, listener: "PLAINTEXT".into() };
        let mut connection = Connection::new(node, info);
        connection.read_buffer().extend_from_slice(request);
        _ = connection.handle_input();
    }
}

/// Whether an answer says that somebody else is to be asked.
fn names_another_leader(answer: &Answer) -> bool {
    let codes: Vec<i16> = match answer.key {
        ApiKey::Produce => {
            let response: ProduceResponse = answer.to();
            let partitions = response.responses.iter().flat_map(|t| &t.partition_responses);
            partitions.map(|partition| partition.error_code).collect()
        }
        ApiKey::Fetch => {
            let response: FetchResponse = answer.to();
            let partitions = response.responses.iter().flat_map(|t| &t.partitions);
            partitions.map(|partition| partition.error_code).collect()
        }
        ApiKey::JoinGroup => vec![answer.to::<JoinGroupResponse>().error_code],
        ApiKey::SyncGroup => vec![answer.to::<SyncGroupResponse>().error_code],
        ApiKey::LeaveGroup => vec![answer.to::<LeaveGroupResponse>().error_code],
        ApiKey::OffsetCommit => {
            let response: OffsetCommitResponse = answer.to();
            let partitions = response.topics.iter().flat_map(|t| &t.partitions);
            partitions.map(|partition| partition.error_code).collect()
        }
        ApiKey::OffsetFetch => {
            let response: OffsetFetchResponse = answer.to();
            response.groups.iter().map(|group| group.error_code).collect()
        }
        _ => Vec::new(),
    };
    let elsewhere = [
        ErrorCode::NotCoordinator,
        ErrorCode::CoordinatorNotAvailable,
        ErrorCode::CoordinatorLoadInProgress,
        ErrorCode::NotLeaderOrFollower,
        ErrorCode::UnknownTopicOrPartition,
        ErrorCode::UnknownTopicId,
        ErrorCode::FencedLeaderEpoch,
        ErrorCode::UnknownLeaderEpoch,
        ErrorCode::KafkaStorageError,
    ];
    codes.iter().any(|code| elsewhere.iter().any(|error| error.code() == *code))
}
