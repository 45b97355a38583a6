//! `ottla config get`

use std::io::{self, Write};

use clap::Args;
use client::admin::configs::Described;
use config::Source;
use serde::Serialize;

use super::Kind;
use crate::context::Common;
use crate::failure::{Exit, Failure, Outcome};
use crate::output::{self, Report};
use crate::table::{Align, Table};

#[derive(Args, Debug)]
pub struct GetArgs {
    /// What kind of thing
    kind: Kind,

    /// Its name; `default` means all brokers
    name: String,

    /// Only these properties
    #[arg(value_name = "PROPERTY")]
    properties: Vec<String>,

    /// Also what nobody has set
    #[arg(short, long)]
    all: bool,
}

#[derive(Serialize)]
struct Properties {
    properties: Vec<PropertyLine>,
    #[serde(skip)]
    is_single: bool,
}

#[derive(Serialize)]
struct PropertyLine {
    name: String,
    value: Option<String>,
    source: &'static str,
    read_only: bool,
    sensitive: bool,
    documentation: Option<String>,
}

pub fn run(args: &GetArgs, common: &Common) -> Outcome {
    let mut client = common.connect()?;
    let wanted = Some(args.properties.as_slice()).filter(|names| !names.is_empty());
    let described = client.describe_configs(&args.kind.resource(&args.name), wanted)?;
    let missing = args.properties.iter().find(|name| !described.iter().any(|d| d.name == **name));
    if let Some(name) = missing {
        let what = format!("read property {name} of {}", args.name);
        return Err(Failure::new(Exit::NotFound, "UNKNOWN_PROPERTY", what, "there is none")
            .todo("ottla config get … --all shows what there is"));
    }
    let is_shown = |d: &Described| args.all || wanted.is_some() || is_set(d);
    let properties = described.into_iter().filter(is_shown).map(line);
    let is_single = args.properties.len() == 1;
    output::print(common.output, &Properties { properties: properties.collect(), is_single })
}

fn is_set(described: &Described) -> bool {
    described.source != Source::Default.wire_code()
}

fn line(described: Described) -> PropertyLine {
    PropertyLine {
        source: Source::from_wire_code(described.source).map_or("UNKNOWN", Source::name),
        name: described.name,
        value: described.value,
        read_only: described.is_read_only,
        sensitive: described.is_sensitive,
        documentation: described.documentation,
    }
}

impl Report for Properties {
    fn write_text(&self, out: &mut dyn Write) -> io::Result<()> {
        // One property alone is its value: that is what scripts want.
        if let ([only], true) = (self.properties.as_slice(), self.is_single) {
            return writeln!(out, "{}", only.value.as_deref().unwrap_or("null"));
        }
        let mut table =
            Table::new(&[("PROPERTY", Align::Left), ("VALUE", Align::Left), ("FROM", Align::Left)]);
        for property in &self.properties {
            let value = match (&property.value, property.sensitive) {
                (_, true) => "(hidden)".to_owned(),
                (Some(value), _) => value.clone(),
                (None, _) => "null".to_owned(),
            };
            table.row(vec![property.name.clone(), value, property.source.to_owned()]);
        }
        if self.properties.is_empty() {
            return writeln!(out, "nothing is set; --all shows the defaults");
        }
        table.write(out)
    }
}
