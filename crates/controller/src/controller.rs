use std::sync::Arc;

use bytes::Bytes;
use config::{BrokerConfig, BrokerLayers};
use metadata::{
    BrokerImage, ConfigMap, ConfigResource, Loaded, MetadataImage, MetadataLoader, MetadataRecord,
    MetadataVersion, Provenance, RecordError, ReplayError,
};
use protocol::metadata_records::{BeginTransactionRecord, EndTransactionRecord};
use types::{BrokerId, Uuid};

use crate::ControllerResult;
use crate::broker_partitions::BrokerPartitions;
use crate::limits::RECORDS_PER_BATCH;
use crate::liveness::Liveness;
use crate::topic_name::CollidingNames;

const TRANSACTION_NAME: &str = "one decision in several batches";

/// The active controller's mind: the image of all committed metadata, and what may change it.
///
/// Every command is a method that takes `&self` and returns a [`ControllerResult`]; call order is
/// *decide*, commit the records through the consensus engine, *replay* what came back committed,
/// publish the image, send the reply. A standby only replays.
///
/// **Invariant:** the image is a function of the records replayed.
#[doc(alias = "QuorumController")]
#[derive(Clone, Debug)]
pub struct Controller {
    pub(crate) config: Arc<BrokerConfig>,
    pub(crate) cluster_id: Uuid,
    loader: MetadataLoader,
    pub(crate) colliding_names: CollidingNames,
    pub(crate) broker_partitions: BrokerPartitions,
    /// Soft: who was heard of in this reign.
    pub(crate) liveness: Liveness,
}

impl Controller {
    /// A controller that knows nothing yet.
    pub fn new(config: Arc<BrokerConfig>, cluster_id: Uuid) -> Controller {
        Controller::from_image(config, cluster_id, Arc::default())
    }

    /// A controller that goes on from an image, such as one read from a snapshot.
    pub fn from_image(
        config: Arc<BrokerConfig>,
        cluster_id: Uuid,
        image: Arc<MetadataImage>,
    ) -> Controller {
        let colliding_names = CollidingNames::of(&image.topics);
        let broker_partitions = BrokerPartitions::of(&image.topics);
        let loader = MetadataLoader::new(image);
        let liveness = Liveness::new(&config.membership);
        Controller { config, cluster_id, loader, colliding_names, broker_partitions, liveness }
    }

    /// Takes in a snapshot of what is committed, in place of the batches that it covers.
    pub fn install(&mut self, image: Arc<MetadataImage>) -> Loaded {
        let before = self.image();
        let (config, cluster_id) = (Arc::clone(&self.config), self.cluster_id);
        *self = Controller::from_image(config, cluster_id, Arc::clone(&image));
        Loaded::jump(before, image)
    }

    /// What this node is configured to.
    pub fn config(&self) -> &Arc<BrokerConfig> {
        &self.config
    }

    /// Everything committed and replayed so far.
    pub fn image(&self) -> Arc<MetadataImage> {
        Arc::clone(self.loader.image())
    }

    /// Takes in one committed batch; call it for batches without records too, so that the image
    /// knows how far it goes. `None` while a metadata transaction is open.
    ///
    /// # Errors
    /// The batch contradicts what was replayed before: the log is not ours, or a defect is. The
    /// controller must not be used any further.
    pub fn replay(
        &mut self,
        at: Provenance,
        records: &[MetadataRecord],
    ) -> Result<Option<Loaded>, ReplayError> {
        let loaded = self.loader.replay_batch(at, records)?;
        if let Some(loaded) = &loaded {
            self.colliding_names.apply(loaded.delta.topics());
            self.broker_partitions.apply(loaded);
            let topics = &loaded.image.topics;
            debug_assert!(
                topics.partition_count() > 100 || self.broker_partitions.is_that_of(topics),
                "the index is a function of the image"
            );
            self.liveness.apply(loaded.delta.cluster(), at.last_offset);
        }
        Ok(loaded)
    }

    /// The batches that carry out a decision, as record values at the finalized
    /// `metadata.version`. What is atomic and too large for one batch is put into a metadata
    /// transaction (KIP-868), which nobody sees a part of.
    ///
    /// # Errors
    /// A record cannot be written at that level.
    pub fn encode<R>(&self, result: &ControllerResult<R>) -> Result<Vec<Vec<Bytes>>, RecordError> {
        let level = self.view().features.metadata_version();
        let encoded = result.records.iter().map(|record| record.encode(level));
        let mut values = encoded.collect::<Result<Vec<_>, _>>()?;
        // Below the level any prefix is committed: of fencing, a broker that leads less.
        let needs_transaction = result.atomic
            && values.len() > RECORDS_PER_BATCH
            && level >= MetadataVersion::TRANSACTIONS;
        if needs_transaction {
            let begin = BeginTransactionRecord { name: Some(TRANSACTION_NAME.into()) };
            values.insert(0, MetadataRecord::from(begin).encode(level)?);
            values.push(MetadataRecord::from(EndTransactionRecord::default()).encode(level)?);
        }
        Ok(values.chunks(RECORDS_PER_BATCH).map(<[Bytes]>::to_vec).collect())
    }

    /// Whether a metadata transaction is open: that of a controller which lost its reign half-way,
    /// unless this one has it under way.
    pub(crate) fn in_transaction(&self) -> bool {
        self.loader.in_transaction()
    }

    pub(crate) fn view(&self) -> &MetadataImage {
        self.loader.image()
    }

    pub(crate) fn node_id(&self) -> BrokerId {
        self.config.node.node_id
    }

    pub(crate) fn broker(&self, id: BrokerId) -> Option<&Arc<BrokerImage>> {
        self.view().cluster.broker(id)
    }

    /// The directory of a new replica: known at once on a broker with one directory, otherwise
    /// left for the broker to choose. Source: KIP-858.
    #[doc(alias = "defaultDir")]
    pub(crate) fn default_directory(&self, id: BrokerId) -> Uuid {
        match self.broker(id).map(|broker| broker.log_dirs.as_slice()) {
            Some([only]) => *only,
            _ => Uuid::ZERO,
        }
    }

    /// What brokers are configured to, as this node sees it.
    pub(crate) fn with_broker_layers<R>(&self, f: impl FnOnce(&BrokerLayers<'_>) -> R) -> R {
        let configs = &self.view().configs;
        let dynamic_broker: Arc<ConfigMap> = configs.get(&ConfigResource::broker(self.node_id()));
        let dynamic_default = configs.get(&ConfigResource::default_broker());
        f(&BrokerLayers {
            dynamic_broker: &dynamic_broker,
            dynamic_default: &dynamic_default,
            static_broker: &self.config.static_properties,
        })
    }
}
