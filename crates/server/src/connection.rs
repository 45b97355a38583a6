//! One socket and its broker connection: bytes in, responses out, nothing decided here.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::time::Duration;

use broker::Connection;
use bytes::{Buf, Bytes};
use env::Env;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::limits::WRITE_SLICES_MAX;
use crate::sockets::TcpStream;

/// Serves `stream` until either side ends it, or nothing has happened on it for `idle_max`.
pub(crate) async fn serve<E: Env>(
    stream: TcpStream,
    mut connection: Connection<E>,
    idle_max: Duration,
) {
    let mut idle = Idle { last_used: Instant::now(), max: idle_max };
    let sleep = sleep_until(idle.deadline());
    tokio::pin!(sleep);
    loop {
        if connection.has_work() && connection.handle_input().is_err() {
            // What is owed for the requests before leaves first.
            connection.responses().close();
        }
        let responses = connection.responses();
        tokio::select! {
            biased;
            ready = poll_fn(|cx| responses.poll_ready(cx)) => match ready {
                Some(chunks) => {
                    if write_all(&stream, chunks).await.is_err() {
                        return;
                    }
                    idle.last_used = Instant::now();
                }
                None => return,
            },
            readable = stream.readable(), if connection.wants_input() => {
                if readable.is_err() || read_available(&stream, &mut connection).is_err() {
                    return;
                }
                idle.last_used = Instant::now();
            }
            () = tokio::task::yield_now(), if connection.has_work() => {}
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

/// Reads what the socket holds and hands it to the broker.
///
/// # Errors
/// The peer is gone or has sent what no client sends: the connection ends.
fn read_available<E: Env>(stream: &TcpStream, connection: &mut Connection<E>) -> io::Result<()> {
    loop {
        let buffer = connection.read_buffer();
        let room = buffer.capacity() - buffer.len();
        match stream.try_read_buf(buffer) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => {
                connection.note_read(read, room);
                if connection.handle_input().is_err() {
                    connection.responses().close();
                    return Ok(());
                }
                // A short read has emptied the socket; asking again would only cost a system call.
                if read < room || !connection.wants_input() {
                    return Ok(());
                }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                connection.release_buffer();
                return Ok(());
            }
            Err(error) => return Err(error),
        }
    }
}

/// Writes every chunk, as many in one system call as the socket takes.
pub(crate) async fn write_all(stream: &TcpStream, chunks: Vec<Bytes>) -> io::Result<()> {
    let mut chunks = VecDeque::from(chunks);
    while !chunks.is_empty() {
        let slices: Vec<IoSlice<'_>> =
            chunks.iter().take(WRITE_SLICES_MAX).map(|chunk| IoSlice::new(chunk)).collect();
        match stream.try_write_vectored(&slices) {
            Ok(written) => advance(&mut chunks, written),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => stream.writable().await?,
            Err(error) => return Err(error),
        }
    }
    Ok(())
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
mod tests {
    use super::*;

    #[test]
    fn a_short_write_goes_on_in_the_middle_of_a_chunk() {
        let mut chunks = VecDeque::from([Bytes::from("abc"), Bytes::new(), Bytes::from("defg")]);
        advance(&mut chunks, 4);
        assert_eq!(chunks, [Bytes::from("efg")]);
        advance(&mut chunks, 3);
        assert!(chunks.is_empty());
    }
}
