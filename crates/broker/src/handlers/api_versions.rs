//! ApiVersions (key 18), versions 0–4.
//! What this broker serves: the rows of `api::SERVED`, and its feature levels.
//! The response header is always v0; an unknown version is answered in v0 with the range of key 18.
//! v3 flexible, names the client software and features · v4 lets a feature start at 0.
//! Differs from Kafka: names fewer APIs, and to the client called `ottla` our own ones as well.

use controller::SUPPORTED_FEATURES;
use protocol::ApiKey;
use protocol::messages::api_versions_response::{
    ApiVersion, ApiVersionsResponse, FinalizedFeatureKey, SupportedFeatureKey,
};
use protocol::messages::{ApiVersionsRequest, api_versions_response};
use types::ErrorCode;

use crate::api::{SERVED, ServedApi, served};
use crate::metadata_cache::MetadataCache;
use crate::network::Reply;
use crate::request::RequestContext;

/// How our command line calls itself.
const OUR_CLIENT: &str = "ottla";
const FEATURES_SINCE: i16 = 3;
/// Before this version a supported feature must not start at 0 (KAFKA-17011).
const FEATURE_MIN_ZERO_SINCE: i16 = 4;

pub fn handle(
    ctx: &RequestContext,
    request: ApiVersionsRequest,
    reply: Reply<ApiVersionsResponse>,
    metadata: &MetadataCache,
) {
    if ctx.version >= FEATURES_SINCE && !is_valid_software(&request) {
        return reply.send(ApiVersionsResponse {
            error_code: ErrorCode::InvalidRequest.code(),
            ..Default::default()
        });
    }
    let is_ours = &*request.client_software_name == OUR_CLIENT;
    let is_told_of = |api: &&ServedApi| api.is_behind(ctx.door) && (!api.is_ours() || is_ours);
    let image = metadata.image();
    let supported = SUPPORTED_FEATURES
        .iter()
        .filter(|(_, range)| range.min > 0 || ctx.version >= FEATURE_MIN_ZERO_SINCE);
    reply.send(ApiVersionsResponse {
        api_keys: SERVED.iter().filter(|api| is_told_of(api)).map(row).collect(),
        supported_features: supported
            .map(|(name, range)| SupportedFeatureKey {
                name: (*name).into(),
                min_version: range.min,
                max_version: range.max,
            })
            .collect(),
        finalized_features_epoch: image.provenance.last_offset.0,
        finalized_features: image
            .features
            .iter()
            .map(|(name, level)| FinalizedFeatureKey {
                name: name.into(),
                max_version_level: level,
                min_version_level: level,
            })
            .collect(),
        ..Default::default()
    });
}

/// Answers a version that nobody here knows, so that the client can try a lower one.
pub fn refuse_version(reply: Reply<ApiVersionsResponse>) {
    reply.send(ApiVersionsResponse {
        error_code: ErrorCode::UnsupportedVersion.code(),
        api_keys: served(ApiKey::ApiVersions).map(row).into_iter().collect(),
        ..Default::default()
    });
}

fn row(api: &ServedApi) -> api_versions_response::ApiVersion {
    ApiVersion {
        api_key: api.key.as_i16(),
        min_version: api.advertised_min(),
        max_version: api.version_max,
    }
}

/// Source: Kafka `ApiVersionsRequest.isValid`: letters, digits, dots and dashes, with an
/// alphanumeric character at both ends.
fn is_valid_software(request: &ApiVersionsRequest) -> bool {
    let is_valid = |text: &str| {
        let ends = [text.chars().next(), text.chars().next_back()];
        ends.iter().all(|c| c.is_some_and(|c| c.is_ascii_alphanumeric()))
            && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '.' || c == '-')
    };
    is_valid(&request.client_software_name) && is_valid(&request.client_software_version)
}
