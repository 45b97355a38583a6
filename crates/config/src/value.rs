//! A property's text becomes a typed value, or an error in Kafka's words.

use crate::error::ConfigError;
use crate::property::{Kind, Property, Rule};

/// A checked value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Boolean(bool),
    /// Int, short and long; the range of the narrower types has been checked.
    Number(i64),
    Double(f64),
    Text(String),
    List(Vec<String>),
}

impl Property {
    /// Reads `text` as this property's type and checks its rule.
    ///
    /// # Errors
    /// `Invalid value x for configuration y: …`, in Kafka's words, because tools show it to people.
    /// Source: Kafka `ConfigDef.parseType` and its validators.
    pub fn parse(&self, text: &str) -> Result<Value, ConfigError> {
        let value = self.parse_type(text)?;
        self.check_rule(&value)?;
        Ok(value)
    }

    fn parse_type(&self, text: &str) -> Result<Value, ConfigError> {
        let trimmed = text.trim();
        match self.kind {
            Kind::Boolean if trimmed.eq_ignore_ascii_case("true") => Ok(Value::Boolean(true)),
            Kind::Boolean if trimmed.eq_ignore_ascii_case("false") => Ok(Value::Boolean(false)),
            Kind::Boolean => {
                Err(self.invalid(trimmed, "Expected value to be either true or false"))
            }
            Kind::Int => self.number(trimmed, i64::from(i32::MIN), i64::from(i32::MAX)),
            Kind::Short => self.number(trimmed, i64::from(i16::MIN), i64::from(i16::MAX)),
            Kind::Long => self.number(trimmed, i64::MIN, i64::MAX),
            Kind::Double => match trimmed.parse::<f64>() {
                Ok(number) => Ok(Value::Double(number)),
                Err(_) => Err(self.not_a_number(trimmed)),
            },
            Kind::Text | Kind::Class | Kind::Password => Ok(Value::Text(trimmed.to_owned())),
            Kind::List => Ok(Value::List(split_list(trimmed))),
        }
    }

    fn number(&self, text: &str, least: i64, most: i64) -> Result<Value, ConfigError> {
        match text.parse::<i64>() {
            Ok(number) if (least..=most).contains(&number) => Ok(Value::Number(number)),
            _ => Err(self.not_a_number(text)),
        }
    }

    fn check_rule(&self, value: &Value) -> Result<(), ConfigError> {
        match (self.rule, value) {
            (Rule::AtLeast(least), Value::Number(number)) => self.check_least(*number, least),
            (Rule::Between(least, most), Value::Number(number)) => {
                self.check_least(*number, least)?;
                if *number > most {
                    return Err(self.invalid(number, &format!("Value must be no more than {most}")));
                }
                Ok(())
            }
            (Rule::Fraction(least, most), Value::Double(number)) => {
                self.check_fraction(*number, least, most)
            }
            (Rule::GzipLevel, Value::Number(level)) if *level == -1 || (1..=9).contains(level) => {
                Ok(())
            }
            (Rule::GzipLevel, Value::Number(level)) => {
                Err(self.invalid(level, "Value must be between 1 and 9 or equal to -1"))
            }
            (Rule::OneOf(names), Value::Text(text)) => self.check_name(text, names),
            (Rule::OneOfIgnoringCase(names), Value::Text(text)) => {
                if names.iter().any(|name| name.eq_ignore_ascii_case(text)) {
                    return Ok(());
                }
                let reason =
                    format!("String must be one of (case insensitive): {}", names.join(", "));
                Err(self.invalid(text, &reason))
            }
            (Rule::EachOf(names), Value::List(items)) => self.check_items(items, names),
            (Rule::NotEmpty, Value::Text(text)) if text.is_empty() => {
                Err(self.invalid(text, "String must be non-empty"))
            }
            (Rule::ThrottledReplicas, Value::List(items)) => self.check_throttled(items),
            (Rule::ShareOffsetReset, Value::Text(text)) => self.check_share_reset(text),
            _ => Ok(()),
        }
    }

    fn check_least(&self, number: i64, least: i64) -> Result<(), ConfigError> {
        if number < least {
            return Err(self.invalid(number, &format!("Value must be at least {least}")));
        }
        Ok(())
    }

    fn check_fraction(&self, number: f64, least: f64, most: f64) -> Result<(), ConfigError> {
        // Written so that NaN fails, which Java's comparison lets through.
        if number >= least && number <= most {
            return Ok(());
        }
        let reason = if number < least {
            format!("Value must be at least {least}")
        } else {
            format!("Value must be no more than {most}")
        };
        Err(self.invalid(java_double(number), &reason))
    }

    fn check_name(&self, text: &str, names: &[&str]) -> Result<(), ConfigError> {
        if names.contains(&text) {
            return Ok(());
        }
        Err(self.invalid(text, &format!("String must be one of: {}", names.join(", "))))
    }

    fn check_items(&self, items: &[String], names: &[&str]) -> Result<(), ConfigError> {
        for item in items {
            if item.is_empty() {
                return Err(ConfigError::new(format!(
                    "Configuration '{}' values must not be empty.",
                    self.name
                )));
            }
            self.check_name(item, names)?;
        }
        Ok(())
    }

