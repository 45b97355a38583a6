use std::ops::Range;

/// One Rust file, split into what the compiler reads and what people read.
///
/// **Invariant:** `code` and `comments` have the length and the line breaks of `text`; the rest of
/// them is spaces. So an offset or a line means the same in all three.
#[derive(Debug)]
pub struct Source {
    pub text: String,
    /// Without comments and without the insides of string and character literals.
    pub code: String,
    pub comments: String,
    /// Byte ranges of items under `#[cfg(test)]`.
    pub test_items: Vec<Range<usize>>,
}

impl Source {
    pub fn new(text: &str) -> Source {
        let (code, comments) = Splitter::new(text).split();
        let test_items = test_items(&code);
        Source { text: text.to_owned(), code, comments, test_items }
    }

    /// The line of a byte offset, counted from 1.
    pub fn line_of(&self, offset: usize) -> usize {
        line_of(&self.text, offset)
    }

    pub fn is_test(&self, offset: usize) -> bool {
        self.test_items.iter().any(|range| range.contains(&offset))
    }

    /// Offsets in the code where `word` stands with no identifier character on either side.
    pub fn code_words<'a>(&'a self, word: &'a str) -> impl Iterator<Item = usize> + 'a {
        words(&self.code, word)
    }
}

pub fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes()[..offset.min(text.len())].iter().filter(|&&byte| byte == b'\n').count() + 1
}

/// Where `word` occurs in `text` as a whole word (at ends that are identifier characters).
pub fn words<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    text.match_indices(word).map(|(at, _)| at).filter(move |&at| {
        let bytes = text.as_bytes();
        let end = at + word.len();
        let open = |edge: Option<u8>, other: Option<&u8>| {
            !(edge.is_some_and(is_word) && other.is_some_and(|&byte| is_word(byte)))
        };
        open(word.bytes().next(), at.checked_sub(1).and_then(|before| bytes.get(before)))
            && open(word.bytes().last(), bytes.get(end))
    })
}

pub fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// The offset just past the bracket that closes the one at `open`.
pub fn closing(code: &str, open: usize) -> Option<usize> {
    let (opener, closer) = match code.as_bytes().get(open)? {
        b'{' => (b'{', b'}'),
        b'(' => (b'(', b')'),
        b'[' => (b'[', b']'),
        b'<' => (b'<', b'>'),
        _ => return None,
    };
    let mut depth = 0usize;
    for (at, &byte) in code.as_bytes().iter().enumerate().skip(open) {
        if byte == opener {
            depth += 1;
        } else if byte == closer && !(closer == b'>' && code.as_bytes()[at - 1] == b'-') {
            depth -= 1;
            if depth == 0 {
                return Some(at + 1);
            }
        }
    }
    None
}

fn test_items(code: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for marker in ["#[cfg(test)]", "#[cfg(all(test", "#[cfg(any(test"] {
        for (at, _) in code.match_indices(marker) {
            let rest = &code[at + marker.len()..];
            let Some(stop) = rest.find(['{', ';']) else { continue };
            let stop = at + marker.len() + stop;
            let end = closing(code, stop).unwrap_or(stop + 1);
            found.push(at..end);
        }
    }
    found
}

struct Splitter<'a> {
    bytes: &'a [u8],
    at: usize,
    code: Vec<u8>,
    comments: Vec<u8>,
}

impl<'a> Splitter<'a> {
    fn new(text: &'a str) -> Self {
        let blank: Vec<u8> =
            text.bytes().map(|byte| if byte == b'\n' { b'\n' } else { b' ' }).collect();
        Splitter { bytes: text.as_bytes(), at: 0, code: blank.clone(), comments: blank }
    }

    fn split(mut self) -> (String, String) {
        while let Some(&byte) = self.bytes.get(self.at) {
            match byte {
                b'/' if self.next_is(b'/') => self.comment(Self::line_comment_end),
                b'/' if self.next_is(b'*') => self.comment(Self::block_comment_end),
                b'"' => self.literal(Self::string_end),
                b'\'' => self.quote(),
                _ if is_word(byte) => self.word(),
                _ => self.keep(1),
            }
        }
        let text = |bytes| String::from_utf8(bytes).expect("whole characters were blanked");
        (text(self.code), text(self.comments))
    }

    fn next_is(&self, wanted: u8) -> bool {
        self.bytes.get(self.at + 1) == Some(&wanted)
    }

    fn keep(&mut self, count: usize) {
        let end = (self.at + count).min(self.bytes.len());
        self.code[self.at..end].copy_from_slice(&self.bytes[self.at..end]);
        self.at = end;
    }

