//! What a voter finds when it starts, and how Raft is set up.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use raft::Config;
use types::{Offset, WallTime};

use super::RaftTiming;
use super::peers::raft_id;
use super::quorum_state::QuorumState;
use super::store::{Store, term_of};
use crate::limits::{APPEND_BYTES, APPENDS_IN_FLIGHT_MAX, COMMITTED_BYTES_PER_TURN};
use crate::single_voter::no_snapshot;
use crate::{Epoch, LogMark, MetadataLog, Voter, VoterKey};

pub(super) fn config(id: u64, applied: u64, timing: &RaftTiming) -> Config {
    Config {
        id,
        applied,
        election_tick: timing.lease_ticks,
        min_election_tick: timing.miss_ticks.0.min(timing.retry_ticks.0),
        max_election_tick: timing.miss_ticks.1.max(timing.retry_ticks.1),
        heartbeat_tick: timing.heartbeat_ticks,
        max_size_per_msg: APPEND_BYTES,
        max_inflight_msgs: APPENDS_IN_FLIGHT_MAX,
        max_committed_size_per_ready: COMMITTED_BYTES_PER_TURN,
        // A leader without a majority steps down, and a voter that was away does not depose one.
        check_quorum: true,
        pre_vote: true,
        // With it raft 0.7 can glue entries onto an empty append whose index they do not follow:
        // followers then acknowledge what they do not have.
        batch_append: false,
        ..Config::default()
    }
}

/// The state that the directory has.
pub(super) fn known_state(bytes: &[u8], voter: VoterKey) -> io::Result<QuorumState> {
    let bad = |why: String| io::Error::new(io::ErrorKind::InvalidData, why);
    let state = QuorumState::decode(bytes)
        .ok_or_else(|| bad("the quorum state does not match its checksum".to_owned()))?;
    if state.directory != voter.directory {
        return Err(bad(format!(
            "the quorum state belongs to log directory {}, this is {}: a voter's disk is not \
             copied to another node",
            state.directory, voter.directory
        )));
    }
    Ok(state)
}

/// The state of a directory that never voted.
pub(super) fn first_state<L: MetadataLog>(
    log: &L,
    voter: VoterKey,
    voters: Vec<Voter>,
) -> io::Result<QuorumState> {
    let bad = |why: &str| Err(io::Error::new(io::ErrorKind::InvalidInput, why.to_owned()));
    if voter.directory.is_zero() {
        return bad("a voter's log directory has an id");
    }
    let named = VoterKey { directory: types::Uuid::ZERO, ..voter };
    let own = voters.iter().map(|member| member.key).find(|key| key.id == voter.id);
    let self_id = match own {
        Some(key) if key == named || key == voter => raft_id(key, &BTreeMap::new()),
        Some(_) => return bad("the voters name this node with another log directory"),
        None if voters.is_empty() => raft_id(voter, &BTreeMap::new()),
        None => return bad("the voters do not name this node"),
    };
    if voters.len() != 1 && log.log_end() > Offset::ZERO {
        // The others would agree without it, and never know what it has.
        return bad(
            "this log directory holds a metadata log of a quorum of one; start it alone, then add \
             the other controllers",
        );
    }
    Ok(QuorumState {
        directory: voter.directory,
        self_id,
        term: term_of(log.last_epoch()),
        vote: 0,
        commit: 0,
        first: first_of(log)?,
        start: log.log_start(),
        restarts: false,
        voters,
        // Whoever wrote this log alone had no other voters, whatever it says of them.
        voters_index: u64::MAX,
        peers: BTreeMap::new(),
        retired: BTreeSet::new(),
    })
}

/// The index of the first batch of a log that one voter wrote alone, and the term before it. Where
/// it was trimmed one number stands for all that is gone, so that nobody takes the first batch for
/// the first there ever was.
fn first_of<L: MetadataLog>(log: &L) -> io::Result<(u64, u64)> {
    let start = log.log_start();
    if start == Offset::ZERO {
        return Ok((1, 0));
    }
    let snapshot = log.find_snapshot(start)?.filter(|snapshot| snapshot.end == start);
    let next = log.read(start)?.map(|next| next.epoch);
    let before = snapshot.map(|snapshot| snapshot.epoch).or(next);
    Ok((2, term_of(before.unwrap_or(Epoch::NONE))))
}

/// Takes up a log whose beginning anew was interrupted.
pub(super) fn restart<L: MetadataLog>(
    log: &mut L,
    state: &mut QuorumState,
    now: WallTime,
) -> io::Result<()> {
    if state.restarts {
        log.restart_at(state.start, now)?;
        state.restarts = false;
        log.set_quorum_state(&state.encode())?;
    }
    Ok(())
}

/// What the host is to know from a snapshot, and the last batch that is in it.
///
/// # Errors
/// The log was trimmed, and no snapshot has what it was trimmed of.
pub(super) fn known<L: MetadataLog>(store: &mut Store<L>) -> io::Result<Option<(u64, LogMark)>> {
    let start = store.state().start;
    let found = store.log().find_snapshot(start)?;
    let known = found.and_then(|mark| Some((store.index_of(mark)?, mark)));
    if known.is_none() && start > Offset::ZERO {
        return Err(no_snapshot(start));
    }
    if let Some((index, _)) = known {
        store.know(index);
    }
    Ok(known)
}

/// The log may have seen reigns of which the quorum state knows nothing: those of a single voter.
pub(super) fn repair<L: MetadataLog>(store: &mut Store<L>) -> io::Result<()> {
    let (last, term) = (store.last(), term_of(store.log().last_epoch()));
    let commit = store.state().commit;
    if last < commit {
        let why = format!("the metadata log ends at batch {last}, {commit} were committed");
        return Err(io::Error::new(io::ErrorKind::InvalidData, why));
    }
    store.change_state(|state| {
        state.voters_index = state.voters_index.min(last);
        if term > state.term {
            (state.term, state.vote) = (term, 0);
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raft_runs_with_quorum_checks_and_pre_votes_and_without_batched_appends() {
        let config = config(1, 0, &RaftTiming::default());
        assert!(config.check_quorum && config.pre_vote && !config.batch_append);
        config.validate().expect("Raft takes the default timing");
    }
}
