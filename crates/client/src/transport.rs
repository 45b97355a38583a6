//! The socket under every connection: the one place that names the operating system's.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream, ToSocketAddrs};
use std::time::Duration;

/// A connected byte stream.
#[derive(Debug)]
pub struct Transport {
    stream: TcpStream,
}

impl Transport {
    /// Connects to the first address of `host` that answers.
    pub fn connect(host: &str, port: u16, timeout: Duration) -> io::Result<Transport> {
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
        for address in (host, port).to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, timeout) {
                Ok(stream) => {
                    stream.set_nodelay(true)?;
                    return Ok(Transport { stream });
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// How long a read may wait for bytes.
    pub fn set_read_timeout(&self, timeout: Duration) -> io::Result<()> {
        self.stream.set_read_timeout(Some(timeout.max(Duration::from_millis(1))))
    }

    pub fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    pub fn read_exact(&mut self, bytes: &mut [u8]) -> io::Result<()> {
        self.stream.read_exact(bytes)
    }

    /// Reads `length` bytes; memory grows with what arrives, not with what was claimed.
    pub fn read_body(&mut self, length: usize) -> io::Result<Vec<u8>> {
        let mut body = Vec::with_capacity(length.min(64 * 1024));
        let read = Read::by_ref(&mut self.stream).take(length as u64).read_to_end(&mut body)?;
        if read < length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(body)
    }
}

impl Drop for Transport {
    fn drop(&mut self) {
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}
