//! What becomes of the partitions of a log directory that has failed, and of those for which there
//! was no room.

use std::sync::{Arc, Weak};

use controller::Controller;
use env::{Clock, Env};
use types::{ErrorCode, MonoTime, Uuid};

use crate::internal_topics::OFFSETS_TOPIC;
use crate::limits::UNMADE_RETRY;
use crate::log_store::FailedDir;
use crate::metadata_publisher::make_unmade;
use crate::node::Node;
use crate::registration;
use crate::timers::Expire;

/// Looks for failed directories as soon as one says that it is. Whoever met the error holds locks
/// of a log, so this runs by itself, from the timers.
///
/// Source: Kafka `ReplicaManager.handleLogDirFailure`.
#[doc(alias = "LogDirFailureHandler")]
#[doc(alias = "LogDirFailureChannel")]
pub struct FailedDirs<E: Env> {
    node: Weak<Node<E>>,
}

impl<E: Env> FailedDirs<E> {
    /// Begins to watch; directories that have failed already are seen to at once.
    pub fn watch(node: &Arc<Node<E>>) {
        let watch = Arc::new(FailedDirs { node: Arc::downgrade(node) });
        let (timers, env, later) =
            (Arc::downgrade(node.timers()), node.env().clone(), watch.clone());
        node.log_store.on_failure(move || {
            let later: Arc<dyn Expire> = later.clone();
            if let Some(timers) = timers.upgrade() {
                timers.register(env.clock().mono(), later);
            }
        });
        watch.look(node);
        Arc::new(Unmade { node: Arc::downgrade(node) }).rest(node);
    }

    fn look(&self, node: &Node<E>) {
        let failed = node.log_store.take_failed();
        if failed.is_empty() {
            return;
        }
        for dir in &failed {
            close_partitions(node, dir);
            log::error!(
                target: "kafka.log.LogManager",
                "log directory {} is out of use, its partitions are offline, all others are served \
                 · {} · repair or replace the disk, then restart the node; to give a partition up, \
                 delete its topic · KAFKA_STORAGE_ERROR",
                dir.path, dir.error
            );
        }
        if let Some(why) = node.log_store.why_hopeless() {
            let error = &failed[0].error;
            node.halt.because(format!(
                "the node stops · {why}: {error} · repair or replace the disk, then start the node \
                 again; what was acknowledged before is on it · KAFKA_STORAGE_ERROR"
            ));
            return;
        }
        tell_controller(node, failed.iter().filter_map(|dir| dir.id).collect());
    }
}

impl<E: Env> Expire for FailedDirs<E> {
    fn expire(self: Arc<Self>, _now: MonoTime) {
        if let Some(node) = self.node.upgrade() {
            self.look(&node);
        }
    }
}

/// Whoever asks for them or waits for them is answered.
fn close_partitions<E: Env>(node: &Node<E>, dir: &FailedDir) {
    let now = node.env().clock().wall();
    let here = node.partitions.all().into_iter().filter(|partition| partition.dir() == dir.index);
    for partition in here {
        if *partition.id.topic == *OFFSETS_TOPIC {
            node.groups.unload(partition.id.partition);
        }
        drop(partition.take_log(ErrorCode::KafkaStorageError, now));
    }
}

fn tell_controller<E: Env>(node: &Node<E>, ids: Vec<Uuid>) {
    node.lifecycle.note_offline_dirs(&ids);
    if node.controller.is_quorum() || !node.controller.is_active() {
        return;
    }
    let (id, epoch) = (node.broker_id(), node.broker_epoch());
    let decide = move |c: &Controller| c.directories_offline(id, epoch, &ids);
    node.controller.submit(decide, |told| {
        if let Err(error) = told {
            log::error!(
                target: "kafka.server.BrokerLifecycleManager",
                "the controller does not know that log directories are out of use: {error}"
            );
        }
    });
}

/// From time to time makes partitions for which there was no room. What is in a directory that has
/// failed stays out of reach.
struct Unmade<E: Env> {
    node: Weak<Node<E>>,
}

impl<E: Env> Unmade<E> {
    fn rest(self: Arc<Self>, node: &Node<E>) {
        let now = node.env().clock().mono();
        node.timers().register(now.plus(UNMADE_RETRY), self);
    }
}

impl<E: Env> Expire for Unmade<E> {
    fn expire(self: Arc<Self>, _now: MonoTime) {
        let Some(node) = self.node.upgrade() else { return };
        make_unmade(&node);
        registration::tell_directories(&node);
        self.rest(&node);
    }
}
