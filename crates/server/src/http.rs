//! The HTTP port: metrics and health, on a thread of its own so that no request of theirs, however
//! large its page, holds up a client's.   ADR 0010

mod routes;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use broker::Node;
use config::HttpListeners;
use env::Env;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::Semaphore;
use tokio::task::LocalSet;
use tokio::time::timeout;

use crate::limits::{
    HTTP_CONNECTION_LIFE_MAX, HTTP_CONNECTIONS_MAX, HTTP_HEAD_BYTES_MAX, HTTP_HEAD_WITHIN,
};
use crate::listener::{Bound, bind};
use crate::run::StartError;
use crate::sockets::{TcpListener, TcpStream};

/// What the pages are about: a node that starts, serves, and stops.
pub(crate) struct Watched<E: Env> {
    node: OnceLock<Arc<Node<E>>>,
    is_stopping: AtomicBool,
}

impl<E: Env> Default for Watched<E> {
    fn default() -> Watched<E> {
        Watched { node: OnceLock::new(), is_stopping: AtomicBool::new(false) }
    }
}

impl<E: Env> Watched<E> {
    /// The node is open: from now on it is ready. Called once.
    pub(crate) fn started(&self, node: &Arc<Node<E>>) {
        let _ = self.node.set(Arc::clone(node));
    }

    pub(crate) fn stopping(&self) {
        self.is_stopping.store(true, Ordering::Release);
    }

    fn node(&self) -> Option<&Node<E>> {
        self.node.get().map(|node| &**node)
    }

    fn is_stopping(&self) -> bool {
        self.is_stopping.load(Ordering::Acquire)
    }
}

/// Binds `http.listeners`. An address that nobody asked for and that is taken is left out, in one
/// line of the log: a node must not fail to start over a port that its owner never named.
///
/// # Errors
/// An address that was asked for cannot be had.
pub(crate) fn bind_all(config: &HttpListeners) -> Result<Vec<Bound>, StartError> {
    let mut bound = Vec::new();
    for listener in &config.listeners {
        match bind(&listener.name, &listener.host, listener.port) {
            Ok(socket) => bound.push(socket),
            Err(error) if config.was_set => {
                return Err(StartError::BindHttp { address: listener.to_string(), error });
            }
            Err(error) => log::warn!(
                target: "kafka.server.HttpServer",
                "metrics and health are not served: cannot listen on {listener} ({error}); \
                 http.listeners names another address, or none"
            ),
        }
    }
    Ok(bound)
}

/// Serves on a thread of its own for as long as the process lives.
///
/// # Errors
/// The system gives no thread.
pub(crate) fn start<E: Env>(bound: Vec<Bound>, watched: Arc<Watched<E>>) -> std::io::Result<()> {
    if bound.is_empty() {
        return Ok(());
    }
    for listener in &bound {
        log::info!(
            target: "kafka.server.HttpServer",
            "metrics and health on http://{}", listener.address
        );
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    thread::Builder::new().name("http".to_owned()).spawn(move || {
        let open = Arc::new(Semaphore::new(HTTP_CONNECTIONS_MAX));
        let local = LocalSet::new();
        for listener in bound {
            local.spawn_local(accept(listener, Arc::clone(&open), Arc::clone(&watched)));
        }
        runtime.block_on(local);
    })?;
    Ok(())
}

async fn accept<E: Env>(bound: Bound, open: Arc<Semaphore>, watched: Arc<Watched<E>>) {
    let is_local = bound.address.ip().is_loopback();
    let listener = match TcpListener::from_std(bound.socket) {
        Ok(listener) => listener,
        Err(error) => {
            return log::error!(target: "kafka.server.HttpServer", "cannot listen: {error}");
        }
    };
    loop {
        // Those who come while too many are open wait in the kernel's queue.
        let Ok(place) = Arc::clone(&open).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let watched = Arc::clone(&watched);
                tokio::task::spawn_local(async move {
                    serve(stream, is_local, &watched).await;
                    drop(place);
                });
            }
            Err(error) => {
                log::warn!(target: "kafka.server.HttpServer", "cannot accept: {error}");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// Serves a connection until either side ends it. Errors are the peer's business.
async fn serve<E: Env>(stream: TcpStream, is_local: bool, watched: &Watched<E>) {
    let service = service_fn(|request| {
        let answer = routes::answer(watched, is_local, &request);
        async move { Ok::<_, std::convert::Infallible>(answer) }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HTTP_HEAD_WITHIN)
        .max_buf_size(HTTP_HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service);
    let _ = timeout(HTTP_CONNECTION_LIFE_MAX, connection).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listeners(port: u16, was_set: bool) -> HttpListeners {
        let listener = config::Listener {
            name: "HTTP".to_owned(),
            protocol: config::SecurityProtocol::Plaintext,
            host: "127.0.0.1".to_owned(),
            port,
        };
        HttpListeners { listeners: vec![listener], was_set }
    }

    #[test]
    fn a_taken_port_is_an_error_only_for_those_who_asked_for_it() {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = taken.local_addr().expect("its address").port();
        assert!(bind_all(&listeners(port, false)).expect("left out").is_empty());
        let refused = bind_all(&listeners(port, true)).err().expect("refused").to_string();
        assert!(refused.contains(&format!("HTTP://127.0.0.1:{port}")), "{refused}");
        assert_eq!(refused.split(" · ").count(), 4, "{refused}");
        assert_eq!(bind_all(&listeners(0, true)).expect("any port").len(), 1);
    }
}
