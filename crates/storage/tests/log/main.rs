//! Whole logs on a simulated disk: stories, a model that knows the answer, and Kafka's own
//! directories.

mod appending;
mod cleaning;
mod cleaning_crashes;
mod cleaning_model;
mod cleaning_support;
mod commit_ways;
mod committing;
mod directories;
mod faults;
mod full_disk;
mod kafka_directories;
mod model;
mod reading;
mod recovering;
mod shortening;
mod support;
mod verifying;
mod write_back;
