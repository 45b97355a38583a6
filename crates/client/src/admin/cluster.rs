//! The cluster as a whole: its brokers, what they speak, how much they store.

use protocol::messages::DescribeLogDirsRequest;

use crate::connection::VersionRange;
use crate::error::ClientError;
use crate::routing::Client;

/// One log directory of a broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogDirUsage {
    pub path: String,
    /// Kafka's error code; 0 if the directory works.
    pub error: i16,
    pub partitions: usize,
    pub bytes: i64,
    /// Of the whole disk; -1 if the broker is too old to say.
    pub disk_bytes: i64,
    pub usable_bytes: i64,
}

impl Client {
    /// What one broker speaks, by API key.
    pub fn broker_versions(
        &mut self,
        broker: i32,
    ) -> Result<std::collections::BTreeMap<i16, VersionRange>, ClientError> {
        self.on_broker(broker, |connection| Ok(connection.versions().clone()))
    }

    /// What one broker stores.
    pub fn log_dirs(&mut self, broker: i32) -> Result<Vec<LogDirUsage>, ClientError> {
        let request = DescribeLogDirsRequest { topics: None };
        let answer = self.call_broker(broker, &request)?;
        if answer.error_code != 0 {
            let what = format!("describe the log directories of broker {broker}");
            return Err(ClientError::broker(what, answer.error_code, None));
        }
        let usage = answer.results.iter().map(|dir| {
            let partitions = || dir.topics.iter().flat_map(|topic| &topic.partitions);
            LogDirUsage {
                path: dir.log_dir.to_string(),
                error: dir.error_code,
                partitions: partitions().count(),
                bytes: partitions().map(|partition| partition.partition_size).sum(),
                disk_bytes: dir.total_bytes,
                usable_bytes: dir.usable_bytes,
            }
        });
        Ok(usage.collect())
    }
}
