use std::path::Path;
use std::{fs, io};

use super::source::Source;

/// The files of the project, in path order, read once.
#[derive(Debug)]
pub struct Tree {
    pub files: Vec<File>,
    /// Every path, including those of files that are not text.
    pub paths: Vec<String>,
}

/// One text file. `path` is relative to the root, with `/`.
#[derive(Debug)]
pub struct File {
    pub path: String,
    pub text: String,
    /// Present for `.rs`.
    pub rust: Option<Source>,
}

/// A file that carries this in its first lines is written by `cargo xtask codegen`: it has no
/// length budget and no style.
const GENERATED: &str = "Generated from `schema/";
const GENERATED_LINES: usize = 5;

/// Directories that are not the project's source.
const SKIPPED: [&str; 6] = ["target", ".git", "node_modules", "__pycache__", ".venv", "corpus"];
/// Larger files are data, not prose or code.
const FILE_BYTES_MAX: u64 = 4 << 20;

impl Tree {
    pub fn read(root: &Path) -> io::Result<Tree> {
        let mut tree = Tree { files: Vec::new(), paths: Vec::new() };
        tree.walk(root, "")?;
        Ok(tree)
    }

    /// A made-up project, for the rules' own tests.
    #[cfg(test)]
    pub fn sample(files: &[(&str, &str)]) -> Tree {
        let mut tree = Tree { files: Vec::new(), paths: Vec::new() };
        for (path, text) in files {
            tree.add((*path).to_owned(), (*text).to_owned());
        }
        tree
    }

    fn walk(&mut self, root: &Path, prefix: &str) -> io::Result<()> {
        let mut entries =
            fs::read_dir(root.join(prefix))?.collect::<io::Result<Vec<fs::DirEntry>>>()?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}/{name}") };
            let kind = entry.file_type()?;
            if SKIPPED.contains(&name.as_str()) {
                // `.git` is a file in a linked worktree.
                continue;
            }
            if kind.is_dir() {
                self.walk(root, &path)?;
            } else if kind.is_file() && entry.metadata()?.len() <= FILE_BYTES_MAX {
                match String::from_utf8(fs::read(entry.path())?) {
                    Ok(text) => self.add(path, text),
                    Err(_) => self.paths.push(path),
                }
            } else {
                self.paths.push(path);
            }
        }
        Ok(())
    }

    fn add(&mut self, path: String, text: String) {
        let rust = path.ends_with(".rs").then(|| Source::new(&text));
        self.paths.push(path.clone());
        self.files.push(File { path, text, rust });
    }

    pub fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }

    /// Whether `path` is a file or a directory of the project.
    pub fn has(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        path.is_empty()
            || self.paths.iter().any(|known| {
                known
                    .strip_prefix(path)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            })
    }

    /// Hand-written Rust files.
    pub fn rust(&self) -> impl Iterator<Item = (&File, &Source)> {
        self.files
            .iter()
            .filter(|file| !file.is_generated())
            .filter_map(|file| file.rust.as_ref().map(|source| (file, source)))
    }
}

impl File {
    pub fn is_generated(&self) -> bool {
        self.text.lines().take(GENERATED_LINES).any(|line| line.contains(GENERATED))
    }

    /// Code that only tests run: integration tests, benches, and `tests.rs` beside a module.
    pub fn is_test(&self) -> bool {
        let mut parts = self.path.split('/');
        let folder = parts.any(|part| ["tests", "benches", "examples", "fuzz"].contains(&part));
        folder || self.path.ends_with("/tests.rs")
    }

    /// The crate this file belongs to: the folder under `crates/`, or `xtask`.
    pub fn crate_name(&self) -> Option<&str> {
        let mut parts = self.path.split('/');
        match parts.next()? {
            "crates" => parts.next(),
            "xtask" => Some("xtask"),
            _ => None,
        }
    }

    /// The file's name without folder and extension.
    pub fn stem(&self) -> &str {
        let name = self.path.rsplit('/').next().unwrap_or(&self.path);
        name.split('.').next().unwrap_or(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_and_files_are_found() {
        let tree = Tree::sample(&[("docs/adr/0001-x.md", "# X")]);
        assert!(tree.has("docs/adr/0001-x.md"));
        assert!(tree.has("docs/adr/"));
        assert!(!tree.has("docs/ad"));
    }

    #[test]
    fn generated_files_are_not_judged_as_rust() {
        let tree = Tree::sample(&[
            ("crates/a/src/x.rs", "//! Generated from `schema/` by `cargo xtask codegen`.\n"),
            ("crates/a/src/y.rs", "\n"),
        ]);
        let seen: Vec<&str> = tree.rust().map(|(file, _)| file.path.as_str()).collect();
        assert_eq!(seen, ["crates/a/src/y.rs"]);
    }
}
