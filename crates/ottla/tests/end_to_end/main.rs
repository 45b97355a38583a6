//! The binary against a node of its own: what people type, and what they read.

mod benching;
mod cluster;
mod draining;
mod dumping;
mod failures;
mod freezing;
mod http;
mod moving;
mod node;
mod scenario;
mod stories;
mod verifying;
mod voters;
