//! Results on stdout, as text for people or JSON for programs.

use std::io::{self, IsTerminal, Write};

use clap::ValueEnum;
use serde::Serialize;

use crate::failure::Outcome;

/// How results are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    #[default]
    Text,
    Json,
}

/// A result that can be read by people and by programs.
pub trait Report: Serialize {
    /// Writes it for people.
    fn write_text(&self, out: &mut dyn Write) -> io::Result<()>;
}

/// Prints a result on stdout.
pub fn print(format: Format, report: &impl Report) -> Outcome {
    let mut out = io::stdout().lock();
    match format {
        Format::Text => report.write_text(&mut out)?,
        Format::Json => {
            serde_json::to_writer_pretty(&mut out, report).map_err(io::Error::from)?;
            writeln!(out)?;
        }
    }
    out.flush()?;
    Ok(())
}

/// Whether a person sees what we print.
pub fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// A sentence that says what was done, or the same as JSON.
#[derive(Debug, Serialize)]
pub struct Done<T: Serialize> {
    #[serde(flatten)]
    pub facts: T,
    #[serde(skip)]
    pub sentence: String,
}

impl<T: Serialize> Report for Done<T> {
    fn write_text(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{}", self.sentence)
    }
}
