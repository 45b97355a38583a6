//! Connections to other nodes: made when the broker has something to send, ended when it or the
//! network gives up. Nothing is decided here.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::thread;

use broker::peers::{Link, PeerCall, PeerInbox, Peers};
use bytes::Bytes;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::{AbortHandle, LocalSet};

use crate::connection::write_all;
use crate::sockets::TcpStream;

/// One connection, or the attempt to make it.
struct Open {
    /// Bounded by the broker: `PEER_REQUESTS_MAX` requests may wait on a link.
    frames: UnboundedSender<Vec<Bytes>>,
    task: AbortHandle,
}

/// Carries the broker's requests on a thread of their own, for as long as the process lives: no
/// client's request is in the way of a heartbeat.
///
/// # Errors
/// The machine grants no thread.
pub(crate) fn start(peers: Arc<Peers>) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    thread::Builder::new().name("peers".to_owned()).spawn(move || {
        LocalSet::new().block_on(&runtime, carry_all(peers));
    })?;
    Ok(())
}

async fn carry_all(peers: Arc<Peers>) {
    let mut links: BTreeMap<Link, Open> = BTreeMap::new();
    loop {
        match poll_fn(|cx| peers.poll_call(cx)).await {
            PeerCall::Send { link, frame } => {
                let is_open = links.get(&link).is_some_and(|open| !open.frames.is_closed());
                if !is_open {
                    links.insert(link.clone(), open(&link, &peers));
                }
                if let Some(open) = links.get(&link) {
                    // A link ends only between two calls: nothing is lost here.
                    let _ = open.frames.send(frame);
                }
            }
            PeerCall::Cut { link } => {
                if let Some(open) = links.remove(&link) {
                    open.task.abort();
                }
            }
        }
    }
}

fn open(link: &Link, peers: &Arc<Peers>) -> Open {
    let (sender, frames) = unbounded_channel();
    let (link, peers) = (link.clone(), Arc::clone(peers));
    let task = tokio::task::spawn_local(async move {
        let mut frames = frames;
        let Err(error) = carry(&link, &peers, &mut frames).await;
        log::debug!(target: "kafka.network.Peers", "{} {:?}: {error}", link.address, link.channel);
        // No await from here to the end: what is asked from now on opens another connection.
        match error.kind() {
            io::ErrorKind::ConnectionRefused => peers.handle_refused(&link),
            _ => peers.handle_disconnect(&link),
        }
    });
    Open { frames: sender, task: task.abort_handle() }
}

/// Connects, then writes what is to be sent and reads what comes, side by side.
async fn carry(
    link: &Link,
    peers: &Peers,
    frames: &mut UnboundedReceiver<Vec<Bytes>>,
) -> Result<std::convert::Infallible, io::Error> {
    let stream = TcpStream::connect((&*link.address.host, link.address.port)).await?;
    stream.set_nodelay(true)?;
    let stream = &stream;
    tokio::select! {
        written = async {
            loop {
                let frame = frames.recv().await.ok_or(io::ErrorKind::ConnectionAborted)?;
                write_all(stream, frame).await?;
            }
        } => written,
        read = async {
            let mut inbox = PeerInbox::default();
            loop {
                stream.readable().await?;
                read_available(stream, &mut inbox, peers, link)?;
            }
        } => read,
    }
}

fn read_available(
    stream: &TcpStream,
    inbox: &mut PeerInbox,
    peers: &Peers,
    link: &Link,
) -> io::Result<()> {
    let buffer = inbox.buffer();
    let room = buffer.capacity() - buffer.len();
    match stream.try_read_buf(buffer) {
        Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
        Ok(read) if inbox.handle_read(read, room, peers, link) => Ok(()),
        Ok(_) => Err(io::ErrorKind::InvalidData.into()),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
        Err(error) => Err(error),
    }
}
