//! Traffic on many connections from one thread, with times at which requests are meant to be sent.

use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use client::{ClientError, ErrorKind};

use crate::event_loop::{Alarm, Poller};
use crate::frames::Versions;
use crate::limits::{TICK, WAITING_MAX};
use crate::link::{Answer, Frame, Link, Nanos, Side};
use crate::outcome::{Outcome, record};
use crate::process::{self, Usage};

const ALARM: u64 = u64::MAX;

/// How requests come.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Beat {
    /// The next as soon as one is answered.
    Answered,
    /// This many a second, spread evenly, over all writers in turn.
    PerSecond(f64),
}

/// When what happens, counted from the start.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// Traffic that is not counted.
    pub warm_up: Duration,
    pub window: Duration,
    /// After the window, for answers that are due.
    pub patience: Duration,
}

/// Open connections, ready to be driven.
pub struct Traffic {
    pub frames: Vec<Frame>,
    pub versions: Versions,
    pub depth: usize,
    pub pid: Option<u32>,
    links: Vec<Link>,
    writers: Vec<usize>,
    poller: Poller,
}

impl Traffic {
    pub fn new(
        frames: Vec<Frame>,
        versions: Versions,
        depth: usize,
    ) -> Result<Traffic, ClientError> {
        let poller = Poller::new().map_err(|error| machine("wait for sockets", &error))?;
        let (links, writers) = Default::default();
        Ok(Traffic { frames, versions, depth, pid: None, links, writers, poller })
    }

    /// Opens one more connection.
    pub fn open(&mut self, address: SocketAddr, side: Side) -> Result<(), ClientError> {
        let number = self.links.len();
        let open = || -> std::io::Result<Link> {
            let link = Link::open(address, side)?;
            self.poller.add(&link.socket, number as u64)?;
            Ok(link)
        };
        let link = open().map_err(|error| {
            let what = format!("open connection {} to {address}", number + 1);
            ClientError::new(ErrorKind::Unreachable, what, error.to_string())
        })?;
        if let Side::Writer { .. } = &link.side {
            self.writers.push(number);
        }
        self.links.push(link);
        Ok(())
    }

    /// Drives all connections. `watch` is told how much of the time has passed, and may end it.
    pub fn run(
        self,
        beat: Beat,
        timing: Timing,
        watch: &mut dyn FnMut(f64) -> ControlFlow<()>,
    ) -> Result<Outcome, ClientError> {
        let mut alarm = Alarm::new().map_err(|error| machine("set a timer", &error))?;
        self.poller.add(&alarm, ALARM).map_err(|error| machine("set a timer", &error))?;
        let mut run = Run::new(self, beat, timing)?;
        run.begin()?;
        loop {
            let now = run.now();
            run.schedule(now)?;
            if now >= run.next_tick {
                run.tick(now)?;
                if watch(run.share_done(now)).is_break() {
                    return Err(interrupted());
                }
            }
            if run.is_over(now) {
                return run.finish(now);
            }
            let wake_at = run.next_due().min(run.next_tick);
            let wait = Duration::from_nanos(wake_at.saturating_sub(run.now()).max(1));
            alarm.set(wake_at, wait).map_err(|error| machine("set a timer", &error))?;
            if run.answer()? {
                alarm.has_rung();
            }
        }
    }
}

/// The whole of one drive.
struct Run {
    traffic: Traffic,
    beat: Beat,
    epoch: Instant,
    from: Nanos,
    to: Nanos,
    patience: Nanos,
    next_tick: Nanos,
    /// Requests scheduled so far.
    scheduled: u64,
    answered: u64,
    /// When the window began and ended in truth, and what had been used by then.
    marks: Vec<(Nanos, Usage, Usage)>,
    outcome: Outcome,
    /// Intended times of the batches of the one partition that is read at its end.
    batches: Vec<Nanos>,
    /// Of each link, the batches it has read.
    delivered: Vec<usize>,
}

impl Run {
    fn new(traffic: Traffic, beat: Beat, timing: Timing) -> Result<Run, ClientError> {
        let from = timing.warm_up.as_nanos() as Nanos;
        let has_server = traffic.pid.is_some();
        Ok(Run {
            delivered: vec![0; traffic.links.len()],
            traffic,
            beat,
            epoch: Instant::now(),
            from,
            to: from + timing.window.as_nanos() as Nanos,
            patience: timing.patience.as_nanos() as Nanos,
            next_tick: 0,
            scheduled: 0,
            answered: 0,
            marks: Vec::with_capacity(2),
            outcome: Outcome::new(timing.window, has_server)?,
            batches: Vec::new(),
        })
    }

