//! The load: one thread, one epoll, requests that were built before.

use std::io::IoSlice;
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use ::load::answers;
use ::load::event_loop::{Got, Inbox, Poller, write_some};
use ::load::frames::{ACKS_LEADER, FETCH_MAX, PRODUCE_MAX};

use crate::Outcome;
use crate::batches::{fetch_frame, produce_frame};
use crate::process::cpu_time;
use crate::wire;

/// Slices given to one write.
const SLICES_MAX: usize = 16;
const INBOX_BYTES: usize = 3 << 20;

/// What a connection asks for, again and again.
#[derive(Clone, Debug)]
pub enum Ask {
    /// To the connection's own partition.
    Produce { batch: bytes::Bytes, acks: i16 },
    /// The batch to each of so many partitions, in one request: what a client sends that has
    /// records waiting for all of them.
    ProduceToAll { batch: bytes::Bytes, acks: i16, partitions: i32 },
    /// From the start of the partition to `end`, round and round.
    Fetch { bytes_max: usize, end: i64 },
}

/// One run over a server.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    pub connections: usize,
    /// Requests in flight on each connection.
    pub depth: usize,
    /// In all, over all connections.
    pub requests: u64,
}

/// What a run cost.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    pub requests: u64,
    /// Bytes of batches produced or fetched.
    pub bytes: u64,
    pub server_cpu: Duration,
    pub client_cpu: Duration,
    pub wall: Duration,
}

/// Runs `load` against the server at `address`, whose process is `pid`. A tenth of the requests go
/// ahead, before the clock starts.
pub fn run(address: SocketAddr, pid: u32, ask: &Ask, load: Load) -> Outcome<Cost> {
    let mut session = Session::open(address, ask, load)?;
    session.exchange(load.requests / 10 + 1)?;
    let own = std::process::id();
    let before = (cpu_time(pid)?, cpu_time(own)?);
    let started = Instant::now();
    let bytes = session.exchange(load.requests)?;
    let wall = started.elapsed();
    let after = (cpu_time(pid)?, cpu_time(own)?);
    Ok(Cost {
        requests: load.requests,
        bytes,
        server_cpu: after.0.saturating_sub(before.0),
        client_cpu: after.1.saturating_sub(before.1),
        wall,
    })
}

/// The same load, for whoever looks at something else in between: `next` says how many requests
/// come next, and is told how many bytes have moved and how long that took.
pub fn run_slices(
    address: SocketAddr,
    ask: &Ask,
    load: Load,
    mut next: impl FnMut(Option<(u64, Duration)>) -> Outcome<Option<u64>>,
) -> Outcome<()> {
    let mut session = Session::open(address, ask, load)?;
    let mut last = None;
    while let Some(requests) = next(last)? {
        let started = Instant::now();
        let bytes = session.exchange(requests)?;
        last = Some((bytes, started.elapsed()));
    }
    Ok(())
}

/// Writes `batches` of `batch` to each partition, before anything is measured.
pub fn fill(
    address: SocketAddr,
    batch: bytes::Bytes,
    partitions: usize,
    batches: u64,
) -> Outcome<()> {
    let load = Load { connections: partitions, depth: 1, requests: batches };
    Session::open(address, &Ask::Produce { batch, acks: ACKS_LEADER }, load)?
        .exchange_evenly(batches)
}

struct Session {
    poller: Poller,
    connections: Vec<Connection>,
    depth: usize,
}

impl Session {
    fn open(address: SocketAddr, ask: &Ask, load: Load) -> Outcome<Session> {
        let open = || -> std::io::Result<Session> {
            let poller = Poller::new()?;
            let mut connections = Vec::with_capacity(load.connections);
            for number in 0..load.connections {
                let socket = TcpStream::connect(address)?;
                socket.set_nodelay(true)?;
                socket.set_nonblocking(true)?;
                poller.add(&socket, number as u64)?;
                let connection = Connection::new(socket, number as i32, ask);
                connections.push(connection.map_err(std::io::Error::other)?);
            }
            Ok(Session { poller, connections, depth: load.depth })
        };
        open().map_err(|error| format!("cannot connect to {address}: {error}"))
    }

    /// Sends `requests` and takes their answers; the bytes of batches that went either way.
    /// Whichever connection is answered asks again, so that all stay busy to the end.
    fn exchange(&mut self, requests: u64) -> Outcome<u64> {
        let mut to_ask = requests;
        let mut open = 0;
        let mut bytes = 0;
        for number in 0..self.connections.len() {
            open += self.ask(number, &mut to_ask, self.depth as u64)?;
        }
        while open > 0 {
            for number in self.ready()? {
                let (answers, moved) = self.connections[number].take_answers()?;
                open -= answers;
                bytes += moved;
                open += self.ask(number, &mut to_ask, answers)?;
            }
        }
        Ok(bytes)
    }

