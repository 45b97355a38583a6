use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

/// What a child printed, and whether it ended well.
#[derive(Debug)]
pub struct Finished {
    pub success: bool,
    pub lines: Vec<String>,
}

/// A cargo command in the workspace, with its output shown as it comes.
pub fn cargo(args: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(args).current_dir(crate::root());
    command
}

/// Runs to the end with stdin, stdout and stderr of this process.
pub fn pass_through(mut command: Command) -> Result<(), String> {
    let status = command.status().map_err(|error| format!("start {command:?}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{} failed", spoken(&command))) }
}

/// Runs to the end or to the limit, shows every line of stdout (when `shown`) and keeps it.
pub fn watch(mut command: Command, limit: Duration, shown: bool) -> Result<Finished, String> {
    let spoken = spoken(&command);
    // A group of its own lets a limit end grandchildren too; at a terminal Ctrl-C does that better.
    let grouped = crate::in_ci();
    if grouped {
        command.process_group(0);
    }
    command.stdout(Stdio::piped());
    let mut child = command.spawn().map_err(|error| format!("start {spoken}: {error}"))?;
    let stdout = child.stdout.take().ok_or("no pipe to the child")?;
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        // A child may print bytes that are not text.
        for line in BufReader::new(stdout).split(b'\n').map_while(Result::ok) {
            if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                return;
            }
        }
    });
    let deadline = Instant::now() + limit;
    let mut lines = Vec::new();
    loop {
        match receiver.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(line) => {
                if shown {
                    println!("{line}");
                }
                lines.push(line);
            }
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                end(&mut child, grouped);
                return Err(format!("{spoken} ran longer than {} s", limit.as_secs()));
            }
        }
    }
    let status = child.wait().map_err(|error| format!("wait for {spoken}: {error}"))?;
    Ok(Finished { success: status.success(), lines })
}

fn end(child: &mut Child, grouped: bool) {
    if grouped {
        let group = format!("-{}", child.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
    }
    let _ = child.kill();
    let _ = child.wait();
}

/// The command as a person would type it.
fn spoken(command: &Command) -> String {
    let program = command.get_program().to_string_lossy();
    let program = program.rsplit('/').next().unwrap_or_default().to_owned();
    let args = command.get_args().map(|arg| arg.to_string_lossy().into_owned());
    std::iter::once(program).chain(args).collect::<Vec<String>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn lines_and_failure_of_a_child_are_kept() {
        let finished = watch(shell("echo a; echo b; exit 3"), Duration::from_secs(60), false);
        let finished = finished.expect("sh runs");
        assert_eq!(finished.lines, ["a", "b"]);
        assert!(!finished.success);
    }

    #[test]
    fn a_child_that_hangs_is_ended_at_the_limit() {
        let started = Instant::now();
        let finished = watch(shell("exec tail -f /dev/null"), Duration::from_millis(50), false);
        assert!(finished.unwrap_err().contains("ran longer"));
        assert!(started.elapsed() < Duration::from_secs(30));
    }
}
