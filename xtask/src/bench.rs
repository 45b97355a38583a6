//! `cargo xtask bench`: builds the node with optimisation and measures it.

use crate::process;

pub fn run(args: &[String]) -> Result<(), String> {
    // The benchmark starts the binary that lies beside its own.
    process::pass_through(process::cargo(&[
        "build",
        "--quiet",
        "--release",
        "--package",
        "ottla",
    ]))?;
    crate::sim::release("bench", args)
}
