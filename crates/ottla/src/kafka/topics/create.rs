//! `kafka-topics --create`

use std::collections::BTreeMap;

use client::Client;
use client::admin::topics::NewTopic;
use types::ErrorCode;

use super::{Parsed, ScriptError, TopicError, print_line};

const COLLISION: &str = "WARNING: Due to limitations in metric names, topics with a period ('.') \
                         or underscore ('_') could collide. To avoid issues it is best to use \
                         either, but not both.";

pub fn run(parsed: &Parsed, client: &mut Client) -> Result<(), TopicError> {
    let new = new_topic(parsed)?;
    if new.name.contains(['.', '_']) {
        print_line(COLLISION)?;
    }
    match client.create_topic(&new, false) {
        Ok(_) => Ok(print_line(&format!("Created topic {}.", new.name))?),
        Err(error)
            if error.is_broker(ErrorCode::TopicAlreadyExists) && parsed.has("if-not-exists") =>
        {
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

fn new_topic(parsed: &Parsed) -> Result<NewTopic, TopicError> {
    let partitions: Option<i32> = parsed.number("partitions")?;
    if partitions.is_some_and(|count| count < 1) {
        return Err(TopicError::Told("The partitions must be greater than 0".to_owned()));
    }
    let replication_factor: Option<i16> = parsed.number("replication-factor")?;
    if replication_factor.is_some_and(|factor| factor < 1) {
        let sentence =
            format!("The replication factor must be between 1 and {} inclusive", i16::MAX);
        return Err(TopicError::Told(sentence));
    }
    let mut configs = BTreeMap::new();
    for text in parsed.values("config") {
        let (name, value) = text.split_once('=').ok_or_else(|| {
            let sentence = "requirement failed: Invalid topic config: all configs to be added must \
                            be in the format \"key=val\".";
            TopicError::Told(sentence.to_owned())
        })?;
        configs.insert(name.trim().to_owned(), value.trim().to_owned());
    }
    Ok(NewTopic {
        name: parsed.value("topic").unwrap_or_default().to_owned(),
        partitions,
        replication_factor,
        assignment: match parsed.value("replica-assignment") {
            Some(text) => assignment(parsed, text)?,
            None => Vec::new(),
        },
        configs,
    })
}

/// `1:2,2:3`: the brokers of partition 0, then those of partition 1.
pub fn assignment(parsed: &Parsed, text: &str) -> Result<Vec<Vec<i32>>, ScriptError> {
    let wrong = || parsed.usage(format!("--replica-assignment {text} is not like 1:2,2:3"));
    let partitions = text.split(',').map(|brokers| {
        brokers.split(':').map(|id| id.trim().parse::<i32>().map_err(|_| wrong())).collect()
    });
    partitions.collect()
}
