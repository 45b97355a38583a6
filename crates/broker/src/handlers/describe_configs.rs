//! DescribeConfigs (key 32), versions 1–4.
//! Every property of a topic, broker or group with its value, source and synonyms.
//! v1 synonyms · v3 types and documentation.
//! Differs from Kafka: BROKER_LOGGER and CLIENT_METRICS resources are refused.

use config::{BrokerLayers, ConfigEntry, Overrides};
use metadata::{ConfigResource, ConfigResourceKind, MetadataImage};
use protocol::messages::describe_configs_request::{
    DescribeConfigsRequest, DescribeConfigsResource,
};
use protocol::messages::describe_configs_response::{
    DescribeConfigsResourceResult, DescribeConfigsResponse, DescribeConfigsResult,
    DescribeConfigsSynonym,
};
use types::ErrorCode;

use crate::metadata_cache::MetadataCache;
use crate::network::Reply;
use crate::request::RequestContext;
use crate::settings::{Settings, overrides};

pub fn handle(
    _ctx: &RequestContext,
    request: DescribeConfigsRequest,
    reply: Reply<DescribeConfigsResponse>,
    metadata: &MetadataCache,
    settings: &Settings,
) {
    let image = metadata.image();
    let describe = |resource: &DescribeConfigsResource| {
        let described = describe(resource, &image, settings);
        let (entries, error) = match described {
            Ok(entries) => (entries, None),
            Err(error) => (Vec::new(), Some(error)),
        };
        let wanted = |entry: &ConfigEntry| match &resource.configuration_keys {
            Some(keys) => keys.iter().any(|key| **key == *entry.name),
            None => true,
        };
        DescribeConfigsResult {
            error_code: error.as_ref().map_or(0, |(code, _)| code.code()),
            error_message: Some(error.map_or_else(|| "".into(), |(_, message)| message.into())),
            resource_type: resource.resource_type,
            resource_name: resource.resource_name.clone(),
            configs: entries.into_iter().filter(wanted).map(|e| entry(e, &request)).collect(),
        }
    };
    let results = request.resources.iter().map(describe).collect();
    reply.send(DescribeConfigsResponse { results, ..Default::default() });
}

type Refusal = (ErrorCode, String);

fn describe(
    resource: &DescribeConfigsResource,
    image: &MetadataImage,
    settings: &Settings,
) -> Result<Vec<ConfigEntry>, Refusal> {
    let name = &*resource.resource_name;
    let broker = overrides(image, &ConfigResource::broker(settings.broker_id()));
    let defaults = overrides(image, &ConfigResource::default_broker());
    let layers = BrokerLayers {
        dynamic_broker: &broker,
        dynamic_default: &defaults,
        static_broker: &settings.config.static_properties,
    };
    match ConfigResourceKind::from_code(resource.resource_type) {
        Some(ConfigResourceKind::Topic) => {
            controller::validate_topic_name(name)
                .map_err(|message| (ErrorCode::InvalidTopicException, message.to_string()))?;
            if image.topics.by_name(name).is_none() {
                return Err((ErrorCode::UnknownTopicOrPartition, String::new()));
            }
            let topic = overrides(image, &ConfigResource::topic(name));
            Ok(config::describe_topic(&topic, &layers))
        }
        Some(ConfigResourceKind::Broker) => describe_broker(name, &layers, &defaults, settings),
        Some(ConfigResourceKind::Group) => {
            if name.is_empty() {
                return Err((ErrorCode::InvalidRequest, "Group name must not be empty".to_owned()));
            }
            let group = overrides(image, &ConfigResource::group(name));
            Ok(config::describe_group(&group, &layers))
        }
        _ => {
            let kind = resource.resource_type;
            Err((ErrorCode::InvalidRequest, format!("Unsupported resource type: {kind}")))
        }
    }
}

fn describe_broker(
    name: &str,
    layers: &BrokerLayers<'_>,
    defaults: &Overrides,
    settings: &Settings,
) -> Result<Vec<ConfigEntry>, Refusal> {
    if name.is_empty() {
        return Ok(config::describe_broker_defaults(defaults));
    }
    let here = settings.broker_id();
    if name.parse() == Ok(here.0) {
        return Ok(config::describe_broker(layers));
    }
    let message =
        format!("Unexpected broker id, expected {here} or empty string, but received {name}");
    Err((ErrorCode::InvalidRequest, message))
}

fn entry(entry: ConfigEntry, request: &DescribeConfigsRequest) -> DescribeConfigsResourceResult {
    let synonym = |synonym: config::Synonym| DescribeConfigsSynonym {
        name: synonym.name.into(),
        value: synonym.value.map(Into::into),
        source: synonym.source.wire_code(),
    };
    let synonyms = if request.include_synonyms { entry.synonyms } else { Vec::new() };
    DescribeConfigsResourceResult {
        name: entry.name.into(),
        value: entry.value.map(Into::into),
        read_only: entry.read_only,
        config_source: entry.source.wire_code(),
        is_sensitive: entry.sensitive,
        synonyms: synonyms.into_iter().map(synonym).collect(),
        config_type: entry.kind.wire_code(),
        documentation: request.include_documentation.then(|| entry.doc.into()),
    }
}
