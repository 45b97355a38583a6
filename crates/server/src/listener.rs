//! Binds the listeners and accepts.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use broker::ConnectionInfo;
use broker::metrics::Metrics;
use config::BrokerConfig;
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

/// `socket.send.buffer.bytes` and `socket.receive.buffer.bytes`, where somebody set them. Kafka's
/// default of 100 KiB is not taken over: it would only switch off the kernel's own tuning.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SocketBuffers {
    send: Option<usize>,
    receive: Option<usize>,
}

impl SocketBuffers {
    pub(crate) fn new(config: &BrokerConfig) -> SocketBuffers {
        let set = |name: &str, bytes: i32| {
            let bytes = usize::try_from(bytes).ok()?;
            config.static_properties.contains_key(name).then_some(bytes)
        };
        let network = &config.network;
        SocketBuffers {
            send: set("socket.send.buffer.bytes", network.socket_send_buffer_bytes),
            receive: set("socket.receive.buffer.bytes", network.socket_receive_buffer_bytes),
        }
    }

    /// A size that the system refuses leaves its own.
    fn apply(self, stream: &std::net::TcpStream) {
        use rustix::net::sockopt::{set_socket_recv_buffer_size, set_socket_send_buffer_size};
        if let Some(bytes) = self.send {
            let _ = set_socket_send_buffer_size(stream, bytes);
        }
        if let Some(bytes) = self.receive {
            let _ = set_socket_recv_buffer_size(stream, bytes);
        }
    }
}

/// Accepts for ever and deals the connections out to the workers.
pub(crate) async fn accept(
    bound: Bound,
    workers: Arc<Mutex<Workers>>,
    limits: Arc<ConnectionLimits>,
    buffers: SocketBuffers,
    metrics: Arc<Metrics>,
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
                    metrics.broker.connections_refused.increment();
                    log::warn!(
                        target: "kafka.network.Acceptor",
                        "closed a connection from {peer}: too many are open (max.connections, \
                         max.connections.per.ip)"
                    );
                    continue;
                };
                let info = ConnectionInfo { peer, listener: Arc::clone(&bound.name) };
                let Ok(stream) = stream.into_std() else { continue };
                buffers.apply(&stream);
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
