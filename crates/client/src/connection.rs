//! One connection to one broker: versions agreed on, requests out, answers back in order.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::time::Duration;

use bytes::Bytes;
use protocol::messages::{ApiVersionsRequest, ResponseHeader};
use protocol::{ApiKey, Message, Reader, Request, Str, frame};
use types::ErrorCode;

use crate::error::{ClientError, ErrorKind};
use crate::limits::{CONNECT_TIMEOUT, IN_FLIGHT_MAX, RESPONSE_BYTES_MAX};
use crate::options::{Options, split_address};
use crate::transport::Transport;

/// The lowest and highest version of an API that a broker speaks.
pub type VersionRange = (i16, i16);

/// A conversation with one broker.
///
/// **Invariant:** answers are received in the order in which requests were sent.
/// After an error of kind `Disconnected`, `TimedOut` or `Malformed` the connection is of no use.
#[derive(Debug)]
pub struct Connection {
    transport: Transport,
    address: String,
    client_id: Str,
    request_timeout: Duration,
    next_correlation_id: i32,
    versions: BTreeMap<i16, VersionRange>,
    waiting: VecDeque<i32>,
}

/// An answer that is due.
#[derive(Debug)]
#[must_use]
pub struct Pending {
    correlation_id: i32,
    version: i16,
}

impl Connection {
    /// Connects to `host:port` and learns which versions it speaks.
    ///
    /// # Errors
    /// Nobody answers there, or somebody who does not speak Kafka's protocol.
    pub fn open(address: &str, options: &Options) -> Result<Connection, ClientError> {
        let what = || format!("connect to {address}");
        let (host, port) = split_address(address).ok_or_else(|| {
            ClientError::usage(what(), "an address has the form host:port".to_owned())
        })?;
        let timeout = CONNECT_TIMEOUT.min(options.request_timeout);
        let transport = Transport::connect(&host, port, timeout).map_err(|error| {
            ClientError::new(ErrorKind::Unreachable, what(), io_words(&error))
                .todo("check the address with -b, or start a node with: ottla dev")
        })?;
        let mut connection = Connection {
            transport,
            address: address.to_owned(),
            client_id: Str::from(&options.client_id),
            request_timeout: options.request_timeout,
            next_correlation_id: 1,
            versions: BTreeMap::new(),
            waiting: VecDeque::new(),
        };
        connection.agree_on_versions()?;
        Ok(connection)
    }

    pub fn address(&self) -> &str {
        &self.address
    }

    /// What the broker says it speaks, by API key.
    pub fn versions(&self) -> &BTreeMap<i16, VersionRange> {
        &self.versions
    }

    /// Whether the broker speaks an API at all.
    pub fn supports(&self, key: ApiKey) -> bool {
        self.versions.contains_key(&key.as_i16())
    }

    /// The highest version that both sides speak, at most `cap`.
    ///
    /// # Errors
    /// There is none.
    pub fn version<R: Request>(&self, cap: i16) -> Result<i16, ClientError> {
        let (ours_min, ours_max) = (*R::VERSIONS.start(), (*R::VERSIONS.end()).min(cap));
        let theirs = self.versions.get(&R::KEY.as_i16());
        if let Some((theirs_min, theirs_max)) = theirs {
            let version = ours_max.min(*theirs_max);
            if version >= ours_min.max(*theirs_min) {
                return Ok(version);
            }
        }
        let theirs = theirs.map_or("none".to_owned(), |(min, max)| format!("{min} to {max}"));
        let why = format!("we speak versions {ours_min} to {ours_max} of it, the broker {theirs}");
        let what = format!("ask {} for {}", self.address, R::KEY.name());
        Err(ClientError::new(ErrorKind::UnsupportedVersion, what, why))
    }

    /// Sends a request in the highest common version and waits for the answer.
    pub fn call<R: Request>(&mut self, request: &R) -> Result<R::Response, ClientError> {
        let version = self.version::<R>(i16::MAX)?;
        self.call_at(request, version)
    }

    /// Sends a request in a version that the caller chose and waits for the answer.
    pub fn call_at<R: Request>(
        &mut self,
        request: &R,
        version: i16,
    ) -> Result<R::Response, ClientError> {
        let pending = self.send(request, version)?;
        self.receive::<R>(pending, Duration::ZERO)
    }

    /// Sends a request without waiting.
    ///
    /// # Panics
    /// If [`IN_FLIGHT_MAX`] answers are due already.
    pub fn send<R: Request>(&mut self, request: &R, version: i16) -> Result<Pending, ClientError> {
        assert!(self.waiting.len() < IN_FLIGHT_MAX, "too many requests on their way");
        let correlation_id = self.send_one_way(request, version)?;
        self.waiting.push_back(correlation_id);
        Ok(Pending { correlation_id, version })
    }

