use std::sync::{Arc, Weak};
use std::time::Duration;

use env::{Background, Clock, Env, Lane};
use types::MonoTime;

use crate::node::Node;
use crate::removals::LaneOf;
use crate::timers::Expire;

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
        let lane = node.env().background().lane("controller-tasks");
        for (task, interval) in tasks {
            let (node_of, lane) = (Arc::downgrade(node), lane.clone());
            let interval = interval.max(Duration::from_millis(1));
            let task = Arc::new(ControllerTasks { node: node_of, task, interval, lane });
            task.rest(node, None);
        }
    }

    fn rest(self: Arc<Self>, node: &Node<E>, due: Option<MonoTime>) {
        let usual = node.env().clock().mono().plus(self.interval);
        node.timers.register(due.map_or(usual, |due| due.max(node.env().clock().mono())), self);
    }

    fn work(self: Arc<Self>) {
        let Some(node) = self.node.upgrade() else { return };
        let controller = &node.controller;
        let mut due = None;
        match self.task {
            _ if !controller.is_active() => {}
            Task::FenceSilentBrokers => due = controller.fence_silent_brokers(),
            Task::BalanceLeaders => {
                while controller.is_active()
                    && controller.submit(|c| c.balance_leaders()) == Ok(true)
                {}
            }
            Task::ElectUncleanLeaders => {
                while controller.is_active()
                    && controller.submit(|c| c.elect_unclean_leaders()) == Ok(true)
                {
                }
            }
        }
        self.rest(&node, due);
    }
}

impl<E: Env> Expire for ControllerTasks<E> {
    /// A decision waits for the disk.
    fn expire(self: Arc<Self>, _now: MonoTime) {
        let lane = self.lane.clone();
        lane.run(Box::new(move || self.work()));
    }
}