    /// Sends `requests` on each connection, so that every partition has as many.
    fn exchange_evenly(&mut self, requests: u64) -> Outcome<()> {
        let mut to_ask = vec![requests; self.connections.len()];
        let mut open = 0;
        for (number, left) in to_ask.iter_mut().enumerate() {
            open += self.ask(number, left, self.depth as u64)?;
        }
        while open > 0 {
            for number in self.ready()? {
                let (answers, _) = self.connections[number].take_answers()?;
                open -= answers;
                open += self.ask(number, &mut to_ask[number], answers)?;
            }
        }
        Ok(())
    }

    fn ready(&mut self) -> Outcome<Vec<usize>> {
        let ready = self.poller.wait().map_err(|error| error.to_string())?;
        Ok(ready.into_iter().map(|number| number as usize).collect())
    }

    /// Sends up to `wanted` of the requests that are left, and what is unsent of earlier ones.
    fn ask(&mut self, number: usize, left: &mut u64, wanted: u64) -> Outcome<u64> {
        let more = wanted.min(*left);
        *left -= more;
        self.connections[number].ask(more as usize)?;
        Ok(more)
    }
}

struct Connection {
    socket: TcpStream,
    inbox: Inbox,
    kind: Kind,
    request: Vec<u8>,
    /// Requests not sent whole yet, and how much of the first has gone.
    unsent: usize,
    gone: usize,
}

enum Kind {
    Produce { batch_bytes: u64 },
    Fetch { offset_at: usize, end: i64 },
}

impl Connection {
    fn new(socket: TcpStream, partition: i32, ask: &Ask) -> Outcome<Connection> {
        let (request, kind) = match ask {
            Ask::Produce { batch, acks } => {
                let kind = Kind::Produce { batch_bytes: batch.len() as u64 };
                (produce_frame(partition..partition + 1, batch, *acks)?, kind)
            }
            Ask::ProduceToAll { batch, acks, partitions } => {
                let batch_bytes = batch.len() as u64 * *partitions as u64;
                (produce_frame(0..*partitions, batch, *acks)?, Kind::Produce { batch_bytes })
            }
            Ask::Fetch { bytes_max, end } => {
                let (mut frame, offset_at) = fetch_frame(partition, *bytes_max)?;
                frame[offset_at..offset_at + 8].fill(0);
                (frame, Kind::Fetch { offset_at, end: *end })
            }
        };
        let inbox = Inbox::new(INBOX_BYTES);
        Ok(Connection { socket, inbox, kind, request, unsent: 0, gone: 0 })
    }

    /// Sends `more` requests and what is left of earlier ones, as far as the socket takes them.
    fn ask(&mut self, more: usize) -> Outcome<()> {
        self.unsent += more;
        while self.unsent > 0 {
            let count = self.unsent.min(SLICES_MAX);
            let mut slices = [IoSlice::new(&self.request); SLICES_MAX];
            slices[0] = IoSlice::new(&self.request[self.gone..]);
            let wanted = count * self.request.len() - self.gone;
            let sent = write_some(&self.socket, &mut slices[..count]);
            let sent = sent.map_err(|error| format!("send: {error}"))?;
            let passed = self.gone + sent;
            self.unsent -= passed / self.request.len();
            self.gone = passed % self.request.len();
            if sent < wanted {
                break;
            }
        }
        Ok(())
    }

    /// How many answers have come, and the bytes of batches they stand for.
    fn take_answers(&mut self) -> Outcome<(u64, u64)> {
        let (mut answers, mut bytes) = (0, 0);
        loop {
            let got = self.inbox.fill(&self.socket).map_err(|error| format!("read: {error}"))?;
            while let Some(frame) = self.inbox.next_frame() {
                answers += 1;
                bytes += self.check(frame)?;
            }
            match got {
                Got::Full => {}
                Got::All => return Ok((answers, bytes)),
                Got::End => return Err("the server closed the connection".to_owned()),
            }
        }
    }

    fn check(&mut self, frame: std::ops::Range<usize>) -> Outcome<u64> {
        const UNREADABLE: &str = "an answer that cannot be read";
        let frame = self.inbox.bytes(frame);
        match self.kind {
            Kind::Produce { batch_bytes } => {
                wire::check(answers::produce_error(frame, PRODUCE_MAX).ok_or(UNREADABLE)?)?;
                Ok(batch_bytes)
            }
            Kind::Fetch { offset_at, end } => {
                let (error, records) = answers::fetched(frame, FETCH_MAX).ok_or(UNREADABLE)?;
                wire::check(error)?;
                let bytes = records.len() as u64;
                let next =
                    answers::next_offset(&frame[records]).ok_or("a fetch came back empty")?;
                let next = if next >= end { 0 } else { next };
                self.request[offset_at..offset_at + 8].copy_from_slice(&next.to_be_bytes());
                Ok(bytes)
            }
        }
    }
}