    fn check_throttled(&self, items: &[String]) -> Result<(), ConfigError> {
        let is_pair = |item: &String| match item.split_once(':') {
            Some((partition, broker)) => {
                let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
                digits(partition) && digits(broker)
            }
            None => false,
        };
        if items.iter().all(is_pair) || matches!(items, [only] if only == "*") {
            return Ok(());
        }
        let reason = format!(
            "{} must be the literal '*' or a list of replicas in the following format: \
             [partitionId]:[brokerId],[partitionId]:[brokerId],...",
            self.name
        );
        Err(self.invalid(format!("[{}]", items.join(", ")), &reason))
    }

    fn check_share_reset(&self, text: &str) -> Result<(), ConfigError> {
        let by_duration = text.strip_prefix("by_duration:").is_some_and(|d| d.starts_with('P'));
        if by_duration || text == "latest" || text == "earliest" {
            return Ok(());
        }
        Err(self.invalid(
            text,
            "must be `latest`, `earliest` or `by_duration:` and an ISO-8601 duration",
        ))
    }

    fn not_a_number(&self, text: &str) -> ConfigError {
        self.invalid(text, &format!("Not a number of type {}", self.kind.name()))
    }

    fn invalid(&self, value: impl std::fmt::Display, reason: &str) -> ConfigError {
        if self.is_sensitive() {
            return ConfigError::invalid("[hidden]", self.name, reason);
        }
        ConfigError::invalid(value, self.name, reason)
    }
}

impl Value {
    pub fn as_number(&self) -> Option<i64> {
        match self {
            Value::Number(number) => Some(*number),
            _ => None,
        }
    }

    pub fn as_double(&self) -> Option<f64> {
        match self {
            Value::Double(number) => Some(*number),
            _ => None,
        }
    }

    pub fn as_list(&self) -> Option<&[String]> {
        match self {
            Value::List(items) => Some(items),
            _ => None,
        }
    }
}

/// Commas separate, blanks around them do not count; an empty text is the empty list.
pub(crate) fn split_list(text: &str) -> Vec<String> {
    if text.is_empty() {
        return Vec::new();
    }
    text.split(',').map(|item| item.trim().to_owned()).collect()
}

impl std::fmt::Display for Value {
    /// The text Kafka's DescribeConfigs would give.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Value::Boolean(value) => write!(f, "{value}"),
            Value::Number(value) => write!(f, "{value}"),
            Value::Double(value) => f.write_str(&java_double(*value)),
            Value::Text(value) => f.write_str(value),
            Value::List(items) => f.write_str(&items.join(",")),
        }
    }
}

/// A double as Java prints it: `0.5`, `1.0E10`, `1.7976931348623157E308`.
fn java_double(number: f64) -> String {
    let magnitude = number.abs();
    if magnitude != 0.0 && !(1e-3..1e7).contains(&magnitude) && number.is_finite() {
        let text = format!("{number:E}");
        return match text.split_once('E') {
            Some((digits, exponent)) if !digits.contains('.') => format!("{digits}.0E{exponent}"),
            _ => text,
        };
    }
    if number.is_infinite() {
        return if number > 0.0 { "Infinity".to_owned() } else { "-Infinity".to_owned() };
    }
    format!("{number:?}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::property::{boolean, double, int, list};

    #[track_caller]
    fn rejects(property: Property, text: &str, message: &str) {
        assert_eq!(property.parse(text).unwrap_err().to_string(), message);
    }

    #[test]
    fn a_wrong_type_is_named_in_kafkas_words() {
        rejects(
            int("a", "1"),
            "x",
            "Invalid value x for configuration a: Not a number of type INT",
        );
        rejects(
            int("a", "1"),
            "99999999999",
            "Invalid value 99999999999 for configuration a: Not a number of type INT",
        );
        rejects(
            boolean("a", "true"),
            "yes",
            "Invalid value yes for configuration a: Expected value to be either true or false",
        );
    }

    #[test]
    fn a_value_outside_its_range_is_shown_as_java_prints_it() {
        let ratio = double("r", "0.5").rule(Rule::Fraction(0.0, 1.0));
        rejects(ratio, "2", "Invalid value 2.0 for configuration r: Value must be no more than 1");
        rejects(
            int("n", "1").at_least(1),
            "0",
            "Invalid value 0 for configuration n: Value must be at least 1",
        );
    }

    #[test]
    fn a_list_may_be_empty_but_its_items_may_not() {
        let policy = list("p", "delete").rule(Rule::EachOf(&["compact", "delete"]));
        assert_eq!(policy.parse(""), Ok(Value::List(vec![])));
        rejects(policy, "delete,", "Configuration 'p' values must not be empty.");
        rejects(
            policy,
            "foo",
            "Invalid value foo for configuration p: String must be one of: compact, delete",
        );
    }

    #[test]
    fn doubles_print_as_java_prints_them() {
        for (number, text) in
            [(0.5, "0.5"), (1.0, "1.0"), (1e10, "1.0E10"), (f64::MAX, "1.7976931348623157E308")]
        {
            assert_eq!(java_double(number), text);
        }
    }
}
