use super::finding::Finding;
use super::rooms::{self, Colour};
use super::sizes::functions;
use super::source::Source;
use super::tree::{File, Tree};

const WORDS_MIN: usize = 3;

/// Tests are sentences, all of them run, and none of them sleeps. Nothing is left from debugging.
pub fn check(tree: &Tree) -> Vec<Finding> {
    tree.rust()
        .flat_map(|(file, source)| {
            let mut findings = titles(file, source);
            findings.extend(switched_off(file, source));
            findings.extend(naps(file, source));
            findings.extend(leftovers(file, source));
            findings
        })
        .collect()
}

fn titles(file: &File, source: &Source) -> Vec<Finding> {
    let is_test = |start: usize| {
        let before = source.code[..start].trim_end();
        let above = &before[before.rfind(['}', ';', '{']).map_or(0, |at| at + 1)..];
        above.contains("#[test]") || above.contains("#[tokio::test")
    };
    functions(source)
        .into_iter()
        .filter(|function| is_test(function.start))
        .filter(|function| {
            let words = function.name.split('_').filter(|word| !word.is_empty()).count();
            words < WORDS_MIN || function.name.starts_with("test_")
        })
        .map(|function| {
            let what = format!("test `{}`", function.name);
            let why = "its name is all that is read when it fails";
            let fix = "name it by the behaviour, as a sentence";
            Finding::new(&file.path, function.line, what, why, fix)
        })
        .collect()
}

fn switched_off(file: &File, source: &Source) -> Vec<Finding> {
    let offs = source.code.match_indices("#[ignore").map(|(at, _)| at);
    offs.map(|at| {
        let why = "a test that does not run is a comment that lies";
        let fix = "mend it, delete it, or assert what happens today";
        Finding::new(&file.path, source.line_of(at), "#[ignore]", why, fix)
    })
    .collect()
}

/// Sleeping in a test. A black crate may, beside other processes, if it says why.
fn naps(file: &File, source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    for word in ["thread::sleep", "time::sleep", "sleep("] {
        for at in source.code_words(word) {
            let line = source.line_of(at);
            let reasons = source.comments.lines().skip(line.saturating_sub(4)).take(4);
            let black = rooms::colour_of(file.crate_name()) == Colour::Black;
            let said = black && reasons.into_iter().any(|text| text.contains("sleep:"));
            let in_test = file.is_test() || source.is_test(at);
            if in_test && !said {
                let why = "it is slow when it passes and flaky when the machine is busy";
                let fix =
                    "step virtual time, or wait on the event (`// sleep: why` in black crates)";
                findings.push(Finding::new(&file.path, line, "a test that sleeps", why, fix));
            }
        }
    }
    findings.dedup_by_key(|finding| finding.line);
    findings
}

fn leftovers(file: &File, source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    for word in ["dbg!", "todo!", "unimplemented!"] {
        for at in source.code_words(word) {
            let why = "left from writing";
            let fix = "delete it, or return the error that says so";
            let line = source.line_of(at);
            findings.push(Finding::new(&file.path, line, format!("`{word}`"), why, fix));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whats(path: &str, text: &str) -> Vec<String> {
        check(&Tree::sample(&[(path, text)])).into_iter().map(|found| found.what).collect()
    }

    #[test]
    fn a_test_whose_name_is_no_sentence_is_found() {
        let path = "crates/types/src/x.rs";
        assert_eq!(whats(path, "#[test]\nfn roundtrip() {}").len(), 1);
        assert_eq!(whats(path, "#[test]\n#[should_panic]\nfn test_it_is_so() {}").len(), 1);
        assert_eq!(whats(path, "#[test]\nfn offsets_never_go_back() {}\nfn ok() {}").len(), 0);
    }

    #[test]
    fn a_test_that_is_switched_off_is_found() {
        let text = "#[test]\n#[ignore = \"slow\"]\nfn it_is_never_run() {}";
        assert_eq!(whats("crates/types/src/x.rs", text), ["#[ignore]"]);
    }

    #[test]
    fn a_test_that_sleeps_is_found_once() {
        let text = "fn f() { std::thread::sleep(d); }";
        assert_eq!(whats("crates/types/tests/x.rs", text), ["a test that sleeps"]);
        let said = "fn f() {\n// sleep: the process has no other sign.\nthread::sleep(d); }";
        assert_eq!(whats("crates/server/tests/x.rs", said).len(), 0);
        assert_eq!(whats("crates/types/tests/x.rs", said).len(), 1);
    }

    #[test]
    fn what_is_left_from_writing_is_found() {
        for word in ["dbg!(1)", "todo!()", "unimplemented!()"] {
            assert_eq!(whats("crates/a/src/x.rs", &format!("fn f() {{ {word} }}")).len(), 1);
        }
    }
}
