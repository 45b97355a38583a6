//! What every command shares: the flags that say which cluster, and how to print.

use std::collections::BTreeMap;
use std::time::Duration;

use clap::Args;
use client::{Client, DEFAULT_BOOTSTRAP, Options};
use config::parse_properties;

use crate::duration::parse_duration;
use crate::failure::{Failure, file_failure};
use crate::output::Format;

/// Flags that every command has.
#[derive(Args, Clone, Debug)]
pub struct Common {
    /// Brokers to connect to first, separated by commas [default: $OTTLA_BOOTSTRAP_SERVER, or
    /// 127.0.0.1:9092]
    #[arg(
        short = 'b',
        long,
        global = true,
        value_name = "HOST:PORT",
        help_heading = "Every command"
    )]
    pub bootstrap_server: Option<String>,

    /// A file with Kafka's client properties
    #[arg(long, global = true, value_name = "FILE", help_heading = "Every command")]
    pub command_config: Option<String>,

    /// How results are printed
    #[arg(
        short = 'o',
        long,
        global = true,
        value_name = "FORMAT",
        default_value = "text",
        help_heading = "Every command"
    )]
    pub output: Format,

    /// How long to keep trying, for example 10s
    #[arg(
        long,
        global = true,
        value_name = "DURATION",
        value_parser = parse_duration,
        help_heading = "Every command"
    )]
    pub timeout: Option<Duration>,

    /// Print results only: no progress, no hints
    #[arg(short, long, global = true, help_heading = "Every command")]
    pub quiet: bool,
}

impl Common {
    /// Connects to the cluster that the flags name.
    pub fn connect(&self) -> Result<Client, Failure> {
        Ok(Client::connect(self.options()?)?)
    }

    pub fn options(&self) -> Result<Options, Failure> {
        let default = std::env::var("OTTLA_BOOTSTRAP_SERVER");
        let mut options = Options::new(default.as_deref().unwrap_or(DEFAULT_BOOTSTRAP));
        if let Some(path) = &self.command_config {
            options = options.with_properties(&read_properties(path)?)?;
        }
        if let Some(bootstrap) = &self.bootstrap_server {
            options.bootstrap = Options::new(bootstrap).bootstrap;
        }
        if let Some(timeout) = self.timeout {
            options.operation_timeout = timeout;
            options.request_timeout = options.request_timeout.min(timeout);
        }
        Ok(options)
    }
}

/// Reads a properties file.
pub fn read_properties(path: &str) -> Result<BTreeMap<String, String>, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| file_failure("read", path, &error))?;
    parse_properties(&text)
        .map_err(|error| Failure::usage(format!("read {path}"), error.to_string()))
}
