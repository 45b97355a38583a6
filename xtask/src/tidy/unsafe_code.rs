use super::finding::Finding;
use super::source::Source;
use super::tree::{File, Tree};

/// How far above an `unsafe` its reason may stand.
const REASON_LINES: usize = 6;

/// Every `unsafe` says why it is sound.
pub fn check(tree: &Tree) -> Vec<Finding> {
    tree.rust().flat_map(|(file, source)| check_file(file, source)).collect()
}

fn check_file(file: &File, source: &Source) -> Vec<Finding> {
    let comments: Vec<&str> = source.comments.lines().collect();
    source
        .code_words("unsafe ")
        .map(|at| source.line_of(at))
        .filter(|&line| {
            let above = &comments[line.saturating_sub(REASON_LINES + 1)..line];
            !above.iter().any(|text| text.contains("SAFETY:") || text.contains("# Safety"))
        })
        .map(|line| {
            let why = "nobody can check a promise that is not written down";
            let fix = "write `// SAFETY: …` above it, or do without";
            Finding::new(&file.path, line, "`unsafe` without its reason", why, fix)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> usize {
        check(&Tree::sample(&[("crates/a/src/x.rs", text)])).len()
    }

    #[test]
    fn an_unsafe_block_needs_its_reason() {
        assert_eq!(found("fn f() { unsafe { g() } }"), 1);
        assert_eq!(found("// SAFETY: g touches nothing.\nfn f() { unsafe { g() } }"), 0);
        assert_eq!(found("#![deny(unsafe_op_in_unsafe_fn)]\n// unsafe is a word\n"), 0);
    }
}
