use super::sizes::COLUMNS_MAX;

/// Breaks comment lines that are too long and lets the rest flow into the next line of the same
/// paragraph. Code, fences and tables are left alone: rustfmt does the one, people the others.
pub fn wrapped(text: &str) -> String {
    let mut waiting: Vec<String> = text.lines().rev().map(str::to_owned).collect();
    let mut done = String::with_capacity(text.len());
    let mut fenced = false;
    while let Some(line) = waiting.pop() {
        let comment = Comment::parse(&line);
        fenced ^= comment.as_ref().is_some_and(|comment| comment.body.starts_with("```"));
        let split = comment.filter(|comment| !fenced && !comment.body.starts_with('|'));
        let Some((first, rest)) = split.and_then(|comment| comment.split()) else {
            done.push_str(&line);
            done.push('\n');
            continue;
        };
        done.push_str(&first);
        done.push('\n');
        let next = waiting.pop_if(|next| flows_on(&rest, next));
        waiting.push(match next.as_deref().and_then(Comment::parse) {
            Some(next) => format!("{rest} {}", next.body),
            None => rest,
        });
    }
    done
}

/// A line that is nothing but a comment.
struct Comment<'a> {
    line: &'a str,
    /// Indentation, slashes and spaces before the text.
    lead: &'a str,
    marker: &'a str,
    body: &'a str,
}

impl<'a> Comment<'a> {
    fn parse(line: &'a str) -> Option<Comment<'a>> {
        let start = line.len() - line.trim_start().len();
        let marker = ["///", "//!", "//"].into_iter().find(|m| line[start..].starts_with(m))?;
        let after = start + marker.len();
        let spaces = line[after..].len() - line[after..].trim_start().len();
        let (lead, body) = line.split_at(after + spaces);
        Some(Comment { line, lead, marker, body })
    }

    /// The line up to the limit, and the rest as a line of its own; none if it fits or cannot be
    /// broken.
    fn split(&self) -> Option<(String, String)> {
        if self.line.chars().count() <= COLUMNS_MAX {
            return None;
        }
        let limit = self.line.char_indices().nth(COLUMNS_MAX + 1).map_or(self.line.len(), |c| c.0);
        let at = self.line[..limit].rfind(' ').filter(|at| *at > self.lead.len())?;
        let hang = " ".repeat(bullet(self.body));
        let rest = format!("{}{hang}{}", self.lead, self.line[at + 1..].trim_start());
        Some((self.line[..at].trim_end().to_owned(), rest))
    }
}

/// How far the text of a list item stands in.
fn bullet(body: &str) -> usize {
    let digits = body.bytes().take_while(u8::is_ascii_digit).count();
    if body.starts_with("- ") || body.starts_with("* ") {
        2
    } else if digits > 0 && body[digits..].starts_with(". ") {
        digits + 2
    } else {
        0
    }
}

/// Whether `next` continues the paragraph that `rest` ends.
fn flows_on(rest: &str, next: &str) -> bool {
    let (Some(rest), Some(next)) = (Comment::parse(rest), Comment::parse(next)) else {
        return false;
    };
    let fresh = next.body.is_empty()
        || bullet(next.body) > 0
        || next.body.starts_with(['#', '|', '`', '*'])
        || next.body.starts_with("Source:");
    rest.marker == next.marker && rest.lead == next.lead && !fresh
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(count: usize) -> String {
        "word ".repeat(count).trim_end().to_owned()
    }

    #[test]
    fn a_long_comment_flows_into_the_next_line() {
        let text = format!("    /// {}\n    /// end\nfn f() {{}}\n", words(20));
        let wrapped = wrapped(&text);
        let lines: Vec<&str> = wrapped.lines().collect();
        assert_eq!(lines.len(), 3, "{wrapped}");
        assert_eq!(lines[1], "    /// word word end");
        assert!(lines[0].len() <= COLUMNS_MAX);
    }

    #[test]
    fn a_list_item_hangs_and_the_next_item_stays() {
        let text = format!("//! 1. {}\n//! 2. x\n", words(20));
        let wrapped = wrapped(&text);
        assert!(wrapped.ends_with("\n//!    word word\n//! 2. x\n"), "{wrapped}");
    }

    #[test]
    fn code_fences_tables_and_short_lines_are_left_alone() {
        let text = format!(
            "/// ```\n/// {long}\n/// ```\n/// | {long} |\nlet a = \"{long}\";\n/// short\n",
            long = words(20)
        );
        assert_eq!(wrapped(&text), text);
    }
}
