//! The operations a client may do, as the bit fields that UIs show (KIP-430).
//!
//! There is no authorizer yet, so everyone may do everything a kind of resource knows; Kafka
//! without an authorizer answers the same.

/// Bit numbers. Source: Kafka `AclOperation`.
const READ: i32 = 1 << 3;
const WRITE: i32 = 1 << 4;
const CREATE: i32 = 1 << 5;
const DELETE: i32 = 1 << 6;
const ALTER: i32 = 1 << 7;
const DESCRIBE: i32 = 1 << 8;
const CLUSTER_ACTION: i32 = 1 << 9;
const DESCRIBE_CONFIGS: i32 = 1 << 10;
const ALTER_CONFIGS: i32 = 1 << 11;
const IDEMPOTENT_WRITE: i32 = 1 << 12;

/// "Nobody asked."
pub const NOT_ASKED: i32 = i32::MIN;

const TOPIC: i32 =
    READ | WRITE | CREATE | DELETE | ALTER | DESCRIBE | DESCRIBE_CONFIGS | ALTER_CONFIGS;
const CLUSTER: i32 = CREATE
    | CLUSTER_ACTION
    | DESCRIBE_CONFIGS
    | ALTER_CONFIGS
    | IDEMPOTENT_WRITE
    | ALTER
    | DESCRIBE;
const GROUP: i32 = READ | DESCRIBE | DELETE | DESCRIBE_CONFIGS | ALTER_CONFIGS;

pub fn on_topic(asked: bool) -> i32 {
    if asked { TOPIC } else { NOT_ASKED }
}

pub fn on_cluster(asked: bool) -> i32 {
    if asked { CLUSTER } else { NOT_ASKED }
}

pub fn on_group(asked: bool) -> i32 {
    if asked { GROUP } else { NOT_ASKED }
}
