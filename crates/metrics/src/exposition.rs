use std::fmt::{Display, Write};

use crate::group::{Family, Group};

/// A page in Prometheus' text format, version 0.0.4.
///
/// **Invariant:** all samples of a name stand together, below its `HELP` and `TYPE`.
/// **Source:** the exposition formats of the Prometheus documentation.
#[derive(Debug, Default)]
pub struct Exposition {
    text: String,
}

impl Exposition {
    /// The type of the page's content.
    pub const CONTENT_TYPE: &'static str = "text/plain; version=0.0.4; charset=utf-8";

    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn into_text(self) -> String {
        self.text
    }

    /// Shows a number that was looked up, for each set of values of the family's labels.
    ///
    /// # Panics
    /// If the values are not as many as the labels.
    pub fn family<const N: usize, V: AsRef<str>, T: Display>(
        &mut self,
        family: &Family,
        samples: impl IntoIterator<Item = ([V; N], T)>,
    ) {
        self.head(family);
        for (values, value) in samples {
            self.samples(family, &values.each_ref().map(AsRef::as_ref)).value(value);
        }
    }

    /// Shows every member of a group, one name after another.
    ///
    /// # Panics
    /// If a member's values are not as many as the labels.
    pub fn group<'a, const N: usize, V: AsRef<str>, G: Group + 'a>(
        &mut self,
        members: impl IntoIterator<Item = ([V; N], &'a G)>,
    ) {
        let members: Vec<_> = members.into_iter().collect();
        for (index, family) in G::FAMILIES.iter().enumerate() {
            self.head(family);
            for (values, group) in &members {
                let values = values.each_ref().map(AsRef::as_ref);
                group.sample(index, &mut self.samples(family, &values));
            }
        }
    }

    /// The two lines above the samples of a name.
    pub fn head(&mut self, family: &Family) {
        let help = family.help.trim().replace('\\', "\\\\").replace('\n', "\\n");
        let (name, kind) = (family.name, family.kind.name());
        self.line(format_args!("# HELP {name} {help}\n# TYPE {name} {kind}"));
    }

    /// Where the samples of one set of label values go. [`head`](Self::head) comes first.
    ///
    /// # Panics
    /// If the values are not as many as the labels.
    pub fn samples(&mut self, family: &Family, values: &[&str]) -> Samples<'_> {
        assert_eq!(values.len(), family.labels.len(), "labels of {}", family.name);
        let labels = family.labels.iter().copied().zip(values.iter().copied());
        Samples { labels: written(labels), name: family.name, page: self }
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing into a String does not fail.
        let _ = writeln!(self.text, "{line}");
    }
}

/// The lines of one metric.
#[derive(Debug)]
pub struct Samples<'a> {
    page: &'a mut Exposition,
    name: &'static str,
    labels: String,
}

impl Samples<'_> {
    pub fn value(&mut self, value: impl Display) {
        self.labelled_value("", &[], value);
    }

    /// A line with a suffix to the name, and with labels of its own after those of the group.
    pub fn labelled_value(&mut self, suffix: &str, more: &[(&str, &str)], value: impl Display) {
        let more = written(more.iter().copied());
        let comma = if self.labels.is_empty() || more.is_empty() { "" } else { "," };
        let (name, labels) = (self.name, &self.labels);
        match labels.is_empty() && more.is_empty() {
            true => self.page.line(format_args!("{name}{suffix} {value}")),
            false => {
                self.page.line(format_args!("{name}{suffix}{{{labels}{comma}{more}}} {value}"));
            }
        }
    }
}

fn written<'a>(labels: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut text = String::new();
    for (name, value) in labels {
        let comma = if text.is_empty() { "" } else { "," };
        let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let _ = write!(text, "{comma}{name}=\"{value}\"");
    }
    text
}
