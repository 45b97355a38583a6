use metadata::{METADATA_VERSION_FEATURE, MetadataRecord, MetadataVersion};
use protocol::metadata_records::{AbortTransactionRecord, FeatureLevelRecord};

use crate::Controller;
use crate::ControllerResult;
use crate::features::{ELIGIBLE_LEADER_REPLICAS_FEATURE, supported_feature};

/// 4.1-IV0: a fresh cluster keeps account of eligible leaders.
///
/// Source: Kafka `EligibleLeaderReplicasVersion.ELRV_1`, its `bootstrapMetadataVersion`.
const ELIGIBLE_LEADERS_BY_DEFAULT: MetadataVersion = MetadataVersion(26);

/// The first records of a fresh cluster: the levels of its features, `metadata.version` first.
#[doc(alias = "BootstrapMetadata")]
pub fn bootstrap_records(level: MetadataVersion) -> Vec<MetadataRecord> {
    let metadata_version = (METADATA_VERSION_FEATURE, level.0);
    let eligible_leaders = (ELIGIBLE_LEADER_REPLICAS_FEATURE, 1);
    let others = (level >= ELIGIBLE_LEADERS_BY_DEFAULT).then_some(eligible_leaders);
    let record = |(name, feature_level): (&str, i16)| {
        FeatureLevelRecord { name: name.into(), feature_level }.into()
    };
    std::iter::once(metadata_version).chain(others).map(record).collect()
}

impl Controller {
    /// What a new reign writes before it serves: nothing, unless the log is still empty, or the
    /// reign before it ended in the middle of a metadata transaction.
    #[doc(alias = "ActivationRecordsGenerator")]
    pub fn activate(&self, fresh: MetadataVersion) -> ControllerResult<()> {
        let mut records = Vec::new();
        if self.in_transaction() {
            let reason = Some("Controller failover".into());
            records.push(AbortTransactionRecord { reason }.into());
        }
        if self.view().is_empty() {
            records.extend(bootstrap_records(fresh));
            if fresh >= ELIGIBLE_LEADERS_BY_DEFAULT {
                records.extend(self.agree_on_min_isr());
            }
        }
        ControllerResult::atomic(records, ())
    }

    /// Gives up the features that this build does not serve, so that it can take over the metadata
    /// of an Apache Kafka node: clients must not be promised them. Returns their names and levels.
    ///
    /// Records that only those features wrote stay where they are and are passed over.
    pub fn give_up_unserved_features(&self) -> ControllerResult<Vec<(String, i16)>> {
        let is_unserved = |(name, level): &(&str, i16)| !supported_feature(name).contains(*level);
        let given_up: Vec<_> = self
            .view()
            .features
            .iter()
            .filter(|(name, _)| *name != METADATA_VERSION_FEATURE)
            .filter(is_unserved)
            .map(|(name, level)| (name.to_owned(), level))
            .collect();
        let record = |(name, _): &(String, i16)| {
            FeatureLevelRecord { name: name.as_str().into(), feature_level: 0 }.into()
        };
        ControllerResult::atomic(given_up.iter().map(record).collect(), given_up)
    }
}
