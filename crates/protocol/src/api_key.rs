mod table;

use std::fmt;

pub use table::ApiKey;

impl ApiKey {
    pub const fn as_i16(self) -> i16 {
        self as i16
    }

    pub fn supports(self, version: i16) -> bool {
        self.versions().contains(&version)
    }

    pub fn is_flexible(self, version: i16) -> bool {
        self.flexible_from().is_some_and(|first| version >= first)
    }

    /// 2 where the request itself is flexible, else 1. Version 0 died with ControlledShutdown v0.
    ///
    /// Holds for versions we do not know, too: a client's newer ApiVersions must stay readable.
    pub fn request_header_version(self, version: i16) -> i16 {
        if self.is_flexible(version) { 2 } else { 1 }
    }

    /// 1 where the response itself is flexible, else 0; for ApiVersions always 0, because the
    /// client reads it before it knows what the broker speaks (KIP-511).
    pub fn response_header_version(self, version: i16) -> i16 {
        if self != ApiKey::ApiVersions && self.is_flexible(version) { 1 } else { 0 }
    }
}

/// The lowest Produce version that ApiVersions must claim, although 0–2 are refused: older
/// librdkafka compresses only if the broker says it knows version 0 (KAFKA-18659).
pub const PRODUCE_ADVERTISED_VERSION_MIN: i16 = 0;

impl fmt::Display for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_found_by_its_number_and_no_other_number_is_a_key() {
        let found: Vec<ApiKey> = (i16::MIN..=i16::MAX).filter_map(ApiKey::from_i16).collect();
        assert_eq!(found, ApiKey::ALL);
        assert!(ApiKey::ALL.iter().all(|key| ApiKey::from_i16(key.as_i16()) == Some(*key)));
        // Keys 4 to 7 left with ZooKeeper; our own lie far from where Kafka's grow.
        let (ours, kafkas): (Vec<ApiKey>, Vec<ApiKey>) =
            ApiKey::ALL.iter().partition(|key| key.as_i16() >= 20_000);
        assert_eq!(
            (kafkas.len(), ours),
            (93 - 4, vec![ApiKey::DescribeCompaction, ApiKey::QuorumMessage])
        );
    }

    #[test]
    fn api_versions_answers_never_use_a_flexible_header() {
        assert_eq!(ApiKey::ApiVersions.response_header_version(3), 0);
        assert_eq!(ApiKey::ApiVersions.request_header_version(3), 2);
        assert_eq!(ApiKey::ApiVersions.request_header_version(99), 2);
        assert_eq!(ApiKey::Metadata.response_header_version(9), 1);
        assert_eq!(ApiKey::Metadata.response_header_version(8), 0);
        assert_eq!(ApiKey::SaslHandshake.request_header_version(1), 1);
    }
}