    fn comment(&mut self, end: fn(&Self) -> usize) {
        let end = end(self);
        self.comments[self.at..end].copy_from_slice(&self.bytes[self.at..end]);
        self.at = end;
    }

    /// Keeps the two quotes and drops what is between them.
    fn literal(&mut self, end: fn(&Self) -> usize) {
        let end = end(self);
        self.code[self.at] = self.bytes[self.at];
        self.code[end - 1] = self.bytes[end - 1];
        self.at = end;
    }

    fn line_comment_end(&self) -> usize {
        let rest = &self.bytes[self.at..];
        rest.iter().position(|&byte| byte == b'\n').map_or(self.bytes.len(), |n| self.at + n)
    }

    fn block_comment_end(&self) -> usize {
        let (mut at, mut depth) = (self.at, 0usize);
        while at < self.bytes.len() {
            if self.bytes[at..].starts_with(b"/*") {
                depth += 1;
                at += 2;
            } else if self.bytes[at..].starts_with(b"*/") {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return at;
                }
            } else {
                at += 1;
            }
        }
        self.bytes.len()
    }

    fn string_end(&self) -> usize {
        let mut at = self.at + 1;
        while at < self.bytes.len() {
            match self.bytes[at] {
                b'\\' => at += 2,
                b'"' => return at + 1,
                _ => at += 1,
            }
        }
        self.bytes.len()
    }

    /// A lifetime, or a character literal.
    fn quote(&mut self) {
        let rest = &self.bytes[self.at + 1..];
        let length = match rest.first() {
            Some(b'\\') => rest.iter().skip(2).position(|&byte| byte == b'\'').map(|n| n + 4),
            Some(&first) => {
                let width = 1
                    + usize::from(first >= 0xC0)
                    + usize::from(first >= 0xE0)
                    + usize::from(first >= 0xF0);
                (rest.get(width) == Some(&b'\'')).then_some(width + 2)
            }
            None => None,
        };
        match length {
            Some(length) => self.at = (self.at + length).min(self.bytes.len()),
            None => self.keep(1),
        }
    }

    /// An identifier or number, and the raw string that may hang on it (`r#"…"#`, `br"…"`).
    fn word(&mut self) {
        let start = self.at;
        while self.bytes.get(self.at).is_some_and(|&byte| is_word(byte)) {
            self.keep(1);
        }
        if !matches!(&self.bytes[start..self.at], b"r" | b"br" | b"cr") {
            return;
        }
        let hashes = self.bytes[self.at..].iter().take_while(|&&byte| byte == b'#').count();
        if self.bytes.get(self.at + hashes) != Some(&b'"') {
            return;
        }
        let mut close = vec![b'"'];
        close.resize(hashes + 1, b'#');
        let body = self.at + hashes + 1;
        let rest = &self.bytes[body..];
        let length = rest.windows(close.len()).position(|window| window == close);
        self.at = length.map_or(self.bytes.len(), |length| body + length + close.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_and_comments_are_not_code() {
        let source =
            Source::new("let a = \"unwrap() \\\" x\"; // unwrap()\n/* fn /* y */ z */ let b;");
        assert!(!source.code.contains("unwrap"));
        assert!(source.comments.contains("unwrap()"));
        assert!(source.code.contains("let b;"));
        assert!(!source.code.contains('z'));
        assert_eq!(source.code.len(), source.text.len());
    }

    #[test]
    fn raw_strings_characters_and_lifetimes_are_told_apart() {
        let text = "fn f<'a>(x: &'a str) { g('{', '\\'', r#\"}\"x\"#, 'é'); }";
        let source = Source::new(text);
        assert_eq!(source.code.matches('{').count(), 1, "{}", source.code);
        assert_eq!(source.code.matches('}').count(), 1, "{}", source.code);
        assert!(source.code.contains("&'a str"));
    }

    #[test]
    fn items_under_cfg_test_are_known() {
        let source = Source::new("fn a() {}\n#[cfg(test)]\nmod tests { fn b() {} }\nfn c() {}");
        assert!(!source.is_test(source.text.find("fn a").unwrap()));
        assert!(source.is_test(source.text.find("fn b").unwrap()));
        assert!(!source.is_test(source.text.find("fn c").unwrap()));
    }

    #[test]
    fn a_word_ends_where_the_identifier_ends() {
        let found: Vec<usize> = words("tokio tokios my_tokio tokio::x", "tokio").collect();
        assert_eq!(found, [0, 22]);
    }
}
