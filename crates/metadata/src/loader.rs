use std::sync::Arc;

use crate::limits::TRANSACTION_RECORDS_MAX;
use crate::{MetadataDelta, MetadataImage, MetadataRecord, Provenance, ReplayError};

/// Follows a metadata log: batches in, images out.
///
/// Records between BeginTransaction and EndTransaction (KIP-868) count together: no image shows
/// some of them, however many batches they span.
#[doc(alias = "MetadataBatchLoader")]
#[derive(Clone, Debug)]
pub struct MetadataLoader {
    /// What was published last.
    image: Arc<MetadataImage>,
    /// What has been replayed since, while a transaction is open.
    pending: MetadataDelta,
    transaction: Option<Transaction>,
}

#[derive(Clone, Debug)]
struct Transaction {
    /// What to go back to if the transaction is aborted.
    before: MetadataDelta,
    records: usize,
}

/// A step from one image to the next.
#[derive(Clone, Debug)]
pub struct Loaded {
    pub delta: MetadataDelta,
    pub before: Arc<MetadataImage>,
    /// `before` with `delta` in it.
    pub image: Arc<MetadataImage>,
}

impl Loaded {
    /// The step to an image that came as a snapshot. Its delta names the topics and configurations
    /// that differ; everything else is in the image alone.
    pub fn jump(before: Arc<MetadataImage>, image: Arc<MetadataImage>) -> Loaded {
        Loaded { delta: MetadataDelta::between(&before, &image), before, image }
    }
}

impl MetadataLoader {
    pub fn new(image: Arc<MetadataImage>) -> MetadataLoader {
        MetadataLoader { image, pending: MetadataDelta::default(), transaction: None }
    }

    /// The last image that may be shown.
    pub fn image(&self) -> &Arc<MetadataImage> {
        &self.image
    }

    /// Whether a transaction is open, so that the next image waits for its end.
    pub fn in_transaction(&self) -> bool {
        self.transaction.is_some()
    }

    /// Replays one batch. `None` while a transaction is open at its end.
    ///
    /// # Errors
    /// A record contradicts what came before it. The image stays as it was and nothing more may
    /// be replayed.
    pub fn replay_batch(
        &mut self,
        provenance: Provenance,
        records: &[MetadataRecord],
    ) -> Result<Option<Loaded>, ReplayError> {
        for record in records {
            self.replay(record)?;
        }
        if self.transaction.is_some() {
            return Ok(None);
        }
        let delta = std::mem::take(&mut self.pending);
        let image = Arc::new(self.image.apply(&delta, provenance));
        let before = std::mem::replace(&mut self.image, Arc::clone(&image));
        Ok(Some(Loaded { delta, before, image }))
    }

    fn replay(&mut self, record: &MetadataRecord) -> Result<(), ReplayError> {
        match record {
            MetadataRecord::BeginTransaction(_) => {
                if self.transaction.is_some() {
                    return Err(ReplayError::BadTransaction("begun inside another"));
                }
                let before = self.pending.clone();
                self.transaction = Some(Transaction { before, records: 0 });
            }
            MetadataRecord::EndTransaction(_) => {
                if self.transaction.take().is_none() {
                    return Err(ReplayError::BadTransaction("ended without a beginning"));
                }
            }
            MetadataRecord::AbortTransaction(_) => match self.transaction.take() {
                Some(transaction) => self.pending = transaction.before,
                None => return Err(ReplayError::BadTransaction("aborted without a beginning")),
            },
            record => {
                if let Some(transaction) = &mut self.transaction {
                    transaction.records += 1;
                    if transaction.records > TRANSACTION_RECORDS_MAX {
                        return Err(ReplayError::TooLarge("records in a metadata transaction"));
                    }
                }
                self.pending.replay(&self.image, record)?;
            }
        }
        Ok(())
    }
}