    fn now(&self) -> Nanos {
        self.epoch.elapsed().as_nanos() as Nanos
    }

    fn begin(&mut self) -> Result<(), ClientError> {
        let depth = self.traffic.depth;
        for number in 0..self.traffic.links.len() {
            let count = match (&self.traffic.links[number].side, self.beat) {
                (Side::Reader(_), _) => 1,
                (Side::Writer { .. }, Beat::Answered) => depth,
                (Side::Writer { .. }, Beat::PerSecond(_)) => 0,
            };
            for _ in 0..count {
                self.traffic.links[number].ask(0);
            }
            self.pump(number)?;
        }
        Ok(())
    }

    /// Hands out every request whose time has come.
    fn schedule(&mut self, now: Nanos) -> Result<(), ClientError> {
        while self.next_due() <= now {
            let intended = self.next_due();
            let writers = &self.traffic.writers;
            let number = writers[(self.scheduled % writers.len() as u64) as usize];
            self.scheduled += 1;
            if self.is_counted(intended) {
                record(&mut self.outcome.lateness, now - intended);
            }
            self.batches.push(intended);
            self.traffic.links[number].ask(intended);
            self.pump(number)?;
            if self.scheduled - self.answered > WAITING_MAX {
                let why = format!("{WAITING_MAX} requests wait to be sent");
                return Err(ClientError::new(ErrorKind::TimedOut, "keep the rate", why)
                    .todo("the broker is too slow for this case on this machine"));
            }
        }
        Ok(())
    }

    /// When the next request is meant to be sent; never, without a rate or behind the window.
    fn next_due(&self) -> Nanos {
        let due = match self.beat {
            Beat::Answered => return Nanos::MAX,
            Beat::PerSecond(rate) => (self.scheduled as f64 * 1e9 / rate) as Nanos,
        };
        if due < self.to && !self.traffic.writers.is_empty() { due } else { Nanos::MAX }
    }

    fn is_counted(&self, at: Nanos) -> bool {
        (self.from..self.to).contains(&at)
    }

    /// Reads clocks and counters at the edges of the window, and the memory in between.
    fn tick(&mut self, now: Nanos) -> Result<(), ClientError> {
        let edge = [self.from, self.to].get(self.marks.len()).copied().unwrap_or(Nanos::MAX);
        let server = match self.traffic.pid {
            Some(pid) => process::usage(pid).map_err(|error| lost(pid, &error))?,
            None => Usage::default(),
        };
        if let Some(in_use) = &mut self.outcome.server {
            in_use.rss_bytes_max = in_use.rss_bytes_max.max(server.rss_bytes);
        }
        if now >= edge {
            let own = process::usage(std::process::id()).unwrap_or_default();
            self.marks.push((now, server, own));
        }
        let next_edge = [self.from, self.to].get(self.marks.len()).copied().unwrap_or(Nanos::MAX);
        self.next_tick = (now + TICK.as_nanos() as Nanos).min(next_edge.max(now));
        Ok(())
    }

    fn share_done(&self, now: Nanos) -> f64 {
        (now as f64 / self.to as f64).min(1.0)
    }

    fn is_over(&self, now: Nanos) -> bool {
        let is_patient = now < self.to + self.patience;
        self.marks.len() == 2 && !(is_patient && self.is_owed_something())
    }

    /// Answers to requests, or batches at the readers of the end.
    fn is_owed_something(&self) -> bool {
        let links = &self.traffic.links;
        let is_owed = |link: &Link| !link.is_settled();
        let is_behind =
            |(link, delivered): (&Link, &usize)| link.is_tail() && *delivered < self.batches.len();
        self.traffic.writers.iter().any(|number| is_owed(&links[*number]))
            || links.iter().zip(&self.delivered).any(is_behind)
    }

    /// Waits for sockets or the alarm and handles what has come; whether the alarm has rung.
    fn answer(&mut self) -> Result<bool, ClientError> {
        let mut has_rung = false;
        let ready = self.traffic.poller.wait();
        for number in ready.map_err(|error| machine("wait for sockets", &error))? {
            if number == ALARM {
                has_rung = true;
                continue;
            }
            let number = number as usize;
            let mut answers = Vec::new();
            let versions = self.traffic.versions;
            let taken = self.traffic.links[number].take(versions, &mut |a| answers.push(a));
            let now = self.now();
            for answer in answers {
                self.count(number, answer, now);
            }
            taken.map_err(|error| self.broke(number, &error))?;
            self.pump(number)?;
        }
        Ok(has_rung)
    }

