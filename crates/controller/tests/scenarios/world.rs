//! A controller, the log it would write, and the commands of a story.

use std::sync::Arc;

use config::{BrokerConfig, Overrides};
use controller::{Controller, ControllerResult};
use metadata::{BrokerEpoch, MetadataRecord, MetadataVersion, Provenance};
use protocol::messages::allocate_producer_ids_request::AllocateProducerIdsRequest;
use protocol::messages::assign_replicas_to_dirs_request::{
    AssignReplicasToDirsRequest, DirectoryData, PartitionData, TopicData,
};
use protocol::messages::broker_registration_request::{
    BrokerRegistrationRequest, Feature, Listener,
};
use protocol::messages::list_partition_reassignments_request::ListPartitionReassignmentsRequest;
use types::{BrokerId, MonoTime, Offset, Uuid, WallTime};

use crate::command::{self, number, numbered_id};
use crate::render;

const CLUSTER: Uuid = Uuid([0x33; 16]);

pub struct World {
    properties: Overrides,
    pub controller: Controller,
    pub now: MonoTime,
    /// Every batch that was committed.
    log: Vec<(Provenance, Vec<MetadataRecord>)>,
    next_topic_id: u64,
}

impl World {
    pub fn new() -> World {
        let properties = Overrides::from([("node.id".to_owned(), "1".to_owned())]);
        let controller = controller(&properties);
        let now = MonoTime(1_000_000_000_000);
        World { properties, controller, now, log: Vec::new(), next_topic_id: 1 }
    }

