use std::fmt;

/// One thing that is wrong, in one line: `file:line: what · why · what to do`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    pub path: String,
    /// Counted from 1; 0 means the file as a whole.
    pub line: usize,
    pub what: String,
    pub why: &'static str,
    pub fix: String,
}

impl Finding {
    pub fn new(
        path: &str,
        line: usize,
        what: impl Into<String>,
        why: &'static str,
        fix: impl Into<String>,
    ) -> Finding {
        Finding { path: path.to_owned(), line, what: what.into(), why, fix: fix.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Finding { path, line, what, why, fix } = self;
        write!(f, "{path}:{}: {what} · {why} · {fix}", line.max(&1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_reads_what_why_what_to_do() {
        let finding =
            Finding::new("a.rs", 3, "line of 120 columns", "the limit is 100", "break it");
        assert_eq!(
            finding.to_string(),
            "a.rs:3: line of 120 columns · the limit is 100 · break it"
        );
    }
}
