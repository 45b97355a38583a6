//! Bytes → struct → the same bytes, for every message in every version.

use bytes::Bytes;

use protocol::ApiKey;

use crate::dice::Dice;
use crate::exercise::{EVERY, Exercise, RangeEnds};
use crate::{sample, schema};

const SAMPLES: usize = 24;

#[test]
fn the_generated_code_reads_and_writes_what_the_schema_says() {
    let mut dice = Dice::new(1);
    for definition in schema::all() {
        let message = &definition.message;
        let exercise = Exercise::find(&message.name).unwrap();
        for version in exercise.versions() {
            for _ in 0..SAMPLES {
                let bytes = Bytes::from(sample::sample(message, version, &mut dice));
                let echo = exercise.echo(bytes.clone(), version);
                assert_eq!(echo, Ok(bytes), "{} v{version}", message.name);
            }
        }
    }
}

#[test]
fn every_definition_has_its_struct_with_the_same_versions() {
    let schema = schema::all();
    assert_eq!(schema.len(), EVERY.len());
    for (definition, exercise) in schema.iter().zip(EVERY) {
        let versions = definition.message.versions;
        assert_eq!((definition.room, &*definition.message.name), (exercise.room, exercise.name));
        assert_eq!(exercise.versions, RangeEnds(versions.first, versions.last));
    }
}

#[test]
fn a_request_and_its_response_have_the_versions_of_their_key() {
    for key in ApiKey::ALL {
        for suffix in ["Request", "Response"] {
            let exercise = Exercise::find(&format!("{key}{suffix}")).unwrap();
            assert_eq!(exercise.versions(), key.versions(), "{}", exercise.name);
        }
    }
}

#[test]
fn versions_outside_the_range_are_refused() {
    for exercise in EVERY {
        for version in [i16::MIN, -1, exercise.versions.1 + 1, i16::MAX] {
            let refusal = exercise.decode(Bytes::new(), version).unwrap_err();
            assert!(refusal.to_string().contains("has no version"), "{refusal}");
        }
    }
}
