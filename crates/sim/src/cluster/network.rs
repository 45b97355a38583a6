//! Connections: bytes in order, late, held back while the way is cut, and lost when an end dies.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use broker::peers::{self, PeerCall, PeerInbox};
use broker::{Connection, ConnectionInfo};
use env_sim::SimEnv;
use types::MonoTime;

use super::machine::{CONTROLLER_PORT, id_of};
use super::{CLIENTS, Cluster, Due};

const DELAY_US_MAX: u64 = 3_000;
/// Until a piece that did not come through is sent again.
const RETRANSMIT_MS: u64 = 100;
/// The same for the end of a connection.
const KEEPALIVE_MS: u64 = 200;

/// Who made a connection.
#[derive(Clone, Debug)]
pub(super) enum Source {
    Client(usize),
    /// A machine, in one of its lives.
    Node {
        id: usize,
        life: u64,
        link: peers::Link,
    },
}

impl Source {
    fn host(&self) -> usize {
        match self {
            Source::Client(_) => CLIENTS,
            Source::Node { id, .. } => *id,
        }
    }
}

/// A connection and what is on its way.
pub(super) struct Link {
    pub(super) source: Source,
    pub(super) to: usize,
    /// `None` once the server's end is gone.
    connection: Option<Connection<SimEnv>>,
    to_server: VecDeque<Vec<u8>>,
    to_source: VecDeque<Vec<u8>>,
    arrives: MonoTime,
    departs: MonoTime,
    inbox: PeerInbox,
    /// Answers that have arrived.
    pub(super) answers: u64,
    /// The source has left it.
    is_left: bool,
}

impl Cluster {
    /// A connection that its server has taken.
    pub(super) fn connect(&mut self, source: Source, to: usize, port: u16) -> u64 {
        self.links_made += 1;
        let number = self.links_made;
        let node = self.machine(to).node.clone().expect("somebody listens");
        let listener = if port == CONTROLLER_PORT { "CONTROLLER" } else { "PLAINTEXT" };
        let from = source.host() as u8;
        let [.., high, low] = number.to_be_bytes();
        let peer = ([10, 0, high, from], 1_000 + u16::from(low)).into();
        let connection = Connection::new(node, ConnectionInfo { peer, listener: listener.into() });
        let now = self.now();
        let link = Link {
            source,
            to,
            connection: Some(connection),
            to_server: VecDeque::new(),
            to_source: VecDeque::new(),
            arrives: now,
            departs: now,
            inbox: PeerInbox::default(),
            answers: 0,
            is_left: false,
        };
        self.links.insert(number, link);
        number
    }

    pub(super) fn send(&mut self, number: u64, to_server: bool, bytes: Vec<u8>) {
        let delay = Duration::from_micros(1 + self.rng.below(DELAY_US_MAX));
        let earliest = self.now().plus(delay);
        let Some(link) = self.links.get_mut(&number) else { return };
        let (pieces, last) = match to_server {
            true => (&mut link.to_server, &mut link.arrives),
            false => (&mut link.to_source, &mut link.departs),
        };
        pieces.push_back(bytes);
        *last = earliest.max(*last);
        let at = *last;
        self.schedule_at(at, Due::Deliver { link: number, to_server });
    }

    pub(super) fn deliver(&mut self, number: u64, to_server: bool) -> Option<usize> {
        let link = self.links.get(&number)?;
        let (source, server) = (link.source.host(), link.to);
        let (from, to) = if to_server { (source, server) } else { (server, source) };
        let again = Due::Deliver { link: number, to_server };
        if self.is_cut(from, to) {
            self.schedule(RETRANSMIT_MS, again);
            return None;
        }
        if self.is_frozen(to) {
            let at = self.machine(to).frozen_until;
            self.schedule_at(at, again);
            return None;
        }
        let now = self.now();
        let link = self.links.get_mut(&number)?;
        let pieces = if to_server { &mut link.to_server } else { &mut link.to_source };
        let bytes = pieces.pop_front()?;
        self.trace.note(now, if to_server { "request" } else { "response" }, &bytes);
        match to_server {
            true => {
                link.connection.as_mut()?.read_buffer().extend_from_slice(&bytes);
                self.handle_input(number);
                Some(server)
            }
            false => self.deliver_to_source(number, &bytes),
        }
    }

    fn handle_input(&mut self, number: u64) {
        let connection = self.links.get_mut(&number).and_then(|link| link.connection.as_mut());
        if let Some(Err(why)) = connection.map(Connection::handle_input) {
            self.complaints.push(format!("a broker cut a connection: {why:?}"));
            self.end_server_side(number);
        }
    }

    fn deliver_to_source(&mut self, number: u64, bytes: &[u8]) -> Option<usize> {
        let link = self.links.get_mut(&number).filter(|link| !link.is_left)?;
        match link.source.clone() {
            Source::Client(client) => {
                self.deliver_to_client(client, number, bytes);
                None
            }
            Source::Node { id, life, link: name } => {
                link.inbox.buffer().extend_from_slice(bytes);
                let machine = &self.machines[id - 1];
                let node = machine.node.as_ref().filter(|_| machine.life == life)?;
                let peers = Arc::clone(node.peers());
                if !link.inbox.handle_read(bytes.len(), bytes.len() + 1, &peers, &name) {
                    self.leave(number);
                    peers.handle_disconnect(&name);
                }
                Some(id)
            }
        }
    }

