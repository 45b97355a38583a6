use metadata::{
    FeatureRange, KRAFT_VERSION_FEATURE, METADATA_VERSION_FEATURE, MetadataRecord, MetadataVersion,
};
use protocol::messages::update_features_request::{FeatureUpdateKey, UpdateFeaturesRequest};
use protocol::messages::update_features_response::{
    UpdatableFeatureResult, UpdateFeaturesResponse,
};
use protocol::metadata_records::FeatureLevelRecord;
use types::ErrorCode;

use crate::{ApiError, Controller, ControllerResult};

/// Eligible leader replicas, KIP-966: at level 1 account is kept of who holds everything that is
/// committed although it is not in sync.
pub(crate) const ELIGIBLE_LEADER_REPLICAS_FEATURE: &str = "eligible.leader.replicas.version";

/// The features that this build knows and the levels it can work at. A feature whose protocol we
/// do not serve is not here: finalizing it would promise what is not there.
pub const SUPPORTED_FEATURES: &[(&str, FeatureRange)] = &[
    (
        METADATA_VERSION_FEATURE,
        FeatureRange { min: MetadataVersion::MIN.0, max: MetadataVersion::LATEST.0 },
    ),
    (ELIGIBLE_LEADER_REPLICAS_FEATURE, FeatureRange { min: 0, max: 1 }),
    (KRAFT_VERSION_FEATURE, FeatureRange { min: 0, max: 1 }),
];

/// The levels of `feature` that this build can work at; 0 alone for one that it does not know.
pub fn supported_feature(feature: &str) -> FeatureRange {
    let known = SUPPORTED_FEATURES.iter().find(|(name, _)| *name == feature);
    known.map_or(FeatureRange { min: 0, max: 0 }, |(_, range)| *range)
}

/// The answer to an update of which one feature was refused: nothing of it is done.
pub fn update_refused(error: ApiError) -> UpdateFeaturesResponse {
    let message = format!(
        "The update failed for all features since the following feature had an error: {}",
        error.message.unwrap_or_default()
    );
    UpdateFeaturesResponse {
        error_code: error.code.code(),
        error_message: Some(message.into()),
        ..UpdateFeaturesResponse::default()
    }
}

/// How a caller means an update. Source: Kafka `FeatureUpdate.UpgradeType`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum UpgradeType {
    Upgrade,
    SafeDowngrade,
    UnsafeDowngrade,
}

impl UpgradeType {
    fn of(update: &FeatureUpdateKey) -> Option<UpgradeType> {
        match update.upgrade_type {
            // Before v1 a flag said so.
            1 if update.allow_downgrade => Some(UpgradeType::SafeDowngrade),
            1 => Some(UpgradeType::Upgrade),
            2 => Some(UpgradeType::SafeDowngrade),
            3 => Some(UpgradeType::UnsafeDowngrade),
            _ => None,
        }
    }
}

impl Controller {
    /// Changes finalized feature levels, all or none.
    ///
    /// Source: Kafka `FeatureControlManager.updateFeatures`.
    pub fn update_features(
        &self,
        request: &UpdateFeaturesRequest,
    ) -> ControllerResult<UpdateFeaturesResponse> {
        let mut records = Vec::new();
        for update in &request.feature_updates {
            match self.update_feature(update) {
                Ok(new) => records.extend(new),
                Err(error) => return ControllerResult::reply_only(update_refused(error)),
            }
        }
        let done = |update: &FeatureUpdateKey| UpdatableFeatureResult {
            feature: update.feature.clone(),
            error_code: ErrorCode::None.code(),
            error_message: None,
        };
        let results = request.feature_updates.iter().map(done).collect();
        let error_message = None;
        let reply = UpdateFeaturesResponse { results, error_message, ..Default::default() };
        ControllerResult::atomic(records, reply).without_records_if(request.validate_only)
    }

    /// Whether the quorum must finalize `kraft.version` at a higher level first, for then no record
    /// of the metadata does.
    pub fn raises_kraft_version(&self, request: &UpdateFeaturesRequest) -> bool {
        let current = self.view().features.level(KRAFT_VERSION_FEATURE);
        let mut updates = request.feature_updates.iter();
        updates.any(|update| {
            *update.feature == *KRAFT_VERSION_FEATURE && update.max_version_level > current
        })
    }

