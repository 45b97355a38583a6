use super::finding::Finding;
use super::tree::{File, Tree};

const FOLDER: &str = "docs/adr/";
const HEADINGS: [&str; 4] = ["## Context", "## Decision", "## Consequences", "## Rejected"];
const LINES_MAX: usize = 80;
const SAME: &str = "every decision is read the same way";

/// Decision records are numbered, short, and say what was rejected.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut records: Vec<&File> = tree
        .files
        .iter()
        .filter(|file| file.path.starts_with(FOLDER) && !file.path.ends_with("README.md"))
        .collect();
    records.sort_by_key(|file| number(file));
    let mut findings = Vec::new();
    let mut last = None;
    for file in records {
        let mut report = |what: String, fix: &str| {
            findings.push(Finding::new(&file.path, 1, what, SAME, fix));
        };
        let Some(number) = number(file) else {
            report("no number".to_owned(), "name it docs/adr/NNNN-what-was-decided.md");
            continue;
        };
        if last.replace(number) == Some(number) {
            report(format!("a second number {number:04}"), "take the next free number");
        }
        for heading in HEADINGS {
            if !file.text.lines().any(|line| line == heading) {
                report(format!("no `{heading}`"), "copy docs/adr/0000-template.md");
            }
        }
        if file.text.lines().count() > LINES_MAX {
            report(
                format!("longer than {LINES_MAX} lines"),
                "move the evidence to a page of docs/",
            );
        }
    }
    findings
}

fn number(file: &File) -> Option<usize> {
    let name = file.path.strip_prefix(FOLDER)?;
    let digits = name.get(..4)?;
    (name.ends_with(".md") && name.get(4..5) == Some("-")).then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "# A\n## Context\n## Decision\n## Consequences\n## Rejected\n";

    fn whats(files: &[(&str, &str)]) -> Vec<String> {
        check(&Tree::sample(files)).into_iter().map(|found| found.what).collect()
    }

    #[test]
    fn a_record_without_what_was_rejected_is_found() {
        let bad = GOOD.replace("## Rejected\n", "");
        assert_eq!(whats(&[("docs/adr/0000-a.md", &bad)]), ["no `## Rejected`"]);
        assert_eq!(whats(&[("docs/adr/0000-a.md", GOOD)]), [""; 0]);
    }

    #[test]
    fn a_double_and_a_missing_number_are_found() {
        assert_eq!(whats(&[("docs/adr/0000-a.md", GOOD), ("docs/adr/0002-b.md", GOOD)]).len(), 0);
        assert_eq!(whats(&[("docs/adr/0000-a.md", GOOD), ("docs/adr/0000-b.md", GOOD)]).len(), 1);
        assert_eq!(whats(&[("docs/adr/a.md", GOOD)]), ["no number"]);
    }

    #[test]
    fn a_record_that_became_a_book_is_found() {
        let long = GOOD.to_owned() + &"x\n".repeat(80);
        assert_eq!(whats(&[("docs/adr/0000-a.md", &long)]).len(), 1);
    }
}
