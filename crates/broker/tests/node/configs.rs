//! Configuration: where a value comes from, what may be set, and when it takes effect.

use protocol::messages::alter_configs_request::{self, AlterConfigsResource as Replacing};
use protocol::messages::describe_configs_request::DescribeConfigsResource;
use protocol::messages::describe_configs_response::DescribeConfigsResourceResult;
use protocol::messages::incremental_alter_configs_request::{
    AlterConfigsResource, AlterableConfig,
};
use protocol::messages::{
    AlterConfigsRequest, DescribeConfigsRequest, IncrementalAlterConfigsRequest,
};
use types::ErrorCode;

use crate::harness::Broker;
use crate::shorthand::{ACKS_ALL, batch, error, produce};

const TOPIC: i8 = 2;
const BROKER: i8 = 4;
const SET: i8 = 0;
const DELETE: i8 = 1;
const APPEND: i8 = 2;
const SUBTRACT: i8 = 3;

/// Sources on the wire.
const FROM_TOPIC: i8 = 1;
const FROM_BROKER: i8 = 2;
const FROM_ALL_BROKERS: i8 = 3;
const FROM_FILE: i8 = 4;
const FROM_DEFAULT: i8 = 5;

type Change<'a> = (&'a str, i8, Option<&'a str>);

fn alter(broker: &Broker, kind: i8, resource: &str, changes: &[Change<'_>]) -> ErrorCode {
    let config = |(name, config_operation, value): &Change<'_>| AlterableConfig {
        name: (*name).into(),
        config_operation: *config_operation,
        value: value.map(Into::into),
    };
    let resource = AlterConfigsResource {
        resource_type: kind,
        resource_name: resource.into(),
        configs: changes.iter().map(config).collect(),
    };
    let request =
        IncrementalAlterConfigsRequest { resources: vec![resource], validate_only: false };
    error(broker.call(1, &request).responses.remove(0).error_code)
}

fn describe(
    broker: &Broker,
    kind: i8,
    name: &str,
) -> (ErrorCode, Vec<DescribeConfigsResourceResult>) {
    let resource = DescribeConfigsResource {
        resource_type: kind,
        resource_name: name.into(),
        configuration_keys: None,
    };
    let request = DescribeConfigsRequest {
        resources: vec![resource],
        include_synonyms: true,
        include_documentation: true,
    };
    let result = broker.call(4, &request).results.remove(0);
    (error(result.error_code), result.configs)
}

fn topic_config(broker: &Broker, name: &str) -> DescribeConfigsResourceResult {
    let (code, configs) = describe(broker, TOPIC, "t");
    assert_eq!(code, ErrorCode::None);
    configs.into_iter().find(|config| &*config.name == name).expect("a described property")
}

fn value_and_source(broker: &Broker, name: &str) -> (String, i8) {
    let config = topic_config(broker, name);
    (config.value.as_deref().unwrap_or("null").to_owned(), config.config_source)
}

fn broker_with_topic(properties: &[&str]) -> Broker {
    let broker = Broker::with(properties);
    broker.create_topic("t", 1, &[]);
    broker
}

#[test]
fn a_value_comes_from_the_nearest_place_that_says_something() {
    let broker = broker_with_topic(&[]);
    let here = || value_and_source(&broker, "max.message.bytes");
    assert_eq!(here(), ("1048588".to_owned(), FROM_DEFAULT));
    let all = [("message.max.bytes", SET, Some("1000001"))];
    assert_eq!(alter(&broker, BROKER, "", &all), ErrorCode::None);
    assert_eq!(here(), ("1000001".to_owned(), FROM_ALL_BROKERS));
    let one = [("message.max.bytes", SET, Some("1000002"))];
    assert_eq!(alter(&broker, BROKER, "1", &one), ErrorCode::None);
    assert_eq!(here(), ("1000002".to_owned(), FROM_BROKER));
    let own = [("max.message.bytes", SET, Some("1000003"))];
    assert_eq!(alter(&broker, TOPIC, "t", &own), ErrorCode::None);
    assert_eq!(here(), ("1000003".to_owned(), FROM_TOPIC));

    let synonyms = topic_config(&broker, "max.message.bytes").synonyms;
    let sources: Vec<_> = synonyms.iter().map(|synonym| synonym.source).collect();
    assert_eq!(sources, [FROM_TOPIC, FROM_BROKER, FROM_ALL_BROKERS, FROM_DEFAULT]);
    assert_eq!(&*synonyms[1].name, "message.max.bytes");

    let deleted = [("max.message.bytes", DELETE, None)];
    assert_eq!(alter(&broker, TOPIC, "t", &deleted), ErrorCode::None);
    assert_eq!(here(), ("1000002".to_owned(), FROM_BROKER));
}

