//! Takes the changes of in-sync sets that leaders here want to the controller, one request at a
//! time. Source: Kafka `AlterPartitionManager`, KIP-497.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use env::{Clock, Env};
use metadata::{MetadataImage, RECOVERED};
use protocol::messages::alter_partition_request::{BrokerState, PartitionData, TopicData};
use protocol::messages::{AlterPartitionRequest, AlterPartitionResponse};
use replication::{IsrOutcome, IsrProposal};
use types::{BrokerEpoch, BrokerId, ErrorCode, LeaderEpoch, MonoTime, PartitionEpoch, Uuid};

use super::links::{NoAnswer, ReplicationLinks};
use crate::limits::{ISR_CHECK_IDLE_MAX, ISR_CHECK_INTERVAL};
use crate::node::Node;
use crate::timers::Expire;

/// Whether a leader here may want a change of its in-sync set, other than for a follower that has
/// become too slow. Whoever sees to that says so; taken by the next look at all leaders.
pub type IsrHint = Arc<AtomicBool>;

/// Leaders are asked every [`ISR_CHECK_INTERVAL`] as long as there may be something, and once in
/// [`ISR_CHECK_IDLE_MAX`] to see who has become too slow.
///
/// **Invariant:** one request is on its way at a time.
#[doc(alias = "AlterPartitionManager")]
#[derive(Debug, Default)]
pub struct IsrChanges {
    asked: Mutex<Option<Asked>>,
    hint: IsrHint,
    looks: Mutex<Looks>,
}

/// When leaders are asked.
#[derive(Debug, Default)]
struct Looks {
    /// Until then at every check.
    closely_until: MonoTime,
    next: MonoTime,
}

impl Looks {
    fn is_due(&mut self, is_hinted: bool, idle: Duration, now: MonoTime) -> bool {
        if is_hinted {
            self.closely_until = now.plus(ISR_CHECK_IDLE_MAX);
        }
        let is_due = now <= self.closely_until || now >= self.next;
        if is_due {
            self.next = now.plus(idle);
        }
        is_due
    }
}

/// The partition epochs that the request on its way was made at.
type Asked = BTreeMap<(Uuid, i32), PartitionEpoch>;

impl IsrChanges {
    /// From now on the leaders here are asked, again and again, what they want.
    pub fn start<E: Env>(node: &Arc<Node<E>>) {
        let first = node.env().clock().mono().plus(ISR_CHECK_INTERVAL);
        node.timers.register(first, Arc::new(Check { node: Arc::downgrade(node) }));
    }

    /// For those who see that a leader may want a change.
    pub fn hint(&self) -> IsrHint {
        Arc::clone(&self.hint)
    }

    /// Brokers have come or gone, or a leader may want a change for another reason.
    pub fn note_hint(&self) {
        self.hint.store(true, Ordering::Release);
    }

    fn check<E: Env>(&self, node: &Arc<Node<E>>) {
        let now = node.env().clock().mono();
        if node.isolation.is_on(now) {
            node.lost_leaders.handle_new_leaders(now);
            // No change can be made, and what is waited for cannot come.
            let all = node.partitions.all();
            let waited_for = all.iter().filter(|partition| partition.may_be_led_elsewhere());
            let wall = node.env().clock().wall();
            waited_for.for_each(|partition| partition.refuse_waiters_for_others(wall));
        }
        let Some(links) = node.fetchers.links() else { return };
        let lag_time_max = node.settings.config.replication.lag_time_max;
        let idle = (lag_time_max / 8).min(ISR_CHECK_IDLE_MAX);
        let is_hinted = self.hint.swap(false, Ordering::AcqRel);
        let mut looks = self.looks.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = looks.is_due(is_hinted, idle, now);
        drop(looks);
        if is_due {
            self.ask(node, &**links);
        }
    }

    fn ask<E: Env>(&self, node: &Arc<Node<E>>, links: &dyn ReplicationLinks) {
        if self.lock().is_some() {
            return;
        }
        let now = node.env().clock().mono();
        let image = node.metadata.image();
        let Some((request, asked)) = request(node, &image, now) else { return };
        // Whatever comes of it, there may be more.
        self.note_hint();
        *self.lock() = Some(asked);
        let this = Arc::downgrade(node);
        let answered = Box::new(move |outcome: Result<AlterPartitionResponse, NoAnswer>| {
            if let Some(node) = this.upgrade() {
                node.isr_changes.handle_outcome(&node, outcome);
            }
        });
        links.alter_partition(request, answered);
    }

