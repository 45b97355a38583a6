use super::dead_files::join;
use super::finding::Finding;
use super::source::{is_word, words};
use super::tree::{File, Tree};

const STALE: &str = "a page that points nowhere is read once";

/// Pages have one title, their links lead somewhere, and the files they name exist.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings: Vec<Finding> = tree
        .files
        .iter()
        .filter(|file| file.path.ends_with(".md"))
        .flat_map(|file| check_page(tree, file))
        .collect();
    findings.extend(tree.files.iter().flat_map(|file| mentions(tree, file)));
    findings
}

fn check_page(tree: &Tree, file: &File) -> Vec<Finding> {
    let page = Page::new(&file.text);
    let mut findings = Vec::new();
    let titles: Vec<usize> =
        page.headings().filter(|(_, level, _)| *level == 1).map(|h| h.0).collect();
    if titles.len() != 1 || titles != [1] {
        let line = titles.get(1).copied().unwrap_or(1);
        let what = format!("{} titles of the first order", titles.len());
        let why = "a page has one subject and says it first";
        findings.push(Finding::new(&file.path, line, what, why, "begin with one `# Title`"));
    }
    for (line, text) in page.prose() {
        for target in links(&text) {
            if let Some(what) = broken(tree, file, target) {
                let fix = "correct the link, or write the page";
                findings.push(Finding::new(&file.path, line, what, STALE, fix));
            }
        }
        for path in code_paths(&text) {
            for path in unfold(&path) {
                if !names_a_file(tree, file, &path) {
                    let what = format!("`{path}` does not exist");
                    let fix = "name the file that is there (crate/file.rs)";
                    findings.push(Finding::new(&file.path, line, what, STALE, fix));
                }
            }
        }
    }
    findings
}

struct Page<'a> {
    text: &'a str,
}

impl<'a> Page<'a> {
    fn new(text: &'a str) -> Page<'a> {
        Page { text }
    }

    /// The lines outside fenced blocks.
    fn prose(&self) -> impl Iterator<Item = (usize, String)> + 'a {
        let mut fenced = false;
        self.text.lines().enumerate().filter_map(move |(at, line)| {
            if line.trim_start().starts_with("```") {
                fenced = !fenced;
                return None;
            }
            (!fenced).then(|| (at + 1, line.to_owned()))
        })
    }

    /// (line, level, anchor)
    fn headings(&self) -> impl Iterator<Item = (usize, usize, String)> + 'a {
        self.prose().filter_map(|(at, line)| {
            let level = line.bytes().take_while(|&byte| byte == b'#').count();
            let title = line.get(level..)?.strip_prefix(' ')?;
            (level > 0).then(|| (at, level, anchor(title)))
        })
    }
}

/// How GitHub names a heading.
fn anchor(title: &str) -> String {
    let kept = title.trim().chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect::<String>().to_lowercase()
}

/// The targets of `[text](target)` and `[name]: target`.
fn links(line: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for (at, _) in line.match_indices("](") {
        let rest = &line[at + 2..];
        if let Some(end) = rest.find([')', ' ']) {
            found.push(&rest[..end]);
        }
    }
    if line.starts_with('[')
        && let Some((_, target)) = line.split_once("]: ")
    {
        found.push(target.trim());
    }
    found
}

fn broken(tree: &Tree, file: &File, target: &str) -> Option<String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (path, section) = target.split_once('#').unwrap_or((target, ""));
    let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let path = if path.is_empty() { file.path.clone() } else { join(folder, path) };
    if !tree.has(&path) {
        return Some(format!("link to `{target}`, and `{path}` does not exist"));
    }
    let page = tree.file(&path).filter(|_| !section.is_empty() && path.ends_with(".md"))?;
    let known = Page::new(&page.text).headings().any(|(_, _, anchor)| anchor == section);
    (!known).then(|| format!("link to `{target}`, and `{path}` has no such heading"))
}

/// What stands in backticks and looks like a file of the project.
fn code_paths(line: &str) -> Vec<String> {
    line.split('`')
        .skip(1)
        .step_by(2)
        .filter(|text| text.contains('/') && !text.contains([' ', '<', '*', '…', '$', ':']))
        .filter(|text| text.contains(".rs") || text.contains(".md"))
        .map(str::to_owned)
        .collect()
}

