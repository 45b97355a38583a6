//! `cargo xtask bench`: the load generator, built with optimisation.

pub fn run(args: &[String]) -> Result<(), String> {
    crate::sim::release("bench", args)
}
