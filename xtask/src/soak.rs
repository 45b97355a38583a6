//! `cargo xtask soak`: kills and power cuts under load by clients that nobody here wrote, judged
//! as the simulators are.
//!
//! This prepares what is needed and starts `tests/interop/soak/soak.py`, which knows the rest.
//! Power cuts need a file system of their own: an ext4 in a file, mounted in a mount namespace of
//! the run. The kernel takes it down with the last process of the run, whatever ends that.
//! Faults of the network need network namespaces, which go the same way.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::interop::install::{Tool, Toolbox, quietly};
use crate::process::{self, Finished};

/// No campaign is longer; a hung one ends.
const LIMIT: Duration = Duration::from_secs(48 * 60 * 60);

const USAGE: &str = "\
cargo xtask soak|failover [--debug | --binary PATH] [FLAG…]

  --debug            a debug build: slower, and its assertions are on
  --binary PATH      an ottla that is already built (default: a release build)
  --lone             of soak: one producer, a record at a time; see --lone --help

and, handed on:

";

/// Runs a campaign as `args` say.
pub fn run(args: &[String]) -> Result<(), String> {
    let finished = campaign(args, LIMIT)?;
    if finished.success {
        Ok(())
    } else {
        Err("a promise was broken, or it was interrupted".to_owned())
    }
}

/// The lines of a campaign, the last of which counts.
pub fn campaign(args: &[String], limit: Duration) -> Result<Finished, String> {
    let root = crate::root();
    let is_lone = args.iter().any(|arg| arg == LONE);
    let script = root.join(if is_lone { LONE_SCRIPT } else { "tests/interop/soak/soak.py" });
    if asks_for_help(args) {
        return help(&root, &script, limit);
    }
    let toolbox = with_python(&root)?;
    let judge = built("judge", is_debug(args))?;
    let (binary, mut args) = binary(args)?;
    let place = root.join("target/soak");
    if let Some(Err(why)) = asked(&args, NETWORK_FAULTS).then(|| networking(&toolbox, &script)) {
        // Also in CI: `ip` and namespaces are not among what a clean machine has.
        println!("skip faults of the network: {why}");
        args.extend([NETWORK_FAULTS.to_owned(), "0".to_owned()]);
    }
    let mounted = needs_disks(&args).then(|| mounting(&toolbox, &script, &place));
    let mut command = match mounted {
        None => python(&toolbox.python_program(), &script),
        Some(Ok(())) => in_namespace(&toolbox.python_program(), &script),
        Some(Err(why)) if crate::in_ci() => return Err(format!("power cannot be cut here: {why}")),
        Some(Err(why)) => {
            println!("skip power cuts and full disks: {why}");
            args.extend(DISK_FAULTS.iter().flat_map(|flag| [(*flag).to_owned(), "0".to_owned()]));
            python(&toolbox.python_program(), &script)
        }
    };
    command.arg("--binary").arg(binary).arg("--judge").arg(judge);
    command.arg("--directory").arg(place.join("rounds"));
    command.arg("--result").arg(place.join("result.json")).args(&args);
    process::watch(command, limit, true)
}

/// `cargo xtask failover`: how long clients wait when one of three nodes goes. Takes the same
/// flags for the node as a campaign.
pub fn failover(args: &[String]) -> Result<(), String> {
    let root = crate::root();
    let script = root.join("tests/interop/soak/failover.py");
    let finished = if asks_for_help(args) {
        help(&root, &script, LIMIT)?
    } else {
        let toolbox = with_python(&root)?;
        let (binary, args) = binary(args)?;
        let place = root.join("target/failover");
        let mut command = python(&toolbox.python_program(), &script);
        command.arg("--binary").arg(binary).arg("--directory").arg(place.join("nodes"));
        command.arg("--result").arg(place.join("result.json")).args(&args);
        process::watch(command, LIMIT, true)?
    };
    match finished.success {
        true => Ok(()),
        false => Err("a record failed, a node did not heal, or it was interrupted".to_owned()),
    }
}

fn asks_for_help(args: &[String]) -> bool {
    args.iter().any(|arg| arg == "--help" || arg == "-h")
}

/// The scripts say what they take once they have their clients.
fn help(root: &Path, script: &Path, limit: Duration) -> Result<Finished, String> {
    let program = with_python(root)?.python_program();
    print!("{USAGE}");
    let mut help = python(&program, script);
    help.arg("--help");
    process::watch(help, limit, true)
}

fn with_python(root: &Path) -> Result<Toolbox, String> {
    let home = root.join("target/interop");
    std::fs::create_dir_all(&home).map_err(|error| format!("create {home:?}: {error}"))?;
    let toolbox = Toolbox::new(root, &home);
    toolbox.provide(Tool::Python)?;
    Ok(toolbox)
}

