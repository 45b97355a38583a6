//! The one place that names the socket types, so that a simulated network can take their place.

use std::io;

use rustix::net::{RecvFlags, recv};
pub use tokio::net::{TcpListener, TcpStream};

/// Reads what is there already, without asking the runtime whether something is.
pub(crate) fn read_now(stream: &TcpStream, into: &mut [u8]) -> io::Result<usize> {
    let (read, _) = recv(stream, into, RecvFlags::DONTWAIT)?;
    Ok(read)
}
