use std::collections::BTreeSet;
use std::rc::Rc;
use std::str::{FromStr, Split};

/// Names, each once.
#[derive(Default)]
pub struct Names(BTreeSet<Rc<str>>);

impl Names {
    pub fn name(&mut self, text: &str) -> Rc<str> {
        if let Some(name) = self.0.get(text) {
            return name.clone();
        }
        let name: Rc<str> = text.into();
        self.0.insert(name.clone());
        name
    }
}

/// The fields of a line: a word and what belongs to it, separated by tabs.
pub struct Fields<'a> {
    pub word: &'a str,
    rest: Split<'a, char>,
}

impl<'a> Fields<'a> {
    pub fn of(line: &'a str) -> Self {
        let mut rest = line.split('\t');
        Fields { word: rest.next().unwrap_or_default(), rest }
    }

    pub fn text(&mut self) -> Result<&'a str, String> {
        self.rest.next().ok_or_else(|| format!("`{}` has more fields than are there", self.word))
    }

    pub fn name(&mut self, names: &mut Names) -> Result<Rc<str>, String> {
        Ok(names.name(self.text()?))
    }

    pub fn number<T: FromStr>(&mut self) -> Result<T, String> {
        let text = self.text()?;
        text.parse().map_err(|_| format!("`{text}` in `{}` is no such number", self.word))
    }

    pub fn end(mut self) -> Result<(), String> {
        match self.rest.next() {
            None => Ok(()),
            Some(more) => Err(format!("`{more}` is more than `{}` has", self.word)),
        }
    }
}
