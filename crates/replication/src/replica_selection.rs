use std::cmp::Reverse;
use std::time::Duration;

use types::{BrokerId, Offset};

/// A replica that a consumer could read from.
#[derive(Clone, Copy, Debug)]
pub struct ReplicaView<'a> {
    pub id: BrokerId,
    pub rack: &'a str,
    pub log_start: Offset,
    pub log_end: Offset,
    /// How long ago it was known to have everything.
    pub since_caught_up: Duration,
}

/// The in-sync follower in the consumer's rack that is furthest, if the leader is not in that rack
/// itself and one holds `offset`. `None`: read from the leader.
///
/// **Source:** KIP-392, Kafka `RackAwareReplicaSelector`.
#[doc(alias = "RackAwareReplicaSelector")]
pub fn preferred_read_replica<'a>(
    client_rack: &str,
    offset: Offset,
    leader_rack: Option<&str>,
    followers: impl IntoIterator<Item = ReplicaView<'a>>,
) -> Option<BrokerId> {
    if client_rack.is_empty() || leader_rack == Some(client_rack) {
        return None;
    }
    let holds = |view: &ReplicaView<'_>| (view.log_start..=view.log_end).contains(&offset);
    let near = followers.into_iter().filter(|view| view.rack == client_rack && holds(view));
    near.max_by_key(|view| (view.log_end, Reverse(view.since_caught_up), Reverse(view.id)))
        .map(|view| view.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(id: i32, rack: &str, log_end: i64) -> ReplicaView<'_> {
        ReplicaView {
            id: BrokerId(id),
            rack,
            log_start: Offset(5),
            log_end: Offset(log_end),
            since_caught_up: Duration::ZERO,
        }
    }

    #[test]
    fn a_consumer_is_sent_to_the_furthest_follower_of_its_rack_that_holds_the_offset() {
        let all = [view(1, "a", 20), view(2, "b", 18), view(3, "b", 19), view(4, "b", 19)];
        let choose = |rack, offset| preferred_read_replica(rack, Offset(offset), Some("a"), all);
        assert_eq!(choose("b", 10), Some(BrokerId(3)));
        assert_eq!(choose("b", 20), None, "nobody there has it yet");
        assert_eq!(choose("b", 4), None, "nobody there has it any more");
        assert_eq!(choose("a", 10), None, "the leader is there itself");
        assert_eq!((choose("c", 10), choose("", 10)), (None, None));
    }
}
