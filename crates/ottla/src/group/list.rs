//! `ottla group list`

use std::io::{self, Write};

use clap::Args;
use serde::Serialize;

use crate::context::Common;
use crate::failure::Outcome;
use crate::output::{self, Report};
use crate::table::{Align, Table};

#[derive(Args, Debug)]
pub struct ListArgs {
    /// Only groups in this state: Stable, Empty, …; may be repeated
    #[arg(long, value_name = "STATE")]
    state: Vec<String>,
}

#[derive(Serialize)]
struct Groups {
    groups: Vec<Listed>,
}

#[derive(Serialize)]
struct Listed {
    group: String,
    state: String,
    #[serde(rename = "type")]
    kind: String,
    protocol_type: String,
}

pub fn run(args: &ListArgs, common: &Common) -> Outcome {
    let mut client = common.connect()?;
    let groups = client.list_groups(&args.state, &[])?;
    let groups = groups.into_iter().map(|group| Listed {
        group: group.id,
        state: group.state,
        kind: group.kind,
        protocol_type: group.protocol_type,
    });
    output::print(common.output, &Groups { groups: groups.collect() })
}

impl Report for Groups {
    fn write_text(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut table =
            Table::new(&[("GROUP", Align::Left), ("STATE", Align::Left), ("TYPE", Align::Left)]);
        for group in &self.groups {
            table.row(vec![group.group.clone(), group.state.clone(), group.kind.clone()]);
        }
        table.write(out)
    }
}
