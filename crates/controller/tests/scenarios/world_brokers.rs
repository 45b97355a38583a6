//! Commands about brokers: their heartbeats, their silence, and what leaders say of who is in sync.

use std::time::Duration;

use metadata::BrokerEpoch;
use protocol::messages::alter_partition_request::{
    AlterPartitionRequest, BrokerState, PartitionData, TopicData,
};
use protocol::messages::broker_heartbeat_request::BrokerHeartbeatRequest;
use protocol::messages::controller_registration_request::{
    ControllerRegistrationRequest, Feature, Listener,
};
use protocol::messages::unregister_broker_request::UnregisterBrokerRequest;
use types::BrokerId;

use crate::command::{number, numbered_id};
use crate::render;
use crate::world::World;

/// How often the host of a controller looks at the clock.
const LOOK: Duration = Duration::from_millis(100);

impl World {
    pub fn epoch_of(&self, id: i32) -> BrokerEpoch {
        let image = self.controller.image();
        image.cluster.broker(BrokerId(id)).map_or(BrokerEpoch::NONE, |broker| broker.epoch)
    }

    /// `reign`, `reign ends`.
    pub fn reign(&mut self, words: &[&str]) -> Vec<String> {
        match words {
            [] => self.controller.handle_reign_started(self.now),
            [after] if after.starts_with("after=") => {
                let (id, silent_ms) = after["after=".len()..].split_once(':').expect("ID:MS");
                self.controller.handle_reign_started(self.now);
                // Every voter heard it last at the same time.
                let silent = Duration::from_millis(number(silent_ms));
                self.controller.handle_deposed_leader(BrokerId(number(id)), silent, silent);
            }
            _ => self.controller.handle_reign_ended(),
        }
        Vec::new()
    }

    /// `beat 1,2 [offset=9] [epoch=4] [fence] [stop] [offline=1] [late]`: who says nothing of an
    /// offset has applied everything; a late heartbeat is heard and not answered.
    pub fn beat(&mut self, words: &[&str]) -> Vec<String> {
        let mut lines = Vec::new();
        for id in words[0].split(',').map(number::<i32>) {
            let mut request = BrokerHeartbeatRequest {
                broker_id: id,
                broker_epoch: self.epoch_of(id).0,
                current_metadata_offset: self.controller.image().provenance.last_offset.0,
                want_fence: false,
                want_shut_down: false,
                offline_log_dirs: Vec::new(),
            };
            let mut is_late = false;
            for word in &words[1..] {
                match word.split_once('=') {
                    Some(("offset", offset)) => request.current_metadata_offset = number(offset),
                    Some(("epoch", epoch)) => request.broker_epoch = number(epoch),
                    Some(("offline", dirs)) => {
                        let dirs = dirs.split(',').map(|dir| numbered_id(0x20, number(dir)));
                        request.offline_log_dirs = dirs.collect();
                    }
                    None if *word == "fence" => request.want_fence = true,
                    None if *word == "stop" => request.want_shut_down = true,
                    None if *word == "late" => is_late = true,
                    _ => panic!("no such word: {word}"),
                }
            }
            self.controller.handle_broker_heartbeat(&request, self.now);
            if is_late {
                continue;
            }
            let result = self.controller.broker_heartbeat(&request);
            lines.extend(self.commit(result, |reply| match reply.error_code {
                0 => {
                    let state = match (reply.should_shut_down, reply.is_fenced) {
                        (true, _) => "may stop",
                        (_, true) => "fenced",
                        _ => "in service",
                    };
                    let behind = if reply.is_caught_up { "" } else { ", behind" };
                    vec![format!("{id} {state}{behind}")]
                }
                code => vec![format!("{id} {}", render::error(code, None))],
            }));
        }
        lines
    }

    /// `wait 500 [beat=1,2]`: time passes, the controller looks at it, the named brokers beat.
    pub fn wait(&mut self, words: &[&str]) -> Vec<String> {
        let mut lines = Vec::new();
        let beating = words.get(1).and_then(|word| word.strip_prefix("beat="));
        let mut left = Duration::from_millis(number(words[0]));
        while !left.is_zero() {
            let step = left.min(LOOK);
            left -= step;
            self.now = self.now.plus(step);
            if let Some(brokers) = beating {
                self.beat(&[brokers, "late"]);
            }
            lines.extend(self.fence_stale());
        }
        lines
    }

    /// `pause 30000`: time passes and the controller does not run; then it looks.
    pub fn pause(&mut self, words: &[&str]) -> Vec<String> {
        self.now = self.now.plus(Duration::from_millis(number(words[0])));
        self.fence_stale()
    }

    fn fence_stale(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        while let Some((id, epoch)) = self.controller.poll_stale_broker(self.now) {
            let result = self.controller.fence_broker(id, epoch);
            lines.extend(self.commit(result, |reply| {
                reply.expect("a stale broker is registered");
                vec![format!("{id} was silent")]
            }));
        }
        lines
    }

    /// `lost 1 [EPOCH]`: its connection; `gone 1`: its process.
    pub fn lost(&mut self, verb: &str, words: &[&str]) -> Vec<String> {
        let id: i32 = number(words[0]);
        let epoch = words.get(1).map_or(self.epoch_of(id), |epoch| BrokerEpoch(number(epoch)));
        match verb {
            "lost" => self.controller.handle_broker_connection_lost(BrokerId(id), epoch, self.now),
            _ => self.controller.handle_broker_gone(BrokerId(id), epoch),
        }
        self.fence_stale()
    }

