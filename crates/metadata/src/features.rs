//! Finalized feature levels.

use std::collections::BTreeMap;
use std::sync::Arc;

use protocol::metadata_records::FeatureLevelRecord;

use crate::MetadataVersion;

/// The feature that says how metadata records are written.
pub const METADATA_VERSION_FEATURE: &str = "metadata.version";

/// The feature that says whether the voters of the metadata quorum are named with their
/// directories, and may change: at level 1 they are. The quorum finalizes it in a record of its
/// own, and no `FeatureLevelRecord` of a log counts. Source: KIP-853, KAFKA-18979.
pub const KRAFT_VERSION_FEATURE: &str = "kraft.version";

/// The level at which each feature is finalized. Source: KIP-584, KIP-1022.
///
/// **Invariant:** no level is 0: that means "not finalized".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FeaturesImage {
    levels: Arc<BTreeMap<Arc<str>, i16>>,
}

impl FeaturesImage {
    /// 0 for a feature that is not finalized.
    pub fn level(&self, feature: &str) -> i16 {
        self.levels.get(feature).copied().unwrap_or(0)
    }

    /// The level at which metadata is written; the latest while none is finalized, which is
    /// only before the first records of a cluster.
    pub fn metadata_version(&self) -> MetadataVersion {
        match self.level(METADATA_VERSION_FEATURE) {
            0 => MetadataVersion::LATEST,
            level => MetadataVersion(level),
        }
    }

    /// In name order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, i16)> {
        self.levels.iter().map(|(name, level)| (&**name, *level))
    }

    /// Whether no record of the metadata has finalized any.
    pub fn is_empty(&self) -> bool {
        self.levels.keys().all(|name| **name == *KRAFT_VERSION_FEATURE)
    }

    /// This image with `delta` in it.
    pub fn apply(&self, delta: &FeaturesDelta) -> FeaturesImage {
        if delta.changed.is_empty() {
            return self.clone();
        }
        let mut levels = BTreeMap::clone(&self.levels);
        for (name, level) in &delta.changed {
            match level {
                0 => levels.remove(name),
                level => levels.insert(Arc::clone(name), *level),
            };
        }
        FeaturesImage { levels: Arc::new(levels) }
    }
}

/// Feature levels that some records set; 0 takes the feature away.
#[derive(Clone, Debug, Default)]
pub struct FeaturesDelta {
    changed: BTreeMap<Arc<str>, i16>,
}

impl FeaturesDelta {
    pub fn changed(&self) -> &BTreeMap<Arc<str>, i16> {
        &self.changed
    }

    pub fn is_empty(&self) -> bool {
        self.changed.is_empty()
    }

    pub(crate) fn set(&mut self, record: &FeatureLevelRecord) {
        self.changed.insert((&*record.name).into(), record.feature_level);
    }
}
