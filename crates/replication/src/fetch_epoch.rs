use types::{ErrorCode, LeaderEpoch};

/// Whether a request that was made under `asked` may be served under `current`. Replicas always
/// say their epoch; consumers may leave it out.
///
/// # Errors
/// `FENCED_LEADER_EPOCH` – it comes from the past.
/// `UNKNOWN_LEADER_EPOCH` – this broker is the one that has not heard yet.
///
/// **Source:** KIP-320; Kafka `Partition.checkCurrentLeaderEpoch`.
pub fn check_fetch_epoch(asked: LeaderEpoch, current: LeaderEpoch) -> Option<ErrorCode> {
    match asked {
        LeaderEpoch::NONE => None,
        _ if asked < current => Some(ErrorCode::FencedLeaderEpoch),
        _ if asked > current => Some(ErrorCode::UnknownLeaderEpoch),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_epoch_is_fenced_and_a_newer_one_is_unknown() {
        let check = |asked| check_fetch_epoch(LeaderEpoch(asked), LeaderEpoch(4));
        assert_eq!(check(3), Some(ErrorCode::FencedLeaderEpoch));
        assert_eq!(check(5), Some(ErrorCode::UnknownLeaderEpoch));
        assert_eq!((check(4), check(-1)), (None, None));
    }
}
