//! `cargo xtask instructions`: how many instructions a request costs on the hot paths.
//!
//! Unlike time they are the same on a busy machine, so a small growth shows. Valgrind counts those
//! of the process; the kernel's are not among them. A path runs twice, a few times and many times:
//! the difference is the path's alone, without the start of a node.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::counts::Counts;
use crate::interop::install::{Tool, Toolbox, quietly};
use crate::process;

/// What a request may cost, a path a line. Of an optimised build for x86-64.
const LIMITS: &str = "xtask/instructions.txt";
/// Allowed above the limit: compilers and C libraries differ by so much.
const TOLERANCE_PERCENT: u64 = 3;
/// A limit that is so far above what is counted would hide the next growth.
const SLACK_PERCENT: u64 = 10;
const FEW: u64 = 100;
const LIMIT: Duration = Duration::from_secs(300);

/// A path of `examples/hot_paths.rs`, and how often it runs.
struct HotPath {
    name: &'static str,
    times: u64,
    requests_each: u64,
}

const PATHS: [HotPath; 6] = [
    HotPath { name: "produce-1", times: 2000, requests_each: 1 },
    HotPath { name: "produce-16-deep", times: 300, requests_each: 16 },
    HotPath { name: "produce-16k-5-deep", times: 300, requests_each: 5 },
    HotPath { name: "fetch-4k", times: 500, requests_each: 1 },
    HotPath { name: "fetch-64k", times: 500, requests_each: 1 },
    HotPath { name: "metadata", times: 1000, requests_each: 1 },
];

pub fn run(args: &[String]) -> Result<(), String> {
    match args.first().map(String::as_str) {
        None => match check()?.failed {
            0 => Ok(()),
            failed => Err(format!("{failed} paths are over their limits")),
        },
        Some("--write") => write(),
        Some(other) => Err(format!("there is no option {other}")),
    }
}

/// Counts every path and compares it with its limit. Where nothing can count, that is said, and all
/// that is checked is that each path has a limit; in CI it is a defect.
pub fn check() -> Result<Counts, String> {
    let limits = Limits::read(&crate::root().join(LIMITS))?;
    let limited = PATHS.iter().map(|path| Ok((path, limits.of(path.name)?)));
    let limited: Vec<(&HotPath, u64)> = limited.collect::<Result<_, String>>()?;
    let mut counts = Counts::ONE_PASSED;
    let tools = match counter() {
        Err(why) if !crate::in_ci() => {
            println!("skip instructions: {why}");
            return Ok(counts);
        }
        tools => tools?,
    };
    for ((path, limit), counted) in limited.into_iter().zip(count_all(&tools)?) {
        let verdict = judge(counted, limit);
        println!("  {:<20} {counted:>8} a request, limit {limit:>8}   {verdict:?}", path.name);
        match verdict {
            Verdict::Over => counts += Counts::ONE_FAILED,
            Verdict::Within => counts += Counts::ONE_PASSED,
            Verdict::FarBelow => {
                println!("  lower it: cargo xtask instructions --write");
                counts += Counts::ONE_PASSED;
            }
        }
    }
    Ok(counts)
}

fn write() -> Result<(), String> {
    let mut text = "# Instructions a request, as `cargo xtask instructions --write` has counted \
                    them: x86-64, release build.\n"
        .to_owned();
    for (path, counted) in PATHS.iter().zip(count_all(&counter()?)?) {
        text.push_str(&format!("{} {counted}\n", path.name));
    }
    let file = crate::root().join(LIMITS);
    std::fs::write(&file, text).map_err(|error| format!("write {LIMITS}: {error}"))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Within,
    Over,
    FarBelow,
}

fn judge(counted: u64, limit: u64) -> Verdict {
    if counted * 100 > limit * (100 + TOLERANCE_PERCENT) {
        return Verdict::Over;
    }
    match counted * 100 < limit * (100 - SLACK_PERCENT) {
        true => Verdict::FarBelow,
        false => Verdict::Within,
    }
}

