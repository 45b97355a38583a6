use super::finding::Finding;
use super::source::line_of;
use super::tree::Tree;

const TABLE: &str = "crates/broker/src/api.rs";
const FOLDER: &str = "crates/broker/src/handlers/";
const ONE_TRUTH: &str = "the table is the truth, and the page that contradicts it is believed";

/// Each row of the API table has its file, and the file's first line says what the row says:
/// `//! Produce (key 0), versions 3–13`.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let Some(table) = tree.file(TABLE) else { return Vec::new() };
    let rows = rows(&table.text);
    let mut findings: Vec<Finding> = rows.iter().filter_map(|row| check_row(tree, row)).collect();
    for file in tree.files.iter().filter(|file| file.path.starts_with(FOLDER)) {
        let first = file.text.lines().next().unwrap_or_default();
        let served = rows.iter().any(|row| row.module == file.stem());
        if first.contains("(key ") && !served {
            let fix = "add the row to broker/api.rs, or delete the handler";
            findings.push(Finding::new(&file.path, 1, "a handler without row", ONE_TRUTH, fix));
        }
    }
    findings
}

/// `Produce, 3..=13, Topic(Write), produce(partitions, metadata);`
struct Row<'a> {
    line: usize,
    name: &'a str,
    min: &'a str,
    max: &'a str,
    module: &'a str,
}

/// Rows end with `;` and may take several lines.
fn rows(table: &str) -> Vec<Row<'_>> {
    let body = table.find("\napi_table! {").unwrap_or(0);
    let starts = table[body..].split_inclusive(';').scan(body, |start, piece| {
        let at = *start;
        *start += piece.len();
        Some((at, piece))
    });
    starts.filter_map(|(at, piece)| Row::parse(table, at, piece)).collect()
}

impl<'a> Row<'a> {
    fn parse(table: &str, start: usize, piece: &'a str) -> Option<Row<'a>> {
        let (before, rest) = piece.strip_suffix(");")?.split_once("..=")?;
        let (name, min) = before.rsplit_once(',')?;
        let name = name.rsplit('\n').next()?.trim();
        let (max, rest) = rest.split_once(',')?;
        let (before, _) = rest.rsplit_once('(')?;
        let module = before.rsplit(',').next()?.trim();
        let line = line_of(table, start + piece.find("..=")?);
        Some(Row { line, name, min: min.trim(), max: max.trim(), module })
    }
}

fn check_row(tree: &Tree, row: &Row) -> Option<Finding> {
    let Row { line, name, min, max, module } = row;
    let path = format!("{FOLDER}{module}.rs");
    let versions =
        if min == max { format!("version {min}") } else { format!("versions {min}–{max}") };
    let Some(file) = tree.file(&path) else {
        let what = format!("`{name}` has no file `{path}`");
        return Some(Finding::new(TABLE, *line, what, "one API key, one file", "write it"));
    };
    let first = file.text.lines().next().unwrap_or_default();
    let says = first
        .strip_prefix(&format!("//! {name} (key "))
        .and_then(|rest| rest.split_once("), "))
        .and_then(|(_, rest)| rest.strip_prefix(versions.as_str()))
        .is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()));
    let fix = format!("begin it with `//! {name} (key N), {versions}`");
    (!says).then(|| Finding::new(&path, 1, format!("header is `{first}`"), ONE_TRUTH, fix))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: &str =
        "api_table! {\n    Produce, 3..=13, Topic(Write), produce(partitions, log);\n}";

    fn whats(files: &[(&str, &str)]) -> Vec<String> {
        check(&Tree::sample(files)).into_iter().map(|found| found.what).collect()
    }

    #[test]
    fn a_header_that_contradicts_the_table_is_found() {
        let path = "crates/broker/src/handlers/produce.rs";
        let bad = "//! Produce (key 0), versions 3–1.";
        assert_eq!(whats(&[(TABLE, ROW), (path, bad)]).len(), 1);
        let good = "//! Produce (key 0), versions 3–13; 0–2 are refused.";
        let long = ROW.replace(", produce", ",\n        produce");
        assert_eq!(whats(&[(TABLE, &long), (path, bad)]).len(), 1);
        assert_eq!(whats(&[(TABLE, ROW), (path, good)]), [""; 0]);
    }

    #[test]
    fn a_row_without_file_and_a_handler_without_row_are_found() {
        assert_eq!(whats(&[(TABLE, ROW)]).len(), 1);
        let produce =
            ("crates/broker/src/handlers/produce.rs", "//! Produce (key 0), versions 3–13.");
        let fetch = ("crates/broker/src/handlers/fetch.rs", "//! Fetch (key 1), versions 4–18.");
        assert_eq!(whats(&[(TABLE, ROW), produce, fetch]), ["a handler without row"]);
    }
}
