//! Java's properties syntax: text in, keys and values out.
//!
//! `#` and `!` begin comments; `=`, `:` or blanks end a key; `\` escapes a character or the line's
//! end. Source: the format described with `java.util.Properties`.

use std::collections::BTreeMap;
use std::iter::Peekable;
use std::str::Chars;

use crate::error::ConfigError;

/// Reads a properties file. A key that stands twice has its last value, as in Java.
///
/// # Errors
/// A `\u` that four hexadecimal digits do not follow.
pub fn parse_properties(text: &str) -> Result<BTreeMap<String, String>, ConfigError> {
    let mut properties = BTreeMap::new();
    for line in logical_lines(text) {
        let mut rest = line.text.chars().peekable();
        let malformed = || {
            ConfigError::new(format!(
                "line {}: \\u must be followed by four hexadecimal digits",
                line.number
            ))
        };
        let key =
            read_until(&mut rest, |c| c == '=' || c == ':' || is_blank(c)).ok_or_else(malformed)?;
        skip_separator(&mut rest);
        let value = read_until(&mut rest, |_| false).ok_or_else(malformed)?;
        properties.insert(key, value);
    }
    Ok(properties)
}

/// Splits `key=value`, the form of `--override`.
///
/// # Errors
/// There is no `=`, or nothing before it.
pub fn parse_override(text: &str) -> Result<(String, String), ConfigError> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => {
            Ok((key.trim().to_owned(), value.trim().to_owned()))
        }
        _ => Err(ConfigError::new(format!("`{text}` is not of the form key=value"))),
    }
}

/// A line after continuations have been joined.
struct LogicalLine {
    number: usize,
    text: String,
}

fn logical_lines(text: &str) -> Vec<LogicalLine> {
    let mut lines: Vec<LogicalLine> = Vec::new();
    let mut continues = false;
    for (index, natural) in text.split(['\n', '\r']).enumerate() {
        let natural = natural.trim_start_matches(is_blank);
        let is_skipped = natural.is_empty() || natural.starts_with(['#', '!']);
        if !continues && is_skipped {
            continue;
        }
        // Pairs of backslashes escape each other; one that is left over escapes the line's end.
        let backslashes = natural.len() - natural.trim_end_matches('\\').len();
        let ends_open = backslashes % 2 == 1;
        let body = if ends_open { &natural[..natural.len() - 1] } else { natural };
        match lines.last_mut().filter(|_| continues) {
            Some(line) => line.text.push_str(body),
            None => lines.push(LogicalLine { number: index + 1, text: body.to_owned() }),
        }
        continues = ends_open;
    }
    lines
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\x0c')
}

/// Reads unescaped text up to an unescaped character that `ends`; `None` for a malformed escape.
fn read_until(chars: &mut Peekable<Chars<'_>>, ends: impl Fn(char) -> bool) -> Option<String> {
    let mut text = String::new();
    while let Some(c) = chars.next_if(|c| !ends(*c)) {
        if c != '\\' {
            text.push(c);
            continue;
        }
        match chars.next() {
            Some('t') => text.push('\t'),
            Some('n') => text.push('\n'),
            Some('r') => text.push('\r'),
            Some('f') => text.push('\x0c'),
            Some('u') => text.push(read_unicode(chars)?),
            Some(other) => text.push(other),
            None => {}
        }
    }
    Some(text)
}

/// Four digits, or eight in two escapes when the first is half of a surrogate pair.
fn read_unicode(chars: &mut Peekable<Chars<'_>>) -> Option<char> {
    let high = read_four_digits(chars)?;
    if !(0xd800..0xdc00).contains(&high) {
        return char::from_u32(high);
    }
    if chars.next()? != '\\' || chars.next()? != 'u' {
        return None;
    }
    let low = read_four_digits(chars)?;
    if !(0xdc00..0xe000).contains(&low) {
        return None;
    }
    char::from_u32(0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00))
}

fn read_four_digits(chars: &mut Peekable<Chars<'_>>) -> Option<u32> {
    (0..4).try_fold(0, |number, _| Some(number << 4 | chars.next()?.to_digit(16)?))
}

fn skip_separator(chars: &mut Peekable<Chars<'_>>) {
    while chars.next_if(|c| is_blank(*c)).is_some() {}
    if chars.next_if(|c| *c == '=' || *c == ':').is_some() {
        while chars.next_if(|c| is_blank(*c)).is_some() {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn reads(text: &str, expected: &[(&str, &str)]) {
        let read = parse_properties(text).unwrap();
        let expected: BTreeMap<String, String> =
            expected.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        assert_eq!(read, expected);
    }

    #[test]
    fn equals_colon_and_blanks_all_separate() {
        reads(
            "a=1\nb: 2\nc 3\nd = 4\ne",
            &[("a", "1"), ("b", "2"), ("c", "3"), ("d", "4"), ("e", "")],
        );
    }

    #[test]
    fn comments_and_empty_lines_say_nothing() {
        reads("# a=1\n  ! b=2\n\n\t\nc=3 # not a comment", &[("c", "3 # not a comment")]);
    }

    #[test]
    fn a_backslash_joins_lines_and_escapes_characters() {
        reads(
            "dirs=/a,\\\n   /b\nk\\ e\\=y=\\u00e9\\t!\\\\",
            &[("dirs", "/a,/b"), ("k e=y", "é\t!\\")],
        );
        reads("a=x\\\\\nb=1", &[("a", "x\\"), ("b", "1")]);
        reads("emoji=\\ud83d\\ude00", &[("emoji", "\u{1f600}")]);
    }

    #[test]
    fn windows_line_ends_and_repeated_keys_are_as_in_java() {
        reads("a=1\r\na=2\r\n", &[("a", "2")]);
    }

    #[test]
    fn a_url_keeps_its_colons() {
        reads("listeners=PLAINTEXT://:9092", &[("listeners", "PLAINTEXT://:9092")]);
    }

    #[test]
    fn a_malformed_escape_names_its_line() {
        let error = parse_properties("a=1\nb=\\u12x4").unwrap_err();
        assert_eq!(error.message(), "line 2: \\u must be followed by four hexadecimal digits");
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,40}|[\\\\u0-9a-f=:# \\n\\t]{0,60}") {
            let _ = parse_properties(&text);
        }

        #[test]
        fn escaped_text_reads_back(key in "[ -~]{1,12}", value in "[ -~]{0,20}") {
            let escape = |text: &str| -> String { text.chars().flat_map(|c| ['\\', c]).collect() };
            // A backslash before t, n, r, f and u means something else.
            prop_assume!(!key.contains(['t', 'n', 'r', 'f', 'u']));
            prop_assume!(!value.contains(['t', 'n', 'r', 'f', 'u']));
            let read = parse_properties(&format!("{}={}", escape(&key), escape(&value))).unwrap();
            prop_assert_eq!(read.get(&key), Some(&value));
        }
    }
}
