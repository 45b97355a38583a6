//! Topics that the broker makes because somebody asks for them.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use env::Env;
use protocol::Str;
use protocol::messages::CreateTopicsResponse;
use protocol::messages::create_topics_request::{
    CreatableTopic, CreatableTopicConfig, CreateTopicsRequest,
};
use types::ErrorCode;

use crate::cluster::{Patience, ToController};
use crate::internal_topics::{OFFSETS_TOPIC, is_internal};
use crate::peers::Channel;
use crate::settings::Settings;

/// Clients ask for the topic again meanwhile.
const PATIENCE: Patience =
    Patience { attempt: Duration::from_secs(5), total: Duration::from_secs(10) };

/// Those that could not be created, with the reason.
pub type Refused = Vec<(Str, ErrorCode)>;

/// Creates topics with the broker's defaults. `None`: it is under way, at another node.
#[doc(alias = "AutoTopicCreationManager")]
pub fn create<E: Env>(
    names: impl IntoIterator<Item = Str>,
    to_controller: &ToController<E>,
    settings: &Settings,
) -> Option<Refused> {
    let names = to_controller.creating.begin(names);
    if names.is_empty() {
        return None;
    }
    let node = to_controller.node()?;
    let brokers = node.image().cluster.brokers().count();
    let topics = names.iter().map(|name| topic(name.clone(), brokers, settings)).collect();
    let request = CreateTopicsRequest { topics, timeout_ms: i32::MAX, ..Default::default() };
    let outcome: Arc<Mutex<Option<Refused>>> = Arc::default();
    let (told, node) = (Arc::clone(&outcome), Arc::downgrade(&node));
    to_controller.ask(Channel::Controller, request, PATIENCE, move |response| {
        let refused = refused(&names, response);
        for (name, error) in &refused {
            log::info!(
                target: "kafka.server.DefaultAutoTopicCreationManager",
                "cannot create {name}: {error}"
            );
        }
        *told.lock().unwrap_or_else(PoisonError::into_inner) = Some(refused);
        if let Some(node) = node.upgrade() {
            node.to_controller.creating.end(&names);
        }
    });
    outcome.lock().unwrap_or_else(PoisonError::into_inner).take()
}

fn refused(names: &[Str], response: Result<CreateTopicsResponse, ErrorCode>) -> Refused {
    let response = match response {
        Ok(response) => response,
        Err(error) => return names.iter().map(|name| (name.clone(), error)).collect(),
    };
    let failed = response.topics.into_iter().filter_map(|topic| {
        let error = ErrorCode::from_code(topic.error_code)?;
        // Somebody else was faster.
        let is_there = matches!(error, ErrorCode::None | ErrorCode::TopicAlreadyExists);
        (!is_there).then_some((topic.name, error))
    });
    failed.collect()
}

/// Topics on their way into being, so that many who ask for one have it made once.
#[derive(Debug, Default)]
pub struct UnderWay(Mutex<BTreeSet<Str>>);

impl UnderWay {
    /// Those of `names` that nobody is creating.
    fn begin(&self, names: impl IntoIterator<Item = Str>) -> Vec<Str> {
        let mut creating = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        names.into_iter().filter(|name| creating.insert(name.clone())).collect()
    }

    fn end(&self, names: &[Str]) {
        let mut creating = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        names.iter().for_each(|name| _ = creating.remove(name));
    }
}

fn topic(name: Str, brokers: usize, settings: &Settings) -> CreatableTopic {
    const BROKER_DEFAULT: i32 = -1;
    if !is_internal(&name) {
        return CreatableTopic {
            name,
            num_partitions: BROKER_DEFAULT,
            replication_factor: BROKER_DEFAULT as i16,
            ..Default::default()
        };
    }
    let offsets = &settings.config.offsets;
    let config = |name: &str, value: String| CreatableTopicConfig {
        name: name.into(),
        value: Some(value.into()),
    };
    CreatableTopic {
        name,
        num_partitions: offsets.topic_num_partitions,
        replication_factor: offsets_replication_factor(brokers, settings),
        configs: vec![
            config("cleanup.policy", "compact".to_owned()),
            config("compression.type", "producer".to_owned()),
            config("segment.bytes", offsets.topic_segment_bytes.to_string()),
        ],
        ..Default::default()
    }
}

/// Kafka's default of 3 keeps a lone node from ever serving groups: such a node has what it can
/// have. Where others may come, what somebody has set is kept to, and groups wait for the brokers:
/// a topic made too early would stay with one replica.
fn offsets_replication_factor(brokers: usize, settings: &Settings) -> i16 {
    let config = &settings.config;
    let wanted = config.offsets.topic_replication_factor;
    let others_may_come =
        !config.node.is_controller || !config.node.controller_listeners.is_empty();
    let was_set = config.static_properties.contains_key("offsets.topic.replication.factor");
    match others_may_come && was_set {
        true => wanted,
        false => wanted.min(i16::try_from(brokers.max(1)).unwrap_or(i16::MAX)),
    }
}

/// Makes `__consumer_offsets`, if it is not there.
pub fn create_offsets_topic<E: Env>(to_controller: &ToController<E>, settings: &Settings) {
    _ = create([OFFSETS_TOPIC.into()], to_controller, settings);
}
