//! `kafka-topics --alter`

use client::Client;

use super::create::assignment;
use super::{Parsed, TopicError, existing};

pub fn run(parsed: &Parsed, client: &mut Client) -> Result<(), TopicError> {
    let count: i32 = parsed.number("partitions")?.unwrap_or_default();
    let assigned = match parsed.value("replica-assignment") {
        Some(text) => Some(assignment(parsed, text)?),
        None => None,
    };
    for name in existing(parsed, client)? {
        let now = client.cluster().topic(&name)?.partitions.len();
        // The list names the brokers of all partitions; the request those of the new ones.
        let new = assigned.as_ref().map(|all| all.get(now..).unwrap_or_default());
        client.create_partitions(&name, count, new)?;
    }
    Ok(())
}