    /// Sends a request that is not answered: a produce with `acks=0`.
    pub fn send_one_way<R: Request>(
        &mut self,
        request: &R,
        version: i16,
    ) -> Result<i32, ClientError> {
        let correlation_id = self.next_correlation_id;
        self.next_correlation_id = correlation_id.wrapping_add(1);
        let client_id = Some(self.client_id.clone());
        let chunks = frame::request(request, version, correlation_id, client_id)
            .map_err(|error| ClientError::usage(self.what::<R>(), error.to_string()))?;
        for chunk in chunks {
            self.transport.write_all(&chunk).map_err(|error| self.io_error::<R>(&error))?;
        }
        Ok(correlation_id)
    }

    /// Waits for the answer to the oldest request that has none; `longer` extends the usual time.
    ///
    /// # Panics
    /// If `pending` is not the oldest.
    pub fn receive<R: Request>(
        &mut self,
        pending: Pending,
        longer: Duration,
    ) -> Result<R::Response, ClientError> {
        let oldest = self.waiting.pop_front();
        assert_eq!(oldest, Some(pending.correlation_id), "answers come in the order of requests");
        let timeout = self.request_timeout.saturating_add(longer);
        self.transport.set_read_timeout(timeout).map_err(|error| self.io_error::<R>(&error))?;
        let body = self.read_frame().map_err(|error| self.io_error::<R>(&error))?;
        self.decode::<R>(body, &pending)
    }

    fn decode<R: Request>(
        &self,
        body: Bytes,
        pending: &Pending,
    ) -> Result<R::Response, ClientError> {
        let malformed = |why: String| ClientError::new(ErrorKind::Malformed, self.what::<R>(), why);
        let mut reader = Reader::new(body);
        let header_version = R::KEY.response_header_version(pending.version);
        let header = ResponseHeader::decode(&mut reader, header_version)
            .map_err(|error| malformed(error.to_string()))?;
        if header.correlation_id != pending.correlation_id {
            return Err(malformed(format!(
                "the answer belongs to request {}, not to {}",
                header.correlation_id, pending.correlation_id
            )));
        }
        R::Response::decode(&mut reader, pending.version)
            .map_err(|error| malformed(error.to_string()))
    }

    fn read_frame(&mut self) -> io::Result<Bytes> {
        let mut prefix = [0; frame::PREFIX_BYTES];
        self.transport.read_exact(&mut prefix)?;
        let length = frame::length(prefix, RESPONSE_BYTES_MAX)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        Ok(Bytes::from(self.transport.read_body(length)?))
    }

    /// A broker that is too old for our version answers in version 0 with what it speaks. KIP-511.
    fn agree_on_versions(&mut self) -> Result<(), ClientError> {
        let request = ApiVersionsRequest {
            client_software_name: Str::from("ottla"),
            client_software_version: Str::from(env!("CARGO_PKG_VERSION")),
        };
        let mut version = *ApiVersionsRequest::VERSIONS.end();
        loop {
            let pending = self.send(&request, version)?;
            let timeout = self.request_timeout;
            let io_error = |error: io::Error| self.io_error::<ApiVersionsRequest>(&error);
            self.transport.set_read_timeout(timeout).map_err(io_error)?;
            let body = self.read_frame();
            let body = body.map_err(|error| self.io_error::<ApiVersionsRequest>(&error))?;
            self.waiting.clear();
            // Correlation id, then the error code, in every version.
            let is_too_new =
                body.get(4..6) == Some(&ErrorCode::UnsupportedVersion.code().to_be_bytes()[..]);
            if is_too_new && version > 0 {
                version = 0;
                continue;
            }
            let answer = self.decode::<ApiVersionsRequest>(body, &pending)?;
            if answer.error_code != 0 {
                return Err(ClientError::broker(
                    self.what::<ApiVersionsRequest>(),
                    answer.error_code,
                    None,
                ));
            }
            let range = |api: &protocol::messages::api_versions_response::ApiVersion| {
                (api.api_key, (api.min_version, api.max_version))
            };
            self.versions = answer.api_keys.iter().map(range).collect();
            return Ok(());
        }
    }

    fn what<R: Request>(&self) -> String {
        format!("ask {} for {}", self.address, R::KEY.name())
    }

    fn io_error<R: Request>(&self, error: &io::Error) -> ClientError {
        let (kind, why) = match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
                let why = format!("no answer within {} ms", self.request_timeout.as_millis());
                (ErrorKind::TimedOut, why)
            }
            io::ErrorKind::InvalidData => {
                (ErrorKind::Malformed, "what answers there does not speak Kafka".to_owned())
            }
            _ => (ErrorKind::Disconnected, io_words(error)),
        };
        let error = ClientError::new(kind, self.what::<R>(), why);
        match kind {
            ErrorKind::Malformed => error.todo("check the port: is it the HTTP or a TLS port?"),
            _ => error,
        }
    }
}

fn io_words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused: nothing listens there".to_owned(),
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => "no answer".to_owned(),
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset => {
            "the broker closed the connection".to_owned()
        }
        _ => error.to_string(),
    }
}
