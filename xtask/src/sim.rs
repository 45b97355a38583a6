//! `cargo xtask sim`: the simulator, built with optimisation.

use std::path::Path;

use crate::process;

/// The crate whose binary it is.
pub const CRATE: &str = "sim";

pub fn run(args: &[String]) -> Result<(), String> {
    release(CRATE, args)
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
