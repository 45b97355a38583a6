//! Which engine the metadata log of a controller has, and its start.

use std::sync::Arc;

use bytes::Bytes;
use config::{BrokerConfig, QuorumVoter};
use consensus::{
    MetadataLog, NodeId, RaftEngine, RaftOptions, RaftTiming, SingleVoter, Voter, VoterEndpoint,
    VoterKey,
};
use controller::Controller;
use env::{Clock, Disk, Env};
use metadata::MetadataVersion;
use records::bootstrap;
use types::Uuid;

use super::OpenError;
use crate::controller_host::{ControllerHost, Engine};
use crate::log_store::LogStore;
use crate::metadata_log::{StoredMetadataLog, voter_of};
use crate::timers::Timers;

/// A controller that is about to open.
pub struct Opening<'a, E> {
    pub env: &'a E,
    pub config: &'a Arc<BrokerConfig>,
    pub cluster_id: Uuid,
}

/// Who agrees on the metadata log.
enum Agreement {
    /// This node by itself.
    Alone,
    /// Voters that talk; those it begins with.
    Quorum(Vec<Voter>),
}

impl<E: Env> Opening<'_, E> {
    pub fn open(
        &self,
        log_store: &LogStore<E>,
        endpoints: Vec<VoterEndpoint>,
        timers: &Arc<Timers>,
    ) -> Result<Arc<ControllerHost<E>>, OpenError> {
        let Opening { env, config, cluster_id } = *self;
        let now = env.clock().wall();
        let log = log_store.open_metadata_log(&config.quorum, now).map_err(OpenError::Logs)?;
        let log = StoredMetadataLog::new(log, env.disk().clone());
        let opened = match self.agreement(&log)? {
            Agreement::Alone => SingleVoter::open(NodeId(config.node.node_id.0), log, now)
                .map(|engine| Engine::Single(Box::new(engine))),
            Agreement::Quorum(voters) => {
                let directory = log_store.metadata_directory();
                let options = self.raft_options(voters, directory, endpoints);
                RaftEngine::open(options, log, now, env.clock().mono())
                    .map(|engine| Engine::Quorum(Box::new(engine)))
            }
        };
        let engine = opened.map_err(|error| OpenError::Metadata(error.to_string()))?;
        let controller = Controller::new(Arc::clone(config), cluster_id);
        let host = ControllerHost::open(env.clone(), engine, controller, Arc::clone(timers))
            .map_err(OpenError::Metadata)?;
        if !host.is_quorum() {
            host.submit_alone(|c| c.activate(MetadataVersion::LATEST)).map_err(|error| {
                OpenError::Metadata(format!("write the first records: {error}"))
            })?;
        }
        Ok(host)
    }

    /// What is kept beside the log, else what was set, else what the directory was formatted with
    /// (KIP-853), else whether others are to be joined.
    fn agreement(&self, log: &StoredMetadataLog<E::Disk>) -> Result<Agreement, OpenError> {
        let voters = &self.config.quorum.voters;
        let failed = |error: std::io::Error| OpenError::Metadata(error.to_string());
        let is_kept = RaftEngine::<StoredMetadataLog<E::Disk>>::is_kept_in(log).map_err(failed)?;
        if voters.len() > 1 || is_kept {
            // One of several does not decide alone because it is told so.
            return Ok(Agreement::Quorum(voters.iter().map(named_voter).collect()));
        }
        if !voters.is_empty() {
            return Ok(Agreement::Alone);
        }
        // A log that somebody wrote is gone on with by itself: who voted on it since it began is
        // not known.
        let is_new = log.log_start() == log.log_end();
        let first = if is_new { self.first_voters(log)? } else { Vec::new() };
        match first.is_empty() && !self.config.joins_a_quorum() {
            true => Ok(Agreement::Alone),
            false => Ok(Agreement::Quorum(first)),
        }
    }

    fn first_voters(&self, log: &StoredMetadataLog<E::Disk>) -> Result<Vec<Voter>, OpenError> {
        let path = log.reader().dir().join(bootstrap::FILE_NAME);
        let disk = self.env.disk();
        if !disk.exists(&path) {
            return Ok(Vec::new());
        }
        let read = disk.read_file(&path, bootstrap::BYTES_MAX).map_err(|error| error.to_string());
        let voters = read.and_then(|bytes| {
            bootstrap::decode(&Bytes::from(bytes)).map_err(|error| error.to_string())
        });
        let voters =
            voters.map_err(|why| OpenError::Metadata(format!("{}: {why}", path.display())))?;
        Ok(voters.into_iter().map(voter_of).collect())
    }

    fn raft_options(
        &self,
        voters: Vec<Voter>,
        directory: Uuid,
        endpoints: Vec<VoterEndpoint>,
    ) -> RaftOptions {
        let (seed, _) = self.cluster_id.0.split_first_chunk::<8>().unwrap_or((&[0; 8], &[]));
        let quorum = &self.config.quorum;
        RaftOptions {
            voter: VoterKey { id: NodeId(self.config.node.node_id.0), directory },
            voters,
            endpoints,
            timing: RaftTiming::within(
                quorum.fetch_timeout,
                quorum.election_timeout,
                quorum.election_backoff_max,
            ),
            seed: u64::from_be_bytes(*seed),
        }
    }
}

/// One of `controller.quorum.voters`.
fn named_voter(voter: &QuorumVoter) -> Voter {
    let (listener, host, port) = (String::new(), voter.address.host.clone(), voter.address.port);
    Voter {
        key: VoterKey { id: NodeId(voter.id.0), directory: Uuid::ZERO },
        endpoints: vec![VoterEndpoint { listener, host, port }],
    }
}
