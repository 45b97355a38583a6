use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use metadata::{TopicsDelta, TopicsImage};
use types::TopicName;

const NAME_CHARS_MAX: usize = 249;

/// Where the metadata log would be if it were a topic. Nobody may create it.
pub(crate) const CLUSTER_METADATA_TOPIC: &str = "__cluster_metadata";

/// Topics that coordinators keep for themselves. Source: Kafka `Topic.isInternal`.
pub fn is_internal_topic(name: &str) -> bool {
    matches!(name, "__consumer_offsets" | "__transaction_state" | "__share_group_state")
}

/// Why a text cannot be a topic's name, in Kafka's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidTopicName(String);

impl fmt::Display for InvalidTopicName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Topic name is invalid: {}", self.0)
    }
}

impl std::error::Error for InvalidTopicName {}

/// Checks a topic's name. Valid names are also safe as parts of a path.
///
/// Source: Kafka `Topic.validate`.
pub fn validate_topic_name(name: &str) -> Result<(), InvalidTopicName> {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let why = match name {
        "" => "the empty string is not allowed".to_owned(),
        "." | ".." => format!("'{name}' is not allowed"),
        // Kafka counts UTF-16 units; a name that is legal otherwise has one a byte.
        _ if name.encode_utf16().count() > NAME_CHARS_MAX => {
            format!("the length of '{name}' is longer than the max allowed length {NAME_CHARS_MAX}")
        }
        _ if !name.chars().all(legal) => format!(
            "'{name}' contains one or more characters other than ASCII alphanumerics, '.', '_' \
             and '-'"
        ),
        _ => return Ok(()),
    };
    Err(InvalidTopicName(why))
}

/// Topics by what their names become in metrics, where `.` and `_` are one: `a.b` and `a_b` would
/// count together. Derived from the image.
#[derive(Clone, Debug, Default)]
pub(crate) struct CollidingNames {
    by_unified: BTreeMap<String, BTreeSet<TopicName>>,
}

impl CollidingNames {
    pub(crate) fn of(topics: &TopicsImage) -> CollidingNames {
        let mut names = CollidingNames::default();
        topics.iter().for_each(|topic| names.insert(&topic.name));
        names
    }

    pub(crate) fn apply(&mut self, delta: &TopicsDelta) {
        for topic in delta.deleted().values() {
            let unified = unify(&topic.name);
            if let Some(names) = self.by_unified.get_mut(&unified) {
                names.remove(&topic.name);
                if names.is_empty() {
                    self.by_unified.remove(&unified);
                }
            }
        }
        delta.created().for_each(|topic| self.insert(&topic.name));
    }

    /// A topic whose name collides with `name`, which may be `name` itself.
    pub(crate) fn colliding_with(&self, name: &str) -> Option<&TopicName> {
        if !has_collision_chars(name) {
            return None;
        }
        self.by_unified.get(&unify(name)).and_then(|names| names.first())
    }

    pub(crate) fn insert(&mut self, name: &TopicName) {
        if has_collision_chars(name) {
            self.by_unified.entry(unify(name)).or_default().insert(name.clone());
        }
    }
}

fn has_collision_chars(name: &str) -> bool {
    name.contains(['.', '_'])
}

fn unify(name: &str) -> String {
    name.replace('.', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refuses(name: &str, why: &str) {
        let error = validate_topic_name(name).expect_err("refused");
        assert_eq!(error.to_string(), format!("Topic name is invalid: {why}"));
    }

    #[test]
    fn names_are_letters_digits_dot_underscore_and_minus_up_to_249() {
        for name in ["a", "A-z_0.9", "...", "-", "__consumer_offsets", &"x".repeat(249)] {
            assert_eq!(validate_topic_name(name), Ok(()), "{name}");
        }
    }

    #[test]
    fn others_are_refused_in_kafkas_words() {
        refuses("", "the empty string is not allowed");
        refuses(".", "'.' is not allowed");
        refuses("..", "'..' is not allowed");
        let long = "x".repeat(250);
        let why = format!("the length of '{long}' is longer than the max allowed length 249");
        refuses(&long, &why);
        for name in ["a b", "a/b", "../etc", "ä", "a\0", "a:b", "a,b", "名"] {
            let why = format!(
                "'{name}' contains one or more characters other than ASCII alphanumerics, '.', \
                 '_' and '-'"
            );
            refuses(name, &why);
        }
    }

    #[test]
    fn dot_and_underscore_collide_and_others_do_not() {
        let mut names = CollidingNames::default();
        for name in ["a.b", "a-c", "ab"] {
            names.insert(&TopicName::from(name));
        }
        assert_eq!(names.colliding_with("a_b").map(|name| &**name), Some("a.b"));
        assert_eq!(names.colliding_with("a.b").map(|name| &**name), Some("a.b"));
        assert_eq!(names.colliding_with("a_c"), None);
        assert_eq!(names.colliding_with("ab"), None);
    }
}
