//! The one place that names the socket types, so that a simulated network can take their place.

pub use tokio::net::{TcpListener, TcpStream};
