//! `ottla config set` and `ottla config delete`

use clap::Args;
use client::admin::configs::{Change, ChangeOp};
use serde::Serialize;

use super::Kind;
use crate::context::Common;
use crate::failure::Outcome;
use crate::output::{self, Done};
use crate::topic::key_value;

#[derive(Args, Debug)]
pub struct SetArgs {
    /// What kind of thing
    kind: Kind,

    /// Its name; `default` means all brokers
    name: String,

    /// What to set, for example retention.ms=60000
    #[arg(required = true, value_name = "PROPERTY=VALUE", value_parser = key_value)]
    properties: Vec<(String, String)>,

    /// Only ask whether it would be accepted
    #[arg(long)]
    dry_run: bool,
}

#[derive(Args, Debug)]
pub struct DeleteArgs {
    /// What kind of thing
    kind: Kind,

    /// Its name; `default` means all brokers
    name: String,

    /// What to return to its default
    #[arg(required = true, value_name = "PROPERTY")]
    properties: Vec<String>,
}

#[derive(Serialize)]
struct Changed {
    name: String,
    set: Vec<String>,
    deleted: Vec<String>,
    dry_run: bool,
}

pub fn set(args: &SetArgs, common: &Common) -> Outcome {
    let changes: Vec<Change> = args
        .properties
        .iter()
        .map(|(name, value)| Change { name: name.clone(), op: ChangeOp::Set(value.clone()) })
        .collect();
    let mut client = common.connect()?;
    client.alter_configs(&args.kind.resource(&args.name), &changes, args.dry_run)?;
    let set: Vec<String> =
        args.properties.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let verb = if args.dry_run { "would set" } else { "set" };
    let sentence = format!("{verb} {} of {}", set.join(", "), args.name);
    let dry_run = args.dry_run;
    let facts = Changed { name: args.name.clone(), set, deleted: Vec::new(), dry_run };
    output::print(common.output, &Done { facts, sentence })
}

pub fn delete(args: &DeleteArgs, common: &Common) -> Outcome {
    let changes: Vec<Change> = args
        .properties
        .iter()
        .map(|name| Change { name: name.clone(), op: ChangeOp::Delete })
        .collect();
    let mut client = common.connect()?;
    client.alter_configs(&args.kind.resource(&args.name), &changes, false)?;
    let deleted = args.properties.clone();
    let sentence = format!("{} of {} is back at its default", deleted.join(", "), args.name);
    let facts = Changed { name: args.name.clone(), set: Vec::new(), deleted, dry_run: false };
    output::print(common.output, &Done { facts, sentence })
}
