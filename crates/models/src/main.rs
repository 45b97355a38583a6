//! `models`: the explored worlds, the small ones or the large.

use std::process::ExitCode;

use models::gate::{self, GateModel};
use models::replicas::{self, Bounds, Defect, ReplicasModel};
use models::{Report, explore};

const HELP: &str = "\
Explores every order of events in small worlds around the machines of replication, the controller
and the gate.

  --large        the large worlds instead: they take an hour and much memory
  --world NAME   one world only: gate, or one of replicas/worlds.rs
  --defects      instead: each planted defect, in the small world that must find it
  --defect NAME  plants one of replicas/defect.rs in the worlds that are explored
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
    if has("--help") {
        print!("{HELP}");
        return ExitCode::SUCCESS;
    }
    // Panics of a machine are findings; their words would be between the lines.
    std::panic::set_hook(Box::new(|_| {}));
    let value = |flag: &str| {
        let at = arguments.iter().position(|argument| argument == flag)?;
        arguments.get(at + 1).map(String::as_str)
    };
    let named = |name: &&str| {
        let known = replicas::FINDS.iter().map(|(defect, _)| *defect);
        known.into_iter().find(|defect| format!("{defect:?}") == **name)
    };
    let (only, name) = (value("--world"), value("--defect"));
    let planted = name.as_ref().and_then(named);
    if name.is_some() && planted.is_none() {
        eprintln!("models: --defect: no such defect");
        return ExitCode::from(2);
    }
    let (passed, failed) = match has("--defects") {
        true => find_defects(),
        false => hold(has("--large"), only, planted),
    };
    println!("{passed} passed, {failed} failed");
    if failed == 0 && passed > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Explores worlds: nothing may break, unless something is planted.
fn hold(large: bool, only: Option<&str>, planted: Option<Defect>) -> (usize, usize) {
    let mut counts = (0, 0);
    let mut count = |name: &str, report: &Report| {
        print(name, report);
        match report.broken.is_empty() {
            true => counts.0 += 1,
            false => counts.1 += 1,
        }
    };
    let wanted = |name: &str| only.is_none_or(|only| only == name);
    let worlds: &[(&str, Bounds)] = if large { &replicas::LARGE } else { &replicas::SMALL };
    for (name, bounds) in worlds.iter().filter(|(name, _)| wanted(name)) {
        count(name, &explore(ReplicasModel::new(*bounds, planted)));
    }
    if wanted("gate") && planted.is_none() {
        let bounds = if large { gate::LARGE } else { gate::SMALL };
        count("gate", &explore(GateModel { bounds, defect: None }));
    }
    counts
}

/// The proof that the worlds could fail.
fn find_defects() -> (usize, usize) {
    let mut counts = (0, 0);
    let mut count = |name: &str, report: &Report| {
        print(name, report);
        match report.broken.is_empty() {
            true => counts.1 += 1,
            false => counts.0 += 1,
        }
    };
    for (defect, world) in replicas::FINDS {
        let report = replicas::find(defect, world);
        count(&format!("{defect:?} in {world}"), &report);
    }
    for defect in gate::FINDS {
        let report = explore(GateModel { bounds: gate::SMALL, defect: Some(defect) });
        count(&format!("{defect:?} in gate"), &report);
    }
    counts
}

fn print(name: &str, report: &Report) {
    println!(
        "{name}: {} states of {} made, depth {}, {:.1} s",
        report.unique,
        report.generated,
        report.depth,
        report.took.as_secs_f64()
    );
    if !report.missed.is_empty() {
        println!("  does not reach: {}", report.missed.join("; "));
    }
    for (property, steps) in &report.broken {
        println!("  broken: {property}, by {}", steps.join(", "));
    }
}
