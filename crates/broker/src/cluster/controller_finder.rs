use std::sync::{Mutex, MutexGuard, PoisonError};

use config::QuorumConfig;
use types::BrokerId;

use crate::peers::PeerAddress;

/// Which controller is asked: the active one as far as it is known, else one after another.
#[doc(alias = "ControllerNodeProvider")]
#[derive(Debug)]
pub struct ControllerFinder {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// From the configuration; the id of a bootstrap server is not known.
    candidates: Vec<(Option<BrokerId>, PeerAddress)>,
    /// Which candidate is asked while no leader is known.
    turn: usize,
    leader: Option<PeerAddress>,
    /// The newest of which a leader was named.
    epoch: i32,
}

impl ControllerFinder {
    pub fn new(quorum: &QuorumConfig) -> ControllerFinder {
        let address =
            |at: &config::HostPort| PeerAddress { host: (&*at.host).into(), port: at.port };
        let voters = quorum.voters.iter().map(|v| (Some(v.id), address(&v.address)));
        let servers = quorum.bootstrap_servers.iter().map(|at| (None, address(at)));
        let candidates = voters.chain(servers).collect();
        let state = State { candidates, turn: 0, leader: None, epoch: -1 };
        ControllerFinder { state: Mutex::new(state) }
    }

    /// Whom to ask next; `None` if there is no other controller than the one in this process.
    pub fn current(&self) -> Option<PeerAddress> {
        let state = self.lock();
        let candidate = || state.candidates.get(state.turn).map(|(_, address)| address.clone());
        state.leader.clone().or_else(candidate)
    }

    /// Somebody says who leads the quorum in `epoch`, and perhaps where. Returns the address that
    /// is asked no more.
    pub fn handle_leader(
        &self,
        id: BrokerId,
        epoch: i32,
        address: Option<PeerAddress>,
    ) -> Option<PeerAddress> {
        let mut state = self.lock();
        if epoch < state.epoch {
            return None;
        }
        let known = state.candidates.iter().find(|(candidate, _)| *candidate == Some(id));
        let address = address.or_else(|| known.map(|(_, address)| address.clone()))?;
        state.epoch = epoch;
        if state.leader.as_ref() == Some(&address) {
            return None;
        }
        state.leader.replace(address)
    }

    /// `address` answers that it does not lead, or not at all: somebody else is asked.
    pub fn handle_failure(&self, address: &PeerAddress) {
        let mut state = self.lock();
        match &state.leader {
            Some(leader) if leader == address => state.leader = None,
            // Somebody else has found out already.
            Some(_) => return,
            None => {}
        }
        let asked = state.candidates.get(state.turn).is_some_and(|(_, at)| at == address);
        if asked {
            state.turn = (state.turn + 1) % state.candidates.len();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(host: &str) -> PeerAddress {
        PeerAddress { host: host.into(), port: 9093 }
    }

    fn finder() -> ControllerFinder {
        let host = |host: &str| config::HostPort { host: host.to_owned(), port: 9093 };
        let voter = |id, name| config::QuorumVoter { id: BrokerId(id), address: host(name) };
        ControllerFinder::new(&QuorumConfig {
            voters: vec![voter(1, "a"), voter(2, "b")],
            bootstrap_servers: vec![host("c")],
            ..QuorumConfig::default()
        })
    }

    #[test]
    fn candidates_are_asked_in_turn_until_one_names_the_leader() {
        let finder = finder();
        for host in ["a", "b", "c", "a"] {
            assert_eq!(finder.current(), Some(at(host)));
            finder.handle_failure(&at(host));
        }
        assert_eq!(finder.handle_leader(BrokerId(2), 5, None), None);
        assert_eq!(finder.current(), Some(at("b")));
    }

    #[test]
    fn what_is_said_of_a_past_epoch_is_not_believed() {
        let finder = finder();
        finder.handle_leader(BrokerId(2), 5, None);
        finder.handle_leader(BrokerId(1), 4, None);
        assert_eq!(finder.current(), Some(at("b")));
        assert_eq!(finder.handle_leader(BrokerId(7), 6, Some(at("d"))), Some(at("b")));
        assert_eq!(finder.current(), Some(at("d")));
    }

    #[test]
    fn a_failure_of_one_that_is_asked_no_more_changes_nothing() {
        let finder = finder();
        finder.handle_leader(BrokerId(2), 5, None);
        finder.handle_failure(&at("a"));
        assert_eq!(finder.current(), Some(at("b")));
        finder.handle_failure(&at("b"));
        assert_eq!(finder.current(), Some(at("a")));
    }
}
