//! A bare epoll loop over sockets that do not block: the same under the load and under the floor.

use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::net::TcpStream;
use std::ops::Range;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};

const EVENTS_AT_ONCE: usize = 256;

/// Tells which of the registered things is ready.
pub struct Poller {
    epoll: rustix::fd::OwnedFd,
    events: Vec<Event>,
}

impl Poller {
    pub fn new() -> io::Result<Poller> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        Ok(Poller { epoll, events: Vec::with_capacity(EVENTS_AT_ONCE) })
    }

    /// Reports `what` as `number` whenever it becomes readable or writable.
    pub fn add(&self, what: &impl AsFd, number: u64) -> io::Result<()> {
        let edges = EventFlags::IN | EventFlags::OUT | EventFlags::ET;
        Ok(epoll::add(&self.epoll, what, EventData::new_u64(number), edges)?)
    }

    /// Waits for anything.
    pub fn wait(&mut self) -> io::Result<Vec<u64>> {
        self.events.clear();
        match epoll::wait(&self.epoll, spare_capacity(&mut self.events), None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(self.events.iter().map(|event| event.data.u64()).collect())
    }
}

/// Wakes a [`Poller`] at a time that is finer than epoll's own milliseconds.
pub struct Alarm {
    timer: rustix::fd::OwnedFd,
    set_to: u64,
}

impl Alarm {
    pub fn new() -> io::Result<Alarm> {
        // The kernel may be late by its timer slack, 50 µs unless a thread says otherwise.
        let _ = rustix::thread::set_current_timer_slack(std::num::NonZeroU64::new(1));
        let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::CLOEXEC)?;
        Ok(Alarm { timer, set_to: u64::MAX })
    }

    /// Rings once, after `wait`; `at` names the moment, so that it is not set twice.
    pub fn set(&mut self, at: u64, wait: Duration) -> io::Result<()> {
        if self.set_to != at {
            let never = Timespec { tv_sec: 0, tv_nsec: 0 };
            let once = Itimerspec {
                it_interval: never,
                it_value: Timespec {
                    tv_sec: wait.as_secs() as i64,
                    tv_nsec: i64::from(wait.subsec_nanos()),
                },
            };
            timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &once)?;
            self.set_to = at;
        }
        Ok(())
    }

    /// It has to be set anew, even to the same moment.
    pub fn has_rung(&mut self) {
        self.set_to = u64::MAX;
    }
}

impl AsFd for Alarm {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.timer.as_fd()
    }
}

/// What came in and was not looked at yet, in a buffer that is allocated once.
pub struct Inbox {
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

/// How a round of reading ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Got {
    /// The socket may hold more.
    Full,
    /// The socket is empty.
    All,
    /// The peer has closed.
    End,
}

impl Inbox {
    pub fn new(bytes: usize) -> Inbox {
        Inbox { buffer: vec![0; bytes], start: 0, end: 0 }
    }

    /// One `read` of as much as there is room for.
    pub fn fill(&mut self, mut socket: &TcpStream) -> io::Result<Got> {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        } else if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        let room = &mut self.buffer[self.end..];
        if room.is_empty() {
            return Err(io::Error::new(ErrorKind::InvalidData, "a frame larger than the buffer"));
        }
        match socket.read(room) {
            Ok(0) => Ok(Got::End),
            Ok(read) => {
                let got = if read == room.len() { Got::Full } else { Got::All };
                self.end += read;
                Ok(got)
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(Got::All),
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(Got::Full),
            Err(error) => Err(error),
        }
    }

    /// Where the next whole frame lies, without its prefix; it stays there until the next
    /// [`fill`](Self::fill).
    pub fn next_frame(&mut self) -> Option<Range<usize>> {
        let prefix = self.buffer[self.start..self.end].first_chunk()?;
        let from = self.start + prefix.len();
        let to = from + u32::from_be_bytes(*prefix) as usize;
        if to > self.end {
            return None;
        }
        self.start = to;
        Some(from..to)
    }

    pub fn bytes(&self, range: Range<usize>) -> &[u8] {
        &self.buffer[range]
    }

    pub fn bytes_mut(&mut self, range: Range<usize>) -> &mut [u8] {
        &mut self.buffer[range]
    }
}

/// Writes slices until they are gone or the socket is full; how many bytes went.
pub fn write_some(mut socket: &TcpStream, mut slices: &mut [IoSlice<'_>]) -> io::Result<usize> {
    let mut total = 0;
    while !slices.is_empty() {
        match socket.write_vectored(slices) {
            Ok(written) => {
                total += written;
                IoSlice::advance_slices(&mut slices, written);
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_out_whole_however_they_went_in() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let mut near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (far, _) = listener.accept().unwrap();
        let mut inbox = Inbox::new(11);
        let mut frames = Vec::new();
        for piece in [&[0, 0][..], &[0, 2, 7], &[8, 0, 0, 0, 1, 9]] {
            near.write_all(piece).unwrap();
            inbox.fill(&far).unwrap();
            while let Some(frame) = inbox.next_frame() {
                frames.push(inbox.bytes(frame).to_vec());
            }
        }
        assert_eq!(frames, [vec![7, 8], vec![9]]);
        drop(near);
        assert_eq!(inbox.fill(&far).unwrap(), Got::End);
    }
}
