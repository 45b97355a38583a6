//! `--add-config`, `--add-config-file` and `--delete-config` become changes.

use client::admin::configs::{Change, ChangeOp};

use super::super::ScriptError;
use super::super::options::Parsed;
use crate::context::read_properties;

/// The changes that the flags ask for.
pub fn changes(parsed: &Parsed) -> Result<Vec<Change>, ScriptError> {
    let flags = ["add-config", "add-config-file", "delete-config"];
    if !flags.iter().any(|flag| parsed.has(flag)) {
        return Err(ScriptError::Stderr(
            "At least one of --add-config, --add-config-file, or --delete-config must be specified \
             with --alter"
                .to_owned(),
        ));
    }
    parsed.refuse_together("add-config", &["add-config-file"])?;
    let mut changes = Vec::new();
    for text in parsed.values("add-config") {
        for (name, value) in additions(text).map_err(ScriptError::Stderr)? {
            changes.push(Change { name, op: ChangeOp::Set(value) });
        }
    }
    for path in parsed.values("add-config-file") {
        for (name, value) in read_properties(path)? {
            changes.push(Change { name, op: ChangeOp::Set(value) });
        }
    }
    for text in parsed.values("delete-config") {
        for name in text.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            changes.push(Change { name: name.to_owned(), op: ChangeOp::Delete });
        }
    }
    Ok(changes)
}

/// Reads `k=v,k=[a,b]`: commas separate, except within brackets, which are left out.
fn additions(text: &str) -> Result<Vec<(String, String)>, String> {
    let wrong = || {
        "requirement failed: Invalid entity config: all configs to be added must be in the format \
         \"key=val\"."
            .to_owned()
    };
    let mut found = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (name, after) = rest.split_once('=').ok_or_else(wrong)?;
        let (value, after) = match after.strip_prefix('[') {
            Some(bracketed) => {
                let (value, after) = bracketed.split_once(']').ok_or_else(wrong)?;
                (value, after.strip_prefix(',').unwrap_or(after))
            }
            None => after.split_once(',').unwrap_or((after, "")),
        };
        if name.trim().is_empty() {
            return Err(wrong());
        }
        found.push((name.trim().to_owned(), value.trim().to_owned()));
        rest = after;
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_keep_commas_together() {
        let read =
            additions("max.message.bytes=2,cleanup.policy=[compact,delete], a = b ").unwrap();
        let texts: Vec<_> = read.iter().map(|(k, v)| format!("{k}={v}")).collect();
        assert_eq!(texts, ["max.message.bytes=2", "cleanup.policy=compact,delete", "a=b"]);
        assert_eq!(additions("a=").unwrap(), [("a".to_owned(), String::new())]);
        assert!(additions("a").is_err());
        assert!(additions("a=[b").is_err());
        assert!(additions("=b").is_err());
    }
}