    /// Runs one command; what came of it, a line each.
    pub fn run(&mut self, line: &str) -> Vec<String> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (verb, words) = words.split_first().expect("a command");
        // Decided and never committed: as if the node had died, or the answer had been lost.
        if *verb == "lose" {
            let log = self.log.len();
            let lines = self.run(&words.join(" "));
            self.log.truncate(log);
            self.replay_all();
            return lines;
        }
        let mut lines = match *verb {
            "server" => return self.configure(words),
            "restart" => return self.restart(),
            "activate" => {
                let level = words.iter().find_map(|word| word.strip_prefix("level="));
                let level = level.map(|level| MetadataVersion(level.parse().expect("a level")));
                let fresh = level.unwrap_or(MetadataVersion::LATEST);
                self.commit(self.controller.activate(fresh), |()| Vec::new())
            }
            "register" => self.register(words),
            "unfence" => self.unfence(words),
            "reign" => self.reign(words),
            "beat" => self.beat(words),
            "wait" => self.wait(words),
            "pause" => self.pause(words),
            "lost" | "gone" => self.lost(verb, words),
            "fence" => self.fence(words),
            "unregister" => self.unregister(words),
            "isr" => self.alter_partition(words),
            "balance" => self.balance(),
            "unclean-tick" => self.elect_unclean_leaders(),
            "controller" => self.register_controller(words),
            "create" => self.create(words),
            "delete" => self.delete(words),
            "grow" => self.grow(words),
            "alter" => self.alter(words),
            "replace" => self.replace(words),
            "elect" => self.elect(words),
            "reassign" => self.reassign(words),
            "assign" => self.assign(words),
            "dirs-offline" => self.dirs_offline(words),
            "producer-ids" => self.producer_ids(words),
            "features" => self.features(words),
            "show" => Vec::new(),
            other => panic!("no such command: {other}"),
        };
        if *verb == "show" {
            lines = match words[0] {
                "topics" => self.topics(),
                "configs" => self.configs(),
                "elr" => self.eligible_leaders(),
                "brokers" => self.brokers(),
                "reassignments" => self.reassignments(),
                other => panic!("nothing to show: {other}"),
            };
        }
        lines
    }

    pub fn commit<R>(
        &mut self,
        result: ControllerResult<R>,
        render: impl FnOnce(R) -> Vec<String>,
    ) -> Vec<String> {
        let mut lines: Vec<_> = result.records.iter().map(render::record).collect();
        // What is committed went through its bytes.
        let batches = self.controller.encode(&result).expect("records can be written");
        let count = batches.len();
        for (at, batch) in batches.into_iter().enumerate() {
            let records = batch.into_iter().map(MetadataRecord::decode);
            let records: Vec<_> = records.collect::<Result<_, _>>().expect("records can be read");
            self.append(records, at + 1 == count);
        }
        lines.extend(render(result.reply));
        lines
    }

    fn append(&mut self, records: Vec<MetadataRecord>, is_last: bool) {
        let last = self.log.last().map_or(Offset::NONE, |(at, _)| at.last_offset);
        let at = Provenance {
            last_offset: last.plus(records.len() as i64),
            epoch: 1,
            appended_at: WallTime(1),
        };
        let loaded = self.controller.replay(at, &records).expect("a decision can be replayed");
        assert_eq!(loaded.is_some(), is_last, "a decision is seen as a whole");
        self.log.push((at, records));
    }

    fn replay_all(&mut self) {
        self.controller = controller(&self.properties);
        for (at, records) in &self.log {
            self.controller.replay(*at, records).expect("the log can be replayed");
        }
    }

    fn restart(&mut self) -> Vec<String> {
        let before = self.controller.image();
        self.replay_all();
        assert_eq!(before, self.controller.image(), "the log gives the image");
        let last = self.controller.image().provenance.last_offset;
        assert!(last >= Offset::NONE);
        vec![format!("replayed up to offset {last}")]
    }

    fn configure(&mut self, words: &[&str]) -> Vec<String> {
        for word in words {
            let (name, value) = word.split_once('=').expect("name=value");
            self.properties.insert(name.to_owned(), value.to_owned());
        }
        self.replay_all();
        Vec::new()
    }

    fn register(&mut self, words: &[&str]) -> Vec<String> {
        let id: i32 = number(words[0]);
        let mut request = BrokerRegistrationRequest {
            broker_id: id,
            cluster_id: CLUSTER.to_string().into(),
            incarnation_id: numbered_id(0x40, 1),
            listeners: vec![Listener {
                name: "PLAINTEXT".into(),
                host: format!("host{id}").into(),
                port: 9092,
                security_protocol: 0,
            }],
            log_dirs: vec![numbered_id(0x20, id as u64)],
            rack: None,
            ..Default::default()
        };
        let mut levels = (MetadataVersion::MIN.0, MetadataVersion::LATEST.0);
        for word in &words[1..] {
            match word.split_once('=').expect("name=value") {
                ("rack", rack) => request.rack = Some(rack.into()),
                ("start", start) => request.incarnation_id = numbered_id(0x40, number(start)),
                ("previous", epoch) => request.previous_broker_epoch = number(epoch),
                ("cluster", id) => request.cluster_id = id.into(),
                ("level-max", level) => levels.1 = number(level),
                ("dirs", dirs) => {
                    let dirs = dirs.split(',').filter(|dir| !dir.is_empty()).map(number);
                    request.log_dirs = dirs
                        .map(|n| if n == 0 { Uuid::ZERO } else { numbered_id(0x20, n) })
                        .collect();
                }
                (other, _) => panic!("no such word: {other}"),
            }
        }
        let feature = |name: &str, levels: (i16, i16)| Feature {
            name: name.into(),
            min_supported_version: levels.0,
            max_supported_version: levels.1,
        };
        request.features = vec![
            feature("metadata.version", levels),
            feature("eligible.leader.replicas.version", (0, 1)),
        ];
        let result = self.controller.register_broker(&request);
        self.commit(result, |reply| match reply {
            Ok(epoch) => vec![format!("registered epoch={epoch}")],
            Err(error) => {
                vec![render::error(error.code.code(), error.message.map(Into::into).as_ref())]
            }
        })
    }

    fn unfence(&mut self, words: &[&str]) -> Vec<String> {
        let id = BrokerId(number(words[0]));
        let current = self.controller.image().cluster.broker(id).map(|broker| broker.epoch);
        let given = words.get(1).map(|epoch| BrokerEpoch(number(epoch)));
        let epoch = given.or(current).unwrap_or(BrokerEpoch::NONE);
        let result = self.controller.unfence_broker(id, epoch);
        self.commit(result, |reply| match reply {
            Ok(()) => vec!["NONE".to_owned()],
            Err(error) => {
                vec![render::error(error.code.code(), error.message.map(Into::into).as_ref())]
            }
        })
    }

    /// `assign 1 D2 T1-0`.
    fn assign(&mut self, words: &[&str]) -> Vec<String> {
        let id: i32 = number(words[0]);
        let image = self.controller.image();
        let broker = image.cluster.broker(BrokerId(id)).expect("a registered broker");
        let (topic, index) = words[2].split_once('-').expect("T1-0");
        let request = AssignReplicasToDirsRequest {
            broker_id: id,
            broker_epoch: broker.epoch.0,
            directories: vec![DirectoryData {
                id: numbered_id(0x20, number(&words[1][1..])),
                topics: vec![TopicData {
                    topic_id: numbered_id(0x10, number(&topic[1..])),
                    partitions: vec![PartitionData { partition_index: number(index) }],
                }],
            }],
        };
        let result = self.controller.assign_replicas_to_dirs(&request);
        self.commit(result, |reply| {
            let partitions = reply.directories.iter().flat_map(|dir| &dir.topics);
            let errors = partitions.flat_map(|topic| &topic.partitions);
            errors.map(|partition| render::error(partition.error_code, None)).collect()
        })
    }

    /// `dirs-offline 1 D1,D2`.
    fn dirs_offline(&mut self, words: &[&str]) -> Vec<String> {
        let id = BrokerId(number(words[0]));
        let image = self.controller.image();
        let epoch = image.cluster.broker(id).expect("a registered broker").epoch;
        let dirs = words[1].split(',').map(|dir| numbered_id(0x20, number(&dir[1..])));
        let dirs: Vec<_> = dirs.collect();
        let result = self.controller.directories_offline(id, epoch, &dirs);
        self.commit(result, |reply| vec![format!("{:?}", reply.map_err(|error| error.code))])
    }

    fn create(&mut self, words: &[&str]) -> Vec<String> {
        let request = command::create_topics(words);
        let mut next = self.next_topic_id;
        let mut ids = || {
            next += 1;
            numbered_id(0x10, next - 1)
        };
        let result = self.controller.create_topics(&request, &mut ids);
        self.next_topic_id = next;
        self.commit(result, |reply| reply.topics.iter().map(render::created).collect())
    }

    fn delete(&mut self, words: &[&str]) -> Vec<String> {
        let result = self.controller.delete_topics(&command::delete_topics(words));
        self.commit(result, |reply| {
            let responses = reply.responses.iter().map(|response| {
                let name = response.name.as_deref().unwrap_or("-");
                let error = render::error(response.error_code, response.error_message.as_ref());
                format!("{name} {}: {error}", render::id(response.topic_id))
            });
            responses.collect()
        })
    }

    fn grow(&mut self, words: &[&str]) -> Vec<String> {
        let result = self.controller.create_partitions(&command::create_partitions(words));
        self.commit(result, |reply| {
            let results = reply.results.iter();
            let line = |name: &str, error| format!("{name}: {error}");
            results
                .map(|r| line(&r.name, render::error(r.error_code, r.error_message.as_ref())))
                .collect()
        })
    }

    fn alter(&mut self, words: &[&str]) -> Vec<String> {
        let request = command::incremental_alter_configs(words);
        let result = self.controller.incremental_alter_configs(&request);
        self.commit(result, |reply| {
            let responses = reply.responses.iter();
            responses.map(|r| render::error(r.error_code, r.error_message.as_ref())).collect()
        })
    }

    fn replace(&mut self, words: &[&str]) -> Vec<String> {
        let result = self.controller.alter_configs(&command::alter_configs(words));
        self.commit(result, |reply| {
            let responses = reply.responses.iter();
            responses.map(|r| render::error(r.error_code, r.error_message.as_ref())).collect()
        })
    }

    fn elect(&mut self, words: &[&str]) -> Vec<String> {
        let result = self.controller.elect_leaders(&command::elect_leaders(words));
        self.commit(result, |reply| {
            let mut lines = Vec::new();
            if reply.error_code != 0 {
                lines.push(render::error(reply.error_code, None));
            }
            for topic in &reply.replica_election_results {
                lines.extend(topic.partition_result.iter().map(|p| {
                    let error = render::error(p.error_code, p.error_message.as_ref());
                    format!("{}-{}: {error}", topic.topic, p.partition_id)
                }));
            }
            lines
        })
    }

    fn reassign(&mut self, words: &[&str]) -> Vec<String> {
        let result = self.controller.alter_partition_reassignments(&command::reassign(words));
        self.commit(result, |reply| {
            let mut lines = Vec::new();
            for topic in &reply.responses {
                lines.extend(topic.partitions.iter().map(|p| {
                    let error = render::error(p.error_code, p.error_message.as_ref());
                    format!("{}-{}: {error}", topic.name, p.partition_index)
                }));
            }
            lines
        })
    }

    fn producer_ids(&mut self, words: &[&str]) -> Vec<String> {
        let (broker_id, broker_epoch) = (number(words[0]), number(words[1]));
        let request = AllocateProducerIdsRequest { broker_id, broker_epoch };
        let result = self.controller.allocate_producer_ids(&request);
        self.commit(result, |reply| match reply.error_code {
            0 => vec![format!("{} from {}", reply.producer_id_len, reply.producer_id_start)],
            code => vec![render::error(code, None)],
        })
    }

    fn features(&mut self, words: &[&str]) -> Vec<String> {
        let result = self.controller.update_features(&command::update_features(words));
        self.commit(result, |reply| {
            vec![render::error(reply.error_code, reply.error_message.as_ref())]
        })
    }

    fn topics(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for topic in self.controller.image().topics.iter() {
            lines.push(format!("{} {}", topic.name, render::id(topic.id)));
            lines.extend(topic.partitions().map(|(index, partition)| {
                let leader = partition.leader.map_or("-".to_owned(), |leader| leader.to_string());
                format!(
                    "  {index} leader={leader} epoch={} replicas={} isr={}",
                    partition.leader_epoch,
                    render::brokers(&partition.replicas),
                    render::brokers(&partition.isr)
                )
            }));
        }
        lines
    }

    fn configs(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (resource, configs) in self.controller.image().configs.iter() {
            let of = render::resource(resource);
            lines.extend(configs.iter().map(|(name, value)| format!("{of} {name} = {value:?}")));
        }
        lines
    }

    fn brokers(&self) -> Vec<String> {
        let image = self.controller.image();
        let brokers = image.cluster.brokers().map(|broker| {
            let state = if broker.fenced { "fenced" } else { "in service" };
            format!("{}@{} {state}", broker.id, broker.epoch)
        });
        brokers.collect()
    }

    fn reassignments(&self) -> Vec<String> {
        let all = ListPartitionReassignmentsRequest::default();
        let reply = self.controller.list_partition_reassignments(&all);
        let mut lines = Vec::new();
        for topic in &reply.topics {
            lines.extend(topic.partitions.iter().map(|p| {
                format!(
                    "{}-{} replicas={:?} adding={:?} removing={:?}",
                    topic.name,
                    p.partition_index,
                    p.replicas,
                    p.adding_replicas,
                    p.removing_replicas
                )
            }));
        }
        lines
    }
}

fn controller(properties: &Overrides) -> Controller {
    let config = BrokerConfig::from_properties(properties).expect("a valid configuration");
    Controller::new(Arc::new(config), CLUSTER)
}
