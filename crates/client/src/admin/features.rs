//! Feature levels: what brokers can work at, and what is finalized.

use std::collections::BTreeMap;

use protocol::Str;
use protocol::messages::ApiVersionsRequest;
use protocol::messages::update_features_request::{FeatureUpdateKey, UpdateFeaturesRequest};

use crate::error::ClientError;
use crate::routing::Client;

/// How long the controller may take.
const CHANGE_TIMEOUT_MS: i32 = 60_000;

/// What a broker says about features.
#[doc(alias = "FeatureMetadata")]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Features {
    /// The lowest and the highest level that the broker can work at.
    pub supported: BTreeMap<String, (i16, i16)>,
    /// The level of the cluster.
    pub finalized: BTreeMap<String, i16>,
    /// Grows with every change; -1 if the broker does not know yet.
    pub epoch: i64,
}

/// How a level may change. Source: Kafka `FeatureUpdate.UpgradeType`.
#[doc(alias = "UpgradeType")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LevelChange {
    Upgrade = 1,
    SafeDowngrade = 2,
    /// Although metadata may be lost.
    UnsafeDowngrade = 3,
}

impl Client {
    /// The features of one broker, or of whichever is connected.
    pub fn features(&mut self, broker: Option<i32>) -> Result<Features, ClientError> {
        let request = ApiVersionsRequest {
            client_software_name: "ottla".into(),
            client_software_version: env!("CARGO_PKG_VERSION").into(),
        };
        let answer = match broker {
            Some(id) => self.call_broker(id, &request)?,
            None => self.call_any(&request)?,
        };
        if answer.error_code != 0 {
            return Err(ClientError::broker("read the features", answer.error_code, None));
        }
        let supported = answer.supported_features.iter();
        let finalized = answer.finalized_features.iter();
        Ok(Features {
            supported: supported
                .map(|f| (f.name.to_string(), (f.min_version, f.max_version)))
                .collect(),
            finalized: finalized.map(|f| (f.name.to_string(), f.max_version_level)).collect(),
            epoch: answer.finalized_features_epoch,
        })
    }

    /// Changes levels, all or none.
    ///
    /// # Errors
    /// The controller's, which is that of every feature.
    pub fn update_features(
        &mut self,
        levels: &BTreeMap<String, i16>,
        change: LevelChange,
        is_dry_run: bool,
    ) -> Result<(), ClientError> {
        let update = |(name, level): (&String, &i16)| FeatureUpdateKey {
            feature: Str::from(name),
            max_version_level: *level,
            // What version 0 has for a type, which no cluster speaks that finalizes levels.
            allow_downgrade: false,
            upgrade_type: change as i8,
        };
        let request = UpdateFeaturesRequest {
            timeout_ms: CHANGE_TIMEOUT_MS,
            feature_updates: levels.iter().map(update).collect(),
            validate_only: is_dry_run,
        };
        let answer = self.call_controller(&request)?;
        let failed = answer.results.iter().find(|result| result.error_code != 0);
        let (code, message) = match failed {
            Some(result) if answer.error_code == 0 => (result.error_code, &result.error_message),
            _ => (answer.error_code, &answer.error_message),
        };
        match code {
            0 => Ok(()),
            code => Err(ClientError::broker("change feature levels", code, message.as_deref())),
        }
    }
}
