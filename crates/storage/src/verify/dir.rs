//! The root of a log directory: whose it is, what its checkpoints claim, which directories are in
//! it.

use super::finding::{Severity, todo};
use super::partition::{Bounds, Home, check_partition};
use super::{Check, Finding, journal};
use crate::checkpoints::{MalformedCheckpoint, OffsetCheckpoint, decode_offsets};
use crate::error::StorageError;
use crate::file_names::{
    CLEAN_SHUTDOWN, CLEANER_OFFSETS, DirKind, FileKind, FileStage, HIGH_WATERMARKS, LOG_STARTS,
    META_PROPERTIES, OffsetFile, RECOVERY_POINTS, parse_partition_dir,
};
use crate::limits::{CHECKPOINT_BYTES_MAX, SMALL_FILE_BYTES_MAX};
use crate::meta_properties::MetaProperties;
use env::Disk;
use std::collections::BTreeMap;
use std::path::Path;
use types::{Offset, TopicPartition};

/// The four checkpoints, by the name of their file.
type Claims = BTreeMap<&'static str, OffsetCheckpoint>;

const CHECKPOINTS: [&str; 4] = [RECOVERY_POINTS, HIGH_WATERMARKS, LOG_STARTS, CLEANER_OFFSETS];

pub(super) fn log_dir<D: Disk>(check: &mut Check<'_, D>, path: &Path) -> Result<(), StorageError> {
    check_properties(check, path)?;
    let claims = read_claims(check, path, true)?;
    let has_commits = journal::holds_commits(check, path)?;
    let is_clean = check.disk.exists(&path.join(CLEAN_SHUTDOWN));
    let entries = check.disk.read_dir(path).map_err(StorageError::io("list", path))?;
    let named = entries.iter().filter(|entry| entry.is_dir);
    let partitions: Vec<_> = named
        .filter_map(|entry| Some((path.join(&entry.name), parse_partition_dir(&entry.name)?)))
        .collect();
    for (dir, _) in &partitions {
        check.bytes_total += bytes_of(check, dir)?;
    }
    let mut bounds = BTreeMap::new();
    for (dir, (partition, kind)) in partitions {
        note_kind(check, &dir, kind);
        if kind == DirKind::Deleted {
            continue;
        }
        let home = home(&claims, &partition, kind, is_clean);
        let found = check_partition(check, &dir, &partition, home)?;
        if kind == DirKind::Live {
            bounds.insert(partition, found);
        }
    }
    check_claims(check, path, &claims, &bounds, has_commits);
    Ok(())
}

/// One partition, by what the directory around it says of it, if that is a log directory.
pub(super) fn one_partition<D: Disk>(
    check: &mut Check<'_, D>,
    path: &Path,
) -> Result<(), StorageError> {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let parsed = parse_partition_dir(name);
    let is_set_aside = parsed.as_ref().is_some_and(|(_, kind)| *kind == DirKind::Stray);
    let (partition, kind) =
        parsed.unwrap_or_else(|| (TopicPartition::new("partition", 0), DirKind::Stray));
    let root = path.parent().unwrap_or(path);
    let claims = read_claims(check, root, false)?;
    let is_clean = check.disk.exists(&root.join(CLEAN_SHUTDOWN));
    check.bytes_total = bytes_of(check, path)?;
    let home = Home { is_set_aside, ..home(&claims, &partition, kind, is_clean) };
    let bounds = check_partition(check, path, &partition, home)?;
    if kind == DirKind::Live {
        let own = |(name, claims): (&&'static str, &OffsetCheckpoint)| {
            let claim = claims.get(&partition)?;
            Some((*name, OffsetCheckpoint::from([(partition.clone(), *claim)])))
        };
        let own: Claims = claims.iter().filter_map(own).collect();
        let has_commits = journal::holds_commits(check, root)?;
        let bounds = BTreeMap::from([(partition.clone(), bounds)]);
        check_claims(check, root, &own, &bounds, has_commits);
    }
    Ok(())
}

fn home(claims: &Claims, partition: &TopicPartition, kind: DirKind, is_clean: bool) -> Home {
    let claim = |name| claims.get(name).and_then(|c| c.get(partition)).copied();
    let is_live = kind == DirKind::Live;
    Home {
        is_clean: is_clean && is_live,
        recovery_point: claim(RECOVERY_POINTS).filter(|_| is_live).unwrap_or(Offset::ZERO),
        log_start: claim(LOG_STARTS).filter(|_| is_live).unwrap_or(Offset::ZERO),
        was_compacted: claim(CLEANER_OFFSETS).is_some(),
        is_set_aside: kind == DirKind::Stray,
    }
}

