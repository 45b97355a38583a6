//! How this node and others are one cluster: finding the controller, following its log, being one
//! of its brokers.

mod controller_finder;
mod controller_registration;
mod controller_tasks;
mod forwarding;
mod isolation;
mod lease;
mod lease_wait;
mod lifecycle;
mod loopback;
mod metadata_follower;
pub mod quorum;
mod replication_links;
mod to_controller;

pub use controller_finder::ControllerFinder;
pub use controller_registration::ControllerRegistration;
pub use controller_tasks::ControllerTasks;
pub use forwarding::{forward, is_forwarded};
pub use isolation::Isolation;
pub use lease::Lease;
pub use lease_wait::LeaseWait;
pub use lifecycle::Lifecycle;
pub use loopback::serve_frame;
pub use metadata_follower::MetadataFollower;
pub use replication_links::PeerReplicationLinks;
pub use to_controller::{Patience, ToController};
