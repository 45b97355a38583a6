//! How to reach a cluster, from flags and from Kafka's client properties.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::error::ClientError;
use crate::limits::{OPERATION_TIMEOUT, REQUEST_TIMEOUT};

/// Where a cluster is and how patient to be with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// `host:port` each; one that answers is enough.
    pub bootstrap: Vec<String>,
    pub client_id: String,
    /// For one request.
    pub request_timeout: Duration,
    /// For an operation with all its retries.
    pub operation_timeout: Duration,
}

/// Where `ottla dev` listens.
pub const DEFAULT_BOOTSTRAP: &str = "127.0.0.1:9092";
const DEFAULT_PORT: u16 = 9092;

impl Default for Options {
    fn default() -> Options {
        Options {
            bootstrap: vec![DEFAULT_BOOTSTRAP.to_owned()],
            client_id: "ottla".to_owned(),
            request_timeout: REQUEST_TIMEOUT,
            operation_timeout: OPERATION_TIMEOUT,
        }
    }
}

impl Options {
    /// Options for the addresses in `bootstrap`, separated by commas.
    pub fn new(bootstrap: &str) -> Options {
        let addresses = bootstrap.split(',').map(str::trim).filter(|address| !address.is_empty());
        Options { bootstrap: addresses.map(str::to_owned).collect(), ..Options::default() }
    }

    /// Takes what Kafka's client properties say; names that mean nothing here are passed over.
    ///
    /// # Errors
    /// A number that is none, or a security protocol that would send plain text unasked.
    pub fn with_properties(
        mut self,
        properties: &BTreeMap<String, String>,
    ) -> Result<Options, ClientError> {
        if let Some(protocol) = properties.get("security.protocol")
            && !protocol.eq_ignore_ascii_case("PLAINTEXT")
        {
            let why = format!("security.protocol={protocol} is not supported yet");
            return Err(ClientError::usage("read the client properties", why)
                .todo("connect to a PLAINTEXT listener"));
        }
        if let Some(bootstrap) = properties.get("bootstrap.servers") {
            self.bootstrap = Options::new(bootstrap).bootstrap;
        }
        if let Some(client_id) = properties.get("client.id") {
            self.client_id.clone_from(client_id);
        }
        let millis = |name: &str, target: &mut Duration| match properties.get(name) {
            None => Ok(()),
            Some(text) => match text.parse::<u64>() {
                Ok(ms) => {
                    *target = Duration::from_millis(ms);
                    Ok(())
                }
                Err(_) => Err(ClientError::usage(
                    "read the client properties",
                    format!("{name}={text} is not a number of milliseconds"),
                )),
            },
        };
        millis("request.timeout.ms", &mut self.request_timeout)?;
        millis("default.api.timeout.ms", &mut self.operation_timeout)?;
        Ok(self)
    }
}

/// Splits `host:port`; a host alone means Kafka's port. IPv6 stands in brackets.
pub(crate) fn split_address(address: &str) -> Option<(String, u16)> {
    let address = address.split_once("://").map_or(address, |(_, rest)| rest);
    if let Some(rest) = address.strip_prefix('[') {
        let (host, rest) = rest.split_once(']')?;
        let port = rest.strip_prefix(':').map_or(Some(DEFAULT_PORT), |port| port.parse().ok())?;
        return Some((host.to_owned(), port));
    }
    match address.split_once(':') {
        None if address.is_empty() => None,
        None => Some((address.to_owned(), DEFAULT_PORT)),
        Some((host, port)) => Some((host.to_owned(), port.parse().ok()?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_may_lack_a_port_and_may_be_ipv6() {
        let split = |address| split_address(address);
        assert_eq!(split("h:1"), Some(("h".into(), 1)));
        assert_eq!(split("h"), Some(("h".into(), 9092)));
        assert_eq!(split("[::1]:7"), Some(("::1".into(), 7)));
        assert_eq!(split("PLAINTEXT://h:1"), Some(("h".into(), 1)));
        assert_eq!(split("h:x"), None);
        assert_eq!(split(""), None);
    }

    #[test]
    fn a_secure_protocol_is_refused_not_ignored() {
        let properties = BTreeMap::from([("security.protocol".into(), "SSL".into())]);
        let error = Options::default().with_properties(&properties).unwrap_err();
        assert!(error.why.contains("security.protocol=SSL"));
    }

    #[test]
    fn kafkas_timeouts_are_taken() {
        let properties = BTreeMap::from([("request.timeout.ms".into(), "5".into())]);
        let options = Options::default().with_properties(&properties).unwrap();
        assert_eq!(options.request_timeout, Duration::from_millis(5));
    }
}
