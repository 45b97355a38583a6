//! How many connections there may be: in all, and from one address.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use config::NetworkConfig;

/// `max.connections`, `max.connections.per.ip` and its overrides.
#[doc(alias = "ConnectionQuotas")]
pub(crate) struct ConnectionLimits {
    all_max: usize,
    per_ip_max: usize,
    overrides: BTreeMap<IpAddr, usize>,
    open: Mutex<BTreeMap<IpAddr, usize>>,
    /// Hears how many are open.
    tell: Box<dyn Fn(usize) + Send + Sync>,
}

/// A connection that counts, for as long as this lives.
pub(crate) struct Counted {
    limits: Arc<ConnectionLimits>,
    ip: IpAddr,
}

impl ConnectionLimits {
    pub(crate) fn new(
        config: &NetworkConfig,
        tell: impl Fn(usize) + Send + Sync + 'static,
    ) -> Arc<ConnectionLimits> {
        let count = |limit: i32| usize::try_from(limit).unwrap_or(0);
        let named = config.max_connections_per_ip_overrides.iter();
        let by_ip = named.filter_map(|(host, limit)| Some((host.parse().ok()?, count(*limit))));
        Arc::new(ConnectionLimits {
            all_max: count(config.max_connections),
            per_ip_max: count(config.max_connections_per_ip),
            overrides: by_ip.collect(),
            open: Mutex::default(),
            tell: Box::new(tell),
        })
    }

    /// Counts a connection from `ip`; `None` if there are too many, and it must be closed.
    pub(crate) fn admit(self: &Arc<Self>, ip: IpAddr) -> Option<Counted> {
        let mut open = self.lock();
        let from_here = open.get(&ip).copied().unwrap_or(0);
        let ip_max = self.overrides.get(&ip).copied().unwrap_or(self.per_ip_max);
        let all = open.values().sum::<usize>();
        if from_here >= ip_max || all >= self.all_max {
            return None;
        }
        open.insert(ip, from_here + 1);
        drop(open);
        (self.tell)(all + 1);
        Some(Counted { limits: Arc::clone(self), ip })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<IpAddr, usize>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut open = self.limits.lock();
        match open.get_mut(&self.ip) {
            Some(count) if *count > 1 => *count -= 1,
            _ => {
                open.remove(&self.ip);
            }
        }
        let all = open.values().sum::<usize>();
        drop(open);
        (self.limits.tell)(all);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(all: i32, per_ip: i32) -> Arc<ConnectionLimits> {
        let overrides =
            [format!("max.connections={all}"), format!("max.connections.per.ip={per_ip}")];
        let sources = config::Sources { overrides: &overrides, ..Default::default() };
        let loaded = config::load(sources).expect("a sound configuration");
        ConnectionLimits::new(&loaded.config.network, |_| ())
    }

    #[test]
    fn one_address_is_held_to_its_limit_and_gets_room_when_it_closes() {
        let limits = limits(10, 2);
        let (one, other) = (IpAddr::from([127, 0, 0, 1]), IpAddr::from([127, 0, 0, 2]));
        let first = limits.admit(one);
        let _second = limits.admit(one);
        assert!(limits.admit(one).is_none());
        assert!(limits.admit(other).is_some(), "others are not held to it");
        drop(first);
        assert!(limits.admit(one).is_some());
    }

    #[test]
    fn all_addresses_together_are_held_to_the_limit() {
        let limits = limits(1, 5);
        let _only = limits.admit([127, 0, 0, 1].into());
        assert!(limits.admit([127, 0, 0, 2].into()).is_none());
    }
}
