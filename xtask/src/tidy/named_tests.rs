use super::finding::Finding;
use super::source::Source;
use super::tree::{File, Tree};

const WHY: &str = "a page that says what is proven must not outlive the proof";

/// Tests and stories that a page names are there: `crate/file.rs::test`,
/// `crate/testdata/story.txt`.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let pages = tree.files.iter().filter(|file| file.path.ends_with(".md"));
    pages.flat_map(|page| check_page(tree, page)).collect()
}

fn check_page(tree: &Tree, page: &File) -> Vec<Finding> {
    let lines = page.text.lines().enumerate();
    let named = lines.flat_map(|(at, line)| {
        line.split('`').skip(1).step_by(2).map(move |named| (at + 1, named))
    });
    named
        .filter(|(_, named)| !is_there(tree, named))
        .map(|(line, named)| {
            let what = format!("`{named}` is no test");
            Finding::new(&page.path, line, what, WHY, "name the test that shows it, or write it")
        })
        .collect()
}

/// True also for what names no test.
fn is_there(tree: &Tree, named: &str) -> bool {
    if named.contains([' ', '<', '*', '…', '$', '{']) {
        return true;
    }
    match named.split_once(".rs::") {
        Some((path, test)) => {
            let path = format!("{path}.rs");
            let file = tree.file(&format!("crates/{path}")).or_else(|| tree.file(&path));
            file.and_then(|file| file.rust.as_ref()).is_some_and(|source| has_test(source, test))
        }
        None if named.contains("/testdata/") && named.ends_with(".txt") => {
            tree.has(&format!("crates/{named}")) || tree.has(named)
        }
        None => true,
    }
}

fn has_test(source: &Source, name: &str) -> bool {
    let declared = format!("fn {name}(");
    source.code.match_indices(&declared).any(|(start, _)| {
        let before = &source.code[..start];
        let above = &before[before.rfind(['}', ';', '{']).map_or(0, |at| at + 1)..];
        above.contains("#[test]")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whats(text: &str) -> Vec<String> {
        let code = "fn helps() {}\n#[test]\nfn all_is_well() {}\n";
        let page = format!("# A\n\n{text}\n");
        let files = [
            ("docs/a.md", &*page),
            ("crates/a/tests/x.rs", code),
            ("xtask/src/y.rs", code),
            ("crates/a/testdata/b/story.txt", "once"),
        ];
        check(&Tree::sample(&files)).into_iter().map(|found| found.what).collect()
    }

    #[test]
    fn a_test_that_a_page_names_and_nobody_wrote_is_found() {
        assert_eq!(whats("`a/tests/x.rs::all_is_well`, `xtask/src/y.rs::all_is_well`"), [""; 0]);
        assert_eq!(
            whats("`a/tests/x.rs::all_is_lost`"),
            ["`a/tests/x.rs::all_is_lost` is no test"]
        );
        assert_eq!(whats("`a/tests/x.rs::helps`").len(), 1);
        assert_eq!(whats("`a/tests/z.rs::all_is_well`").len(), 1);
    }

    #[test]
    fn a_story_that_a_page_names_and_nobody_wrote_is_found() {
        assert_eq!(whats("`a/testdata/b/story.txt` and `testdata/<concept>/<story>.txt`"), [""; 0]);
        assert_eq!(whats("`a/testdata/b/tale.txt`").len(), 1);
    }
}
