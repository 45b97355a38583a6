//! Connections between clients and the node: bytes in pieces, late, in order, and sometimes cut.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use broker::{Connection, ConnectionInfo};
use env::{Clock, Env};
use env_sim::SimEnv;
use types::MonoTime;

use super::{Client, Due, LISTENER, RECONNECT_MS, World};
use crate::actors::{Actor, Io};
use crate::wire::Wire;

const DELAY_MS_MAX: u64 = 5;

/// A connection and what is on its way.
pub(super) struct Link {
    pub(super) actor: usize,
    pub(super) connection: Connection<SimEnv>,
    pub(super) arrives: MonoTime,
    pub(super) departs: MonoTime,
}

impl World {
    pub(super) fn deliver_to_node(&mut self, number: u64, bytes: &[u8]) {
        self.trace.note(self.env.clock().mono(), "request", bytes);
        let Some(link) = self.links.get_mut(&number) else { return };
        link.connection.read_buffer().extend_from_slice(bytes);
        self.handle_input(number);
    }

    fn handle_input(&mut self, number: u64) {
        let Some(link) = self.links.get_mut(&number) else { return };
        if let Err(why) = link.connection.handle_input() {
            self.refused(number, &format!("{why:?}"));
        }
    }

    pub(super) fn deliver_to_actor(&mut self, number: u64, bytes: &[u8]) {
        let Some(actor) = self.links.get(&number).map(|link| link.actor) else { return };
        self.trace.note(self.now(), "response", bytes);
        let answers = self.clients[actor].wire.receive(bytes);
        for answer in answers {
            self.act(actor, |actor, io| actor.answered(answer, io));
        }
    }

    /// Takes what the node has to say, and lets it go on with what waits behind that.
    pub(super) fn collect_responses(&mut self) {
        let numbers: Vec<u64> = self.links.keys().copied().collect();
        for number in numbers {
            let Some(link) = self.links.get(&number) else { continue };
            let responses = link.connection.responses();
            match responses.poll_ready(&mut Context::from_waker(Waker::noop())) {
                Poll::Pending => {}
                Poll::Ready(None) => self.refused(number, "a request was not answered"),
                Poll::Ready(Some(chunks)) => {
                    let at = self.arrival(number, false);
                    self.schedule_at(at, Due::ToActor { link: number, bytes: chunks.concat() });
                    self.handle_input(number);
                }
            }
        }
    }

    /// When bytes sent now arrive: later than everything before them on the same connection.
    fn arrival(&mut self, number: u64, to_node: bool) -> MonoTime {
        let delay = Duration::from_micros(1 + self.rng.below(DELAY_MS_MAX * 1000));
        let earliest = self.env.clock().mono().plus(delay);
        let Some(link) = self.links.get_mut(&number) else { return earliest };
        let last = if to_node { &mut link.arrives } else { &mut link.departs };
        *last = earliest.max(*last);
        *last
    }

    pub(super) fn act(&mut self, number: usize, act: impl FnOnce(&mut dyn Actor, &mut Io<'_>)) {
        let Client { actor, wire, link } = &mut self.clients[number];
        let Some(link) = *link else { return };
        let mut io = Io {
            rng: &self.rng,
            history: &mut self.history,
            clock: self.env.clock(),
            wire,
            out: Vec::new(),
            wake_at: None,
            hang_up: false,
        };
        act(actor.as_mut(), &mut io);
        let Io { out, wake_at, hang_up, .. } = io;
        if let Some(at) = wake_at {
            self.schedule_at(at, Due::Wake { actor: number, link });
        }
        if !out.is_empty() {
            self.tell_lie_about(&out);
            self.send_in_pieces(link, &out);
        }
        if hang_up {
            self.cut(link);
        }
    }

    /// A socket cuts where it likes.
    fn send_in_pieces(&mut self, link: u64, bytes: &[u8]) {
        let at = self.rng.below(bytes.len() as u64 + 1) as usize;
        for piece in [&bytes[..at], &bytes[at..]] {
            if !piece.is_empty() {
                let arrival = self.arrival(link, true);
                self.schedule_at(arrival, Due::ToNode { link, bytes: piece.to_vec() });
            }
        }
    }

    pub(super) fn connect(&mut self, number: usize) {
        let Some(node) = &self.node else {
            return self.schedule(RECONNECT_MS, Due::Connect { actor: number });
        };
        if self.clients[number].link.is_some() {
            return;
        }
        self.links_made += 1;
        let link = self.links_made;
        let info =
            ConnectionInfo { peer: ([127, 0, 0, 1], 40_000).into(), listener: LISTENER.into() };
        let connection = Connection::new(Arc::clone(node), info);
        let now = self.now();
        self.links.insert(link, Link { actor: number, connection, arrives: now, departs: now });
        self.clients[number].wire = Wire::default();
        self.clients[number].link = Some(link);
        self.act(number, |actor, io| actor.connected(io));
    }

    /// All clients here are well-behaved; the broker has no reason to send one away.
    fn refused(&mut self, number: u64, why: &str) {
        self.complaints.push(format!("the broker cut a connection: {why}"));
        self.cut(number);
    }

    pub(super) fn cut(&mut self, number: u64) {
        let Some(link) = self.links.remove(&number) else { return };
        self.trace.note(self.now(), "cut", &[]);
        self.clients[link.actor].link = None;
        self.schedule(RECONNECT_MS, Due::Connect { actor: link.actor });
    }
}
