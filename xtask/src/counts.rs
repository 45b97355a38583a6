use std::fmt;
use std::ops::AddAssign;

/// Checks that held and checks that did not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub passed: usize,
    pub failed: usize,
}

impl Counts {
    pub const ONE_PASSED: Counts = Counts { passed: 1, failed: 0 };
    pub const ONE_FAILED: Counts = Counts { passed: 0, failed: 1 };

    /// Adds up what test runners print: `test result: ok. 3 passed; 0 failed; …` for every binary,
    /// or `3 passed, 0 failed` on a line of its own.
    pub fn of(lines: &[String]) -> Counts {
        let mut counts = Counts::default();
        for line in lines.iter().map(|line| line.trim()) {
            let found = match line.strip_prefix("test result: ") {
                Some(rest) => rest.split_once(". ").and_then(|(_, rest)| pair(rest, ';')),
                None => pair(line, ','),
            };
            counts += found.unwrap_or_default();
        }
        counts
    }
}

/// `3 passed; 0 failed…`, the separator given.
fn pair(text: &str, separator: char) -> Option<Counts> {
    let (passed, rest) = text.split_once(" passed")?;
    let (failed, _) = rest.strip_prefix(separator)?.trim_start().split_once(" failed")?;
    Some(Counts { passed: passed.parse().ok()?, failed: failed.parse().ok()? })
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Counts) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_binary_of_a_run_is_added_up() {
        let lines = [
            "running 3 tests",
            "test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; finished in 0.00s",
            "test result: FAILED. 10 passed; 2 failed; 0 ignored; 0 measured",
            "nobody passed, everybody failed",
            "7 passed, 1 failed",
        ];
        let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        assert_eq!(Counts::of(&lines), Counts { passed: 20, failed: 3 });
    }
}
