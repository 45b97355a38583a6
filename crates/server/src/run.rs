//! Starts a node, serves until a signal, stops it cleanly.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::time::{Duration, Instant};

use broker::limits::LEAVING_PATIENCE;
use broker::metrics::Metrics;
use broker::{Endpoint, Node, NodeOptions, OpenError};
use config::BrokerConfig;
use env_os::OsEnv;
use tokio::sync::Mutex;
use tokio::task::LocalSet;

use crate::connection_limits::ConnectionLimits;
use crate::http::Watched;
use crate::listener::{Bound, SocketBuffers, accept, bind};
use crate::workers::Workers;
use crate::{http, peer_links, signals, timer_task};

/// What to serve, and what to say when ready.
#[derive(Clone, Debug)]
pub struct ServeOptions {
    pub config: BrokerConfig,
    /// Where the process began, so that the ready line can say how long the start took.
    pub started: Instant,
}

/// Why the server did not start, or did not go on.
#[derive(Debug)]
pub enum StartError {
    Bind {
        address: String,
        error: std::io::Error,
    },
    BindHttp {
        address: String,
        error: std::io::Error,
    },
    Open(OpenError),
    Runtime(std::io::Error),
    /// A disk left the node nothing to go on with.
    Halted(String),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StartError::Bind { address, error } => write!(
                f,
                "cannot listen on {address} · {error} · free the port, or choose another one with \
                 --port or `listeners` · LISTEN_FAILED"
            ),
            StartError::BindHttp { address, error } => write!(
                f,
                "cannot listen on {address} · {error} · free the port, choose another one with \
                 --http-port or `http.listeners`, or none with http.listeners= · LISTEN_FAILED"
            ),
            StartError::Open(error) => error.fmt(f),
            StartError::Halted(why) => f.write_str(why),
            StartError::Runtime(error) => write!(
                f,
                "cannot start the network threads · {error} · raise the limit of processes or open \
                 files (ulimit -u, -n) · THREADS_FAILED"
            ),
        }
    }
}

impl std::error::Error for StartError {}

/// Serves until SIGTERM or SIGINT.
///
/// # Errors
/// The node could not be started, or its disks failed.
pub fn run(options: ServeOptions) -> Result<(), StartError> {
    raise_file_limit();
    let node_config = &options.config.node;
    let bound = bind_all(&node_config.listeners)?;
    let bound_controllers = bind_all(&node_config.controller_listeners)?;
    let bound_http = http::bind_all(&options.config.node.http)?;
    let told = |bound: &[Bound]| bound.iter().map(|b| endpoint(&options.config, b)).collect();
    let (endpoints, controller_endpoints) = (told(&bound), told(&bound_controllers));
    let env = OsEnv::new();
    let config = Arc::new(options.config);
    log::info!(
        target: "kafka.log.LogManager",
        "keeping data in {}", config.node.log_dirs.join(", ")
    );
    // Before the logs are opened, which may take its time after a crash: whoever asks is told.
    let watched = Arc::new(Watched::default());
    http::start(bound_http, Arc::clone(&watched)).map_err(StartError::Runtime)?;
    let node_options = NodeOptions { config: Arc::clone(&config), endpoints, controller_endpoints };
    let node = Node::open(env, node_options).map_err(StartError::Open)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(StartError::Runtime)?;
    let files = Arc::clone(node.open_files());
    let limits = ConnectionLimits::new(&config.network, move |open| files.note_sockets(open));
    let gate = (limits, SocketBuffers::new(&config));
    let idle_max = idle_max(&config);
    let workers = Workers::start(&node, idle_max).map_err(StartError::Runtime)?;
    peer_links::start(Arc::clone(node.peers())).map_err(StartError::Runtime)?;
    watched.started(&node);
    let doors = Doors {
        workers: Arc::new(Mutex::new(workers)),
        limits: gate.0,
        buffers: gate.1,
        metrics: Arc::clone(node.metrics()),
    };
    let bound = (bound, bound_controllers);
    LocalSet::new().block_on(&runtime, serve(&node, bound, doors, options.started));
    watched.stopping();
    node.shutdown();
    log::info!(target: "kafka.server.KafkaServer", "shut down completed");
    node.halt().reason().map_or(Ok(()), |why| Err(StartError::Halted(why)))
}

/// What every listener hands its connections to.
struct Doors {
    workers: Arc<Mutex<Workers>>,
    limits: Arc<ConnectionLimits>,
    buffers: SocketBuffers,
    metrics: Arc<Metrics>,
}

impl Doors {
    fn open(&self, bound: Vec<Bound>) {
        for listener in bound {
            let (workers, limits) = (Arc::clone(&self.workers), Arc::clone(&self.limits));
            let metrics = Arc::clone(&self.metrics);
            tokio::task::spawn_local(accept(listener, workers, limits, self.buffers, metrics));
        }
    }
}

