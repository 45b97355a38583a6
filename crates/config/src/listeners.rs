//! `NAME://host:port`: where the node listens, what it tells clients, and which protocol is spoken.

use std::fmt;

use crate::error::ConfigError;
use crate::value::split_list;

/// What a listener speaks. Only `Plaintext` is served today.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SecurityProtocol {
    Plaintext,
    Ssl,
    SaslPlaintext,
    SaslSsl,
}

impl SecurityProtocol {
    pub const fn name(self) -> &'static str {
        match self {
            SecurityProtocol::Plaintext => "PLAINTEXT",
            SecurityProtocol::Ssl => "SSL",
            SecurityProtocol::SaslPlaintext => "SASL_PLAINTEXT",
            SecurityProtocol::SaslSsl => "SASL_SSL",
        }
    }

    /// The number on the wire and in metadata records.
    pub const fn wire_code(self) -> i16 {
        self as i16
    }

    fn from_name(name: &str) -> Option<SecurityProtocol> {
        use SecurityProtocol::{Plaintext, SaslPlaintext, SaslSsl, Ssl};
        [Plaintext, Ssl, SaslPlaintext, SaslSsl]
            .into_iter()
            .find(|protocol| protocol.name().eq_ignore_ascii_case(name))
    }
}

/// One address with a name.
#[doc(alias = "Endpoint")]
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Listener {
    /// In capitals, as Kafka keeps it.
    pub name: String,
    pub protocol: SecurityProtocol,
    /// Empty means all interfaces in `listeners`, this machine's name in `advertised.listeners`.
    pub host: String,
    /// 0 lets the system choose.
    pub port: u16,
}

impl fmt::Display for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            return write!(f, "{}://[{}]:{}", self.name, self.host, self.port);
        }
        write!(f, "{}://{}:{}", self.name, self.host, self.port)
    }
}

/// Which protocol each listener name speaks.
#[derive(Clone, Debug)]
pub(crate) struct ProtocolMap(Vec<(String, SecurityProtocol)>);

impl ProtocolMap {
    /// Reads `NAME:PROTOCOL,…`.
    ///
    /// A controller's listener that the map leaves out speaks plaintext, unless the map was set.
    pub(crate) fn parse(
        text: &str,
        was_set: bool,
        controllers: &[String],
    ) -> Result<ProtocolMap, ConfigError> {
        let mut map = Vec::new();
        for item in split_list(text).iter().filter(|item| !item.is_empty()) {
            let (name, protocol) = item.rsplit_once(':').ok_or_else(|| {
                ConfigError::invalid(
                    item,
                    "listener.security.protocol.map",
                    "expected NAME:PROTOCOL",
                )
            })?;
            let protocol = SecurityProtocol::from_name(protocol.trim()).ok_or_else(|| {
                ConfigError::new(format!("No enum constant for security protocol {protocol}"))
            })?;
            map.push((name.trim().to_uppercase(), protocol));
        }
        if !was_set {
            for name in controllers {
                if !map.iter().any(|(known, _)| known == name) {
                    map.push((name.clone(), SecurityProtocol::Plaintext));
                }
            }
        }
        Ok(ProtocolMap(map))
    }

    fn protocol(&self, name: &str) -> Result<SecurityProtocol, ConfigError> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, protocol)| *protocol).ok_or_else(|| {
            ConfigError::new(format!(
                "No security protocol defined for listener {name}: add `{name}:PLAINTEXT` to \
                 listener.security.protocol.map"
            ))
        })
    }
}

/// Reads the addresses of `property`.
///
/// # Errors
/// A malformed address, a name that stands twice, or a name without protocol.
pub(crate) fn parse_listeners(
    property: &str,
    items: &[String],
    protocols: &ProtocolMap,
) -> Result<Vec<Listener>, ConfigError> {
    let mut listeners: Vec<Listener> = Vec::new();
    for item in items.iter().filter(|item| !item.is_empty()) {
        let listener = parse_listener(property, item, protocols)?;
        if listeners.iter().any(|other| other.name == listener.name) {
            return Err(ConfigError::new(format!(
                "Each listener must have a different name, {property}: {}",
                items.join(",")
            )));
        }
        listeners.push(listener);
    }
    Ok(listeners)
}

fn parse_listener(
    property: &str,
    text: &str,
    protocols: &ProtocolMap,
) -> Result<Listener, ConfigError> {
    let malformed = || {
        ConfigError::invalid(text, property, "expected NAME://host:port, such as PLAINTEXT://:9092")
    };
    let (name, address) = text.split_once("://").ok_or_else(malformed)?;
    let (host, port) = address.rsplit_once(':').ok_or_else(malformed)?;
    let port = port.parse::<u16>().map_err(|_| malformed())?;
    let host = match host.strip_prefix('[').map(|rest| rest.strip_suffix(']')) {
        Some(bracketed) => bracketed.ok_or_else(malformed)?,
        None if host.contains(':') => return Err(malformed()),
        None => host,
    };
    let name = name.trim().to_uppercase();
    if name.is_empty() {
        return Err(malformed());
    }
    let protocol = protocols.protocol(&name)?;
    Ok(Listener { name, protocol, host: host.to_owned(), port })
}

/// Where HTTP is served.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HttpListeners {
    /// Their name is `HTTP`.
    pub listeners: Vec<Listener>,
    /// Somebody asked for these addresses. The default ones may be left out if they are taken.
    pub was_set: bool,
}

