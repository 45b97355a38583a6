use std::sync::Arc;

use protocol::{ApiKey, Str};
use types::{MonoTime, WallTime};

use crate::network::ConnectionInfo;
use crate::partitions::DueTurns;

/// Through which kind of listener a request came. Clients and controllers are not offered the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    Clients,
    /// `controller.listener.names`.
    Controllers,
}

/// What every handler may know of a request besides its body.
///
/// `version` is for the door only: handlers translate it into facts and pass those on.
#[derive(Clone, Debug)]
pub struct RequestContext {
    pub connection: Arc<ConnectionInfo>,
    pub door: Door,
    /// Since when the client is connected; `None` if its request came another way.
    pub connected: Option<MonoTime>,
    /// Where a handler notes to which partitions it has submitted something.
    pub turns: Arc<DueTurns>,
    pub key: ApiKey,
    pub version: i16,
    pub client_id: Option<Str>,
    /// When the whole request had arrived.
    pub now: MonoTime,
    pub wall: WallTime,
}

impl RequestContext {
    /// The client's id, empty if it sent none.
    pub fn client_id(&self) -> &str {
        self.client_id.as_deref().unwrap_or_default()
    }

    /// The client's address as Kafka's tools print it: `/127.0.0.1`.
    pub fn client_host(&self) -> String {
        format!("/{}", self.connection.peer.ip())
    }
}
