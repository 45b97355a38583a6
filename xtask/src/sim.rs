//! `cargo xtask sim`: the simulator, built with optimisation.

use std::path::Path;

use crate::process;

/// The crate whose binary it is.
pub const CRATE: &str = "sim";
/// The crate that runs the replicas of a partition, by `--cluster`.
pub const CLUSTER_CRATE: &str = "replica-sim";

pub fn run(args: &[String]) -> Result<(), String> {
    match args.iter().position(|arg| arg == "--cluster") {
        Some(at) => release(CLUSTER_CRATE, &[&args[..at], &args[at + 1..]].concat()),
        None => release(CRATE, args),
    }
}

/// Runs the binary of a workspace crate in release mode.
pub fn release(name: &str, args: &[String]) -> Result<(), String> {
    exists(&crate::root(), name)?;
    let mut command = process::cargo(&["run", "--quiet", "--release", "--package", name, "--"]);
    command.args(args);
    process::pass_through(command)
}

/// An error in words when the crate is not there.
pub fn exists(root: &Path, name: &str) -> Result<(), String> {
    let manifest = format!("crates/{name}/Cargo.toml");
    if root.join(&manifest).is_file() {
        Ok(())
    } else {
        Err(format!("`{name}` is not built yet: there is no {manifest}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_that_is_missing_is_an_error_not_a_skip() {
        let error = exists(&crate::root(), "no-such-crate").unwrap_err();
        assert!(error.contains("not built yet"), "{error}");
        assert_eq!(exists(&crate::root(), "types"), Ok(()));
    }
}
