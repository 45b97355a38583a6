use std::fmt;

/// Why a configuration cannot be used, in words for the person who wrote it.
///
/// Answers to clients carry the message with `INVALID_CONFIG`.
#[doc(alias = "ConfigException")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    message: String,
}

impl ConfigError {
    pub(crate) fn new(message: impl Into<String>) -> ConfigError {
        ConfigError { message: message.into() }
    }

    pub(crate) fn invalid(value: impl fmt::Display, name: &str, reason: &str) -> ConfigError {
        ConfigError::new(format!("Invalid value {value} for configuration {name}: {reason}"))
    }

    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ConfigError {}