#[test]
fn what_the_file_says_is_a_static_value() {
    let broker = broker_with_topic(&["log.segment.bytes=1048577"]);
    assert_eq!(value_and_source(&broker, "segment.bytes"), ("1048577".to_owned(), FROM_FILE));
}

#[test]
fn every_property_has_a_type_and_words_from_version_3_on() {
    let broker = broker_with_topic(&[]);
    let (_, configs) = describe(&broker, TOPIC, "t");
    for config in &configs {
        assert!(config.config_type > 0, "{}", config.name);
        assert!(config.documentation.as_deref().is_some_and(|doc| !doc.is_empty()));
        assert!(config.value.is_some() && !config.is_sensitive, "{}", config.name);
    }
    let resource = DescribeConfigsResource {
        resource_type: TOPIC,
        resource_name: "t".into(),
        configuration_keys: Some(vec!["retention.ms".into()]),
    };
    for version in 1..=4 {
        let request =
            DescribeConfigsRequest { resources: vec![resource.clone()], ..Default::default() };
        let configs = broker.call(version, &request).results.remove(0).configs;
        assert_eq!(configs.len(), 1, "only what was asked for");
        assert!(configs[0].synonyms.is_empty());
        assert!(configs[0].documentation.as_deref().is_none_or(str::is_empty));
    }
}

#[test]
fn a_broker_describes_itself_and_no_other() {
    let broker = Broker::start();
    let (code, configs) = describe(&broker, BROKER, "1");
    assert_eq!(code, ErrorCode::None);
    let find = |name: &str| configs.iter().find(|config| &*config.name == name).expect(name);
    assert_eq!(find("node.id").value.as_deref(), Some("1"));
    assert!(find("node.id").read_only);
    assert!(!find("message.max.bytes").read_only);
    assert_eq!(describe(&broker, BROKER, "2").0, ErrorCode::InvalidRequest);
    let (code, of_all) = describe(&broker, BROKER, "");
    let of_all: Vec<_> = of_all.iter().map(|c| (&*c.name, c.value.as_deref())).collect();
    assert_eq!((code, of_all), (ErrorCode::None, vec![("min.insync.replicas", Some("1"))]));
    assert_eq!(describe(&broker, TOPIC, "nowhere").0, ErrorCode::UnknownTopicOrPartition);
    assert_eq!(describe(&broker, TOPIC, "a/b").0, ErrorCode::InvalidTopicException);
}

#[test]
fn a_lower_max_message_bytes_holds_from_the_next_produce_on() {
    let mut broker = broker_with_topic(&[]);
    let large = produce("t", 0, ACKS_ALL, batch(&[&"x".repeat(500)]));
    assert_eq!(broker.produce(&large).error_code, 0);
    let lower = [("max.message.bytes", SET, Some("200"))];
    assert_eq!(alter(&broker, TOPIC, "t", &lower), ErrorCode::None);
    assert_eq!(error(broker.produce(&large).error_code), ErrorCode::MessageTooLarge);
    broker.kill_and_restart();
    assert_eq!(error(broker.produce(&large).error_code), ErrorCode::MessageTooLarge);
    let gone = [("max.message.bytes", DELETE, None)];
    assert_eq!(alter(&broker, TOPIC, "t", &gone), ErrorCode::None);
    assert_eq!(broker.produce(&large).error_code, 0);
}

#[test]
fn a_dynamic_default_of_the_brokers_reaches_every_topic_without_its_own() {
    let broker = broker_with_topic(&[]);
    broker.create_topic("own", 1, &[("max.message.bytes", "1000000")]);
    let lower = [("message.max.bytes", SET, Some("200"))];
    assert_eq!(alter(&broker, BROKER, "", &lower), ErrorCode::None);
    let code = |topic| {
        let request = produce(topic, 0, ACKS_ALL, batch(&[&"x".repeat(500)]));
        error(broker.produce(&request).error_code)
    };
    assert_eq!((code("t"), code("own")), (ErrorCode::MessageTooLarge, ErrorCode::None));
}

