//! Metadata of the cluster: records ⇄ delta ⇄ image.
//!
//! The metadata log is the truth. [`MetadataRecord`] is the value of one of its records;
//! [`MetadataImage`] is what a prefix of the log amounts to, immutable and cheap to clone;
//! [`MetadataDelta`] is what some records change about an image. [`MetadataLoader`] follows a log.
//! docs/formats/metadata-log.md has the bytes.
//!
//! **Architecture Invariant:** equal logs give equal images: nothing here iterates in hash order,
//! reads a clock or draws a random number.

mod cluster;
mod configs;
mod delta;
mod error;
mod features;
mod image;
pub mod limits;
mod loader;
mod metadata_version;
mod ordered_map;
mod producer_ids;
mod record;
mod snapshot;
mod topics;

pub use cluster::{
    BrokerImage, ClusterDelta, ClusterImage, ControllerImage, Endpoint, FeatureRange,
    RESERVED_DIRECTORIES, SecurityProtocol,
};
pub use configs::{ConfigMap, ConfigResource, ConfigResourceKind, ConfigsDelta, ConfigsImage};
pub use delta::MetadataDelta;
pub use error::{RecordError, ReplayError};
pub use features::{FeaturesDelta, FeaturesImage, KRAFT_VERSION_FEATURE, METADATA_VERSION_FEATURE};
pub use image::{MetadataImage, Provenance};
pub use loader::{Loaded, MetadataLoader};
pub use metadata_version::MetadataVersion;
pub use ordered_map::OrderedMap;
pub use producer_ids::{ProducerIdsDelta, ProducerIdsImage};
pub use record::MetadataRecord;
pub use topics::{
    LEADER_UNCHANGED, LocalPartition, LocalReplicaChanges, NO_LEADER, PartitionImage, RECOVERED,
    RECOVERING, TopicDelta, TopicImage, TopicsDelta, TopicsImage,
};
pub use types::BrokerEpoch;
