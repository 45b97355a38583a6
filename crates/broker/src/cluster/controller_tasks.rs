use std::sync::{Arc, Weak};
use std::time::Duration;

use env::{Background, Clock, Env, Lane};
use types::{ErrorCode, MonoTime};

use crate::node::Node;
use crate::removals::LaneOf;
use crate::timers::Expire;

const LANE: &str = "controller-tasks";

/// What the active controller does without being asked. Where it is not active it looks on.
#[doc(alias = "PeriodicTask")]
pub struct ControllerTasks<E: Env> {
    node: Weak<Node<E>>,
    task: Task,
    interval: Duration,
    lane: LaneOf<E>,
}

#[derive(Clone, Copy, Debug)]
enum Task {
    FenceSilentBrokers,
    BalanceLeaders,
    ElectUncleanLeaders,
}

impl<E: Env> ControllerTasks<E> {
    pub fn start(node: &Arc<Node<E>>) {
        let membership = &node.settings.config.membership;
        let check_s = membership.leader_imbalance_check_interval_seconds.max(1) as u64;
        let unclean_ms = membership.unclean_leader_election_interval_ms.max(1) as u64;
        let mut tasks = vec![
            (Task::FenceSilentBrokers, membership.session_timeout() / 10),
            (Task::ElectUncleanLeaders, Duration::from_millis(unclean_ms)),
        ];
        if membership.auto_leader_rebalance_enable {
            tasks.push((Task::BalanceLeaders, Duration::from_secs(check_s)));
        }
        let lane = node.env().background().lane(LANE);
        for (task, interval) in tasks {
            let (node_of, lane) = (Arc::downgrade(node), lane.clone());
            let interval = interval.max(Duration::from_millis(1));
            let task = Arc::new(ControllerTasks { node: node_of, task, interval, lane });
            task.rest(node, None);
        }
    }

    /// A broker is gone for certain: it is not to wait for the next look.
    pub fn fence_now(node: &Arc<Node<E>>) {
        let lane = node.env().background().lane(LANE);
        let node = Arc::downgrade(node);
        lane.run(Box::new(move || {
            if let Some(node) = node.upgrade().filter(|node| node.controller.is_active()) {
                node.controller.fence_silent_brokers(|_| {});
            }
        }));
    }

    fn rest(self: Arc<Self>, node: &Node<E>, due: Option<MonoTime>) {
        let usual = node.env().clock().mono().plus(self.interval);
        node.timers.register(due.map_or(usual, |due| due.max(node.env().clock().mono())), self);
    }

    /// One decision after another, until there is nothing to decide.
    fn work(self: Arc<Self>) {
        let Some(node) = self.node.upgrade() else { return };
        let controller = &node.controller;
        if !controller.is_active() {
            return self.rest(&node, None);
        }
        match self.task {
            Task::FenceSilentBrokers => controller.fence_silent_brokers(move |due| {
                if let Some(node) = self.node.upgrade() {
                    self.rest(&node, due);
                }
            }),
            Task::BalanceLeaders => {
                controller.submit(|c| c.balance_leaders(), move |more| self.go_on(more));
            }
            Task::ElectUncleanLeaders => {
                controller.submit(|c| c.elect_unclean_leaders(), move |more| self.go_on(more));
            }
        }
    }

    fn go_on(self: Arc<Self>, more: Result<bool, ErrorCode>) {
        let Some(node) = self.node.upgrade() else { return };
        match more {
            Ok(true) => self.run(),
            Ok(false) | Err(_) => self.rest(&node, None),
        }
    }

    /// A decision may wait for the disk.
    fn run(self: Arc<Self>) {
        let lane = self.lane.clone();
        lane.run(Box::new(move || self.work()));
    }
}

impl<E: Env> Expire for ControllerTasks<E> {
    fn expire(self: Arc<Self>, _now: MonoTime) {
        self.run();
    }
}
