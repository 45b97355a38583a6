//! The floor: a server that does only what any broker must, on one thread with nothing between it
//! and the kernel.
//!
//! Produce: receive, check the CRC, patch base offset and leader epoch, one `pwritev` a wake-up
//! into a file whose space was reserved, acknowledge. Fetch: one `pread` into a buffer that is
//! there, send. No topics, no indexes, no look at records, no waiting, nothing refused.

mod log;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, IoSlice};
use std::net::{TcpListener, TcpStream};
use std::ops::Range;
use std::path::{Path, PathBuf};

use ::load::event_loop::{Got, Inbox, Poller, write_some};

use crate::Outcome;
use crate::walk::{self, Request};
use crate::wire::TOPIC;
use log::FloorLog;

const LISTENER: u64 = u64::MAX;
/// Room for a frame of 1 MiB and for some behind it.
const INBOX_BYTES: usize = 2 << 20;

/// Serves on a port of its own choice, which is the one line it prints.
pub fn serve(dir: &Path) -> Outcome<()> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    println!("{}", address.port());
    run(listener, dir).map_err(|error| format!("floor: {error}"))
}

fn run(listener: TcpListener, dir: &Path) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let mut poller = Poller::new()?;
    poller.add(&listener, LISTENER)?;
    let mut logs = Logs { dir: dir.to_owned(), open: BTreeMap::new() };
    let mut connections: BTreeMap<u64, Connection> = BTreeMap::new();
    let mut next = 0;
    loop {
        for number in poller.wait()? {
            if number == LISTENER {
                while let Ok((socket, _)) = listener.accept() {
                    socket.set_nonblocking(true)?;
                    socket.set_nodelay(true)?;
                    poller.add(&socket, next)?;
                    connections.insert(next, Connection::new(socket));
                    next += 1;
                }
            } else if let Some(connection) = connections.get_mut(&number)
                && !connection.turn(&mut logs).unwrap_or(false)
            {
                connections.remove(&number);
            }
        }
    }
}

struct Logs {
    dir: PathBuf,
    open: BTreeMap<i32, FloorLog>,
}

