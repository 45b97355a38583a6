//! What the suites said, as a table and a closing line.

use std::time::Duration;

/// One line of a suite: `ok <client> <check>`, `FAIL <client> <check>: why` or `skip <client>
/// <check>: why`.
pub struct Check {
    name: String,
    outcome: Outcome,
}

enum Outcome {
    Passed,
    Failed(String),
    Skipped(String),
}

impl Check {
    /// Reads a line of the result protocol; other lines are not checks.
    pub fn parse(line: &str) -> Option<Check> {
        let (word, rest) = line.split_once(' ')?;
        let (_client, rest) = rest.split_once(' ')?;
        let (name, why) = rest.split_once(": ").unwrap_or((rest, ""));
        let outcome = match word {
            "ok" => return Some(Check { name: rest.to_owned(), outcome: Outcome::Passed }),
            "FAIL" => Outcome::Failed(why.to_owned()),
            "skip" => Outcome::Skipped(why.to_owned()),
            _ => return None,
        };
        Some(Check { name: name.to_owned(), outcome })
    }
}

/// What one suite came to.
pub struct SuiteResult {
    name: &'static str,
    pub checks: Vec<Check>,
    /// Why the suite could not run at all.
    not_run: Option<String>,
    pub took: Duration,
}

impl SuiteResult {
    pub fn new(name: &'static str) -> SuiteResult {
        SuiteResult { name, checks: Vec::new(), not_run: None, took: Duration::ZERO }
    }

    pub fn skipped(name: &'static str, why: String) -> SuiteResult {
        println!("skip {name} all: {why}");
        SuiteResult { not_run: Some(why), ..SuiteResult::new(name) }
    }

    pub fn fail(&mut self, check: &str, why: &str) {
        println!("FAIL {} {check}: {why}", self.name);
        let outcome = Outcome::Failed(why.to_owned());
        self.checks.push(Check { name: check.to_owned(), outcome });
    }

    pub fn has_failures(&self) -> bool {
        self.failed() > 0
    }

    fn passed(&self) -> usize {
        self.checks.iter().filter(|check| matches!(check.outcome, Outcome::Passed)).count()
    }

    fn failed(&self) -> usize {
        self.checks.iter().filter(|check| matches!(check.outcome, Outcome::Failed(_))).count()
    }

    fn skips(&self) -> usize {
        self.checks.len() - self.passed() - self.failed() + usize::from(self.not_run.is_some())
    }
}

/// All suites of a run.
#[derive(Default)]
pub struct Report {
    pub suites: Vec<SuiteResult>,
}

impl Report {
    pub fn print(&self, took: Duration) {
        println!(
            "\n{:<14}{:>7}{:>7}{:>8}{:>9}",
            "client", "passed", "failed", "skipped", "seconds"
        );
        for suite in &self.suites {
            let (passed, failed, skips) = (suite.passed(), suite.failed(), suite.skips());
            let seconds = suite.took.as_secs_f64();
            println!("{:<14}{passed:>7}{failed:>7}{skips:>8}{seconds:>9.1}", suite.name);
        }
        self.print_reasons();
        let sum = |of: fn(&SuiteResult) -> usize| self.suites.iter().map(of).sum::<usize>();
        println!("\ninterop took {:.0} s", took.as_secs_f64());
        let (passed, failed) = (sum(SuiteResult::passed), sum(SuiteResult::failed));
        match sum(SuiteResult::skips) {
            0 => println!("{passed} passed, {failed} failed"),
            skips => println!("{passed} passed, {failed} failed, {skips} skipped"),
        }
    }

    fn print_reasons(&self) {
        for suite in &self.suites {
            if let Some(why) = &suite.not_run {
                println!("skip {}: {why}", suite.name);
            }
            for check in &suite.checks {
                match &check.outcome {
                    Outcome::Passed => {}
                    Outcome::Failed(why) => println!("FAIL {} {}: {why}", suite.name, check.name),
                    Outcome::Skipped(why) => println!("skip {} {}: {why}", suite.name, check.name),
                }
            }
        }
    }

    /// On a user's machine a skip is told; in CI it is a defect.
    pub fn verdict(&self, in_ci: bool) -> Result<(), String> {
        let failed: usize = self.suites.iter().map(SuiteResult::failed).sum();
        let skipped: usize = self.suites.iter().map(SuiteResult::skips).sum();
        let passed: usize = self.suites.iter().map(SuiteResult::passed).sum();
        match (failed, skipped) {
            (0, 0) => Ok(()),
            (0, n) if in_ci => Err(format!("interop: {n} skipped, and CI=true allows no skip")),
            (0, _) if passed > 0 => Ok(()),
            (0, _) => Err("interop: nothing could be run".to_owned()),
            (n, _) => Err(format!("interop: {n} failed")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suite_with(lines: &[&str]) -> Report {
        let mut suite = SuiteResult::new("java");
        suite.checks.extend(lines.iter().filter_map(|line| Check::parse(line)));
        Report { suites: vec![suite] }
    }

    #[test]
    fn a_failed_check_fails_the_run() {
        assert!(suite_with(&["ok java a", "FAIL java b: why: because"]).verdict(false).is_err());
        assert!(suite_with(&["ok java a", "some other line"]).verdict(true).is_ok());
    }

    #[test]
    fn a_skip_is_told_at_home_and_fails_in_ci() {
        let report = suite_with(&["ok java a", "skip java b: no compiler"]);
        assert!(report.verdict(false).is_ok());
        assert!(report.verdict(true).is_err());
    }

    #[test]
    fn a_run_in_which_nothing_ran_fails() {
        assert!(suite_with(&["skip java b: no compiler"]).verdict(false).is_err());
    }
}
