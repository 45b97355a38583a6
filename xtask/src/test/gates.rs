use std::time::Duration;

use super::step::Step;
use crate::counts::Counts;
use crate::{codegen, licences, process, tidy};

const LIMIT: Duration = Duration::from_secs(30 * 60);

/// Judges of the text. All of them report before the first proof runs.
pub const GATES: &[Step] = &[
    Step { name: "format", what: "cargo fmt --check", run: format },
    Step { name: "tidy", what: "layers, sizes, names, words, links", run: tidy_up },
    Step { name: "codegen", what: "generated code is current", run: generated },
    Step { name: "licences", what: "licences, sources, duplicates (deny.toml)", run: deny },
    Step { name: "clippy", what: "all targets, warnings denied", run: clippy },
    Step { name: "docs", what: "cargo doc, warnings denied", run: docs },
];

fn format() -> Result<Counts, String> {
    passes(&["fmt", "--all", "--check"], "cargo fmt --all")
}

fn tidy_up() -> Result<Counts, String> {
    let tidiness = tidy::check(&crate::root())?;
    Ok(Counts { passed: tidiness.rules_kept, failed: tidiness.rules_broken })
}

fn generated() -> Result<Counts, String> {
    codegen::run(&["--check".to_owned()])?;
    Ok(Counts::ONE_PASSED)
}

fn deny() -> Result<Counts, String> {
    let complaints = licences::check(&crate::root())?;
    for complaint in &complaints {
        println!("  {complaint}");
    }
    let mut counts = Counts { passed: 1, failed: complaints.len() };
    let mut version = process::cargo(&["deny", "--version"]);
    let here = version.output().is_ok_and(|output| output.status.success());
    if here {
        counts += passes(&["deny", "check"], "cargo deny check")?;
    } else {
        println!("  cargo-deny is not installed: advisories are not checked");
    }
    Ok(counts)
}

fn clippy() -> Result<Counts, String> {
    passes(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"], "cargo clippy")
}

fn docs() -> Result<Counts, String> {
    let mut command =
        process::cargo(&["doc", "--workspace", "--no-deps", "--document-private-items"]);
    command.env("RUSTDOCFLAGS", "-D warnings -A rustdoc::private_intra_doc_links");
    let finished = process::watch(command, LIMIT, true)?;
    if finished.success { Ok(Counts::ONE_PASSED) } else { Err("cargo xtask doc".to_owned()) }
}

/// A cargo command that says yes or no; `again` is what to type to see it alone.
fn passes(args: &[&str], again: &str) -> Result<Counts, String> {
    let finished = process::watch(process::cargo(args), LIMIT, true)?;
    if finished.success { Ok(Counts::ONE_PASSED) } else { Err(format!("again: {again}")) }
}
