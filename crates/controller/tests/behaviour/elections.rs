//! Whoever is elected without a word about it holds every committed record.
//!
//! Brokers are modelled by how many records of one partition they hold; a record is committed when
//! every in-sync replica holds it and enough are in sync. The controller is the real one.

use proptest::prelude::*;
use protocol::messages::update_features_request::{FeatureUpdateKey, UpdateFeaturesRequest};
use types::{BrokerId, Uuid};

use crate::harness::Cluster;

const BROKERS: i32 = 4;
const MIN_ISR: usize = 2;

#[derive(Clone, Copy, Debug)]
enum Step {
    Produce,
    /// A process dies. What it lost beyond its last record on disk comes out when it starts.
    Kill {
        broker: i32,
    },
    /// The controller notices.
    Fence {
        broker: i32,
    },
    Start {
        broker: i32,
        lost: usize,
    },
    StopCleanly {
        broker: i32,
    },
    /// A follower has everything that the leader has, and the leader says so.
    CatchUp {
        broker: i32,
    },
    Shrink {
        broker: i32,
    },
    Balance,
    FailOver,
}

fn step() -> impl Strategy<Value = Step> {
    let broker = || 0..BROKERS;
    prop_oneof![
        6 => Just(Step::Produce),
        2 => broker().prop_map(|broker| Step::Kill { broker }),
        3 => broker().prop_map(|broker| Step::Fence { broker }),
        4 => (broker(), 0usize..4).prop_map(|(broker, lost)| Step::Start { broker, lost }),
        1 => broker().prop_map(|broker| Step::StopCleanly { broker }),
        5 => broker().prop_map(|broker| Step::CatchUp { broker }),
        2 => broker().prop_map(|broker| Step::Shrink { broker }),
        1 => Just(Step::Balance),
        1 => Just(Step::FailOver),
    ]
}

struct World {
    cluster: Cluster,
    topic: Uuid,
    /// Numbers of the records that each broker holds, in order.
    logs: Vec<Vec<u32>>,
    runs: Vec<bool>,
    lives: Vec<u8>,
    committed: Vec<u32>,
    produced: u32,
    leader_epoch: i32,
    /// A kill may lose what was not on disk.
    lossy: bool,
}

impl World {
    fn new(keeps_eligible: bool, lossy: bool) -> World {
        let mut cluster = Cluster::with_brokers(BROKERS);
        if keeps_eligible {
            let update = FeatureUpdateKey {
                feature: "eligible.leader.replicas.version".into(),
                max_version_level: 1,
                upgrade_type: 1,
                ..FeatureUpdateKey::default()
            };
            let request =
                UpdateFeaturesRequest { feature_updates: vec![update], ..Default::default() };
            assert_eq!(cluster.commit(cluster.controller.update_features(&request)).error_code, 0);
        }
        let min_isr = MIN_ISR.to_string();
        let topic = cluster.create("t", &[vec![0, 1, 2]], &[("min.insync.replicas", &min_isr)]);
        let count = BROKERS as usize;
        World {
            cluster,
            topic,
            logs: vec![Vec::new(); count],
            runs: vec![true; count],
            lives: vec![1; count],
            committed: Vec::new(),
            produced: 0,
            leader_epoch: 0,
            lossy,
        }
    }

    fn run(&mut self, step: Step) {
        match step {
            Step::Produce => self.produce(),
            Step::Kill { broker } => self.runs[broker as usize] = false,
            Step::Fence { broker } => self.cluster.fence(broker),
            Step::Start { broker, lost } => self.start(broker, lost),
            Step::StopCleanly { broker } => self.stop_cleanly(broker),
            Step::CatchUp { broker } => self.catch_up(broker),
            Step::Shrink { broker } => {
                let isr = self.isr_without(broker);
                self.cluster.alter_isr(self.topic, 0, &isr);
            }
            Step::Balance => {
                self.cluster.commit(self.cluster.controller.balance_leaders());
            }
            Step::FailOver => self.cluster.fail_over(),
        }
        self.check_leader();
        self.commit_records();
    }

    fn leader(&self) -> Option<i32> {
        let leader = self.cluster.partition(self.topic, 0).leader.map(|leader| leader.0);
        leader.filter(|leader| self.runs[*leader as usize])
    }

    fn produce(&mut self) {
        let Some(leader) = self.leader() else { return };
        self.produced += 1;
        self.logs[leader as usize].push(self.produced);
        let log = self.logs[leader as usize].clone();
        for member in self.cluster.partition(self.topic, 0).isr.iter() {
            if self.runs[member.0 as usize] {
                self.logs[member.0 as usize].clone_from(&log);
            }
        }
    }

