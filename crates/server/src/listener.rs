//! Binds the listeners and accepts.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use broker::ConnectionInfo;
use tokio::sync::Mutex;

use crate::connection_limits::ConnectionLimits;
use crate::sockets::TcpListener;
use crate::workers::{Accepted, Workers};

/// A bound socket of a named listener.
pub(crate) struct Bound {
    pub name: Arc<str>,
    pub socket: std::net::TcpListener,
    pub address: SocketAddr,
}

/// Binds `host:port`; an empty host means every interface.
pub(crate) fn bind(name: &str, host: &str, port: u16) -> io::Result<Bound> {
    let any = if host.is_empty() { "0.0.0.0" } else { host };
    let mut last = io::Error::new(io::ErrorKind::NotFound, format!("no address for host {host:?}"));
    for address in (any, port).to_socket_addrs()? {
        // std sets SO_REUSEADDR, so that a restart does not wait for old connections to time out.
        match std::net::TcpListener::bind(address) {
            Ok(socket) => {
                socket.set_nonblocking(true)?;
                let address = socket.local_addr()?;
                return Ok(Bound { name: name.into(), socket, address });
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Accepts for ever and deals the connections out to the workers.
pub(crate) async fn accept(
    bound: Bound,
    workers: Arc<Mutex<Workers>>,
    limits: Arc<ConnectionLimits>,
) {
    let listener = match TcpListener::from_std(bound.socket) {
        Ok(listener) => listener,
        Err(error) => {
            return log::error!(target: "kafka.network.Acceptor", "cannot listen: {error}");
        }
    };
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                let Some(counted) = limits.admit(peer.ip()) else {
                    log::warn!(
                        target: "kafka.network.Acceptor",
                        "closed a connection from {peer}: too many are open (max.connections, \
                         max.connections.per.ip)"
                    );
                    continue;
                };
                let info = ConnectionInfo { peer, listener: Arc::clone(&bound.name) };
                let Ok(stream) = stream.into_std() else { continue };
                // Small responses must not wait for an acknowledgement of the one before.
                let _ = stream.set_nodelay(true);
                workers.lock().await.hand_over(Accepted { stream, info, counted }).await;
            }
            Err(error) => {
                // Out of file descriptors: wait for connections to end instead of spinning.
                log::warn!(target: "kafka.network.Acceptor", "cannot accept a connection: {error}");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}
