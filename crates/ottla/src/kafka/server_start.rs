//! `kafka-server-start [-daemon] server.properties [--override key=value]…`

use super::options::{Flag, Tool, switch, value};
use super::{ScriptError, ScriptResult};
use crate::serve;

const FLAGS: &[Flag] = &[
    switch("daemon", "Not supported: let a service manager run it in the background."),
    value("override", "key=value", "A property that replaces the file's; may be repeated."),
];

static TOOL: Tool = Tool {
    name: "kafka-server-start",
    about: "USAGE: kafka-server-start server.properties [--override property=value]*",
    flags: FLAGS,
};

pub fn run(arguments: &[String]) -> ScriptResult {
    let parsed = TOOL.parse(arguments)?;
    let [file] = parsed.positional.as_slice() else {
        return Err(ScriptError::Stderr(TOOL.about.to_owned()));
    };
    if parsed.has("daemon") {
        return Err(ScriptError::Stderr(
            "-daemon is not supported: let systemd or your shell (&) run it in the background"
                .to_owned(),
        ));
    }
    let overrides: Vec<String> = parsed.values("override").map(str::to_owned).collect();
    Ok(serve::start_file(file, &overrides)?)
}
