use types::{Offset, WallTime};

use crate::{
    ClusterImage, ConfigsImage, FeaturesImage, MetadataDelta, ProducerIdsImage, TopicsImage,
};

/// Which prefix of the metadata log an image amounts to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Provenance {
    /// The last offset that is in it; [`Offset::NONE`] for nothing.
    pub last_offset: Offset,
    /// The epoch of the batch at that offset.
    pub epoch: i32,
    pub appended_at: WallTime,
}

impl Provenance {
    pub const EMPTY: Provenance =
        Provenance { last_offset: Offset::NONE, epoch: -1, appended_at: WallTime::NONE };
}

/// The metadata of the cluster as of one offset of its log. Immutable; clones share everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetadataImage {
    pub provenance: Provenance,
    pub features: FeaturesImage,
    pub cluster: ClusterImage,
    pub topics: TopicsImage,
    pub configs: ConfigsImage,
    pub producer_ids: ProducerIdsImage,
}

impl Default for MetadataImage {
    fn default() -> MetadataImage {
        MetadataImage::empty()
    }
}

impl MetadataImage {
    pub fn empty() -> MetadataImage {
        MetadataImage {
            provenance: Provenance::EMPTY,
            features: FeaturesImage::default(),
            cluster: ClusterImage::default(),
            topics: TopicsImage::default(),
            configs: ConfigsImage::default(),
            producer_ids: ProducerIdsImage::default(),
        }
    }

    /// Nothing has been written: the log has no records yet, or its quorum's own alone.
    pub fn is_empty(&self) -> bool {
        let without_features = MetadataImage { features: FeaturesImage::default(), ..self.clone() };
        self.features.is_empty() && without_features.same_content(&MetadataImage::empty())
    }

    /// Whether both say the same about the cluster, wherever in the log they stand.
    pub fn same_content(&self, other: &MetadataImage) -> bool {
        let here = MetadataImage { provenance: other.provenance, ..self.clone() };
        here == *other
    }

    /// This image with `delta`, which must have been built on it, in it.
    pub fn apply(&self, delta: &MetadataDelta, provenance: Provenance) -> MetadataImage {
        MetadataImage {
            provenance,
            features: self.features.apply(delta.features()),
            cluster: self.cluster.apply(delta.cluster()),
            topics: self.topics.apply(delta.topics()),
            configs: self.configs.apply(delta.configs()),
            producer_ids: self.producer_ids.apply(delta.producer_ids()),
        }
    }
}
