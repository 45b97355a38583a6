//! One socket and its broker connection: bytes in, responses out, nothing decided here.

mod look_out;

use std::cell::Cell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::rc::Rc;
use std::thread;
use std::time::Duration;

use broker::{Connection, Disconnect};
use bytes::{Buf, Bytes, BytesMut};
use env::Env;
use tokio::io::Interest;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::limits::{TAKEN_AT_ONCE_BYTES_MAX, WRITE_SLICES_MAX};
use crate::sockets::{TcpStream, read_now};
use look_out::LookOut;

/// The read buffer that the connections of a core take turns with.
pub(crate) type SpareBuffer = Rc<Cell<BytesMut>>;

/// Serves `stream` until either side ends it, or nothing has happened on it for `idle_max`.
pub(crate) async fn serve<E: Env>(
    stream: TcpStream,
    mut connection: Connection<E>,
    idle_max: Duration,
    spare: SpareBuffer,
) {
    let mut idle = Idle { last_used: Instant::now(), max: idle_max };
    let sleep = sleep_until(idle.deadline());
    tokio::pin!(sleep);
    let mut look_out = LookOut::default();
    loop {
        if connection.has_work() {
            _ = handle_input(&mut connection);
            return_buffer(&mut connection, &spare);
        }
        let responses = connection.responses();
        let looks_out = look_out.is_on(Instant::now);
        if looks_out {
            // The client may be waiting for this very core: it was woken from here.
            thread::yield_now();
            if look_out.may_take_at_once() && connection.wants_input() {
                take_at_once(&stream, &mut connection, &spare, &mut look_out);
            }
        }
        // Whoever yields sees first what has arrived elsewhere, and does not sleep until it does.
        let is_awake = connection.has_work() || looks_out;
        tokio::select! {
            biased;
            ready = poll_fn(|cx| responses.poll_ready(cx)) => match ready {
                Some(chunks) => {
                    if write_all(&stream, chunks).await.is_err() {
                        return;
                    }
                    idle.last_used = Instant::now();
                    look_out.note_answered(connection.commits_alone(), idle.last_used);
                }
                None => return,
            },
            readable = stream.readable(), if connection.wants_input() => {
                let read = |_| read_available(&stream, &mut connection, &spare, &mut look_out);
                if readable.and_then(read).is_err() {
                    return;
                }
                // While an answer is owed nothing is idle, and it is noted when that leaves.
                if !connection.is_waiting() {
                    idle.last_used = Instant::now();
                }
            }
            () = tokio::task::yield_now(), if is_awake => {}
            () = sleep.as_mut() => {
                if idle.is_over() && !connection.is_waiting() {
                    return;
                }
                idle.rest(sleep.as_mut());
            }
        }
    }
}

/// When a connection was last used. The alarm is set anew only when it rings, not on every request.
struct Idle {
    last_used: Instant,
    max: Duration,
}

impl Idle {
    fn deadline(&self) -> Instant {
        self.last_used + self.max
    }

    fn is_over(&self) -> bool {
        Instant::now() >= self.deadline()
    }

    fn rest(&self, sleep: std::pin::Pin<&mut Sleep>) {
        let next = self.deadline().max(Instant::now() + Duration::from_millis(1));
        sleep.reset(next);
    }
}

/// Takes the next request of a client that is looked out for, if it is there, past the runtime:
/// that would go through all its tasks first, and all its sockets. The end of the connection is
/// left to it.
fn take_at_once<E: Env>(
    stream: &TcpStream,
    connection: &mut Connection<E>,
    spare: &Cell<BytesMut>,
    look_out: &mut LookOut,
) {
    let mut bytes = [0; TAKEN_AT_ONCE_BYTES_MAX];
    let Ok(read @ 1..) = read_now(stream, &mut bytes) else { return };
    look_out.note_taken_at_once(Instant::now);
    lend_buffer(connection, spare);
    connection.read_buffer().extend_from_slice(&bytes[..read]);
    _ = handle_input(connection);
    return_buffer(connection, spare);
}

/// Reads what the socket holds and hands it to the broker.
///
/// # Errors
/// The peer is gone or has sent what no client sends: the connection ends.
fn read_available<E: Env>(
    stream: &TcpStream,
    connection: &mut Connection<E>,
    spare: &Cell<BytesMut>,
    look_out: &mut LookOut,
) -> io::Result<()> {
    lend_buffer(connection, spare);
    let read = read_into(stream, connection, look_out);
    return_buffer(connection, spare);
    read
}

fn lend_buffer<E: Env>(connection: &mut Connection<E>, spare: &Cell<BytesMut>) {
    let mut buffer = spare.take();
    connection.lend_buffer(&mut buffer);
    spare.set(buffer);
}

fn return_buffer<E: Env>(connection: &mut Connection<E>, spare: &Cell<BytesMut>) {
    let mut buffer = spare.take();
    connection.return_buffer(&mut buffer);
    spare.set(buffer);
}

/// # Errors
/// The connection ends once what is owed for the requests before has left.
fn handle_input<E: Env>(connection: &mut Connection<E>) -> Result<(), Disconnect> {
    connection.handle_input().inspect_err(|_| connection.responses().close())
}

fn read_into<E: Env>(
    stream: &TcpStream,
    connection: &mut Connection<E>,
    look_out: &mut LookOut,
) -> io::Result<()> {
    loop {
        let buffer = connection.read_buffer();
        let room = buffer.capacity() - buffer.len();
        match stream.try_read_buf(buffer) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => {
                // Not before: what the runtime saw come may have been taken past it.
                look_out.note_request(Instant::now);
                connection.note_read(read, room);
                if handle_input(connection).is_err() {
                    return Ok(());
                }
                if read < room {
                    note_empty(stream);
                    return Ok(());
                }
                if !connection.wants_input() {
                    return Ok(());
                }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}

/// A short read has emptied the socket. Asking it would cost a system call a request; instead the
/// runtime is told, and waits for the next edge. As tokio's own `AsyncRead` of a `TcpStream` does.
fn note_empty(stream: &TcpStream) {
    let empty = || io::Result::<()>::Err(io::ErrorKind::WouldBlock.into());
    _ = stream.try_io(Interest::READABLE, empty);
}

/// Writes every chunk, as many in one system call as the socket takes.
pub(crate) async fn write_all(stream: &TcpStream, chunks: Vec<Bytes>) -> io::Result<()> {
    let mut chunks = VecDeque::from(chunks);
    while !chunks.is_empty() {
        match try_write(stream, &chunks) {
            Ok(written) => advance(&mut chunks, written),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => stream.writable().await?,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn try_write(stream: &TcpStream, chunks: &VecDeque<Bytes>) -> io::Result<usize> {
    if let (1, Some(chunk)) = (chunks.len(), chunks.front()) {
        return stream.try_write(chunk);
    }
    let slices: Vec<IoSlice<'_>> =
        chunks.iter().take(WRITE_SLICES_MAX).map(|chunk| IoSlice::new(chunk)).collect();
    stream.try_write_vectored(&slices)
}

fn advance(chunks: &mut VecDeque<Bytes>, mut written: usize) {
    while let Some(front) = chunks.front_mut() {
        if written < front.len() {
            front.advance(written);
            return;
        }
        written -= front.len();
        chunks.pop_front();
    }
}

#[cfg(test)]
mod tests;
