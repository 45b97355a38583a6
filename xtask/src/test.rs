//! `cargo xtask test`: the whole check, as CI runs it.

mod gates;
mod proofs;
mod step;

use std::time::Instant;

use crate::counts::Counts;
use step::{Report, Step};

/// First the gates, cheap and all reported; if they hold, the proofs.
pub fn run(args: &[String]) -> Result<(), String> {
    let chosen = choose(args)?;
    let started = Instant::now();
    let mut reports: Vec<Report> = Vec::new();
    for phase in [gates::GATES, proofs::PROOFS] {
        let steps = phase.iter().filter(|step| chosen.is_none_or(|name| name == step.name));
        reports.extend(steps.map(Step::run));
        if reports.iter().any(|report| report.counts.failed > 0) {
            break;
        }
    }
    let total = sum_up(&reports, started);
    if total.failed == 0 && total.passed > 0 { Ok(()) } else { Err("the check failed".to_owned()) }
}

/// The one step named, or all.
fn choose(args: &[String]) -> Result<Option<&str>, String> {
    let Some(name) = args.first() else { return Ok(None) };
    let mut names = gates::GATES.iter().chain(proofs::PROOFS).map(|step| step.name);
    if names.any(|known| known == name) {
        return Ok(Some(name));
    }
    let names: Vec<&str> =
        gates::GATES.iter().chain(proofs::PROOFS).map(|step| step.name).collect();
    Err(format!("there is no step `{name}`; the steps are {}", names.join(", ")))
}

fn sum_up(reports: &[Report], started: Instant) -> Counts {
    println!("\n== summary");
    let mut total = Counts::default();
    for report in reports {
        let verdict = if report.counts.failed == 0 { "ok  " } else { "FAIL" };
        let seconds = report.took.as_secs_f64();
        println!("{verdict} {:<12} {seconds:>7.1} s   {}", report.name, report.counts);
        if let Some(why) = &report.why {
            println!("     {why}");
        }
        total += report.counts;
    }
    let skipped = (gates::GATES.len() + proofs::PROOFS.len()).saturating_sub(reports.len());
    if skipped > 0 {
        println!("{skipped} steps did not run");
    }
    println!("{:.0} s in all", started.elapsed().as_secs_f64());
    println!("{total}");
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_that_does_not_exist_is_an_error() {
        assert_eq!(choose(&["tidy".to_owned()]), Ok(Some("tidy")));
        assert!(choose(&["tydi".to_owned()]).unwrap_err().contains("tidy, "));
    }

    #[test]
    fn what_failed_is_in_the_total() {
        let failed = Step { name: "a", what: "", run: || Err("broken".to_owned()) }.run();
        let passed = Step { name: "b", what: "", run: || Ok(Counts::ONE_PASSED) }.run();
        let total = sum_up(&[failed, passed], Instant::now());
        assert_eq!(total, Counts { passed: 1, failed: 1 });
    }
}
