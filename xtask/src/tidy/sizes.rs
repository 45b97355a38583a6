use super::finding::Finding;
use super::source::{Source, closing, is_word};
use super::tree::{File, Tree};

pub const COLUMNS_MAX: usize = 100;
const FUNCTION_LINES_MAX: usize = 70;
const FILE_LINES_MAX: usize = 1_200;
const HANDLER_LINES_MAX: usize = 400;
const TEST_FILE_LINES_MAX: usize = 1_500;
const HANDLERS: &str = "crates/broker/src/handlers/";

const TAIL: &str = "what separates the pleasant from the painful is the longest, not the median";

/// Lines, functions and files stay within what a person holds in the head.
pub fn check(tree: &Tree) -> Vec<Finding> {
    tree.rust()
        .flat_map(|(file, source)| {
            let mut findings = long_lines(file);
            findings.extend(long_functions(file, source));
            findings.extend(long_file(file, source));
            findings
        })
        .collect()
}

fn long_lines(file: &File) -> Vec<Finding> {
    let long = |line: &str| {
        // A URL or a golden value cannot be broken.
        let word = line.split_whitespace().map(|word| word.chars().count()).max().unwrap_or(0);
        line.chars().count() > COLUMNS_MAX && word < COLUMNS_MAX * 3 / 5
    };
    file.text
        .lines()
        .enumerate()
        .filter(|(_, line)| long(line))
        .map(|(at, line)| {
            let what = format!("line of {} columns", line.chars().count());
            Finding::new(&file.path, at + 1, what, "two files fit side by side at 100", "break it")
        })
        .collect()
}

fn long_functions(file: &File, source: &Source) -> Vec<Finding> {
    functions(source)
        .into_iter()
        .filter(|function| function.lines > FUNCTION_LINES_MAX)
        .map(|function| {
            let what = format!("`fn {}` has {} lines", function.name, function.lines);
            let fix = format!("split it; the limit is {FUNCTION_LINES_MAX}, the aim 40");
            Finding::new(&file.path, function.line, what, "it does not fit on a screen", fix)
        })
        .collect()
}

fn long_file(file: &File, source: &Source) -> Option<Finding> {
    let (lines, max) = if file.is_test() {
        (file.text.lines().count(), TEST_FILE_LINES_MAX)
    } else if file.path.starts_with(HANDLERS) {
        (lines_without_tests(source), HANDLER_LINES_MAX)
    } else {
        (lines_without_tests(source), FILE_LINES_MAX)
    };
    let what = format!("file of {lines} lines (tests left out)");
    let fix = format!("split it by concept; the limit here is {max}");
    (lines > max).then(|| Finding::new(&file.path, 1, what, TAIL, fix))
}

/// How long the file is for somebody who reads the product.
pub fn lines_without_tests(source: &Source) -> usize {
    let tests: usize =
        source.test_items.iter().map(|range| source.text[range.clone()].lines().count()).sum();
    source.text.lines().count().saturating_sub(tests)
}

pub struct Function<'a> {
    pub name: &'a str,
    pub line: usize,
    /// From `fn` to the closing brace.
    pub lines: usize,
    pub start: usize,
}

/// Every function with a body, nested ones too.
pub fn functions(source: &Source) -> Vec<Function<'_>> {
    let code = &source.code;
    let mut found = Vec::new();
    for start in source.code_words("fn ") {
        let rest = code[start + 3..].trim_start();
        let length = rest.bytes().take_while(|&byte| is_word(byte)).count();
        let Some(open) = body(code, start) else { continue };
        let Some(end) = closing(code, open).filter(|_| length > 0) else { continue };
        let (line, last) = (source.line_of(start), source.line_of(end - 1));
        found.push(Function { name: &rest[..length], line, lines: last - line + 1, start });
    }
    found
}

/// The `{` that opens the body of the function at `start`; none for a declaration.
fn body(code: &str, start: usize) -> Option<usize> {
    let mut depth = 0i32;
    for (at, byte) in code.bytes().enumerate().skip(start) {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth -= 1,
            b'{' if depth == 0 => return Some(at),
            b';' if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whats(path: &str, text: &str) -> Vec<String> {
        check(&Tree::sample(&[(path, text)])).into_iter().map(|found| found.what).collect()
    }

    #[test]
    fn a_long_line_is_found_and_a_long_word_is_not() {
        let long = "// ".to_owned() + &"word ".repeat(20);
        let url = format!("// https://example.org/{}", "x".repeat(90));
        assert_eq!(whats("crates/types/src/x.rs", &long), ["line of 103 columns"]);
        assert_eq!(whats("crates/types/src/x.rs", &url).len(), 0);
    }

    #[test]
    fn a_long_function_is_found_with_its_name() {
        let text = format!("fn short() {{}}\nfn long(a: [u8; 2]) {{\n{}}}\n", "x();\n".repeat(70));
        assert_eq!(whats("crates/types/src/x.rs", &text), ["`fn long` has 72 lines"]);
    }

    #[test]
    fn a_long_file_is_found_and_its_tests_do_not_count() {
        let product = "const A: u8 = 1;\n".repeat(1_201);
        assert_eq!(whats("crates/types/src/x.rs", &product).len(), 1);
        let tests =
            format!("#[cfg(test)]\nmod tests {{\n{}}}\n", "const A: u8 = 1;\n".repeat(1_201));
        assert_eq!(whats("crates/types/src/x.rs", &tests).len(), 0);
    }

    #[test]
    fn a_handler_and_a_test_file_have_their_own_limits() {
        let text = "const A: u8 = 1;\n".repeat(401);
        assert_eq!(whats("crates/broker/src/handlers/produce.rs", &text).len(), 1);
        assert_eq!(whats("crates/broker/src/node.rs", &text).len(), 0);
        let text = "const A: u8 = 1;\n".repeat(1_501);
        assert_eq!(whats("crates/broker/tests/x.rs", &text).len(), 1);
    }

    #[test]
    fn a_declaration_has_no_body() {
        let source = Source::new("trait A { fn f(&self) -> [u8; 2]; fn g(&self) { x() } }");
        let names: Vec<&str> = functions(&source).iter().map(|function| function.name).collect();
        assert_eq!(names, ["g"]);
    }
}
