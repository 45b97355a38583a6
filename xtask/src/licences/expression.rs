/// Whether an SPDX expression can be met with the allowed licences. An empty one cannot.
pub fn allowed(expression: &str, allow: &[String]) -> bool {
    // `MIT/Apache-2.0` is how older crates say OR.
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut parser = Parser { words: &words, at: 0, allow };
    let met = parser.any();
    met && parser.at == words.len() && !words.is_empty()
}

struct Parser<'a> {
    words: &'a [&'a str],
    at: usize,
    allow: &'a [String],
}

impl Parser<'_> {
    fn next_is(&mut self, word: &str) -> bool {
        let is = self.words.get(self.at) == Some(&word);
        self.at += usize::from(is);
        is
    }

    fn any(&mut self) -> bool {
        let mut met = self.all();
        while self.next_is("OR") {
            met |= self.all();
        }
        met
    }

    fn all(&mut self) -> bool {
        let mut met = self.one();
        while self.next_is("AND") {
            met &= self.one();
        }
        met
    }

    fn one(&mut self) -> bool {
        if self.next_is("(") {
            let met = self.any();
            return self.next_is(")") && met;
        }
        let Some(name) = self.words.get(self.at) else { return false };
        self.at += 1;
        let mut name = (*name).to_owned();
        if self.next_is("WITH") {
            name = format!("{name} WITH {}", self.words.get(self.at).unwrap_or(&""));
            self.at += 1;
        }
        self.allow.contains(&name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn and_needs_all_and_or_needs_one() {
        let allow = ["MIT".to_owned(), "Zlib".to_owned(), "A WITH B".to_owned()];
        for met in ["MIT", "GPL OR MIT", "GPL/MIT", "(GPL OR MIT) AND Zlib", "A WITH B OR X"] {
            assert!(allowed(met, &allow), "{met}");
        }
        for unmet in ["", "GPL", "MIT AND GPL", "(MIT", "A", "MIT Zlib", "GPL OR (MIT AND X)"] {
            assert!(!allowed(unmet, &allow), "{unmet}");
        }
    }
}
