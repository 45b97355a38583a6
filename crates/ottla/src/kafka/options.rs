//! Flags as Kafka's tools read them: `--name value`, `--name=value`, unambiguous beginnings of
//! names.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::ScriptError;

/// A tool's name and flags.
#[derive(Debug)]
pub struct Tool {
    pub name: &'static str,
    /// What it is for, in one sentence.
    pub about: &'static str,
    pub flags: &'static [Flag],
}

/// One flag.
#[derive(Clone, Copy, Debug)]
pub struct Flag {
    pub name: &'static str,
    pub takes: Takes,
    pub about: &'static str,
}

/// What follows a flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    Nothing,
    /// The name of what follows, for the help.
    Value(&'static str),
    /// A value, unless another flag follows.
    OptionalValue(&'static str),
    /// One value or more, up to the next flag.
    Values(&'static str),
}

/// A flag without value.
pub const fn switch(name: &'static str, about: &'static str) -> Flag {
    Flag { name, takes: Takes::Nothing, about }
}

/// A flag with a value.
pub const fn value(name: &'static str, value: &'static str, about: &'static str) -> Flag {
    Flag { name, takes: Takes::Value(value), about }
}

/// A flag that may have a value.
pub const fn optional(name: &'static str, value: &'static str, about: &'static str) -> Flag {
    Flag { name, takes: Takes::OptionalValue(value), about }
}

/// What a command line says.
#[derive(Debug)]
pub struct Parsed {
    tool: &'static Tool,
    given: BTreeMap<&'static str, Vec<Option<String>>>,
    pub positional: Vec<String>,
}

/// Kafka's version whose tools these are.
const KAFKA_VERSION: &str = "4.2.0";

impl Tool {
    /// Reads a tool's arguments. `--help` and `--version` are answered here.
    pub fn parse(&'static self, arguments: &[String]) -> Result<Parsed, ScriptError> {
        let mut parsed = Parsed { tool: self, given: BTreeMap::new(), positional: Vec::new() };
        let mut rest = arguments.iter().peekable();
        while let Some(argument) = rest.next() {
            let name = argument.strip_prefix("--").or_else(|| argument.strip_prefix('-'));
            let Some(name) = name.filter(|name| !name.is_empty()) else {
                parsed.positional.push(argument.clone());
                continue;
            };
            let (name, inline) = match name.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (name, None),
            };
            match name {
                "version" => {
                    println!("{KAFKA_VERSION}");
                    return Err(ScriptError::Gone);
                }
                "help" | "h" => return Err(ScriptError::Usage(self, self.about.to_owned())),
                _ => {}
            }
            let flag = self.flag(name)?;
            let values = parsed.given.entry(flag.name).or_default();
            let is_value = |next: &&String| !next.starts_with("--");
            match (flag.takes, inline) {
                (Takes::Nothing, _) => values.push(None),
                (_, Some(inline)) => values.push(Some(inline)),
                (Takes::Value(_), None) => {
                    let value = rest.next().ok_or_else(|| {
                        ScriptError::Usage(self, format!("Option {name} requires an argument"))
                    })?;
                    values.push(Some(value.clone()));
                }
                (Takes::OptionalValue(_), None) => values.push(rest.next_if(is_value).cloned()),
                (Takes::Values(_), None) => {
                    while let Some(value) = rest.next_if(is_value) {
                        values.push(Some(value.clone()));
                    }
                }
            }
        }
        Ok(parsed)
    }

    fn flag(&'static self, name: &str) -> Result<Flag, ScriptError> {
        if let Some(flag) = self.flags.iter().find(|flag| flag.name == name) {
            return Ok(*flag);
        }
        let mut starting = self.flags.iter().filter(|flag| flag.name.starts_with(name));
        match (starting.next(), starting.next()) {
            (Some(flag), None) => Ok(*flag),
            (Some(_), Some(_)) => {
                Err(ScriptError::Usage(self, format!("{name} is an ambiguous option")))
            }
            _ => Err(ScriptError::Usage(self, format!("{name} is not a recognized option"))),
        }
    }
}

impl Parsed {
    pub fn has(&self, name: &str) -> bool {
        debug_assert!(self.is_known(name), "{name} is no flag of {}", self.tool.name);
        self.given.contains_key(name)
    }

    /// Whether a flag is given that not every tool knows.
    pub fn may_have(&self, name: &str) -> bool {
        self.given.contains_key(name)
    }

    /// The last value of a flag.
    pub fn value(&self, name: &str) -> Option<&str> {
        debug_assert!(self.is_known(name), "{name} is no flag of {}", self.tool.name);
        self.given.get(name)?.iter().rev().find_map(|value| value.as_deref())
    }

    /// All values of a flag.
    pub fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        self.given.get(name).into_iter().flatten().filter_map(|value| value.as_deref())
    }

    /// A number after a flag.
    pub fn number<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, ScriptError> {
        let Some(text) = self.value(name) else { return Ok(None) };
        let wrong = || {
            let why = format!("Cannot parse argument '{text}' of option {name}");
            ScriptError::Usage(self.tool, why)
        };
        text.parse().map(Some).map_err(|_| wrong())
    }

    /// Refuses a command line without these flags.
    pub fn require(&self, names: &[&str]) -> Result<(), ScriptError> {
        match names.iter().find(|name| !self.has(name)) {
            None => Ok(()),
            Some(name) => Err(self.usage(format!("Missing required argument \"[{name}]\""))),
        }
    }

    /// Refuses a command line with `flag` and one of `others`.
    pub fn refuse_together(&self, flag: &str, others: &[&str]) -> Result<(), ScriptError> {
        if !self.has(flag) {
            return Ok(());
        }
        match others.iter().find(|other| self.has(other)) {
            None => Ok(()),
            Some(other) => {
                Err(self
                    .usage(format!("Option \"[{flag}]\" can't be used with option \"[{other}]\"")))
            }
        }
    }

    pub fn usage(&self, sentence: impl Into<String>) -> ScriptError {
        ScriptError::Usage(self.tool, sentence.into())
    }

    fn is_known(&self, name: &str) -> bool {
        self.tool.flags.iter().any(|flag| flag.name == name)
    }
}

