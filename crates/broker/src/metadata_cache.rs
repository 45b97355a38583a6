use std::sync::Arc;

use arc_swap::ArcSwap;
use metadata::MetadataImage;

/// The newest committed metadata, as an immutable snapshot that any thread takes without a lock.
#[doc(alias = "KRaftMetadataCache")]
pub struct MetadataCache {
    image: ArcSwap<MetadataImage>,
}

impl MetadataCache {
    pub fn new(image: Arc<MetadataImage>) -> MetadataCache {
        MetadataCache { image: ArcSwap::new(image) }
    }

    /// One consistent view; a request keeps the one it took.
    pub fn image(&self) -> Arc<MetadataImage> {
        self.image.load_full()
    }

    pub(crate) fn publish(&self, image: Arc<MetadataImage>) {
        self.image.store(image);
    }
}