#[test]
fn cleanup_to_compact_refuses_keyless_records_at_once() {
    let broker = broker_with_topic(&[]);
    broker.append("t", 0, &["a"]);
    let append = [("cleanup.policy", APPEND, Some("compact"))];
    assert_eq!(alter(&broker, TOPIC, "t", &append), ErrorCode::None);
    assert_eq!(value_and_source(&broker, "cleanup.policy").0, "delete,compact");
    let answer = broker.produce(&produce("t", 0, ACKS_ALL, batch(&["b"])));
    assert_eq!(error(answer.error_code), ErrorCode::InvalidRecord);
    let subtract = [("cleanup.policy", SUBTRACT, Some("compact"))];
    assert_eq!(alter(&broker, TOPIC, "t", &subtract), ErrorCode::None);
    assert_eq!(broker.append("t", 0, &["b"]), 1);
}

#[test]
fn what_cannot_be_set_is_refused_and_changes_nothing() {
    let broker = broker_with_topic(&[]);
    let refused = |changes: &[Change<'_>]| alter(&broker, TOPIC, "t", changes);
    let fine = ("retention.ms", SET, Some("1"));
    assert_eq!(refused(&[("retention.ms", SET, Some("soon"))]), ErrorCode::InvalidConfig);
    assert_eq!(refused(&[("no.such.thing", SET, Some("1"))]), ErrorCode::InvalidConfig);
    assert_eq!(refused(&[fine, ("segment.bytes", SET, Some("-1"))]), ErrorCode::InvalidConfig);
    assert_eq!(refused(&[("retention.ms", APPEND, Some("1"))]), ErrorCode::InvalidConfig);
    assert_eq!(refused(&[("retention.ms", 9, Some("1"))]), ErrorCode::InvalidRequest);
    assert_eq!(refused(&[fine, fine]), ErrorCode::InvalidRequest);
    let unknown = ErrorCode::UnknownTopicOrPartition;
    assert_eq!(alter(&broker, TOPIC, "nowhere", &[fine]), unknown);
    let of_broker = [("message.max.bytes", SET, Some("no"))];
    assert_eq!(alter(&broker, BROKER, "1", &of_broker), ErrorCode::InvalidRequest);
    assert_eq!(value_and_source(&broker, "retention.ms").1, FROM_DEFAULT);
}

#[test]
fn validating_alone_sets_nothing() {
    let broker = broker_with_topic(&[]);
    let config = AlterableConfig {
        name: "retention.ms".into(),
        config_operation: SET,
        value: Some("5".into()),
    };
    let resource = AlterConfigsResource {
        resource_type: TOPIC,
        resource_name: "t".into(),
        configs: vec![config],
    };
    let request = IncrementalAlterConfigsRequest { resources: vec![resource], validate_only: true };
    for version in 0..=1 {
        assert_eq!(broker.call(version, &request).responses[0].error_code, 0);
    }
    assert_eq!(value_and_source(&broker, "retention.ms").1, FROM_DEFAULT);
}

#[test]
fn the_older_request_replaces_everything_that_was_set() {
    let broker = Broker::start();
    broker.create_topic("t", 1, &[("retention.ms", "1000"), ("segment.ms", "2000")]);
    let config = alter_configs_request::AlterableConfig {
        name: "segment.ms".into(),
        value: Some("3000".into()),
    };
    for version in 0..=2 {
        let resource = Replacing {
            resource_type: TOPIC,
            resource_name: "t".into(),
            configs: vec![config.clone()],
        };
        let request = AlterConfigsRequest { resources: vec![resource], validate_only: false };
        assert_eq!(broker.call(version, &request).responses[0].error_code, 0);
        assert_eq!(value_and_source(&broker, "segment.ms"), ("3000".to_owned(), FROM_TOPIC));
        assert_eq!(value_and_source(&broker, "retention.ms").1, FROM_DEFAULT);
    }
}
