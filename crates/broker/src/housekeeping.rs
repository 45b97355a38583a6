//! What a broker does from time to time without being asked.

use std::sync::{Arc, Weak};
use std::time::Duration;

use env::{Clock, Env};
use types::MonoTime;

use crate::node::Node;
use crate::timers::Expire;

/// Writes checkpoints and forgets producers that have been silent for too long, at the interval of
/// `log.flush.offset.checkpoint.interval.ms`.
pub struct Housekeeping<E: Env> {
    node: Weak<Node<E>>,
    interval: Duration,
}

impl<E: Env> Housekeeping<E> {
    pub fn start(node: &Arc<Node<E>>) {
        let interval = node.settings.config.log.flush_offset_checkpoint_interval_ms.max(1000);
        let this = Arc::new(Housekeeping {
            node: Arc::downgrade(node),
            interval: Duration::from_millis(interval as u64),
        });
        this.rest(node, node.env().clock().mono());
    }

    fn rest(self: Arc<Self>, node: &Node<E>, now: MonoTime) {
        node.timers.register(now.plus(self.interval), self);
    }
}

impl<E: Env> Expire for Housekeeping<E> {
    fn expire(self: Arc<Self>, now: MonoTime) {
        let Some(node) = self.node.upgrade() else { return };
        let wall = node.env().clock().wall();
        for partition in node.partitions.all() {
            partition.with_log(wall, |log| log.expire_producers(wall));
        }
        node.log_store.checkpoint();
        self.rest(&node, now);
    }
}
