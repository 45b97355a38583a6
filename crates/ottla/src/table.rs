//! Columns of text: as wide as their widest cell, two blanks apart.

use std::io::{self, Write};

/// Rows under headings. Numbers stand to the right.
#[derive(Debug, Default)]
pub struct Table {
    headings: Vec<(&'static str, Align)>,
    rows: Vec<Vec<String>>,
}

/// Which edge of its column a cell touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    Left,
    Right,
}

impl Table {
    pub fn new(headings: &[(&'static str, Align)]) -> Table {
        Table { headings: headings.to_vec(), rows: Vec::new() }
    }

    /// # Panics
    /// If there are not as many cells as headings.
    pub fn row(&mut self, cells: Vec<String>) {
        assert_eq!(cells.len(), self.headings.len(), "one cell for each heading");
        self.rows.push(cells);
    }

    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let widths: Vec<usize> = (0..self.headings.len())
            .map(|column| {
                let cells = self.rows.iter().map(|row| row[column].chars().count());
                cells.max().unwrap_or(0).max(self.headings[column].0.chars().count())
            })
            .collect();
        let headings: Vec<String> =
            self.headings.iter().map(|(name, _)| (*name).to_owned()).collect();
        for row in std::iter::once(&headings).chain(&self.rows) {
            let mut line = String::new();
            for ((cell, width), (_, align)) in row.iter().zip(&widths).zip(&self.headings) {
                let padding = " ".repeat(width.saturating_sub(cell.chars().count()));
                if !line.is_empty() {
                    line.push_str("  ");
                }
                match align {
                    Align::Left => line.extend([cell, padding.as_str()]),
                    Align::Right => line.extend([padding.as_str(), cell]),
                }
            }
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::new(&[("NAME", Align::Left), ("SIZE", Align::Right)]);
        table.row(vec!["orders".into(), "7".into()]);
        table.row(vec!["ä".into(), "12345".into()]);
        let mut text = Vec::new();
        table.write(&mut text).unwrap();
        let expected = "NAME     SIZE\norders      7\nä       12345\n";
        assert_eq!(String::from_utf8(text).unwrap(), expected);
    }
}
