//! Topics that the broker keeps for itself. Source: Kafka `Topic`.

/// Where groups live: members, generations, committed offsets.
pub const OFFSETS_TOPIC: &str = "__consumer_offsets";
const TRANSACTION_TOPIC: &str = "__transaction_state";
const SHARE_TOPIC: &str = "__share_group_state";

/// Clients may read these; only coordinators write them.
pub fn is_internal(topic: &str) -> bool {
    matches!(topic, OFFSETS_TOPIC | TRANSACTION_TOPIC | SHARE_TOPIC)
}