/// Reads `http.listeners`.
pub(crate) fn parse_http(items: &[String], was_set: bool) -> Result<HttpListeners, ConfigError> {
    const NAME: &str = "http.listeners";
    let protocols = ProtocolMap(vec![("HTTP".to_owned(), SecurityProtocol::Plaintext)]);
    let mut listeners = Vec::new();
    for item in items.iter().filter(|item| !item.is_empty()) {
        let scheme = item.split_once("://").map_or("", |(scheme, _)| scheme);
        if !scheme.eq_ignore_ascii_case("http") {
            return Err(ConfigError::invalid(
                item,
                NAME,
                "expected HTTP://host:port, such as HTTP://127.0.0.1:8080; HTTPS is not supported \
                 yet",
            ));
        }
        listeners.push(parse_listener(NAME, item, &protocols)?);
    }
    Ok(HttpListeners { listeners, was_set })
}

/// Two listeners cannot share a port, unless one is IPv4 and the other IPv6.
pub(crate) fn check_ports(listeners: &[Listener]) -> Result<(), ConfigError> {
    for (index, one) in listeners.iter().enumerate() {
        let same = |other: &&Listener| {
            other.port == one.port
                && one.port != 0
                && (other.host.contains(':') == one.host.contains(':')
                    || other.host.is_empty()
                    || one.host.is_empty())
        };
        if let Some(other) = listeners[index + 1..].iter().find(same) {
            return Err(ConfigError::new(format!(
                "Each listener must have a different port, listeners: {one},{other}"
            )));
        }
    }
    Ok(())
}

/// Nobody can connect to an address that means "any".
pub(crate) fn check_routable(advertised: &[Listener]) -> Result<(), ConfigError> {
    if advertised.iter().any(|listener| listener.host == "0.0.0.0") {
        return Err(ConfigError::new(
            "advertised.listeners cannot use the nonroutable meta-address 0.0.0.0. Use a routable \
             IP address.",
        ));
    }
    Ok(())
}

/// A listener that should encrypt or authenticate must not be opened in plain text instead.
pub(crate) fn check_served(listeners: &[Listener]) -> Result<(), ConfigError> {
    let unserved = listeners.iter().find(|l| l.protocol != SecurityProtocol::Plaintext);
    let Some(listener) = unserved else { return Ok(()) };
    Err(ConfigError::new(format!(
        "listener {} speaks {}, which is not supported yet: opening it in plain text would be \
         unsafe. Use a PLAINTEXT listener on a network you trust, or remove it",
        listener.name,
        listener.protocol.name()
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn protocols() -> ProtocolMap {
        let text = "PLAINTEXT:PLAINTEXT,SSL:SSL,CONTROLLER:PLAINTEXT";
        ProtocolMap::parse(text, true, &[]).unwrap()
    }

    fn parse(text: &str) -> Result<Vec<Listener>, ConfigError> {
        parse_listeners("listeners", &split_list(text), &protocols())
    }

    #[test]
    fn names_hosts_and_ports_are_read_and_printed_alike() {
        for text in ["PLAINTEXT://:9092", "PLAINTEXT://kafka-1:1", "CONTROLLER://[::1]:65535"] {
            assert_eq!(parse(text).unwrap()[0].to_string(), text);
        }
    }

    #[test]
    fn http_is_served_where_it_says_and_never_in_plain_text_instead_of_tls() {
        let parse = |text: &str| parse_http(&split_list(text), true);
        let two = parse("http://127.0.0.1:8080,HTTP://[::1]:0").unwrap().listeners;
        assert_eq!(two[0].to_string(), "HTTP://127.0.0.1:8080");
        assert_eq!(two[1].to_string(), "HTTP://[::1]:0");
        assert_eq!(parse("").unwrap().listeners, []);
        for text in ["https://:443", "HTTP://h", "PLAINTEXT://:1", ":8080", "http://:99999"] {
            let message = parse(text).unwrap_err().to_string();
            assert!(message.contains("configuration http.listeners"), "{text}: {message}");
        }
    }

    #[test]
    fn malformed_addresses_name_the_property() {
        for text in
            ["PLAINTEXT", "PLAINTEXT://h", "PLAINTEXT://h:99999", "://h:1", "PLAINTEXT://::1:1"]
        {
            let message = parse(text).unwrap_err().to_string();
            assert!(message.contains("configuration listeners"), "{text}: {message}");
        }
    }

    #[test]
    fn a_name_or_a_port_may_stand_once() {
        assert!(parse("PLAINTEXT://:1,PLAINTEXT://:2").is_err());
        assert!(check_ports(&parse("PLAINTEXT://:1,CONTROLLER://:1").unwrap()).is_err());
        let both = parse("PLAINTEXT://127.0.0.1:1,CONTROLLER://[::1]:1").unwrap();
        assert_eq!(check_ports(&both), Ok(()));
        assert_eq!(check_ports(&parse("PLAINTEXT://:0,CONTROLLER://:0").unwrap()), Ok(()));
    }

    #[test]
    fn a_listener_without_protocol_says_what_to_add() {
        let message = parse("INTERNAL://:1").unwrap_err().to_string();
        assert!(message.contains("add `INTERNAL:PLAINTEXT`"), "{message}");
    }

    #[test]
    fn a_secure_listener_is_refused_not_opened_in_plain_text() {
        let message = check_served(&parse("SSL://:1").unwrap()).unwrap_err().to_string();
        assert!(message.contains("listener SSL speaks SSL"), "{message}");
    }
}