async fn serve(
    node: &Arc<Node<OsEnv>>,
    (clients, controllers): (Vec<Bound>, Vec<Bound>),
    doors: Doors,
    started: Instant,
) {
    let address = |b: &Bound| format!("{}://{}", b.name, b.address);
    let addresses: Vec<String> = clients.iter().chain(&controllers).map(address).collect();
    // Others may need this controller in order to become ready themselves.
    doors.open(controllers);
    let timed = Arc::clone(node);
    tokio::task::spawn_local(async move {
        timer_task::run(Arc::clone(timed.timers()), env::Env::clock(timed.env())).await;
    });
    let began = async {
        poll_fn(|cx| node.poll_ready(cx)).await;
        doors.open(clients);
        poll_fn(|cx| node.poll_running(cx)).await;
        announce(node, &addresses, started.elapsed());
        std::future::pending().await
    };
    let stopped = tokio::select! {
        () = began => return,
        stopped = signals::stop_requested() => stopped,
        // It has said why.
        _ = poll_fn(|cx| node.halt().poll(cx)) => return,
    };
    match stopped {
        Ok(name) => log::info!(target: "kafka.server.KafkaServer", "{name} received, stopping"),
        Err(error) => {
            log::error!(target: "kafka.server.KafkaServer", "cannot watch signals: {error}");
        }
    }
    leave(node).await;
}

/// Lets others take over what is led here, while this node still serves.
async fn leave(node: &Node<OsEnv>) {
    node.begin_leaving();
    tokio::select! {
        () = poll_fn(|cx| node.poll_gone(cx)) => {}
        _ = poll_fn(|cx| node.halt().poll(cx)) => {}
        _ = signals::stop_requested() => {}
        () = tokio::time::sleep(LEAVING_PATIENCE) => log::warn!(
            target: "kafka.server.BrokerLifecycleManager",
            "stopping before others have taken over all that is led here"
        ),
    }
}

/// Test containers and scripts wait for the two Kafka lines; people read the third.
fn announce(node: &Node<OsEnv>, addresses: &[String], took: Duration) {
    let id = node.broker_id();
    log::info!(
        target: "kafka.server.BrokerServer",
        "[BrokerServer id={id}] Transition from STARTING to STARTED"
    );
    log::info!(
        target: "kafka.server.BrokerLifecycleManager",
        "[BrokerLifecycleManager id={id}] The broker has been unfenced. Transitioning from \
         RECOVERY to RUNNING."
    );
    log::info!(target: "kafka.server.KafkaServer", "[KafkaServer id={id}] started");
    log::info!(
        target: "kafka.server.KafkaRaftServer",
        "Kafka Server started: ready in {:.1} ms on {}",
        took.as_secs_f64() * 1000.0,
        addresses.join(", ")
    );
}

fn bind_all(listeners: &[config::Listener]) -> Result<Vec<Bound>, StartError> {
    let bind_one = |listener: &config::Listener| {
        bind(&listener.name, &listener.host, listener.port).map_err(|error| StartError::Bind {
            address: format!("{}:{}", listener.host, listener.port),
            error,
        })
    };
    listeners.iter().map(bind_one).collect()
}

/// Takes every file descriptor the system grants: each connection and each segment is one. The soft
/// limit of most systems, 1,024, is meant for programs that use `select`.
fn raise_file_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let all = Rlimit { current: limit.maximum, maximum: limit.maximum };
    if let Err(error) = setrlimit(Resource::Nofile, all) {
        log::warn!(target: "kafka.server.KafkaServer", "cannot raise the file limit: {error}");
    }
}

/// What others are told: the advertised address, or where the listener is bound.
fn endpoint(config: &BrokerConfig, bound: &Bound) -> Endpoint {
    let node = &config.node;
    let mut advertised = node.advertised_listeners.iter().chain(&node.advertised_controllers);
    let advertised = advertised.find(|l| *l.name == *bound.name);
    let host = match advertised {
        Some(listener) if !listener.host.is_empty() => listener.host.clone(),
        _ if bound.address.ip().is_unspecified() => host_name(),
        _ => bound.address.ip().to_string(),
    };
    let port = match advertised {
        Some(listener) if listener.port != 0 => listener.port,
        _ => bound.address.port(),
    };
    Endpoint { listener: bound.name.to_string(), host, port }
}

/// The machine's own name, as Kafka advertises it for a listener without a host.
fn host_name() -> String {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    if name.is_empty() { "localhost".to_owned() } else { name }
}

fn idle_max(config: &BrokerConfig) -> Duration {
    match u64::try_from(config.network.connections_max_idle_ms) {
        Ok(ms) => Duration::from_millis(ms),
        // Negative: never. A century outlives the process.
        Err(_) => Duration::from_secs(100 * 365 * 86_400),
    }
}