const OPTION_COLUMNS: usize = 40;
const TEXT_COLUMNS: usize = 58;

/// A tool's help: two columns, flags in alphabetical order.
pub fn usage(tool: &Tool) -> String {
    let mut flags: Vec<&Flag> = tool.flags.iter().collect();
    flags.sort_by_key(|flag| flag.name);
    let mut text = String::new();
    let _ = writeln!(text, "{:OPTION_COLUMNS$} Description", "Option");
    let _ = writeln!(text, "{:OPTION_COLUMNS$} -----------", "------");
    for flag in flags {
        let left = match flag.takes {
            Takes::Nothing => format!("--{}", flag.name),
            Takes::Value(value) => format!("--{} <{value}>", flag.name),
            Takes::OptionalValue(value) => format!("--{} [{value}]", flag.name),
            Takes::Values(value) => format!("--{} <{value}> …", flag.name),
        };
        let lines = wrap(flag.about, TEXT_COLUMNS);
        let (first, rest) = match left.chars().count() {
            n if n <= OPTION_COLUMNS => (lines.first().map(String::as_str), &lines[1..]),
            _ => (None, &lines[..]),
        };
        let line = format!("{left:OPTION_COLUMNS$} {}", first.unwrap_or_default());
        let _ = writeln!(text, "{}", line.trim_end());
        for line in rest {
            let _ = writeln!(text, "{:OPTION_COLUMNS$} {line}", "");
        }
    }
    text
}

fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.len() - 1;
        if !lines[line].is_empty() && lines[line].len() + 1 + word.len() > columns {
            lines.push(word.to_owned());
        } else if lines[line].is_empty() {
            lines[line].push_str(word);
        } else {
            lines[line].extend([" ", word]);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    static TOOL: Tool = Tool {
        name: "kafka-test",
        about: "A test.",
        flags: &[
            value("bootstrap-server", "host:port", "Where."),
            switch("list", "List."),
            optional("state", "state", "States."),
            switch("state-less", "None."),
            Flag { name: "files", takes: Takes::Values("file"), about: "Files." },
        ],
    };

    fn parse(arguments: &[&str]) -> Result<Parsed, ScriptError> {
        TOOL.parse(&arguments.iter().map(|a| (*a).to_owned()).collect::<Vec<_>>())
    }

    #[track_caller]
    fn refuses(arguments: &[&str], sentence: &str) {
        match parse(arguments) {
            Err(ScriptError::Usage(_, told)) => assert_eq!(told, sentence),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn values_follow_after_a_blank_or_an_equals_sign() {
        let parsed = parse(&["--bootstrap-server", "a:1", "--bootstrap-server=b:2"]).unwrap();
        assert_eq!(parsed.value("bootstrap-server"), Some("b:2"));
        assert_eq!(parsed.values("bootstrap-server").collect::<Vec<_>>(), ["a:1", "b:2"]);
    }

    #[test]
    fn the_beginning_of_a_name_is_enough_if_no_other_begins_so() {
        assert!(parse(&["--boot", "a:1", "--li"]).unwrap().has("list"));
        refuses(&["--stat"], "stat is an ambiguous option");
        assert!(parse(&["--state"]).unwrap().has("state"));
        refuses(&["--bogus"], "bogus is not a recognized option");
    }

    #[test]
    fn an_optional_value_is_not_the_next_flag() {
        let parsed = parse(&["--state", "--list"]).unwrap();
        assert!(parsed.has("state") && parsed.has("list"));
        assert_eq!(parsed.value("state"), None);
        assert_eq!(parse(&["--state", "Stable"]).unwrap().value("state"), Some("Stable"));
    }

    #[test]
    fn several_values_end_at_the_next_flag() {
        let parsed = parse(&["--files", "a", "b", "--list", "c"]).unwrap();
        assert_eq!(parsed.values("files").collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(parsed.positional, ["c"]);
    }

    #[test]
    fn a_missing_value_and_a_missing_flag_are_told_as_kafka_tells_them() {
        refuses(&["--bootstrap-server"], "Option bootstrap-server requires an argument");
        match parse(&["--list"]).unwrap().require(&["bootstrap-server"]) {
            Err(ScriptError::Usage(_, told)) => {
                assert_eq!(told, "Missing required argument \"[bootstrap-server]\"");
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_help_names_every_flag() {
        let text = usage(&TOOL);
        assert!(TOOL.flags.iter().all(|flag| text.contains(&format!("--{}", flag.name))), "{text}");
    }
}
