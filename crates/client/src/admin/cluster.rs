//! What brokers speak.

use crate::connection::VersionRange;
use crate::error::ClientError;
use crate::routing::Client;

impl Client {
    /// What one broker speaks, by API key.
    pub fn broker_versions(
        &mut self,
        broker: i32,
    ) -> Result<std::collections::BTreeMap<i16, VersionRange>, ClientError> {
        self.on_broker(broker, |connection| Ok(connection.versions().clone()))
    }
}
