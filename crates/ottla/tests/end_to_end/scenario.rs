//! Scenario files: what is typed, and exactly what is read.
//!
//! `$` begins a command, `<` lines are its input; what follows is its output, with `!` before lines
//! of stderr and `[exit N]` if it did not succeed. Ids, times and ports are masked. Lines of
//! Kafka's tools were compared with Apache Kafka 4.2's own when they were written.
//! `UPDATE_SCENARIOS=1` writes the output anew; review the difference as you would review code.

use std::path::{Path, PathBuf};

use crate::node::{Node, text};

/// One command of a scenario.
#[derive(Default)]
struct Step {
    comments: Vec<String>,
    command: String,
    input: Vec<String>,
    output: Vec<String>,
}

#[test]
fn topics_are_managed_as_with_kafkas_tool() {
    check("topics.txt");
}

#[test]
fn records_are_written_and_read_as_with_kafkas_tools() {
    check("console.txt");
}

#[test]
fn groups_are_managed_as_with_kafkas_tool() {
    check("groups.txt");
}

#[test]
fn configurations_are_managed_as_with_kafkas_tool() {
    check("configs.txt");
}

#[test]
fn offsets_and_deleted_records_are_shown_as_with_kafkas_tools() {
    check("offsets.txt");
}

#[test]
fn the_short_way_tells_people_what_happened() {
    check("short.txt");
}

fn check(name: &str) {
    let path =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/end_to_end/scenarios").join(name);
    let written = std::fs::read_to_string(&path).expect("the scenario");
    let node = Node::start();
    let played: Vec<Step> = parse(&written).into_iter().map(|step| play(&node, step)).collect();
    let now = render(&played);
    if std::env::var_os("UPDATE_SCENARIOS").is_some() {
        std::fs::write(&path, &now).expect("write the scenario");
        return;
    }
    assert!(written == now, "{} differs:\n{}", short(&path), difference(&written, &now));
}

fn short(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

fn parse(text: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut comments = Vec::new();
    for line in text.lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            let comments = std::mem::take(&mut comments);
            steps.push(Step { comments, command: command.to_owned(), ..Step::default() });
        } else if line.starts_with('#') {
            comments.push(line.to_owned());
        } else if let (Some(input), Some(step)) = (line.strip_prefix("< "), steps.last_mut()) {
            step.input.push(input.to_owned());
        }
    }
    steps
}

fn play(node: &Node, step: Step) -> Step {
    let arguments = split(&step.command);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut input = step.input.join("\n").replace("\\t", "\t");
    if !input.is_empty() {
        input.push('\n');
    }
    let result = node.run(&arguments, &input);
    let mut output: Vec<String> =
        text(&result.stdout).lines().map(|line| mask(node, line)).collect();
    // A tool's whole help is not worth pinning: its first line says why it was printed.
    let told = text(&result.stderr);
    let told = told.lines().take_while(|line| !line.starts_with("Option     "));
    output.extend(told.map(|line| format!("! {}", mask(node, line)).trim_end().to_owned()));
    if let Some(code) = result.status.code().filter(|code| *code != 0) {
        output.push(format!("[exit {code}]"));
    }
    Step { output, ..step }
}

fn render(steps: &[Step]) -> String {
    let mut text = String::new();
    for step in steps {
        for comment in &step.comments {
            text.push_str(&format!("{comment}\n"));
        }
        text.push_str(&format!("$ {}\n", step.command));
        for line in &step.input {
            text.push_str(&format!("< {line}\n"));
        }
        for line in &step.output {
            text.push_str(&format!("{line}\n"));
        }
        text.push('\n');
    }
    text
}

/// Splits at blanks; single quotes keep words together.
fn split(command: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let (mut quoted, mut begun) = (false, false);
    for c in command.chars() {
        match c {
            '\'' => {
                quoted = !quoted;
                begun = true;
            }
            ' ' if !quoted => {
                if begun || !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                begun = false;
            }
            c => word.push(c),
        }
    }
    if begun || !word.is_empty() {
        words.push(word);
    }
    words
}

/// Hides what differs from run to run.
fn mask(node: &Node, line: &str) -> String {
    let port = node.address().rsplit(':').next().unwrap_or_default();
    // The same length, so that columns stay where they are.
    let mut line = line.replace(&format!(":{port}"), &format!(":{}", "P".repeat(port.len())));
    for label in ["TopicId: ", "(id ", "cluster "] {
        if let Some(at) = line.find(label).map(|at| at + label.len())
            && line.len() >= at + 22
            && line.is_char_boundary(at + 22)
        {
            line.replace_range(at..at + 22, "<id>");
        }
    }
    if let Some(at) = line.find("CreateTime:").map(|at| at + "CreateTime:".len()) {
        let digits = line[at..].chars().take_while(char::is_ascii_digit).count();
        line.replace_range(at..at + digits, "<time>");
    }
    line
}

/// The first lines that differ, with what stands around them.
fn difference(expected: &str, actual: &str) -> String {
    let (expected, actual): (Vec<&str>, Vec<&str>) =
        (expected.lines().collect(), actual.lines().collect());
    let same = expected.iter().zip(&actual).take_while(|(a, b)| a == b).count();
    let show = |lines: &[&str], sign: char| {
        let from = same.saturating_sub(3).min(lines.len());
        let to = (same + 5).min(lines.len());
        lines[from..to].iter().map(|line| format!("{sign} {line}\n")).collect::<String>()
    };
    format!("line {}\n{}{}", same + 1, show(&expected, '-'), show(&actual, '+'))
}
