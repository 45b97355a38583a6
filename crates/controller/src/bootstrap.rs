use metadata::{METADATA_VERSION_FEATURE, MetadataRecord, MetadataVersion};
use protocol::metadata_records::FeatureLevelRecord;

use crate::Controller;
use crate::ControllerResult;

/// The first records of a fresh cluster: the levels of its features, `metadata.version` first.
#[doc(alias = "BootstrapMetadata")]
pub fn bootstrap_records(level: MetadataVersion) -> Vec<MetadataRecord> {
    let metadata_version =
        FeatureLevelRecord { name: METADATA_VERSION_FEATURE.into(), feature_level: level.0 };
    vec![metadata_version.into()]
}

impl Controller {
    /// What a new reign writes before it serves: nothing, unless the log is still empty.
    #[doc(alias = "ActivationRecordsGenerator")]
    pub fn activate(&self, fresh: MetadataVersion) -> ControllerResult<()> {
        match self.view().is_empty() {
            true => ControllerResult::atomic(bootstrap_records(fresh), ()),
            false => ControllerResult::reply_only(()),
        }
    }
}
