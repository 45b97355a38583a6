//! The decisions of the active controller: who may change the cluster's metadata, and how.
//!
//! [`Controller`] decides, then replays. A decision sees the image by `&` and returns records and
//! a reply; [`Controller::replay`] is the only door through which the image changes; the reply
//! waits until the records are committed. docs/requests/create-topics.md walks one request
//! through, docs/adr/0004 has the reasons.
//!
//! **Architecture Invariant:** no clock, no randomness, no I/O. Ids come from the caller, and a
//! decision on equal images with equal ids is the same decision.

mod alter_partition;
mod balance;
mod bootstrap;
mod broker_partitions;
mod brokers;
mod configs;
mod controller;
mod controllers;
mod directories;
mod error;
mod features;
mod fencing;
mod heartbeats;
pub mod limits;
mod liveness;
mod partition_change;
mod partitions;
mod placement;
mod producer_ids;
mod reassignment;
mod result;
mod topic_name;
mod topic_rules;
mod topics;

pub use bootstrap::bootstrap_records;
pub use controller::Controller;
pub use error::ApiError;
pub use features::{SUPPORTED_FEATURES, supported_feature, update_refused};
pub use result::ControllerResult;
pub use topic_name::{InvalidTopicName, is_internal_topic, validate_topic_name};
pub use topics::TopicIds;