    /// What every in-sync replica holds is committed, if enough are in sync. KIP-966, KAFKA-15583.
    fn commit_records(&mut self) {
        let partition = self.cluster.partition(self.topic, 0);
        let Some(leader) = self.leader() else { return };
        if partition.isr.len() < MIN_ISR {
            return;
        }
        let log = &self.logs[leader as usize];
        let held = |len: usize| {
            let members = partition.isr.iter().map(|member| &self.logs[member.0 as usize]);
            members.into_iter().all(|theirs| theirs.get(..len) == log.get(..len))
        };
        let len = (0..=log.len()).rev().find(|len| held(*len)).unwrap_or(0);
        if len > self.committed.len() {
            self.committed = log[..len].to_vec();
        }
    }

    fn start(&mut self, broker: i32, lost: usize) {
        if self.runs[broker as usize] {
            return;
        }
        let epoch = self.cluster.epoch(broker);
        self.cluster.controller.handle_broker_gone(BrokerId(broker), epoch);
        let log = &mut self.logs[broker as usize];
        log.truncate(log.len().saturating_sub(if self.lossy { lost } else { 0 }));
        self.lives[broker as usize] += 1;
        let life = self.lives[broker as usize];
        self.cluster.register(broker, life, None).expect("the life before is gone");
        self.cluster.beat(broker);
        self.runs[broker as usize] = true;
    }

    fn stop_cleanly(&mut self, broker: i32) {
        if !self.runs[broker as usize] {
            return;
        }
        self.cluster.fence(broker);
        let epoch = self.cluster.epoch(broker);
        self.cluster.controller.handle_broker_gone(BrokerId(broker), epoch);
        self.lives[broker as usize] += 1;
        let life = self.lives[broker as usize];
        self.cluster.register(broker, life, Some(epoch)).expect("the life before is gone");
        self.cluster.beat(broker);
    }

    fn catch_up(&mut self, broker: i32) {
        let Some(leader) = self.leader() else { return };
        let partition = self.cluster.partition(self.topic, 0);
        let follows = partition.replicas.contains(&BrokerId(broker)) && leader != broker;
        if !follows || !self.runs[broker as usize] {
            return;
        }
        self.logs[broker as usize] = self.logs[leader as usize].clone();
        let mut isr = self.isr_without(broker);
        isr.push(broker);
        self.cluster.alter_isr(self.topic, 0, &isr);
    }

    fn isr_without(&self, broker: i32) -> Vec<i32> {
        let isr = self.cluster.partition(self.topic, 0).isr.to_vec();
        isr.iter().map(|member| member.0).filter(|member| *member != broker).collect()
    }

    fn check_leader(&mut self) {
        let partition = self.cluster.partition(self.topic, 0);
        let what = format!("{partition:?}");
        let elr = partition.elr();
        assert!(partition.isr.iter().all(|member| !elr.contains(member)), "{what}");
        assert!(partition.leader.is_none_or(|leader| partition.isr.contains(&leader)), "{what}");
        if partition.leader_epoch.0 == self.leader_epoch {
            return;
        }
        self.leader_epoch = partition.leader_epoch.0;
        let Some(leader) = partition.leader else { return };
        assert!(self.cluster.image().cluster.is_active(leader), "{what}");
        let log = &self.logs[leader.0 as usize];
        let holds_all = log.starts_with(&self.committed);
        if partition.recovering && !holds_all {
            // Lost, and said so.
            self.committed.clone_from(log);
        }
        assert!(holds_all || partition.recovering, "{what} has lost committed records");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn where_eligible_leaders_are_counted_no_kill_loses_a_committed_record_in_silence(
        steps in prop::collection::vec(step(), 0..80),
    ) {
        let mut world = World::new(true, true);
        for step in steps {
            world.run(step);
        }
    }

    #[test]
    fn where_kills_lose_nothing_elections_lose_nothing(
        steps in prop::collection::vec(step(), 0..80),
        keeps_eligible in any::<bool>(),
    ) {
        let mut world = World::new(keeps_eligible, false);
        for step in steps {
            world.run(step);
            let partition = world.cluster.partition(world.topic, 0);
            if let Some(leader) = partition.leader {
                let log = &world.logs[leader.0 as usize];
                prop_assert!(log.starts_with(&world.committed), "{partition:?}");
            }
        }
    }
}