fn check_properties<D: Disk>(check: &mut Check<'_, D>, root: &Path) -> Result<(), StorageError> {
    let path = root.join(META_PROPERTIES);
    let what = match check.read(&path, SMALL_FILE_BYTES_MAX)? {
        None => "it is missing: nobody knows whose directory this is".to_owned(),
        Some(bytes) => match MetaProperties::decode(&String::from_utf8_lossy(&bytes)) {
            Ok(_) => return Ok(()),
            Err(error) => format!("it does not parse: {error}"),
        },
    };
    check.found(Finding::new(Severity::Damage, "META_PROPERTIES", &path, what, todo::META));
    Ok(())
}

fn read_claims<D: Disk>(
    check: &mut Check<'_, D>,
    root: &Path,
    tells: bool,
) -> Result<Claims, StorageError> {
    let mut claims = Claims::new();
    for name in CHECKPOINTS {
        let path = root.join(name);
        let Some(bytes) = check.read(&path, CHECKPOINT_BYTES_MAX)? else { continue };
        match decode_offsets(&String::from_utf8_lossy(&bytes)) {
            Ok(offsets) => _ = claims.insert(name, offsets),
            Err(MalformedCheckpoint(why)) if tells => {
                let what = format!("it does not parse: {why}");
                // Without log starts, deleted records come back; the others only cost a scan.
                let (severity, code) = (Severity::Damage, "CHECKPOINT_MALFORMED");
                check.found(Finding::new(severity, code, &path, what, todo::CHECKPOINT));
            }
            Err(_) => {}
        }
    }
    Ok(claims)
}

fn note_kind<D: Disk>(check: &mut Check<'_, D>, dir: &Path, kind: DirKind) {
    let (code, what) = match kind {
        DirKind::Live => return,
        DirKind::Deleted => ("DELETED", "a deleted partition that waits to be removed"),
        DirKind::Future => ("FUTURE", "a replica on its way from another log directory"),
        DirKind::Stray => ("STRAY", "set aside: it belonged to no topic of the cluster"),
    };
    check.found(Finding::new(Severity::Note, code, dir, what, todo::NOTHING));
}

/// What the checkpoints say must lie within the logs, once the journal's commits are put back.
fn check_claims<D: Disk>(
    check: &mut Check<'_, D>,
    root: &Path,
    claims: &Claims,
    logs: &BTreeMap<TopicPartition, Bounds>,
    has_commits: bool,
) {
    if check.options.is_live {
        return; // Written after the logs were looked at, or before.
    }
    for (name, offsets) in claims {
        let path = root.join(name);
        for (partition, claimed) in offsets {
            let Some(bounds) = logs.get(partition) else {
                let what = format!("{partition} is named and not here");
                check.found(Finding::new(Severity::Note, "STALE", &path, what, todo::NOTHING));
                continue;
            };
            if *claimed <= bounds.log_end {
                continue;
            }
            let missing = claimed.since(bounds.log_end);
            let end = bounds.log_end;
            let what = match *name {
                RECOVERY_POINTS => format!(
                    "{partition} ends at {end}, but was durable up to {claimed}: {missing} \
                     offsets are missing"
                ),
                HIGH_WATERMARKS => format!(
                    "{partition} ends at {end}, but consumers could read up to {claimed}: \
                     {missing} offsets are missing"
                ),
                LOG_STARTS => format!(
                    "{partition} ends at {end}, but begins at {claimed}: nothing in it is served"
                ),
                _ => format!("{partition} ends at {end}, but was compacted up to {claimed}"),
            };
            let (severity, todo) = match has_commits {
                true => (Severity::Repair, todo::JOURNAL),
                false => (Severity::Damage, todo::REPLICA),
            };
            let finding = Finding::new(severity, "BEYOND_LOG_END", &path, what, todo);
            check.found(finding.offset(*claimed));
        }
    }
}

fn bytes_of<D: Disk>(check: &Check<'_, D>, dir: &Path) -> Result<u64, StorageError> {
    let entries = match check.disk.read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(StorageError::io("list", dir)(error)),
    };
    let logs = entries.iter().filter(|entry| {
        let file = OffsetFile::parse(&entry.name);
        file.is_some_and(|f| f.kind == FileKind::Log && f.stage == FileStage::Live)
    });
    logs.map(|entry| check.length(&dir.join(&entry.name))).sum()
}