    fn count(&mut self, number: usize, answer: Answer, now: Nanos) {
        let (is_now, is_on) = (self.marks.len() == 1, now < self.to);
        let link = &mut self.traffic.links[number];
        match answer {
            Answer::Produced { frame, intended } => {
                self.answered += 1;
                let frame = &self.traffic.frames[frame];
                if is_now {
                    self.outcome.produced.add(frame.records, frame.batch_bytes);
                }
                if (self.from..self.to).contains(&intended) {
                    record(&mut self.outcome.produce_latency, now - intended);
                }
                if self.beat == Beat::Answered && is_on {
                    link.ask(now);
                }
            }
            Answer::Fetched { bytes, records, position } => {
                if is_now {
                    self.outcome.fetched.add(records, bytes);
                }
                let (is_tail, is_done) = (link.is_tail(), link.is_done());
                if is_tail {
                    self.deliver(number, position, now);
                }
                if is_done {
                    self.end_with_the_last_reader(now);
                } else if is_on || (is_tail && self.delivered[number] < self.batches.len()) {
                    self.traffic.links[number].ask(now);
                }
            }
        }
    }

    /// Readers that stop at an end set the length of the window.
    fn end_with_the_last_reader(&mut self, now: Nanos) {
        let mut readers = self.traffic.links.iter().filter(|link| link.is_reader());
        if readers.all(Link::is_done) {
            self.to = self.to.min(now);
            self.next_tick = now;
        }
    }

    /// One writer, one partition, batches of one size: an offset says which batch it was.
    fn deliver(&mut self, number: usize, position: i64, now: Nanos) {
        let Some(records) = self.traffic.frames.first().map(|frame| frame.records) else { return };
        let until = ((position / records) as usize).min(self.batches.len());
        for batch in self.delivered[number]..until {
            let intended = self.batches[batch];
            if self.is_counted(intended) {
                record(&mut self.outcome.delivery_latency, now - intended);
            }
        }
        self.delivered[number] = until.max(self.delivered[number]);
    }

    fn pump(&mut self, number: usize) -> Result<(), ClientError> {
        let depth = self.traffic.depth;
        let pumped = self.traffic.links[number].pump(&self.traffic.frames, depth);
        pumped.map_err(|error| self.broke(number, &error))
    }

    fn broke(&self, number: usize, error: &std::io::Error) -> ClientError {
        let peer = self.traffic.links[number].socket.peer_addr();
        let peer = peer.map_or_else(|_| "the broker".to_owned(), |peer| peer.to_string());
        ClientError::new(ErrorKind::Disconnected, format!("load {peer}"), error.to_string())
            .todo("look at the broker's log")
    }

    /// What nobody answered has waited until now at least.
    fn finish(mut self, now: Nanos) -> Result<Outcome, ClientError> {
        for number in &self.traffic.writers {
            for intended in self.traffic.links[*number].unanswered() {
                if self.is_counted(intended) {
                    record(&mut self.outcome.produce_latency, now - intended);
                    self.outcome.unanswered += 1;
                }
            }
        }
        if let [(from, server_from, own_from), (to, server_to, own_to)] = self.marks[..] {
            self.outcome.window = Duration::from_nanos(to - from);
            self.outcome.own_cpu = own_to.cpu.saturating_sub(own_from.cpu);
            if let Some(in_use) = &mut self.outcome.server {
                in_use.cpu = server_to.cpu.saturating_sub(server_from.cpu);
            }
        }
        Ok(self.outcome)
    }
}

fn machine(what: &str, error: &std::io::Error) -> ClientError {
    ClientError::usage(what, error.to_string())
}

fn lost(pid: u32, error: &std::io::Error) -> ClientError {
    let what = format!("read the CPU time of process {pid}");
    ClientError::new(ErrorKind::Disconnected, what, error.to_string())
        .todo("the broker has ended: look at its log")
}

fn interrupted() -> ClientError {
    ClientError::new(ErrorKind::TimedOut, "finish the run", "it was interrupted")
}

#[cfg(test)]
mod tests;
