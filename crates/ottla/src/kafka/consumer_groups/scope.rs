//! Which partitions `--topic t:0,1` and `--all-topics` mean.

use client::{Client, ClientError, Place};

use super::{GroupError, Parsed};

/// The partitions of a flag's text.
pub enum Scope {
    Topic(String),
    Partitions(String, Vec<i32>),
}

/// Reads `topic` or `topic:0,1`.
pub fn read(parsed: &Parsed, text: &str) -> Result<Scope, GroupError> {
    let Some((topic, partitions)) = text.split_once(':') else {
        return Ok(Scope::Topic(text.to_owned()));
    };
    let partitions: Result<Vec<i32>, _> = partitions.split(',').map(str::parse).collect();
    match partitions {
        Ok(partitions) => Ok(Scope::Partitions(topic.to_owned(), partitions)),
        Err(_) => {
            Err(parsed.usage(format!("Invalid topic arg '{text}', expected topic1:0,1,2")).into())
        }
    }
}

/// All partitions that the flags name. Topics must exist.
pub fn places(parsed: &Parsed, client: &mut Client) -> Result<Vec<Place>, GroupError> {
    let mut scopes = Vec::new();
    for text in parsed.values("topic") {
        scopes.push(read(parsed, text)?);
    }
    let names: Vec<String> = scopes
        .iter()
        .map(|scope| match scope {
            Scope::Topic(topic) | Scope::Partitions(topic, _) => topic.clone(),
        })
        .collect();
    client.refresh_existing(&names)?;
    let mut places = Vec::new();
    for scope in scopes {
        match scope {
            Scope::Partitions(topic, partitions) => {
                places.extend(partitions.into_iter().map(|p| (topic.clone(), p)));
            }
            Scope::Topic(topic) => places.extend(all_of(client, &topic)?),
        }
    }
    Ok(places)
}

/// All partitions of a topic that was refreshed.
pub fn all_of(client: &Client, topic: &str) -> Result<Vec<Place>, ClientError> {
    let partitions = client.cluster().topic(topic)?.partitions.keys();
    Ok(partitions.map(|partition| (topic.to_owned(), *partition)).collect())
}