/// `storage/{a,b}.rs` → `storage/a.rs`, `storage/b.rs`.
fn unfold(path: &str) -> Vec<String> {
    let Some((before, rest)) = path.split_once('{') else { return vec![path.to_owned()] };
    let Some((inside, after)) = rest.split_once('}') else { return vec![path.to_owned()] };
    inside.split(',').flat_map(|part| unfold(&format!("{before}{}{after}", part.trim()))).collect()
}

/// `storage/log.rs#PartitionLog`: from the root, beside the page, in the page's own crate, or
/// `crate/file` under `src`; with `#`, the file has to hold the word.
fn names_a_file(tree: &Tree, page: &File, named: &str) -> bool {
    let (path, word) = named.split_once('#').unwrap_or((named, ""));
    let folder = page.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let inside = path.split_once('/').map(|(name, rest)| format!("crates/{name}/src/{rest}"));
    let home = page.crate_name().map(|name| format!("crates/{name}/{path}"));
    let places = [Some(path.to_owned()), Some(join(folder, path)), inside, home];
    places.into_iter().flatten().filter(|place| tree.has(place)).any(|place| {
        word.is_empty()
            || tree.file(&place).is_some_and(|file| words(&file.text, word).next().is_some())
    })
}

/// `docs/….md` in comments of code and manifests.
fn mentions(tree: &Tree, file: &File) -> Vec<Finding> {
    let text = match &file.rust {
        Some(source) => &source.comments,
        None if file.path.ends_with(".toml") => &file.text,
        None => return Vec::new(),
    };
    let mut findings = Vec::new();
    for (at, line) in text.lines().enumerate() {
        for (start, _) in line.match_indices("docs/") {
            if line[..start].bytes().last().is_some_and(|byte| is_word(byte) || byte == b'/') {
                continue;
            }
            let rest = &line[start..];
            let stop = |c: char| !(c.is_ascii_alphanumeric() || "/-_.#".contains(c));
            let target = rest[..rest.find(stop).unwrap_or(rest.len())].trim_end_matches('.');
            let page = File { path: String::new(), text: String::new(), rust: None };
            let what = broken(tree, &page, target).filter(|_| target.contains(".md"));
            findings.extend(what.map(|what| {
                Finding::new(&file.path, at + 1, what, STALE, "correct it, or write the page")
            }));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whats(files: &[(&str, &str)]) -> Vec<String> {
        check(&Tree::sample(files)).into_iter().map(|found| found.what).collect()
    }

    #[test]
    fn a_page_without_or_with_two_titles_is_found() {
        assert_eq!(whats(&[("a.md", "text\n")]), ["0 titles of the first order"]);
        assert_eq!(whats(&[("a.md", "# A\n\n# B\n")]), ["2 titles of the first order"]);
        assert_eq!(whats(&[("a.md", "# A\n\n```\n# comment\n```\n")]), [""; 0]);
    }

    #[test]
    fn a_link_to_nowhere_is_found() {
        let other = ("docs/b.md", "# B\n\n## Some heading, here\n");
        let page = |text: &str| format!("# A\n\n{text}\n");
        assert_eq!(whats(&[("docs/a.md", &page("[x](c.md)")), other]).len(), 1);
        assert_eq!(whats(&[("docs/a.md", &page("[x](b.md#nowhere)")), other]).len(), 1);
        assert_eq!(whats(&[("docs/a.md", &page("[x](b.md#some-heading-here)")), other]).len(), 0);
        assert_eq!(whats(&[("docs/a.md", &page("[x](https://example.org)")), other]).len(), 0);
    }

    #[test]
    fn a_file_that_a_page_names_must_exist() {
        let log = ("crates/storage/src/log.rs", "pub struct PartitionLog;");
        let page = |text: &str| format!("# A\n\n{text}\n");
        assert_eq!(whats(&[("docs/a.md", &page("`storage/log.rs#PartitionLog`")), log]).len(), 0);
        assert_eq!(whats(&[("docs/a.md", &page("`storage/log.rs#UnifiedLog`")), log]).len(), 1);
        assert_eq!(whats(&[("docs/a.md", &page("`storage/{log,segment}.rs`")), log]).len(), 1);
        assert_eq!(whats(&[("docs/a.md", &page("`crates/storage/src/log.rs`")), log]).len(), 0);
    }

    #[test]
    fn a_page_that_a_comment_names_must_exist() {
        let page = ("docs/a.md", "# A\n");
        assert_eq!(whats(&[("crates/a/src/lib.rs", "// see docs/b.md."), page]).len(), 1);
        assert_eq!(whats(&[("crates/a/src/lib.rs", "// see docs/a.md."), page]).len(), 0);
    }
}