impl Logs {
    fn of(&mut self, partition: i32) -> io::Result<&mut FloorLog> {
        if !self.open.contains_key(&partition) {
            let path = self.dir.join(format!("{partition}.log"));
            let file = File::options().read(true).write(true).create_new(true).open(path)?;
            self.open.insert(partition, FloorLog::new(file));
        }
        self.open.get_mut(&partition).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

struct Connection {
    socket: TcpStream,
    inbox: Inbox,
    /// What is to be sent, and how much of it has gone.
    out: Vec<u8>,
    sent: usize,
}

impl Connection {
    fn new(socket: TcpStream) -> Connection {
        Connection { socket, inbox: Inbox::new(INBOX_BYTES), out: Vec::new(), sent: 0 }
    }

    /// Everything that can be done without waiting; false once the peer has gone.
    fn turn(&mut self, logs: &mut Logs) -> io::Result<bool> {
        self.send()?;
        loop {
            let got = self.inbox.fill(&self.socket)?;
            self.answer(logs)?;
            self.send()?;
            match got {
                Got::Full => {}
                Got::All => return Ok(true),
                Got::End => return Ok(false),
            }
        }
    }

    /// All requests that are here whole: batches are patched where they lie and written together.
    fn answer(&mut self, logs: &mut Logs) -> io::Result<()> {
        let mut batches: Vec<Range<usize>> = Vec::new();
        let mut written = None;
        while let Some(frame) = self.inbox.next_frame() {
            let bytes = self.inbox.bytes_mut(frame.clone());
            match walk::request(bytes).ok_or(io::ErrorKind::InvalidData)? {
                Request::Produce { correlation, partition, batch } => {
                    if written.is_some_and(|other| other != partition) {
                        return Err(io::Error::other("a connection writes to one partition"));
                    }
                    written = Some(partition);
                    let base = logs.of(partition)?.place(&mut bytes[batch.clone()])?;
                    acknowledge(&mut self.out, correlation, partition, base);
                    batches.push(frame.start + batch.start..frame.start + batch.end);
                }
                Request::Fetch { correlation, partition, offset, bytes_max } => {
                    let log = logs.of(partition)?;
                    let range = log.find(offset, bytes_max);
                    begin_fetched(&mut self.out, correlation, partition, &range);
                    log.read(range, &mut self.out)?;
                    // No tags of the partition, the topic, the answer.
                    self.out.extend_from_slice(&[0; 3]);
                }
            }
        }
        let Some(partition) = written else { return Ok(()) };
        let mut slices: Vec<_> =
            batches.into_iter().map(|range| IoSlice::new(self.inbox.bytes(range))).collect();
        logs.of(partition)?.write(&mut slices)
    }

    fn send(&mut self) -> io::Result<()> {
        if self.sent < self.out.len() {
            self.sent += write_some(&self.socket, &mut [IoSlice::new(&self.out[self.sent..])])?;
        }
        if self.sent == self.out.len() {
            self.out.clear();
            self.sent = 0;
        }
        Ok(())
    }
}

/// What every answer repeats: the topic's name as it stands in it.
fn name(out: &mut Vec<u8>) {
    out.push(TOPIC.len() as u8 + 1);
    out.extend_from_slice(TOPIC.as_bytes());
}

/// Begins a frame; its length is set by [`end`].
fn begin(out: &mut Vec<u8>, correlation: i32) -> usize {
    let at = out.len();
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&correlation.to_be_bytes());
    out.push(0);
    at
}

fn end(out: &mut [u8], at: usize, more: usize) {
    let length = (out.len() - at - 4 + more) as u32;
    out[at..at + 4].copy_from_slice(&length.to_be_bytes());
}

/// A Produce answer.
fn acknowledge(out: &mut Vec<u8>, correlation: i32, partition: i32, base: i64) {
    let at = begin(out, correlation);
    out.push(2);
    name(out);
    out.push(2);
    out.extend_from_slice(&partition.to_be_bytes());
    out.extend_from_slice(&[0; 2]);
    out.extend_from_slice(&base.to_be_bytes());
    out.extend_from_slice(&(-1_i64).to_be_bytes());
    out.extend_from_slice(&0_i64.to_be_bytes());
    out.extend_from_slice(&[1, 0, 0, 0]); // no record errors, no message, tags
    out.extend_from_slice(&[0; 5]); // throttle time, tags
    end(out, at, 0);
}

/// A Fetch answer as far as its records, which are `range` long.
fn begin_fetched(out: &mut Vec<u8>, correlation: i32, partition: i32, range: &Range<u64>) {
    let records = (range.end - range.start) as usize;
    let at = begin(out, correlation);
    out.extend_from_slice(&[0; 4 + 2 + 4]); // throttle time, error, session
    out.push(2);
    name(out);
    out.push(2);
    out.extend_from_slice(&partition.to_be_bytes());
    out.extend_from_slice(&[0; 2 + 8 + 8 + 8 + 1 + 4]);
    let mut length = records + 1;
    while length >= 0x80 {
        out.push(length as u8 | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
    end(out, at, records + 3);
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use ::load::answers;
    use ::load::frames::{FETCH_MAX, PRODUCE_MAX};

    use super::*;
    use crate::batches::{BatchShape, fetch_frame, produce_frame};

    fn exchange(socket: &mut TcpStream, frame: &[u8]) -> Vec<u8> {
        socket.write_all(frame).unwrap();
        let mut prefix = [0; 4];
        socket.read_exact(&mut prefix).unwrap();
        let mut body = vec![0; u32::from_be_bytes(prefix) as usize];
        socket.read_exact(&mut body).unwrap();
        body
    }

    #[test]
    fn what_the_floor_was_given_comes_back_from_it_with_its_offsets() {
        let dir = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let path = dir.path().to_owned();
        // It serves until the test process ends.
        std::thread::spawn(move || run(listener, &path));
        let mut socket = TcpStream::connect(address).unwrap();
        let batch = BatchShape { batch_bytes: 5000, value_bytes: 100 }.build();
        let count = i64::from(records::BatchHeader::parse(&batch).unwrap().records_count);
        for _ in 0..3 {
            let answer = exchange(&mut socket, &produce_frame(2..3, &batch, 1).unwrap());
            assert_eq!(answers::produce_error(&answer, PRODUCE_MAX), Some(0));
        }
        let (mut frame, at) = fetch_frame(2, 11_000).unwrap();
        frame[at..at + 8].copy_from_slice(&count.to_be_bytes());
        let answer = exchange(&mut socket, &frame);
        let (error, records) = answers::fetched(&answer, FETCH_MAX).unwrap();
        assert_eq!((error, records.len()), (0, 10_000));
        assert_eq!(answers::next_offset(&answer[records.clone()]), Some(3 * count));
        assert_eq!(answer[records.start..][..8], count.to_be_bytes());

        let mut torn = produce_frame(2..3, &batch, 1).unwrap();
        let last = torn.len() - 10;
        torn[last] ^= 1;
        socket.write_all(&torn).unwrap();
        assert_eq!(socket.read(&mut [0; 9]).unwrap(), 0, "a wrong checksum ends the connection");
    }
}
