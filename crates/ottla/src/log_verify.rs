//! `ottla log verify`: looks through a log directory and says what is wrong where. Reads only.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use env_os::OsDisk;
use serde::Serialize;
use storage::StorageError;
use storage::verify::{Finding, VerifyObserver, VerifyOptions, VerifyTotals, verify};

use crate::context::Common;
use crate::failure::{Exit, Failure, Outcome};
use crate::output::{self, Format, Report};
use crate::progress::Progress;

#[derive(Args, Debug)]
#[command(
    after_help = "Exit codes: 0 sound · 1 something is wrong · 2 the directory cannot be read\n\n\
    A directory that a node uses can be looked at, too; what is in motion, the ends of logs and\n\
    the checkpoints above all, is then left out."
)]
pub struct VerifyArgs {
    /// A log directory (an entry of log.dirs), or one partition's directory in it
    #[arg(value_name = "DIR")]
    dir: PathBuf,
}

pub fn run(args: &VerifyArgs, common: &Common) -> Outcome {
    let path = &args.dir;
    let is_live = is_in_use(path);
    if is_live {
        eprintln!(
            "note: a process uses {}: the ends of logs, their indexes and the checkpoints are in \
             motion and left out; stop it to have all looked at",
            path.display()
        );
    }
    let began = Instant::now();
    let mut seen = Seen {
        root: path.clone(),
        format: common.output,
        findings: Vec::new(),
        failed: None,
        progress: None,
    };
    let verified = verify(&OsDisk, path, VerifyOptions { is_live }, &mut seen);
    drop(seen.progress.take());
    let totals = verified.map_err(|error| unreadable(path, &error))?;
    if let Some(error) = seen.failed {
        return Err(error.into());
    }
    let findings = seen.findings;
    let took = began.elapsed();
    let verdict = Verdict { sound: totals.is_sound(), live: is_live, totals, took, findings };
    output::print(common.output, &verdict)?;
    match totals.is_sound() {
        true => Ok(()),
        false => Err(wrong(path, totals)),
    }
}

/// The lock file of the directory, or of the one around a partition's, is held. It is asked for and
/// given back at once.
fn is_in_use(path: &Path) -> bool {
    let around = path.canonicalize().ok().and_then(|path| path.parent().map(Path::to_owned));
    let dirs = [Some(path.to_owned()), around];
    dirs.into_iter().flatten().any(|dir| OsDisk.is_locked(&dir.join(storage::file_names::LOCK)))
}

fn unreadable(path: &Path, error: &StorageError) -> Failure {
    let what = format!("verify {}", path.display());
    Failure::new(Exit::Usage, "UNREADABLE", what, error.to_string())
        .todo("give a log directory that this user may read, or one partition's directory in it")
}

fn wrong(path: &Path, totals: VerifyTotals) -> Failure {
    let VerifyTotals { damages, repairs, .. } = totals;
    let why = match damages {
        0 => format!("{} to be put right by the next start", count(repairs, "thing")),
        _ => format!("{} that no start puts right", count(damages, "fault")),
    };
    Failure::new(Exit::Failed, "NOT_SOUND", format!("{} is not sound", path.display()), why)
        .todo("each line above says what to do; copy the directory before changing anything")
}

/// Prints findings as they come, or keeps them for the JSON.
struct Seen {
    root: PathBuf,
    format: Format,
    findings: Vec<Told>,
    /// The output's first error.
    failed: Option<io::Error>,
    progress: Option<Progress>,
}

impl VerifyObserver for Seen {
    fn found(&mut self, finding: Finding) {
        let told = Told::new(&self.root, finding);
        match self.format {
            Format::Json => self.findings.push(told),
            Format::Text => {
                // Drawn anew below the line.
                self.progress = None;
                if let Err(error) = writeln!(io::stdout().lock(), "{told}") {
                    self.failed.get_or_insert(error);
                }
            }
        }
    }

    fn progress(&mut self, done: u64, total: u64) {
        const MIB: u64 = 1 << 20;
        let new = || Progress::new("verifying, MiB", Some(total.div_ceil(MIB)), false);
        self.progress.get_or_insert_with(new).set(done / MIB);
    }
}

/// A finding as it is printed: the path below the directory that was asked for.
#[derive(Debug, Serialize)]
struct Told {
    severity: &'static str,
    code: &'static str,
    file: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<i64>,
    what: String,
    todo: &'static str,
}

impl Told {
    fn new(root: &Path, finding: Finding) -> Told {
        let Finding { severity, code, path, position, offset, what, todo } = finding;
        let file = path.strip_prefix(root).ok().filter(|rest| !rest.as_os_str().is_empty());
        let file = file.unwrap_or(&path).display().to_string();
        let offset = offset.map(|offset| offset.0);
        Told { severity: severity.name(), code, file, position, offset, what, todo }
    }
}

impl std::fmt::Display for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:<6}  {}", self.severity, self.file)?;
        if let Some(position) = self.position {
            write!(f, " at {position}")?;
        }
        if let Some(offset) = self.offset {
            write!(f, ", offset {offset}")?;
        }
        write!(f, " · {} · {} · {}", self.what, self.todo, self.code)
    }
}

/// What came of it.
#[derive(Debug, Serialize)]
struct Verdict {
    sound: bool,
    live: bool,
    #[serde(flatten, with = "TotalsJson")]
    totals: VerifyTotals,
    #[serde(rename = "seconds", serialize_with = "seconds")]
    took: Duration,
    findings: Vec<Told>,
}

#[derive(Serialize)]
#[serde(remote = "VerifyTotals")]
struct TotalsJson {
    partitions: u64,
    segments: u64,
    batches: u64,
    bytes: u64,
    damages: u64,
    repairs: u64,
    notes: u64,
    untold: u64,
}

fn seconds<S: serde::Serializer>(took: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_f64(took.as_secs_f64())
}

impl Report for Verdict {
    fn write_text(&self, out: &mut dyn Write) -> io::Result<()> {
        let VerifyTotals { partitions, segments, batches, bytes, untold, notes, .. } = self.totals;
        if untold > 0 {
            writeln!(out, "…       and {untold} more of files that have many")?;
        }
        let looked_at = format!(
            "{}, {}, {}, {:.1} MiB looked at in {:.1} s",
            count(partitions, "partition"),
            count(segments, "segment"),
            count(batches, "batch"),
            bytes as f64 / f64::from(1 << 20),
            self.took.as_secs_f64()
        );
        match (self.sound, notes) {
            (true, 0) => writeln!(out, "sound: {looked_at}"),
            (true, _) => writeln!(out, "sound: {looked_at}; {}", count(notes, "note")),
            (false, _) => {
                let VerifyTotals { damages, repairs, .. } = self.totals;
                let (faults, soon) = (count(damages, "fault"), count(repairs, "repair"));
                writeln!(out, "{faults} and {soon} for the next start: {looked_at}")
            }
        }
    }
}

fn count(number: u64, noun: &str) -> String {
    match (number, noun) {
        (1, _) => format!("1 {noun}"),
        (_, "batch") => format!("{number} batches"),
        _ => format!("{number} {noun}s"),
    }
}