/// The node to run, and the flags that are left.
fn binary(args: &[String]) -> Result<(PathBuf, Vec<String>), String> {
    let mut rest = Vec::new();
    let mut given = None;
    let mut words = args.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            DEBUG => {}
            "--binary" => given = Some(words.next().ok_or("--binary needs a path")?),
            _ => rest.push(word.clone()),
        }
    }
    if let Some(path) = given {
        return Ok((PathBuf::from(path), rest));
    }
    Ok((built("ottla", is_debug(args))?, rest))
}

const DEBUG: &str = "--debug";

fn is_debug(args: &[String]) -> bool {
    args.iter().any(|arg| arg == DEBUG)
}

/// The binary of a crate of the workspace, which bears its name.
fn built(name: &str, debug: bool) -> Result<PathBuf, String> {
    let mut build = vec!["build", "--quiet", "--package", name];
    if !debug {
        build.push("--release");
    }
    process::pass_through(process::cargo(&build))?;
    Ok(crate::target().join(if debug { "debug" } else { "release" }).join(name))
}

/// The load is one producer that sends a record at a time.
const LONE: &str = "--lone";
const LONE_SCRIPT: &str = "tests/interop/soak/lone.py";

/// Faults of a file system that is the run's own.
const DISK_FAULTS: [&str; 4] = ["--power-cuts", "--fills", "--node-cuts", "--disk-failures"];

/// Faults between nodes, each of which is in a network namespace.
const NETWORK_FAULTS: &str = "--network-faults";

/// Whether the run asks for any of them. Power is cut unless a run says that it is not.
fn needs_disks(args: &[String]) -> bool {
    let unless_said = args.iter().all(|arg| arg != "--power-cuts");
    unless_said || DISK_FAULTS.iter().any(|flag| asked(args, flag))
}

/// Whether `flag` is there and its last number is not 0.
fn asked(args: &[String], flag: &str) -> bool {
    let at = args.iter().rposition(|arg| arg == flag);
    at.and_then(|at| args.get(at + 1)).is_some_and(|number| number != "0")
}

/// Whether a file system can be mounted and shut down here.
fn mounting(toolbox: &Toolbox, script: &Path, place: &Path) -> Result<(), String> {
    let probe = script.with_file_name("disk.py");
    let mut command = in_namespace(&toolbox.python_program(), &probe);
    quietly(command.arg(place.join("probe")))
}

/// Whether namespaces can be made and joined here, and the switch between them does what it says.
fn networking(toolbox: &Toolbox, script: &Path) -> Result<(), String> {
    let probe = script.with_file_name("network.py");
    quietly(&mut python(&toolbox.python_program(), &probe))
}

/// A Python script as the first process of a mount namespace.
fn in_namespace(program: &Path, script: &Path) -> Command {
    let mut command = Command::new("unshare");
    command.args(["--mount", "--propagation", "private"]).arg(program).arg(script);
    as_a_tool(&mut command);
    command
}

fn python(program: &Path, script: &Path) -> Command {
    let mut command = Command::new(program);
    command.arg(script);
    as_a_tool(&mut command);
    command
}

fn as_a_tool(command: &mut Command) {
    command.env("PYTHONUNBUFFERED", "1").env("PYTHONDONTWRITEBYTECODE", "1");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_without_faults_of_disks_mounts_nothing() {
        let needs = |flags: &str| {
            let args: Vec<String> = flags.split_whitespace().map(str::to_owned).collect();
            needs_disks(&args)
        };
        assert!(needs("--kills 3"));
        assert!(needs("--power-cuts 0 --node-cuts 1"));
        assert!(!needs("--cluster --kills 3 --power-cuts 0"));
    }

    #[test]
    fn a_number_of_zero_asks_for_nothing_and_the_last_one_counts() {
        let asks = |flags: &str| {
            let args: Vec<String> = flags.split_whitespace().map(str::to_owned).collect();
            asked(&args, NETWORK_FAULTS)
        };
        assert!(asks("--cluster --network-faults 3"));
        assert!(!asks("--cluster --network-faults 3 --network-faults 0"));
        assert!(!asks("--cluster"));
    }

    #[test]
    fn a_binary_that_is_given_is_not_built_and_other_flags_are_handed_on() {
        let args = ["--kills", "3", "--binary", "a/b", "--seed", "7"].map(str::to_owned);
        let (path, rest) = binary(&args).expect("a path");
        assert_eq!(path, PathBuf::from("a/b"));
        assert_eq!(rest, ["--kills", "3", "--seed", "7"]);
        assert!(binary(&["--binary".to_owned()]).is_err());
    }
}
