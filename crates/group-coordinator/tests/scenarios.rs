//! Stories about groups, in `testdata/<concept>/<story>.txt`: an event, dashes, what came of it.
//!
//! `UPDATE=1 cargo test -p group-coordinator --test scenarios` writes what happens now.
//! The words are explained in `testdata/README.md`.

#[path = "scenarios/command.rs"]
mod command;
#[path = "scenarios/render.rs"]
mod render;
#[path = "scenarios/world.rs"]
mod world;

use std::path::{Path, PathBuf};

use world::World;

const DASHES: &str = "----";

#[test]
fn every_story_goes_as_it_is_told() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    let stories = stories(&root);
    assert!(stories.len() >= 20, "only {} stories found in {}", stories.len(), root.display());
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
    dirs.flat_map(|dir| entries(&dir))
        .filter(|path| path.extension().is_some_and(|e| e == "txt"))
        .collect()
}

/// The story with what really happens after the dashes.
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
        let event = line.split(DASHES).next().unwrap_or("").trim_end();
        let outcome = world.event(event);
        match outcome.as_slice() {
            [] => happened.push_str(&format!("{event:<38} {DASHES} nothing\n")),
            [one] => happened.push_str(&format!("{event:<38} {DASHES} {one}\n")),
            many => {
                happened.push_str(&format!("{event:<38} {DASHES}\n"));
                many.iter().for_each(|line| happened.push_str(&format!("    {line}\n")));
            }
        }
    }
    happened
}

fn difference(told: &str, happened: &str) -> String {
    let mut lines = Vec::new();
    let (told, happened): (Vec<_>, Vec<_>) = (told.lines().collect(), happened.lines().collect());
    for at in 0..told.len().max(happened.len()) {
        let (told, happened) = (told.get(at), happened.get(at));
        if told != happened {
            lines.push(format!("  line {}", at + 1));
            lines.extend(told.map(|line| format!("    told     {line}")));
            lines.extend(happened.map(|line| format!("    happened {line}")));
            if lines.len() > 20 {
                break;
            }
        }
    }
    lines.join("\n")
}
