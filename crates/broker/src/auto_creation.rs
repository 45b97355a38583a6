//! Topics that the broker makes because somebody asks for them.

use env::Env;
use protocol::Str;
use protocol::messages::create_topics_request::{
    CreatableTopic, CreatableTopicConfig, CreateTopicsRequest,
};
use types::ErrorCode;

use crate::controller_host::ControllerHost;
use crate::internal_topics::{OFFSETS_TOPIC, is_internal};
use crate::settings::Settings;

/// Creates topics with the broker's defaults; returns those that could not be, with the reason.
#[doc(alias = "AutoTopicCreationManager")]
pub fn create<E: Env>(
    names: impl IntoIterator<Item = Str>,
    controller: &ControllerHost<E>,
    settings: &Settings,
) -> Vec<(Str, ErrorCode)> {
    let topics: Vec<_> = names.into_iter().map(|name| topic(name, settings)).collect();
    let request = CreateTopicsRequest { topics, timeout_ms: i32::MAX, ..Default::default() };
    let mut ids = || settings.random_id();
    match controller.submit(|c| c.create_topics(&request, &mut ids)) {
        Err(error) => request.topics.into_iter().map(|topic| (topic.name, error)).collect(),
        Ok(response) => {
            let failed = response.topics.into_iter().filter_map(|topic| {
                let error = ErrorCode::from_code(topic.error_code)?;
                // Somebody else was faster.
                let is_there = matches!(error, ErrorCode::None | ErrorCode::TopicAlreadyExists);
                (!is_there).then_some((topic.name, error))
            });
            failed.collect()
        }
    }
}

fn topic(name: Str, settings: &Settings) -> CreatableTopic {
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
        // Kafka's default of 3 keeps a lone node from ever serving groups; one replica is all it
        // has.
        replication_factor: offsets.topic_replication_factor.min(1),
        configs: vec![
            config("cleanup.policy", "compact".to_owned()),
            config("compression.type", "producer".to_owned()),
            config("segment.bytes", offsets.topic_segment_bytes.to_string()),
        ],
        ..Default::default()
    }
}

/// Makes `__consumer_offsets`, if it is not there.
pub fn create_offsets_topic<E: Env>(controller: &ControllerHost<E>, settings: &Settings) {
    for (name, error) in create([OFFSETS_TOPIC.into()], controller, settings) {
        log::error!(
            target: "kafka.server.DefaultAutoTopicCreationManager",
            "cannot create {name}: {error}"
        );
    }
}
