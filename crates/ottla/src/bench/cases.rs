//! `ottla bench cases`

use std::io::{self, Write};

use load::Case;
use serde::Serialize;

use crate::output::Report;
use crate::table::{Align, Table};

#[derive(Serialize)]
pub struct Listed {
    pub cases: &'static [Case],
}

impl Report for Listed {
    fn write_text(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut table = Table::new(&[("CASE", Align::Left), ("WHAT", Align::Left)]);
        for case in self.cases {
            table.row(vec![case.name.to_owned(), case.about.to_owned()]);
        }
        table.write(out)
    }
}
