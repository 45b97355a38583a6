//! Whatever a properties file or an override says, it is read or refused; nothing panics.

use config::{parse_override, parse_properties, topic_property};
use fuzz_rounds::{damaged, noise, rounds};
use proptest::prelude::*;

const FILE: &str = "# comment\nbroker.id=1\nlisteners=PLAINTEXT://:9092,CONTROLLER://[::1]:9093\n\
    log.dirs = /a\\u0062, \\\n  /c\nlog.retention.ms:-1\nssl.key \\t\\=x\n!more\nempty=\n";

fn read(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(properties) = parse_properties(&text) {
        for (name, value) in &properties {
            if let Some(property) = config::broker_property(name) {
                let _ = property.parse(value);
            }
        }
    }
    let _ = parse_override(&text);
}

#[test]
fn fuzz_properties_files_are_read_or_refused() {
    rounds(noise(200), |bytes| read(&bytes));
    rounds(damaged(vec![FILE.into()]), |bytes| read(&bytes));
}

#[test]
fn fuzz_values_of_every_topic_property_are_taken_or_refused() {
    let value = "-?[0-9]{0,22}|[a-z,*:.\\[\\]]{0,20}|1e400|\\PC{0,10}";
    let names: Vec<&str> =
        config::TOPIC_PROPERTIES.iter().map(|property| property.property.name).collect();
    rounds((prop::sample::select(names), value), |(name, value)| {
        let property = topic_property(name).expect("it is in the table");
        let _ = property.property.parse(&value);
    });
}
