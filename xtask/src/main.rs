//! The workspace's own commands: `cargo xtask <command>`.

mod bench;
mod codegen;
mod counts;
mod fuzz;
mod instructions;
mod interop;
mod licences;
mod process;
mod sim;
mod soak;
mod test;
mod tidy;

use std::path::PathBuf;
use std::process::ExitCode;

struct Command {
    name: &'static str,
    usage: &'static str,
    what: &'static str,
    run: fn(&[String]) -> Result<(), String>,
}

const COMMANDS: &[Command] = &[
    Command {
        name: "test",
        usage: "[STEP]",
        what: "the whole check, as CI runs it",
        run: test::run,
    },
    Command {
        name: "tidy",
        usage: "[--wrap|--tighten]",
        what: "the style of the house; --wrap breaks long comments, --tighten lowers ratchets",
        run: tidy::run,
    },
    Command {
        name: "codegen",
        usage: "[--check]",
        what: "write the wire code from schema/; --check only compares",
        run: codegen::run,
    },
    Command {
        name: "interop",
        usage: "[…]",
        what: "unmodified Kafka clients against a fresh server; --help tells more",
        run: interop::run,
    },
    Command {
        name: "sim", usage: "[…]", what: "the simulator; --help tells more", run: sim::run
    },
    Command {
        name: "models",
        usage: "[--large] [--world NAME] [--defects]",
        what: "every order of events in small worlds; --help tells more",
        run: |args| sim::release("models", args),
    },
    Command {
        name: "soak",
        usage: "[…]",
        what: "kills and power cuts under load; --help tells more",
        run: soak::run,
    },
    Command {
        name: "judge",
        usage: "[-o json] FILE|DIRECTORY…",
        what: "what a round of the soak proves, from the histories of its clients",
        run: |args| sim::release("judge", args),
    },
    Command {
        name: "failover",
        usage: "[…]",
        what: "how long clients wait when one of three nodes goes; --help tells more",
        run: soak::failover,
    },
    Command {
        name: "fuzz",
        usage: "[--minutes N] [--seed N] [TARGET]",
        what: "the fuzz_ tests in rounds, or one cargo-fuzz target",
        run: fuzz::run,
    },
    Command {
        name: "instructions",
        usage: "[--write]",
        what: "what the hot paths execute, against their limits; --write sets those",
        run: instructions::run,
    },
    Command { name: "bench", usage: "[…]", what: "the load generator", run: bench::run },
    Command { name: "doc", usage: "[--open]", what: "the API documentation", run: doc },
];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let name = args.first().map_or("help", String::as_str);
    if ["help", "--help", "-h"].contains(&name) {
        print!("{}", help());
        return ExitCode::SUCCESS;
    }
    let outcome = match COMMANDS.iter().find(|command| command.name == name) {
        Some(command) => (command.run)(&args[1..]),
        None => Err(format!("there is no command `{name}`\n\n{}", help())),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("xtask {name}: {why}");
            ExitCode::FAILURE
        }
    }
}

fn help() -> String {
    let mut text = "cargo xtask <command>\n\n".to_owned();
    for Command { name, usage, what, .. } in COMMANDS {
        let call = format!("{name} {usage}");
        text.push_str(&format!("  {call:<42} {what}\n"));
    }
    text
}

fn doc(args: &[String]) -> Result<(), String> {
    let mut command =
        process::cargo(&["doc", "--workspace", "--no-deps", "--document-private-items"]);
    command.args(args).env("RUSTDOCFLAGS", "-D warnings -A rustdoc::private_intra_doc_links");
    process::pass_through(command)
}

/// The root of the workspace.
fn root() -> PathBuf {
    let manifest = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().map_or(manifest.clone(), PathBuf::from)
}

/// Where cargo builds.
fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or(root().join("target"), PathBuf::from)
}

/// Whether nobody watches: then what cannot run has failed.
fn in_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true" || value == "1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_names_every_command_once() {
        let text = help();
        for command in COMMANDS {
            let lines = text.lines().filter(|line| line.trim_start().starts_with(command.name));
            assert_eq!(lines.count(), 1, "{}", command.name);
        }
    }
}
