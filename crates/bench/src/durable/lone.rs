//! A lone producer that sends a record at a time, beside a program that only makes it durable.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Instant;

use ::load::frames::ACKS_ALL;

use crate::Outcome;
use crate::batches::BatchShape;
use crate::load::{Ask, Load, run_slices};
use crate::report::spread;
use crate::server::Running;

const ALONE: Load = Load { connections: 1, depth: 1, requests: 0 };
const BATCH: BatchShape = BatchShape { batch_bytes: 0, value_bytes: 100 };
/// Both take turns: so many of each, so often.
const SLICE: u64 = 200;
const SLICES: usize = 24;
/// What the least write to the commit journal is.
const PAGE_BYTES: usize = 4 << 10;
const BARE_BYTES: u64 = 8 << 20;

/// How long one record takes, and that beside a bare write and `fdatasync`: medians of the slices.
pub struct Lone {
    pub micros: f64,
    pub of_bare: f64,
}

pub fn measure(dir: &Path, running: &Running) -> Outcome<Lone> {
    let mut bare = Bare::in_dir(dir).map_err(|error| format!("bare fdatasync: {error}"))?;
    let ask = Ask::Produce { batch: BATCH.build(), acks: ACKS_ALL };
    let (mut micros, mut ratios) = (Vec::new(), Vec::new());
    run_slices(running.address, &ask, ALONE, |last| {
        if let Some((_, took)) = last {
            let lone = took.as_secs_f64() * 1e6 / SLICE as f64;
            let bare = bare.micros().map_err(|error| format!("bare fdatasync: {error}"))?;
            micros.push(lone);
            ratios.push(lone / bare);
        }
        Ok((micros.len() <= SLICES).then_some(SLICE))
    })?;
    // The first finds nothing warm.
    let median = |values: &[f64]| spread(values.get(1..)?).map(|(_, median, _)| median);
    match (median(&micros), median(&ratios)) {
        (Some(micros), Some(of_bare)) => Ok(Lone { micros, of_bare }),
        _ => Err("the lone producer was not measured".to_owned()),
    }
}

/// A file whose blocks are there and written, as a recycled journal's are.
struct Bare {
    file: File,
    _dir: tempfile::TempDir,
    at: u64,
}

impl Bare {
    fn in_dir(dir: &Path) -> std::io::Result<Bare> {
        let made = tempfile::tempdir_in(dir)?;
        let path = made.path().join("bare");
        let file = OpenOptions::new().create_new(true).write(true).open(path)?;
        file.write_all_at(&vec![1; BARE_BYTES as usize], 0)?;
        file.sync_all()?;
        Ok(Bare { file, _dir: made, at: 0 })
    }

    /// Of one write and one sync.
    fn micros(&mut self) -> std::io::Result<f64> {
        let started = Instant::now();
        for _ in 0..SLICE {
            self.file.write_all_at(&[2; PAGE_BYTES], self.at)?;
            self.file.sync_data()?;
            self.at = (self.at + PAGE_BYTES as u64) % BARE_BYTES;
        }
        Ok(started.elapsed().as_secs_f64() * 1e6 / SLICE as f64)
    }
}
