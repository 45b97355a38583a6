use super::finding::Finding;
use super::source::{is_word, line_of, words};
use super::tree::{File, Tree};

const LIST: &str = include_str!("phrases.txt");
const LIST_PATH: &str = "xtask/src/tidy/phrases.txt";
/// Host names that exist on one network only.
const PRIVATE_HOSTS: [&str; 6] = [".internal", ".local", ".lan", ".corp", ".intranet", ".home"];

struct Phrase {
    text: String,
    why: &'static str,
    fix: &'static str,
}

fn phrases() -> Vec<Phrase> {
    let lines = LIST.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let mut parts = line.split(" | ");
            let mut part = || parts.next().unwrap_or_default();
            Phrase { text: part().to_lowercase(), why: part(), fix: part() }
        })
        .collect()
}

/// No text of the project depends on the machine or the circumstances it was written in, and no
/// work is left without an owner.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let phrases = phrases();
    tree.files
        .iter()
        .filter(|file| file.path != LIST_PATH && !is_data(&file.path))
        .flat_map(|file| {
            let mut findings = said(file, &phrases);
            findings.extend(private_hosts(file));
            findings.extend(unowned(file));
            findings
        })
        .collect()
}

/// Captured bytes and lock files are not prose.
fn is_data(path: &str) -> bool {
    path == "Cargo.lock" || path == "LICENSE" || path.ends_with(".hex")
}

fn said(file: &File, phrases: &[Phrase]) -> Vec<Finding> {
    let text = file.text.to_ascii_lowercase();
    let mut findings = Vec::new();
    for phrase in phrases {
        for at in words(&text, &phrase.text) {
            let what = format!("`{}`", phrase.text);
            let line = line_of(&text, at);
            findings.push(Finding::new(&file.path, line, what, phrase.why, phrase.fix));
        }
    }
    findings
}

fn private_hosts(file: &File) -> Vec<Finding> {
    let hosts = file.text.match_indices("://").filter_map(|(at, _)| {
        let rest = &file.text[at + 3..];
        let end = rest.find(|c: char| !(c.is_alphanumeric() || "-.@".contains(c)));
        let host = &rest[..end.unwrap_or(rest.len())];
        PRIVATE_HOSTS.iter().any(|ending| host.ends_with(ending)).then_some((at, host))
    });
    hosts
        .map(|(at, host)| {
            let line = line_of(&file.text, at);
            let fix = "use the public address, or the registry client's own settings";
            Finding::new(&file.path, line, format!("host `{host}`"), "nobody else has it", fix)
        })
        .collect()
}

/// Work that was left: it needs the name of who will do it.
fn unowned(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    for mark in ["TODO", "FIXME", "XXX"] {
        // The mark as a comment says it; prose may speak about the word in backticks.
        for at in words(&file.text, mark) {
            let rest = &file.text[at + mark.len()..];
            let quoted = rest.starts_with('`') || rest.starts_with('"') || rest.starts_with('/');
            let owner = rest
                .strip_prefix('(')
                .is_some_and(|rest| rest.starts_with(|c: char| u8::try_from(c).is_ok_and(is_word)));
            if !quoted && !owner && is_marked(&file.text, at) {
                let why = "what nobody owns stays for ever";
                let fix = format!("do it, delete it, or write `{mark}(name): …`");
                let line = line_of(&file.text, at);
                findings.push(Finding::new(
                    &file.path,
                    line,
                    format!("{mark} without owner"),
                    why,
                    fix,
                ));
            }
        }
    }
    findings
}

/// Whether the word at `at` begins a comment or a sentence, as left-over marks do.
fn is_marked(text: &str, at: usize) -> bool {
    let line = text[..at].rsplit('\n').next().unwrap_or_default().trim_end();
    line.is_empty() || line.ends_with(['/', '#', '*', '!', '-', '>', '.'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> usize {
        check(&Tree::sample(&[(path, text)])).len()
    }

    #[test]
    fn every_phrase_is_found_in_code_and_in_prose() {
        let phrases = phrases();
        assert!(phrases.len() > 20);
        for phrase in phrases {
            assert!(!phrase.why.is_empty() && !phrase.fix.is_empty(), "{}", phrase.text);
            let text = format!("# A\n\nSee {} x.\n", phrase.text.to_uppercase());
            assert!(found("docs/x.md", &text) > 0, "{}", phrase.text);
            assert!(found("crates/types/src/x.rs", &format!("// {} x", phrase.text)) > 0);
        }
    }

    #[test]
    fn a_word_that_contains_a_phrase_is_not_the_phrase() {
        assert_eq!(found("docs/x.md", "linux.md"), 0);
    }

    #[test]
    fn a_host_of_one_network_is_found() {
        // Put together here, so that this file does not hold what it forbids.
        let host = ["https://crates.example", "internal/x"].join(".");
        assert_eq!(found("docs/x.md", &host), 1);
        assert_eq!(found("docs/x.md", "get https://example.org/internal"), 0);
    }

    #[test]
    fn left_over_work_needs_an_owner() {
        for mark in ["TODO", "FIXME", "XXX"] {
            assert_eq!(found("crates/types/src/x.rs", &format!("// {mark}: later")), 1);
            assert_eq!(found("crates/types/src/x.rs", &format!("// {mark}(ada): later")), 0);
        }
    }
}
