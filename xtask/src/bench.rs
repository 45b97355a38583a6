//! `cargo xtask bench`: builds the node with optimisation and measures it.

use crate::interop::install::{Tool, Toolbox};
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
    match args.first().map(String::as_str) {
        Some("kafka") => with_outside_clients(args),
        Some("durable") if args.iter().any(|arg| arg == "--outside") => with_outside_clients(args),
        _ => crate::sim::release("bench", args),
    }
}

/// Kafka's jars and the Python with librdkafka are those of `cargo xtask interop`.
fn with_outside_clients(args: &[String]) -> Result<(), String> {
    let toolbox = Toolbox::new(&crate::root(), &crate::root().join("target/interop"));
    toolbox.provide(Tool::Java)?;
    toolbox.provide(Tool::Python)?;
    let mut all = args.to_vec();
    let python = toolbox.python_program().display().to_string();
    let classpath = toolbox.classpath();
    all.extend(["--classpath", &classpath, "--python", &python].map(str::to_owned));
    crate::sim::release("bench", &all)
}