    fn update_feature(&self, update: &FeatureUpdateKey) -> Result<Vec<MetadataRecord>, ApiError> {
        let (name, level) = (&update.feature, update.max_version_level);
        let invalid = |why: &str| {
            let message = format!("Invalid update version {level} for feature {name}. {why}");
            ApiError::new(ErrorCode::InvalidUpdateVersion, message)
        };
        let Some(upgrade_type) = UpgradeType::of(update) else {
            return Err(invalid("The controller does not support the given upgrade type."));
        };
        if level < 0 {
            return Err(invalid("A feature version cannot be less than 0."));
        }
        if let Some(why) = self.why_unsupported(name, level) {
            return Err(invalid(&why));
        }
        if !SUPPORTED_FEATURES.iter().any(|(known, _)| *known == &**name) {
            return Err(invalid(&format!("Feature {name} not found.")));
        }
        let current = self.view().features.level(name);
        let upgrade = upgrade_type == UpgradeType::Upgrade;
        if level < current && upgrade {
            return Err(invalid(
                "Can't downgrade the version of this feature without setting the upgrade type to \
                 either safe or unsafe downgrade.",
            ));
        }
        if level > current && !upgrade {
            return Err(invalid("Can't downgrade to a newer version."));
        }
        if **name == *METADATA_VERSION_FEATURE {
            self.check_metadata_version(level, upgrade_type)?;
        }
        if **name == *KRAFT_VERSION_FEATURE {
            return match level < current {
                true => Err(invalid("Can't downgrade the version of this feature.")),
                // What raises it is a record of the quorum's.
                false => Ok(Vec::new()),
            };
        }
        let mut records = Vec::new();
        if **name == *ELIGIBLE_LEADER_REPLICAS_FEATURE && level > current {
            if self.view().features.metadata_version() < MetadataVersion::ELIGIBLE_LEADERS {
                let needed = MetadataVersion::ELIGIBLE_LEADERS;
                return Err(invalid(&format!(
                    "{name} could not be set to {level} because it depends on {} level {}",
                    METADATA_VERSION_FEATURE, needed.0
                )));
            }
            records = self.agree_on_min_isr();
        }
        records.push(FeatureLevelRecord { name: name.clone(), feature_level: level }.into());
        Ok(records)
    }

    /// Whom `level` of a feature would leave behind: this controller, or a registered node.
    fn why_unsupported(&self, feature: &str, level: i16) -> Option<String> {
        let nobody = FeatureRange { min: 0, max: 0 };
        let here = (format!("Local controller {}", self.node_id()), supported_feature(feature));
        let brokers = self.view().cluster.brokers().map(|broker| {
            let range = broker.features.get(feature).copied().unwrap_or(nobody);
            (format!("Broker {}", broker.id), range)
        });
        let controllers = self.view().cluster.controllers().map(|controller| {
            let range = controller.features.get(feature).copied().unwrap_or(nobody);
            (format!("Controller {}", controller.id), range)
        });
        let mut all = std::iter::once(here).chain(brokers).chain(controllers);
        let Some((who, range)) = all.find(|(_, range)| !range.contains(level)) else {
            return self.controller_that_has_not_registered();
        };
        Some(match range.max {
            0 => format!("{who} does not support this feature."),
            _ => format!("{who} only supports versions {range}"),
        })
    }

    /// One of `controller.quorum.voters` of which nobody knows what it supports.
    fn controller_that_has_not_registered(&self) -> Option<String> {
        if self.view().features.metadata_version() < MetadataVersion::CONTROLLER_REGISTRATIONS {
            return None;
        }
        let is_known =
            |id: i32| self.view().cluster.controllers().any(|controller| controller.id == id);
        let mut voters = self.config.quorum.voters.iter().map(|voter| voter.id.0);
        let id = voters.find(|id| *id != self.node_id().0 && !is_known(*id))?;
        Some(format!("controller {id} has not registered, and may not support this feature"))
    }

    fn check_metadata_version(&self, level: i16, upgrade: UpgradeType) -> Result<(), ApiError> {
        let current = self.view().features.metadata_version();
        let Some(version) = MetadataVersion::from_level(level) else {
            let message = format!(
                "Invalid metadata.version {level}. Valid versions are from {} to {}.",
                MetadataVersion::MIN.0,
                MetadataVersion::LATEST.0
            );
            return Err(ApiError::new(ErrorCode::InvalidUpdateVersion, message));
        };
        let refused = |why: &str| {
            let message = format!(
                "Unsupported metadata.version downgrade from {current} to {version}. {why}"
            );
            Err(ApiError::new(ErrorCode::InvalidUpdateVersion, message))
        };
        if version >= current || !version.metadata_differs(current) {
            return Ok(());
        }
        match upgrade {
            UpgradeType::UnsafeDowngrade => {
                refused("Unsafe metadata downgrade is not supported in this version.")
            }
            _ => refused(
                "Refusing to perform the requested downgrade because it might delete metadata \
                 information.",
            ),
        }
    }
}