    pub fn fence(&mut self, words: &[&str]) -> Vec<String> {
        let id = number(words[0]);
        let epoch = words.get(1).map_or(self.epoch_of(id), |epoch| BrokerEpoch(number(epoch)));
        let result = self.controller.fence_broker(BrokerId(id), epoch);
        self.commit(result, |reply| match reply {
            Ok(()) => vec!["NONE".to_owned()],
            Err(error) => {
                vec![render::error(error.code.code(), error.message.map(Into::into).as_ref())]
            }
        })
    }

    pub fn unregister(&mut self, words: &[&str]) -> Vec<String> {
        let request = UnregisterBrokerRequest { broker_id: number(words[0]) };
        let result = self.controller.unregister_broker(&request);
        self.commit(result, |reply| {
            vec![render::error(reply.error_code, reply.error_message.as_ref())]
        })
    }

    /// `isr T1-0 by=1 [epoch=4] leader-epoch=0 partition-epoch=3 isr=1@4,2,3@7 [recovering]`: a
    /// member without `@` has the epoch of its registration.
    pub fn alter_partition(&mut self, words: &[&str]) -> Vec<String> {
        let (topic, index) = words[0].split_once('-').expect("T1-0");
        let topic_id = numbered_id(0x10, number(&topic[1..]));
        let image = self.controller.image();
        let known = image.topics.by_id(topic_id).and_then(|topic| topic.partition(number(index)));
        let mut request = AlterPartitionRequest { broker_id: 1, ..Default::default() };
        let mut asked = PartitionData {
            partition_index: number(index),
            leader_epoch: known.map_or(0, |partition| partition.leader_epoch.0),
            partition_epoch: known.map_or(0, |partition| partition.partition_epoch),
            ..PartitionData::default()
        };
        let mut epoch = None;
        for word in &words[1..] {
            match word.split_once('=') {
                Some(("by", leader)) => request.broker_id = number(leader),
                Some(("epoch", given)) => epoch = Some(number(given)),
                Some(("leader-epoch", epoch)) => asked.leader_epoch = number(epoch),
                Some(("partition-epoch", epoch)) => asked.partition_epoch = number(epoch),
                Some(("isr", members)) => {
                    let members = members.split(',').map(|member| self.member(member));
                    asked.new_isr_with_epochs = members.collect();
                }
                None if *word == "recovering" => asked.leader_recovery_state = 1,
                _ => panic!("no such word: {word}"),
            }
        }
        request.broker_epoch = epoch.unwrap_or(self.epoch_of(request.broker_id).0);
        request.topics = vec![TopicData { topic_id, partitions: vec![asked] }];
        let result = self.controller.alter_partition(&request);
        self.commit(result, |reply| {
            if reply.error_code != 0 {
                return vec![render::error(reply.error_code, None)];
            }
            let partitions = reply.topics.iter().flat_map(|topic| &topic.partitions);
            let line = |p: &protocol::messages::alter_partition_response::PartitionData| match p
                .error_code
            {
                0 => format!(
                    "leader={} leader-epoch={} partition-epoch={} isr={:?}",
                    p.leader_id, p.leader_epoch, p.partition_epoch, p.isr
                ),
                code => render::error(code, None),
            };
            partitions.map(line).collect()
        })
    }

    fn member(&self, text: &str) -> BrokerState {
        let (id, epoch) = text.split_once('@').map_or((text, None), |(id, e)| (id, Some(e)));
        let broker_id = number(id);
        let broker_epoch = epoch.map_or(self.epoch_of(broker_id).0, number);
        BrokerState { broker_id, broker_epoch }
    }

    pub fn balance(&mut self) -> Vec<String> {
        let result = self.controller.balance_leaders();
        self.commit(result, |more| vec![format!("more to do: {more}")])
    }

    pub fn elect_unclean_leaders(&mut self) -> Vec<String> {
        let result = self.controller.elect_unclean_leaders();
        self.commit(result, |more| vec![format!("more to do: {more}")])
    }

    /// `controller 3 start=2`.
    pub fn register_controller(&mut self, words: &[&str]) -> Vec<String> {
        let start = words.get(1).and_then(|word| word.strip_prefix("start=")).map_or(1, number);
        let request = ControllerRegistrationRequest {
            controller_id: number(words[0]),
            incarnation_id: numbered_id(0x50, start),
            listeners: vec![Listener {
                name: "CONTROLLER".into(),
                host: "host".into(),
                port: 9093,
                security_protocol: 0,
            }],
            features: vec![Feature {
                name: "metadata.version".into(),
                min_supported_version: 7,
                max_supported_version: 29,
            }],
            ..ControllerRegistrationRequest::default()
        };
        let result = self.controller.register_controller(&request);
        self.commit(result, |reply| {
            vec![render::error(reply.error_code, reply.error_message.as_ref())]
        })
    }

    /// Partitions that have eligible leaders, or a last known one.
    pub fn eligible_leaders(&self) -> Vec<String> {
        let image = self.controller.image();
        let mut lines = Vec::new();
        for topic in image.topics.iter() {
            for (index, partition) in topic.partitions() {
                if partition.elr().is_empty() && partition.last_known_elr().is_empty() {
                    continue;
                }
                lines.push(format!(
                    "{}-{index} isr={} elr={} last known={}",
                    topic.name,
                    render::brokers(&partition.isr),
                    render::brokers(partition.elr()),
                    render::brokers(partition.last_known_elr())
                ));
            }
        }
        lines
    }
}
