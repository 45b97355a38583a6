//! Stories about the controller, in `testdata/<concept>/<story>.txt`: a command, dashes, what came
//! of it.
//!
//! `UPDATE=1 cargo test -p controller --test scenarios` writes what happens now.
//! The words are explained in `testdata/README.md`.

#[path = "scenarios/command.rs"]
mod command;
#[path = "scenarios/render.rs"]
mod render;
#[path = "scenarios/world.rs"]
mod world;
#[path = "scenarios/world_brokers.rs"]
mod world_brokers;

use std::path::{Path, PathBuf};

use world::World;

const DASHES: &str = "----";
const COMMAND_COLUMNS: usize = 38;

#[test]
fn every_story_goes_as_it_is_told() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    let stories = stories(&root);
    assert!(stories.len() >= 10, "only {} stories found in {}", stories.len(), root.display());
    let update = std::env::var_os("UPDATE").is_some();
    let mut wrong = Vec::new();
    for path in stories {
        let told = std::fs::read_to_string(&path).expect("a story is readable");
        let happened = play(&told);
        if told == happened {
            continue;
        }
        if update {
            std::fs::write(&path, happened).expect("a story is writable");
        } else {
            wrong.push(format!("{}\n{}", path.display(), difference(&told, &happened)));
        }
    }
    assert!(
        wrong.is_empty(),
        "stories that go otherwise (UPDATE=1 accepts):\n{}",
        wrong.join("\n")
    );
}

fn stories(root: &Path) -> Vec<PathBuf> {
    let entries = |dir: &Path| -> Vec<PathBuf> {
        let read = std::fs::read_dir(dir).expect("testdata is readable");
        let mut paths: Vec<_> = read.map(|entry| entry.expect("an entry").path()).collect();
        paths.sort();
        paths
    };
    let dirs = entries(root).into_iter().filter(|path| path.is_dir());
    dirs.flat_map(|dir| entries(&dir)).collect()
}

/// The story with what really happens behind the dashes.
fn play(story: &str) -> String {
    let mut world = World::new();
    let mut happened = String::new();
    for line in story.lines() {
        if line.starts_with("    ") {
            continue;
        }
        if line.is_empty() || line.starts_with('#') {
            happened.push_str(line);
            happened.push('\n');
            continue;
        }
        let command = line.split(DASHES).next().unwrap_or("").trim_end();
        let outcome = world.run(command);
        let head = format!("{command:<COMMAND_COLUMNS$} {DASHES}");
        match outcome.as_slice() {
            [] => happened.push_str(&format!("{head} nothing\n")),
            [one] if head.len() + one.len() < 100 => happened.push_str(&format!("{head} {one}\n")),
            many => {
                happened.push_str(&format!("{head}\n"));
                many.iter().for_each(|line| happened.push_str(&format!("    {line}\n")));
            }
        }
    }
    happened
}

/// The first line that differs, with its neighbours.
fn difference(told: &str, happened: &str) -> String {
    let same = told.lines().zip(happened.lines()).take_while(|(a, b)| a == b).count();
    let show = |text: &str, mark: char| {
        let lines = text.lines().skip(same.saturating_sub(2)).take(8);
        lines.map(|line| format!("  {mark} {line}\n")).collect::<String>()
    };
    format!("{}  …\n{}", show(told, '-'), show(happened, '+'))
}