    fn handle_outcome<E: Env>(
        &self,
        node: &Arc<Node<E>>,
        outcome: Result<AlterPartitionResponse, NoAnswer>,
    ) {
        let Some(asked) = self.lock().take() else { return };
        self.note_hint();
        let (outcomes, for_all) = match outcome {
            Ok(response) if response.error_code == 0 => {
                (outcomes_of(response), IsrOutcome::Unanswered)
            }
            Ok(response) => {
                let code = ErrorCode::from_code(response.error_code);
                let code = code.unwrap_or(ErrorCode::UnknownServerError);
                (BTreeMap::new(), IsrOutcome::Refused(code))
            }
            Err(NoAnswer) => (BTreeMap::new(), IsrOutcome::Unanswered),
        };
        let (now, wall) = (node.env().clock().mono(), node.env().clock().wall());
        let image = node.metadata.image();
        for (key, partition_epoch) in asked {
            let Some(topic) = image.topics.by_id(key.0) else { continue };
            let Some(partition) = node.partitions.get(&topic.name, key.1) else { continue };
            if partition.topic_id == key.0 {
                let outcome = outcomes.get(&key).unwrap_or(&for_all);
                partition.handle_isr_outcome(partition_epoch, outcome, now, wall);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Asked>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the leaders here want, in one request.
fn request<E: Env>(
    node: &Node<E>,
    image: &MetadataImage,
    now: MonoTime,
) -> Option<(AlterPartitionRequest, Asked)> {
    let me = image.cluster.broker(node.broker_id())?;
    // With one broker there is nobody else to be in sync.
    image.cluster.brokers().nth(1)?;
    let epoch_of = |broker: BrokerId| {
        let broker = image.cluster.broker(broker).filter(|broker| broker.is_active());
        broker.map(|broker| broker.epoch)
    };
    let mut topics: BTreeMap<Uuid, Vec<PartitionData>> = BTreeMap::new();
    let mut asked = Asked::new();
    for partition in node.partitions.led() {
        if let Some(proposal) = partition.poll_isr_change(epoch_of, now) {
            let key = (partition.topic_id, partition.id.partition);
            asked.insert(key, proposal.partition_epoch);
            topics.entry(key.0).or_default().push(wire(key.1, &proposal));
        }
    }
    let topic = |(topic_id, partitions)| TopicData { topic_id, partitions };
    let request = AlterPartitionRequest {
        broker_id: me.id.0,
        broker_epoch: me.epoch.0,
        topics: topics.into_iter().map(topic).collect(),
    };
    (!asked.is_empty()).then_some((request, asked))
}

fn wire(partition_index: i32, proposal: &IsrProposal) -> PartitionData {
    let member = |(broker, epoch): &(BrokerId, BrokerEpoch)| BrokerState {
        broker_id: broker.0,
        broker_epoch: epoch.0,
    };
    PartitionData {
        partition_index,
        leader_epoch: proposal.leader_epoch.0,
        // Of the versions before epochs were named.
        new_isr: Vec::new(),
        new_isr_with_epochs: proposal.isr.iter().map(member).collect(),
        // Who asks has done whatever recovery an unclean election called for.
        leader_recovery_state: RECOVERED,
        partition_epoch: proposal.partition_epoch.0,
    }
}

fn outcomes_of(response: AlterPartitionResponse) -> BTreeMap<(Uuid, i32), IsrOutcome> {
    let topics = response.topics.into_iter();
    let partitions = topics.flat_map(|topic| {
        topic.partitions.into_iter().map(move |partition| (topic.topic_id, partition))
    });
    let outcome = |(topic_id, data): (Uuid, AlteredPartition)| {
        let outcome = match ErrorCode::from_code(data.error_code) {
            Some(ErrorCode::None) => IsrOutcome::Committed {
                leader_epoch: LeaderEpoch(data.leader_epoch),
                partition_epoch: PartitionEpoch(data.partition_epoch),
                isr: data.isr.into_iter().map(BrokerId).collect(),
            },
            code => IsrOutcome::Refused(code.unwrap_or(ErrorCode::UnknownServerError)),
        };
        ((topic_id, data.partition_index), outcome)
    };
    partitions.map(outcome).collect()
}

type AlteredPartition = protocol::messages::alter_partition_response::PartitionData;

struct Check<E: Env> {
    node: Weak<Node<E>>,
}

impl<E: Env> Expire for Check<E> {
    fn expire(self: Arc<Self>, now: MonoTime) {
        let Some(node) = self.node.upgrade() else { return };
        node.isr_changes.check(&node);
        node.timers.register(now.plus(ISR_CHECK_INTERVAL), self);
    }
}

#[cfg(test)]
mod tests {
    use env_sim::SimEnv;
    use protocol::messages::broker_registration_request::Feature;
    use protocol::messages::{BrokerRegistrationRequest, FetchRequest, FetchResponse};
    use replication::PartitionState;

    use super::*;
    use crate::replicas::Answered;
    use crate::tests;

    type Lying = (AlterPartitionRequest, Answered<AlterPartitionResponse>);

    /// A way on which requests lie until somebody answers them.
    #[derive(Default)]
    struct Waiting(Mutex<Vec<Lying>>);

    impl ReplicationLinks for Waiting {
        fn fetch(&self, _: BrokerId, _: FetchRequest, _: Answered<FetchResponse>) {}

        fn alter_partition(
            &self,
            request: AlterPartitionRequest,
            answered: Answered<AlterPartitionResponse>,
        ) {
            self.0.lock().expect("one thread").push((request, answered));
        }
    }

    fn register_another(node: &Arc<Node<SimEnv>>) {
        let features = controller::SUPPORTED_FEATURES.iter().map(|(name, range)| Feature {
            name: (*name).into(),
            min_supported_version: range.min,
            max_supported_version: range.max,
        });
        let request = BrokerRegistrationRequest {
            broker_id: 2,
            cluster_id: node.settings.cluster_id.to_string().into(),
            incarnation_id: Uuid([2; 16]),
            features: features.collect(),
            log_dirs: vec![Uuid([2; 16])],
            previous_broker_epoch: -1,
            ..Default::default()
        };
        let registered = node.controller.submit_alone(move |c| c.register_broker(&request));
        registered.expect("committed").expect("a broker like others");
    }

    #[test]
    fn leaders_are_asked_closely_for_a_while_after_a_hint_and_now_and_then_else() {
        let idle = Duration::from_secs(1);
        let mut looks = Looks::default();
        let mut asked_at = Vec::new();
        for tick in 0..40_u64 {
            let now = MonoTime::default().plus(ISR_CHECK_INTERVAL * tick as u32);
            if looks.is_due(tick == 12, idle, now) {
                asked_at.push(tick);
            }
        }
        let closely = 12..=12 + ISR_CHECK_IDLE_MAX.as_millis() as u64 / 250;
        let expected = [0, 4, 8].into_iter().chain(closely).chain([24, 28, 32, 36]);
        assert_eq!(asked_at, expected.collect::<Vec<_>>());
    }

    #[test]
    fn one_request_is_on_its_way_however_many_leaders_want_something_and_however_often() {
        let env = SimEnv::new(7);
        let node = tests::lone_with_topic(&env, 2);
        register_another(&node);
        let links = Waiting::default();
        let state = PartitionState {
            leader: Some(node.broker_id()),
            leader_epoch: LeaderEpoch(5),
            partition_epoch: PartitionEpoch(5),
            replicas: vec![BrokerId(1), BrokerId(2)],
            isr: vec![BrokerId(1), BrokerId(2)],
            recovering: false,
        };
        let (now, wall) = (env.clock().mono(), env.clock().wall());
        let lead = |index| {
            let partition = node.partitions.get("t", index).expect("made with the topic");
            let change = partition.handle_partition_state(&state, env.clock().mono(), wall);
            change.expect("a sound disk");
        };
        // The other replica does not fetch: every leader wants it out after half a minute.
        let check = |after_s: u64| {
            env.clock().set(now.plus(Duration::from_secs(after_s)));
            node.isr_changes.ask(&node, &links);
            links.0.lock().expect("one thread").len()
        };
        lead(0);
        assert_eq!(check(31), 1);
        lead(1);
        for second in 32..90 {
            assert_eq!(check(second), 1, "it is not answered");
        }
        let (request, answered) = links.0.lock().expect("one thread").pop().expect("asked");
        assert_eq!(request.topics[0].partitions.len(), 1);
        answered(Err(NoAnswer));
        assert_eq!(check(91), 1);
        let (request, _) = links.0.lock().expect("one thread").pop().expect("asked");
        assert_eq!(request.topics[0].partitions.len(), 2, "again, and what has come meanwhile");
    }
}
