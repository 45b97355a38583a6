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
    /// From the configuration, where the id of a bootstrap server is not known, and the last leader
    /// that was elsewhere and did not answer as such.
    candidates: Vec<(Option<BrokerId>, PeerAddress)>,
    configured: usize,
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
        let candidates: Vec<_> = voters.chain(servers).collect();
        let configured = candidates.len();
        let state = State { candidates, configured, turn: 0, leader: None, epoch: -1 };
        ControllerFinder { state: Mutex::new(state) }
    }

    /// Whom to ask next; `None` if there is no other controller than the one in this process.
    pub fn current(&self) -> Option<PeerAddress> {
        let state = self.lock();
        let candidate = || state.candidates.get(state.turn).map(|(_, address)| address.clone());
        state.leader.clone().or_else(candidate)
    }

    /// Somebody says who leads the quorum in `epoch`, and perhaps where. Returns the addresses that
    /// are asked no more, if that is news: one of them may be frozen, and hold what it was asked.
    pub fn handle_leader(
        &self,
        id: BrokerId,
        epoch: i32,
        address: Option<PeerAddress>,
    ) -> Vec<PeerAddress> {
        let mut state = self.lock();
        let known = state.candidates.iter().find(|(candidate, _)| *candidate == Some(id));
        let address = address.or_else(|| known.map(|(_, address)| address.clone()));
        match address {
            Some(address) if epoch >= state.epoch && state.leader.as_ref() != Some(&address) => {
                state.follow(epoch, Some(address))
            }
            _ => {
                state.epoch = state.epoch.max(epoch);
                Vec::new()
            }
        }
    }

    /// The controller in this process is the active one. Returns the addresses that are asked no
    /// more.
    pub fn handle_leader_here(&self, epoch: i32) -> Vec<PeerAddress> {
        self.lock().follow(epoch, None)
    }

    /// `address` answers that it does not lead, or not at all: somebody else is asked, and it again
    /// in its turn. It may lead in a moment, and nobody names it twice.
    pub fn handle_failure(&self, address: &PeerAddress) {
        let mut state = self.lock();
        match &state.leader {
            Some(leader) if leader == address => state.leader = None,
            // Somebody else has found out already.
            Some(_) => return,
            None => {}
        }
        if state.candidates.iter().all(|(_, at)| at != address) {
            let configured = state.configured;
            state.candidates.truncate(configured);
            state.candidates.push((None, address.clone()));
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

impl State {
    /// Returns all others that may have been asked.
    fn follow(&mut self, epoch: i32, leader: Option<PeerAddress>) -> Vec<PeerAddress> {
        self.epoch = epoch;
        let before = std::mem::replace(&mut self.leader, leader);
        let candidates = self.candidates.iter().map(|(_, address)| address.clone());
        let mut others: Vec<_> = before.into_iter().chain(candidates).collect();
        others.retain(|address| self.leader.as_ref() != Some(address));
        others.sort();
        others.dedup();
        others
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
        finder.handle_leader(BrokerId(2), 5, None);
        assert_eq!(finder.current(), Some(at("b")));
    }

    #[test]
    fn what_is_said_of_a_past_epoch_is_not_believed() {
        let finder = finder();
        finder.handle_leader(BrokerId(2), 5, None);
        finder.handle_leader(BrokerId(1), 4, None);
        assert_eq!(finder.current(), Some(at("b")));
        finder.handle_leader(BrokerId(7), 6, Some(at("d")));
        assert_eq!(finder.current(), Some(at("d")));
    }

    #[test]
    fn nobody_waits_for_another_controller_than_the_one_that_leads() {
        let finder = finder();
        let (a, b, c, d) = (at("a"), at("b"), at("c"), at("d"));
        assert_eq!(finder.handle_leader(BrokerId(2), 5, None), [a.clone(), c.clone()]);
        assert_eq!(finder.handle_leader(BrokerId(2), 5, None), [], "no news");
        let given_up = finder.handle_leader(BrokerId(7), 6, Some(d.clone()));
        assert_eq!(given_up, [a.clone(), b.clone(), c.clone()]);
        assert_eq!(finder.handle_leader_here(7), [a, b, c, d]);
    }

    #[test]
    fn a_leader_that_is_no_configured_server_is_asked_again_after_it_refused_once() {
        let finder = finder();
        finder.handle_leader(BrokerId(7), 6, Some(at("d")));
        for host in ["d", "a", "b", "c", "d", "a"] {
            assert_eq!(finder.current(), Some(at(host)));
            finder.handle_failure(&at(host));
        }
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
