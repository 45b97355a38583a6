//! One single-threaded runtime per core. A connection stays on its core for life (ADR 0006).

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use broker::{Company, Connection, ConnectionInfo, Node};
use env::Env;
use tokio::sync::mpsc;
use tokio::task::LocalSet;

use crate::connection::{SpareBuffer, serve};
use crate::connection_limits::Counted;
use crate::limits::{HANDOVER_QUEUE, WORKERS_MAX};
use crate::sockets::TcpStream;

/// A socket on its way to the core that will own it.
pub(crate) struct Accepted {
    pub stream: std::net::TcpStream,
    pub info: ConnectionInfo,
    /// Counts against the limits until the connection ends.
    pub counted: Counted,
}

/// The cores that serve connections, taken in turn.
pub(crate) struct Workers {
    queues: Vec<mpsc::Sender<Accepted>>,
    next: usize,
}

impl Workers {
    /// Starts a thread for each core.
    pub(crate) fn start<E: Env>(
        node: &Arc<Node<E>>,
        idle_max: Duration,
    ) -> std::io::Result<Workers> {
        let count = thread::available_parallelism().map_or(1, usize::from).min(WORKERS_MAX);
        let mut queues = Vec::with_capacity(count);
        for number in 0..count {
            let (sender, receiver) = mpsc::channel(HANDOVER_QUEUE);
            let node = Arc::clone(node);
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            thread::Builder::new().name(format!("network-{number}")).spawn(move || {
                LocalSet::new().block_on(&runtime, work(node, receiver, idle_max));
            })?;
            queues.push(sender);
        }
        Ok(Workers { queues, next: 0 })
    }

    pub(crate) async fn hand_over(&mut self, accepted: Accepted) {
        self.next = (self.next + 1) % self.queues.len();
        // A worker ends only with the process; then nobody misses the connection.
        let _ = self.queues[self.next].send(accepted).await;
    }
}

async fn work<E: Env>(
    node: Arc<Node<E>>,
    mut accepted: mpsc::Receiver<Accepted>,
    idle_max: Duration,
) {
    let (spare, company) = (SpareBuffer::default(), Arc::<Company>::default());
    while let Some(Accepted { stream, info, counted }) = accepted.recv().await {
        let Ok(stream) = TcpStream::from_std(stream) else { continue };
        let connection = Connection::new(Arc::clone(&node), info).joined(&company);
        let spare = SpareBuffer::clone(&spare);
        tokio::task::spawn_local(async move {
            serve(stream, connection, idle_max, spare).await;
            drop(counted);
        });
    }
}
