//! An event of a story: a verb, things, and `key=value` options.

use std::collections::BTreeMap;
use std::time::Duration;

#[derive(Debug)]
pub struct Command<'a> {
    pub verb: &'a str,
    pub things: Vec<&'a str>,
    options: BTreeMap<&'a str, &'a str>,
}

impl<'a> Command<'a> {
    pub fn parse(event: &'a str) -> Command<'a> {
        let mut words = event.split_whitespace();
        let verb = words.next().expect("an event has a verb");
        let (mut things, mut options) = (Vec::new(), BTreeMap::new());
        for word in words {
            match word.split_once('=') {
                Some((key, value)) => {
                    options.insert(key, value);
                }
                None => things.push(word),
            }
        }
        Command { verb, things, options }
    }

    pub fn thing(&self, at: usize) -> &'a str {
        self.things.get(at).unwrap_or_else(|| panic!("{} needs more: {self:?}", self.verb))
    }

    /// Whether the word stands among the things; it is not one of them then.
    pub fn flag(&self, word: &str) -> bool {
        self.things.contains(&word)
    }

    pub fn option(&self, key: &str) -> Option<&'a str> {
        self.options.get(key).copied()
    }

    pub fn options(&self) -> impl Iterator<Item = (&'a str, &'a str)> + '_ {
        self.options.iter().map(|(key, value)| (*key, *value))
    }

    pub fn number(&self, key: &str) -> Option<i32> {
        self.option(key).map(|value| value.parse().expect("a number"))
    }

    pub fn millis(&self, key: &str, default: i32) -> i32 {
        self.option(key)
            .map_or(default, |value| i32::try_from(duration(value).as_millis()).expect("a timeout"))
    }
}

/// `500ms`, `3s`, `10m`, `2h`, `7d`.
pub fn duration(text: &str) -> Duration {
    let split = text.find(|c: char| !c.is_ascii_digit()).expect("a unit");
    let (count, unit) = text.split_at(split);
    let count: u64 = count.parse().expect("a count");
    match unit {
        "ms" => Duration::from_millis(count),
        "s" => Duration::from_secs(count),
        "m" => Duration::from_secs(60 * count),
        "h" => Duration::from_secs(3_600 * count),
        "d" => Duration::from_secs(86_400 * count),
        other => panic!("no unit {other}"),
    }
}

/// `t-0` as topic and partition.
pub fn partition(text: &str) -> (&str, i32) {
    let (topic, index) = text.rsplit_once('-').expect("topic-partition");
    (topic, index.parse().expect("a partition index"))
}

pub fn list(text: &str) -> Vec<&str> {
    text.split(',').filter(|word| !word.is_empty()).collect()
}