    /// Takes what a server has to say, and lets it go on with what waits behind that.
    pub(super) fn collect_responses(&mut self, server: usize) {
        let here = self.links.iter().filter(|(_, link)| link.to == server);
        let numbers: Vec<u64> = here.map(|(number, _)| *number).collect();
        for number in numbers {
            loop {
                let link = self.links.get(&number);
                let Some(connection) = link.and_then(|link| link.connection.as_ref()) else {
                    break;
                };
                let responses = connection.responses();
                match responses.poll_ready(&mut Context::from_waker(Waker::noop())) {
                    Poll::Pending => break,
                    // It knows of no answer, such as when a reign has ended meanwhile.
                    Poll::Ready(None) => self.end_server_side(number),
                    Poll::Ready(Some(chunks)) => {
                        self.send(number, false, chunks.concat());
                        self.handle_input(number);
                    }
                }
            }
        }
    }

    /// Takes what a machine wants to say to others.
    pub(super) fn collect_calls(&mut self, id: usize) {
        loop {
            let Some(node) = &self.machine(id).node else { return };
            let call = node.peers().poll_call(&mut Context::from_waker(Waker::noop()));
            match call {
                Poll::Pending => return,
                Poll::Ready(PeerCall::Cut { link }) => {
                    if let Some(number) = self.connected.get(&(id, link)) {
                        self.leave(*number);
                    }
                }
                Poll::Ready(PeerCall::Send { link, frame }) => self.call(id, link, &frame.concat()),
            }
        }
    }

    fn call(&mut self, from: usize, link: peers::Link, frame: &[u8]) {
        self.overhear(from, frame);
        let number = match self.connected.get(&(from, link.clone())) {
            Some(number) => *number,
            None => {
                let to = id_of(&link.address.host);
                let is_reached = !self.is_cut(from, to)
                    && !self.is_cut(to, from)
                    && !self.machine(to).is_off
                    && !self.is_frozen(to);
                if !is_reached {
                    // Whoever asks has a deadline.
                    return;
                }
                let life = self.machine(from).life;
                if !self.machine(to).listens(link.address.port) {
                    return self.schedule(1, Due::Refused { from, life, link });
                }
                let port = link.address.port;
                let source = Source::Node { id: from, life, link: link.clone() };
                let number = self.connect(source, to, port);
                self.connected.insert((from, link), number);
                number
            }
        };
        self.send(number, true, frame.to_vec());
    }

    /// The source ends the connection; the server hears of it later.
    pub(super) fn leave(&mut self, number: u64) {
        let Some(link) = self.links.get_mut(&number) else { return };
        link.is_left = true;
        self.connected.retain(|_, known| *known != number);
        self.schedule(1, Due::ServerHears { link: number });
    }

    /// The server ends the connection; the source hears of it later.
    pub(super) fn end_server_side(&mut self, number: u64) {
        let Some(link) = self.links.get_mut(&number) else { return };
        link.connection = None;
        self.schedule(1, Due::SourceHears { link: number });
    }

    pub(super) fn tell_source(&mut self, number: u64) -> Option<usize> {
        let link = self.links.get(&number)?;
        let (source, server) = (link.source.clone(), link.to);
        let host = source.host();
        // A machine without power resets nothing.
        if self.machine(server).is_off || self.is_cut(server, host) || self.is_frozen(host) {
            self.schedule(KEEPALIVE_MS, Due::SourceHears { link: number });
            return None;
        }
        let is_left = self.links.remove(&number)?.is_left;
        self.connected.retain(|_, known| *known != number);
        match source {
            _ if is_left => None,
            Source::Client(client) => {
                self.client_is_cut(client);
                None
            }
            Source::Node { id, life, link } => {
                let machine = self.machine(id);
                let node = machine.node.as_ref().filter(|_| machine.life == life)?;
                node.peers().handle_disconnect(&link);
                Some(id)
            }
        }
    }

    pub(super) fn tell_server(&mut self, number: u64) -> Option<usize> {
        let link = self.links.get(&number)?;
        let (host, server) = (link.source.host(), link.to);
        let is_off = host != CLIENTS && self.machine(host).is_off;
        if is_off || self.is_frozen(server) || self.is_cut(host, server) {
            self.schedule(KEEPALIVE_MS, Due::ServerHears { link: number });
            return None;
        }
        // What was on its way before it is lost: the machine may have died.
        self.links.remove(&number);
        Some(server)
    }

    /// All connections of a process that is gone.
    pub(super) fn drop_links_of(&mut self, id: usize) {
        let numbers: Vec<u64> = self.links.keys().copied().collect();
        for number in numbers {
            let Some(link) = self.links.get(&number) else { continue };
            if link.to == id {
                self.end_server_side(number);
            }
            let Some(link) = self.links.get(&number) else { continue };
            if link.source.host() == id {
                self.leave(number);
            }
        }
    }

    /// Whether nothing keeps clients from a machine.
    pub(super) fn is_reachable(&self, id: usize) -> bool {
        !self.is_cut(CLIENTS, id)
            && !self.is_cut(id, CLIENTS)
            && !self.machine(id).is_off
            && !self.is_frozen(id)
    }

    pub(super) fn random_link(&mut self) -> Option<u64> {
        let numbers: Vec<u64> = self.links.keys().copied().collect();
        let at = self.rng.below(numbers.len().max(1) as u64) as usize;
        numbers.get(at).copied()
    }
}
