use std::time::{Duration, Instant};

use crate::counts::Counts;

/// One part of the check.
#[derive(Debug)]
pub struct Step {
    pub name: &'static str,
    pub what: &'static str,
    /// An error is one failed check: the step could not say more.
    pub run: fn() -> Result<Counts, String>,
}

/// How a step went.
#[derive(Debug)]
pub struct Report {
    pub name: &'static str,
    pub counts: Counts,
    pub took: Duration,
    pub why: Option<String>,
}

impl Step {
    pub fn run(&self) -> Report {
        println!("\n== {}: {}", self.name, self.what);
        let started = Instant::now();
        let (counts, why) = match (self.run)() {
            Ok(counts) if counts == Counts::default() => {
                (Counts::ONE_FAILED, Some("nothing was checked".to_owned()))
            }
            Ok(counts) => (counts, None),
            Err(why) => (Counts::ONE_FAILED, Some(why)),
        };
        let took = started.elapsed();
        println!("-- {}: {counts} in {:.1} s", self.name, took.as_secs_f64());
        Report { name: self.name, counts, took, why }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_that_checks_nothing_has_failed() {
        let report = Step { name: "a", what: "", run: || Ok(Counts::default()) }.run();
        assert_eq!(report.counts, Counts::ONE_FAILED);
    }
}
