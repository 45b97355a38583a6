//! Clients of the simulated broker.

pub mod consumer;
pub mod member;
pub mod onlooker;
pub mod producer;
pub mod topics;

use protocol::Request;
use types::MonoTime;

use crate::wire::{Answer, Wire};
use env::Clock;
use env_sim::{SimClock, SimRng};
use history::History;

/// A client: reacts to its connection and to time. All effects go through [`Io`].
pub trait Actor {
    /// There is a connection; nothing of an earlier one will be answered.
    fn connected(&mut self, io: &mut Io<'_>);
    fn answered(&mut self, answer: Answer, io: &mut Io<'_>);
    /// The alarm set by [`Io::wake_after_ms`] rang.
    fn woken(&mut self, io: &mut Io<'_>);
    /// No new work: what is begun is finished.
    fn stop(&mut self);
    /// True once nothing is open.
    fn is_done(&self) -> bool;
}

/// What an actor may touch.
pub struct Io<'a> {
    pub rng: &'a SimRng,
    pub history: &'a mut History,
    pub clock: &'a SimClock,
    pub(crate) wire: &'a mut Wire,
    pub(crate) out: Vec<u8>,
    pub(crate) wake_at: Option<MonoTime>,
    pub(crate) hang_up: bool,
}

impl Io<'_> {
    pub fn send<R: Request>(&mut self, request: &R) {
        let bytes = self.wire.request(request);
        self.out.extend_from_slice(&bytes);
    }

    pub fn wake_after_ms(&mut self, ms: u64) {
        self.wake_at = Some(self.clock.mono().plus(std::time::Duration::from_millis(ms)));
    }

    /// Gives up on the connection; the world makes another one.
    pub fn hang_up(&mut self) {
        self.hang_up = true;
    }
}
