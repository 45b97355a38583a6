//! What precedes every request and response.

use crate::{ApiKey, DecodeError, DecodeErrorKind, Message, Reader};

pub use crate::messages::{RequestHeader, ResponseHeader};

impl RequestHeader {
    /// Reads a header whose version follows from the API key and version it starts with.
    ///
    /// A version that the API does not have is left to the caller, who should answer it: for
    /// ApiVersions with what we do speak, for the rest with an error.
    ///
    /// Errors: `UnknownApiKey`, whose header layout nobody can know.
    pub fn read(r: &mut Reader) -> Result<RequestHeader, DecodeError> {
        let mut ahead = r.clone();
        let (key, version) = (ahead.i16()?, ahead.i16()?);
        let Some(api) = ApiKey::from_i16(key) else {
            return Err(r.error(DecodeErrorKind::UnknownApiKey(key)));
        };
        RequestHeader::decode(r, api.request_header_version(version))
    }

    /// The API asked for, if there is one with this key.
    pub fn api(&self) -> Option<ApiKey> {
        ApiKey::from_i16(self.request_api_key)
    }

    /// Whether to decode the body at all.
    pub fn has_known_version(&self) -> bool {
        self.api().is_some_and(|api| api.supports(self.request_api_version))
    }
}
