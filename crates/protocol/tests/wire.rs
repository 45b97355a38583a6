//! The codec against its schema, an oracle, Kafka's catalogue, captures and hostile bytes.

#[macro_use]
#[path = "wire/every_message.rs"]
mod every_message;

#[path = "wire/behaviour.rs"]
mod behaviour;
#[path = "wire/catalogue.rs"]
mod catalogue;
#[path = "wire/dice.rs"]
mod dice;
#[path = "wire/exercise.rs"]
mod exercise;
#[path = "wire/golden.rs"]
mod golden;
#[path = "wire/hostile.rs"]
mod hostile;
#[path = "wire/oracle.rs"]
mod oracle;
#[path = "wire/round_trip.rs"]
mod round_trip;
#[path = "wire/sample.rs"]
mod sample;
#[path = "wire/schema.rs"]
mod schema;
