//! Records from an input, as they come: read on a thread, so that what came can be sent meanwhile.

use std::io::{self, BufRead};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

/// Lines that may wait between reader and sender.
const LINES_WAITING_MAX: usize = 1024;

/// The longest line: more cannot be one record anyway.
pub const LINE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// What came next.
#[derive(Debug)]
pub enum Next {
    Line(Vec<u8>),
    /// Nothing came for as long as asked: a good moment to send what there is.
    Pause,
    End,
}

/// The lines of an input, without their line ends.
#[derive(Debug)]
pub struct Lines {
    lines: Receiver<io::Result<Vec<u8>>>,
}

impl Lines {
    /// Begins to read.
    pub fn of(mut input: impl BufRead + Send + 'static) -> Lines {
        let (sender, lines) = sync_channel(LINES_WAITING_MAX);
        thread::spawn(move || {
            loop {
                let line = read_line(&mut input);
                let is_last = !matches!(&line, Ok(Some(_)));
                // A receiver that is gone has seen enough.
                if let Some(line) = line.transpose()
                    && sender.send(line).is_err()
                {
                    return;
                }
                if is_last {
                    return;
                }
            }
        });
        Lines { lines }
    }

    /// Standard input.
    pub fn stdin() -> Lines {
        Lines::of(io::BufReader::with_capacity(256 * 1024, io::stdin()))
    }

    /// Waits up to `patience` for a line.
    pub fn next(&self, patience: Duration) -> io::Result<Next> {
        match self.lines.recv_timeout(patience) {
            Ok(line) => line.map(Next::Line),
            Err(RecvTimeoutError::Timeout) => Ok(Next::Pause),
            Err(RecvTimeoutError::Disconnected) => Ok(Next::End),
        }
    }
}

fn read_line(input: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    let read = io::Read::take(&mut *input, LINE_BYTES_MAX as u64).read_until(b'\n', &mut line)?;
    if read == 0 {
        return Ok(None);
    }
    if line.last() == Some(&b'\n') {
        line.pop();
        if line.last() == Some(&b'\r') {
            line.pop();
        }
    } else if line.len() == LINE_BYTES_MAX {
        let why = format!("a line is longer than {LINE_BYTES_MAX} bytes");
        return Err(io::Error::new(io::ErrorKind::InvalidData, why));
    }
    Ok(Some(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &'static str) -> Vec<String> {
        let lines = Lines::of(text.as_bytes());
        let mut found = Vec::new();
        while let Next::Line(line) = lines.next(Duration::from_secs(5)).unwrap() {
            found.push(String::from_utf8(line).unwrap());
        }
        found
    }

    #[test]
    fn lines_lose_their_ends_and_the_last_needs_none() {
        assert_eq!(all("a\r\n\nb"), ["a", "", "b"]);
        assert_eq!(all("a\n"), ["a"]);
        assert!(all("").is_empty());
    }
}
