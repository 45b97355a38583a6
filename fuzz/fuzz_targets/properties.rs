//! Text as a properties file and as an override, each value in the type of its property.

#![no_main]

use config::{broker_property, parse_override, parse_properties, topic_property};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _ = parse_override(text);
    for (name, value) in parse_properties(text).into_iter().flatten() {
        if let Some(property) = broker_property(&name) {
            let _ = property.parse(&value);
        }
        if let Some(topic) = topic_property(&name) {
            let _ = topic.property.parse(&value);
        }
    }
});
