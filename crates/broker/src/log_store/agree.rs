//! Whose directories these are.

use env::{Disk, Env, Rng};
use storage::{LogDir, MetaProperties};
use types::{BrokerId, Uuid};

use super::placed::Placed;
use crate::node::OpenError;

/// A node that is one of several cannot choose the id of their cluster: some directory must say it.
pub(super) fn check_formatted<D: Disk>(dirs: &[Placed<D>]) -> Result<(), OpenError> {
    let names_cluster = |placed: &Placed<D>| {
        let properties = placed.online().and_then(LogDir::properties);
        properties.is_some_and(|properties| properties.cluster_id.is_some())
    };
    match dirs.first() {
        Some(first) if !dirs.iter().any(names_cluster) => {
            Err(OpenError::NotFormatted { path: first.path.clone() })
        }
        _ => Ok(()),
    }
}

/// Formats new directories into the cluster of the others; refuses those of somebody else.
pub(super) fn agree<E: Env>(
    env: &E,
    dirs: &mut [Placed<E::Disk>],
    node_id: BrokerId,
) -> Result<Uuid, OpenError> {
    let mut cluster_id: Option<(String, String)> = None;
    for placed in dirs.iter() {
        let path = placed.path.clone();
        let Some(properties) = placed.online().and_then(LogDir::properties) else { continue };
        if let Some(found) = properties.node_id.filter(|found| *found != node_id) {
            return Err(OpenError::ForeignNode { path, found, configured: node_id });
        }
        match (&cluster_id, &properties.cluster_id) {
            (Some((first, other)), Some(found)) if first != found => {
                let (first, other) = (first.clone(), other.clone());
                return Err(OpenError::ForeignCluster { path, found: found.clone(), other, first });
            }
            (None, Some(found)) => cluster_id = Some((found.clone(), path)),
            _ => {}
        }
    }
    let cluster_id = match cluster_id {
        Some((id, path)) => id.parse().map_err(|_| OpenError::BadClusterId { path, id })?,
        None => Uuid::from_random(env.rng().bytes16()),
    };
    for placed in dirs {
        let is_whole = |p: &MetaProperties| p.directory_id.is_some() && p.cluster_id.is_some();
        let Ok(dir) = &mut placed.dir else { continue };
        if dir.properties().is_some_and(is_whole) {
            continue;
        }
        let properties = MetaProperties {
            cluster_id: Some(cluster_id.to_string()),
            node_id: Some(node_id),
            directory_id: Some(Uuid::from_random(env.rng().bytes16())),
        };
        let path = placed.path.clone();
        dir.format(properties).map_err(|error| OpenError::LogDir { path, error })?;
    }
    Ok(cluster_id)
}
