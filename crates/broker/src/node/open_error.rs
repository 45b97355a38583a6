use std::fmt;
use std::io;

use storage::StorageError;
use types::BrokerId;

/// Why a node does not start. Four parts: what failed, why, what to do, a code.
#[derive(Debug)]
pub enum OpenError {
    LogDir { path: String, error: StorageError },
    ForeignNode { path: String, found: BrokerId, configured: BrokerId },
    ForeignCluster { path: String, found: String, first: String, other: String },
    BadClusterId { path: String, id: String },
    NotFormatted { path: String },
    Logs(StorageError),
    Metadata(String),
    Registration(String),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OpenError::LogDir { path, error } => {
                let mend = match error {
                    StorageError::Io { kind: io::ErrorKind::WouldBlock, .. } => {
                        "stop the process that uses it"
                    }
                    _ => "check the disk and what is allowed there",
                };
                write!(
                    f,
                    "cannot use log directory {path} · {error} · {mend}, or give another \
                     --data-dir or log.dirs · LOG_DIR_UNUSABLE"
                )
            }
            OpenError::ForeignNode { path, found, configured } => write!(
                f,
                "cannot use log directory {path} · it belongs to node {found}, this is node \
                 {configured} · set node.id={found}, or point log.dirs elsewhere · WRONG_NODE_ID"
            ),
            OpenError::ForeignCluster { path, found, first, other } => write!(
                f,
                "cannot use log directory {path} · it belongs to cluster {found}, {other} belongs \
                 to {first} · log.dirs must be of one cluster · INCONSISTENT_CLUSTER_ID"
            ),
            OpenError::BadClusterId { path, id } => write!(
                f,
                "cannot use log directory {path} · its cluster.id {id} is no id · format it anew \
                 with `ottla kafka-storage format` · BAD_CLUSTER_ID"
            ),
            OpenError::NotFormatted { path } => write!(
                f,
                "cannot use log directory {path} · it has no meta.properties, and a node of \
                 several cannot choose the id of their cluster · format it with the cluster's id: \
                 `ottla kafka-storage format -t CLUSTER_ID -c FILE` · NOT_FORMATTED"
            ),
            OpenError::Logs(error) => write!(
                f,
                "cannot open the logs · {error} · check the disk, then `ottla log dump` the file \
                 named above · KAFKA_STORAGE_ERROR"
            ),
            OpenError::Metadata(why) => write!(
                f,
                "cannot read the metadata log · {why} · look at it with `ottla log dump` · \
                 METADATA_UNREADABLE"
            ),
            OpenError::Registration(why) => write!(
                f,
                "cannot register with the controller · {why} · check node.id and log.dirs · \
                 REGISTRATION_REFUSED"
            ),
        }
    }
}

impl std::error::Error for OpenError {}
