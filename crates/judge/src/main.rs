//! `judge`: was everything true that real processes acknowledged to their clients?

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use judge::{Round, judge};

const HELP: &str = "\
judge [-o json] FILE|DIRECTORY…

Judges one round of `cargo xtask soak` by the histories that its clients wrote; of a directory,
those in it that end in `.history`. Exit code 0: every promise was kept; 1: one is broken; 2: it
cannot be judged.

  -o json          the verdict as JSON: promises, broken, examples, excused, seen
";

fn main() -> ExitCode {
    let (mut in_json, mut places) = (false, Vec::new());
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--help" | "-h" => {
                print!("{HELP}");
                return ExitCode::SUCCESS;
            }
            "-o" => match args.next().as_deref() {
                Some("json") => in_json = true,
                _ => return fails("-o takes json", "say `-o json` or leave it out", "BAD_USAGE"),
            },
            _ => places.push(PathBuf::from(arg)),
        }
    }
    if places.is_empty() {
        return fails("no history is named", "name the files or the directory", "BAD_USAGE");
    }
    let round = match read(&places) {
        Ok(round) => round,
        Err(why) => {
            let what_to_do = "name the histories that one round of `cargo xtask soak` wrote";
            return fails(&why, what_to_do, "BAD_HISTORY");
        }
    };
    let verdict = judge(&round);
    if in_json {
        println!("{}", verdict.json());
    } else {
        print!("{}", verdict.words());
    }
    if verdict.is_valid() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn read(places: &[PathBuf]) -> Result<Round, String> {
    let mut files = Vec::new();
    for place in places {
        if place.is_dir() {
            files.extend(histories(place)?);
        } else {
            files.push(place.clone());
        }
    }
    if files.is_empty() {
        return Err("there is no history".to_owned());
    }
    let mut round = Round::default();
    for path in files {
        let file = File::open(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        round.add(BufReader::new(file)).map_err(|why| format!("{}: {why}", path.display()))?;
    }
    Ok(round)
}

fn histories(directory: &Path) -> Result<Vec<PathBuf>, String> {
    let failed = |error| format!("{}: {error}", directory.display());
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension == "history") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// What failed · why · what to do · code.
fn fails(why: &str, what_to_do: &str, code: &str) -> ExitCode {
    eprintln!("judge: the round cannot be judged · {why} · {what_to_do} · {code}");
    ExitCode::from(2)
}