/// What counts, installed if need be.
///
/// # Errors
/// It cannot be had, or the limits are not of this processor.
fn counter() -> Result<Toolbox, String> {
    if !cfg!(target_arch = "x86_64") {
        return Err(format!("{LIMITS} is of x86-64, this is {}", std::env::consts::ARCH));
    }
    let root = crate::root();
    let tools = Toolbox::new(&root, &root.join("target/interop"));
    tools.provide(Tool::Valgrind)?;
    Ok(tools)
}

fn count_all(tools: &Toolbox) -> Result<Vec<u64>, String> {
    let build = ["build", "--quiet", "--release", "--package", "server", "--example", "hot_paths"];
    process::pass_through(process::cargo(&build))?;
    let target = crate::target();
    let binary = target.join("release/examples/hot_paths");
    let data = target.join("hot-paths");
    let one = |path: &HotPath| {
        let few = count(tools, &binary, &data, path.name, FEW)?;
        let many = count(tools, &binary, &data, path.name, FEW + path.times)?;
        Ok(many.saturating_sub(few) / (path.times * path.requests_each))
    };
    let counted = PATHS.iter().map(one).collect();
    _ = std::fs::remove_dir_all(&data);
    counted
}

/// All instructions of a process that runs `path` so many times.
fn count(
    tools: &Toolbox,
    binary: &Path,
    data: &Path,
    path: &str,
    times: u64,
) -> Result<u64, String> {
    _ = std::fs::remove_dir_all(data);
    std::fs::create_dir_all(data).map_err(|error| format!("create {}: {error}", data.display()))?;
    let out = data.join("counted");
    let mut command: Command = tools.valgrind_command();
    command.args(["--tool=callgrind", "--quiet"]);
    command.arg(format!("--callgrind-out-file={}", out.display()));
    command.arg(binary).args([path, &times.to_string()]).arg(data.join("log"));
    let mut limited_command = Command::new("timeout");
    limited_command
        .arg(LIMIT.as_secs().to_string())
        .arg(command.get_program())
        .args(command.get_args());
    for (name, value) in command.get_envs() {
        limited_command.env(name, value.unwrap_or_default());
    }
    quietly(&mut limited_command)?;
    let text = std::fs::read_to_string(&out).map_err(|error| format!("read counts: {error}"))?;
    total(&text).ok_or_else(|| format!("valgrind counted nothing for {path}"))
}

/// The sum that a callgrind file ends with.
fn total(text: &str) -> Option<u64> {
    let of = |name: &str| text.lines().rev().find_map(|line| line.strip_prefix(name));
    of("totals: ").or_else(|| of("summary: "))?.trim().parse().ok()
}

/// What the file says.
struct Limits(Vec<(String, u64)>);

impl Limits {
    fn read(file: &Path) -> Result<Limits, String> {
        let text = std::fs::read_to_string(file);
        Limits::parse(&text.map_err(|error| format!("read {LIMITS}: {error}"))?)
    }

    fn parse(text: &str) -> Result<Limits, String> {
        let line = |line: &str| {
            let (name, count) = line.split_once(' ')?;
            Some((name.to_owned(), count.trim().parse().ok()?))
        };
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let read = |text: &str| line(text).ok_or_else(|| format!("{LIMITS}: {text:?} is no limit"));
        lines.map(read).collect::<Result<_, _>>().map(Limits)
    }

    fn of(&self, name: &str) -> Result<u64, String> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, limit)| *limit).ok_or_else(|| format!("{LIMITS} has no limit for {name}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_may_cost_a_little_more_than_its_limit_and_no_more() {
        assert_eq!(judge(1030, 1000), Verdict::Within);
        assert_eq!(judge(1031, 1000), Verdict::Over);
        assert_eq!(judge(900, 1000), Verdict::Within);
        assert_eq!(judge(899, 1000), Verdict::FarBelow);
    }

    #[test]
    fn limits_and_totals_are_read_and_nonsense_is_an_error() {
        let limits = Limits::parse("# a\nfetch 12\nproduce 7\n").unwrap();
        assert_eq!(limits.of("produce"), Ok(7));
        assert!(limits.of("metadata").unwrap_err().contains("metadata"));
        assert!(Limits::parse("fetch much").is_err());
        assert_eq!(total("events: Ir\nsummary: 4\nfn=x\ntotals: 15\n"), Some(15));
        assert_eq!(total("events: Ir\n"), None);
    }
}
