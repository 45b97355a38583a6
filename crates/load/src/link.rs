//! One connection under load: what it still has to send and what it is still owed.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::net::{SocketAddr, TcpStream};
use std::ops::Range;

use protocol::messages::ApiVersionsRequest;

use crate::answers;
use crate::event_loop::{Got, Inbox, write_some};
use crate::frames::{self, CLIENT_ID, Versions};
use crate::limits::{READER_INBOX_SLACK_BYTES, SLICES_MAX, WRITER_INBOX_BYTES};

/// Nanoseconds since the traffic began.
pub type Nanos = u64;

/// A Produce request, ready for the socket.
pub struct Frame {
    pub bytes: Vec<u8>,
    pub batch_bytes: u64,
    pub records: i64,
}

/// What a connection is for.
pub enum Side {
    /// Sends the frames of these numbers in turn.
    Writer {
        frames: Vec<usize>,
        at: usize,
    },
    Reader(Reader),
}

/// Fetches one partition from its start on.
pub struct Reader {
    pub request: Vec<u8>,
    pub offset_at: usize,
    pub position: i64,
    pub end: End,
    pub fetch_bytes: usize,
}

/// What a reader does when there is nothing behind its position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It waits at the end of the log.
    Wait,
    /// From this offset back to the start.
    Around(i64),
    /// At this offset it is done.
    Stop(i64),
}

/// What an answer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Produced { frame: usize, intended: Nanos },
    Fetched { bytes: u64, records: i64, position: i64 },
}

pub struct Link {
    pub side: Side,
    pub socket: TcpStream,
    inbox: Inbox,
    /// Meant to be sent, but `depth` are in flight.
    waiting: VecDeque<Nanos>,
    /// Begun or about to be sent, and how much of the first has gone.
    sending: VecDeque<usize>,
    gone: usize,
    in_flight: VecDeque<(usize, Nanos)>,
}

impl Link {
    /// Connects and says hello, as every client does.
    pub fn open(address: SocketAddr, side: Side) -> io::Result<Link> {
        let socket = TcpStream::connect(address)?;
        socket.set_nodelay(true)?;
        greet(&socket)?;
        socket.set_nonblocking(true)?;
        let room = match &side {
            Side::Writer { .. } => WRITER_INBOX_BYTES,
            Side::Reader(reader) => reader.fetch_bytes + READER_INBOX_SLACK_BYTES,
        };
        let (waiting, sending, in_flight) = Default::default();
        let inbox = Inbox::new(room);
        Ok(Link { side, socket, inbox, waiting, sending, gone: 0, in_flight })
    }

    /// One more request that is meant to be sent at `intended`.
    pub fn ask(&mut self, intended: Nanos) {
        self.waiting.push_back(intended);
    }

    pub fn is_reader(&self) -> bool {
        matches!(self.side, Side::Reader(_))
    }

    /// Whether it reads at the end of the log.
    pub fn is_tail(&self) -> bool {
        matches!(&self.side, Side::Reader(reader) if reader.end == End::Wait)
    }

    /// Whether it has read all it was to read.
    pub fn is_done(&self) -> bool {
        let Side::Reader(reader) = &self.side else { return false };
        matches!(reader.end, End::Stop(end) if reader.position >= end)
    }

    /// Whether nothing is owed and nothing is left to send.
    pub fn is_settled(&self) -> bool {
        self.waiting.is_empty() && self.in_flight.is_empty()
    }

    /// The intended times of all that is not answered.
    pub fn unanswered(&self) -> impl Iterator<Item = Nanos> {
        self.in_flight.iter().map(|(_, intended)| *intended).chain(self.waiting.iter().copied())
    }

    /// Sends as far as `depth` and the socket allow.
    pub fn pump(&mut self, frames: &[Frame], depth: usize) -> io::Result<()> {
        while self.in_flight.len() < depth
            && let Some(intended) = self.waiting.pop_front()
        {
            let frame = self.next_frame();
            self.sending.push_back(frame);
            self.in_flight.push_back((frame, intended));
        }
        while !self.sending.is_empty() {
            let bytes = |frame: usize| match &self.side {
                Side::Writer { .. } => &frames[frame].bytes[..],
                Side::Reader(reader) => &reader.request[..],
            };
            let mut slices = [IoSlice::new(&[]); SLICES_MAX];
            let mut wanted = 0;
            let count = self.sending.len().min(SLICES_MAX);
            for (at, frame) in self.sending.iter().take(count).enumerate() {
                let from = if at == 0 { self.gone } else { 0 };
                slices[at] = IoSlice::new(&bytes(*frame)[from..]);
                wanted += slices[at].len();
            }
            let sent = write_some(&self.socket, &mut slices[..count])?;
            let mut passed = self.gone + sent;
            while let Some(first) = self.sending.front().map(|frame| bytes(*frame).len())
                && passed >= first
            {
                passed -= first;
                self.sending.pop_front();
            }
            self.gone = passed;
            if sent < wanted {
                break;
            }
        }
        Ok(())
    }

    fn next_frame(&mut self) -> usize {
        let Side::Writer { frames, at } = &mut self.side else { return 0 };
        let frame = frames[*at];
        *at = (*at + 1) % frames.len();
        frame
    }

    /// Takes what has come and tells `each` answer.
    pub fn take(&mut self, versions: Versions, each: &mut dyn FnMut(Answer)) -> io::Result<()> {
        loop {
            let got = self.inbox.fill(&self.socket)?;
            while let Some(frame) = self.inbox.next_frame() {
                each(self.read(frame, versions)?);
            }
            match got {
                Got::Full => {}
                Got::All => return Ok(()),
                Got::End => return Err(odd("it closed the connection")),
            }
        }
    }

    fn read(&mut self, frame: Range<usize>, versions: Versions) -> io::Result<Answer> {
        let unreadable = || odd("an answer that cannot be read");
        let frame = self.inbox.bytes(frame);
        let (number, intended) =
            self.in_flight.pop_front().ok_or_else(|| odd("an answer that nobody asked for"))?;
        match &mut self.side {
            Side::Writer { .. } => {
                let error = answers::produce_error(frame, versions.produce);
                accepted(error.ok_or_else(unreadable)?)?;
                Ok(Answer::Produced { frame: number, intended })
            }
            Side::Reader(reader) => {
                let (error, records) =
                    answers::fetched(frame, versions.fetch).ok_or_else(unreadable)?;
                accepted(error)?;
                let bytes = records.len() as u64;
                let next = answers::next_offset(&frame[records]).unwrap_or(reader.position);
                let count = next - reader.position;
                reader.position = match reader.end {
                    End::Around(end) if next >= end => 0,
                    _ => next,
                };
                let position = reader.position.to_be_bytes();
                reader.request[reader.offset_at..reader.offset_at + 8].copy_from_slice(&position);
                Ok(Answer::Fetched { bytes, records: count, position: next })
            }
        }
    }
}

fn greet(mut socket: &TcpStream) -> io::Result<()> {
    use std::io::Write;
    const VERSION: i16 = 3;
    let request = ApiVersionsRequest {
        client_software_name: CLIENT_ID.into(),
        client_software_version: "1".into(),
    };
    let frame = frames::encode(&request, VERSION).map_err(io::Error::other)?;
    socket.write_all(&frame)?;
    frames::read_one(socket).map(drop)
}

fn accepted(code: i16) -> io::Result<()> {
    match code {
        0 => Ok(()),
        code => Err(io::Error::other(client::ClientError::broker("", code, None).why)),
    }
}

fn odd(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
