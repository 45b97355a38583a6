use super::finding::Finding;
use super::source::{Source, closing};
use super::tree::{File, Tree};

const ALLOWED: [&str; 6] = ["mod ", "pub mod ", "pub(crate) mod ", "pub use ", "use ", "#"];

/// `lib.rs` is the plate on the door: documentation, `mod` lines and re-exports.
pub fn check(tree: &Tree) -> Vec<Finding> {
    tree.rust()
        .filter(|(file, _)| file.path.ends_with("/src/lib.rs"))
        .filter_map(|(file, source)| first_item(file, source))
        .collect()
}

fn first_item(file: &File, source: &Source) -> Option<Finding> {
    let mut rest = 0;
    while rest < source.code.len() {
        let shift = source.code[rest..].len() - source.code[rest..].trim_start().len();
        let at = rest + shift;
        let code = &source.code[at..];
        if code.is_empty() {
            return None;
        }
        if !ALLOWED.iter().any(|start| code.starts_with(start)) {
            let what = format!("`{}` in lib.rs", code.lines().next().unwrap_or_default().trim());
            let why = "lib.rs is the plate on the door, not the room";
            let fix = "move it to a file named by its concept and re-export it";
            return Some(Finding::new(&file.path, source.line_of(at), what, why, fix));
        }
        let stop = code.find(if code.starts_with('#') { ['[', '['] } else { [';', '{'] })? + at;
        rest = match source.code.as_bytes()[stop] {
            b';' => stop + 1,
            _ => closing(&source.code, stop)?,
        };
        if source.code[rest..].starts_with(';') {
            rest += 1;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> usize {
        check(&Tree::sample(&[("crates/a/src/lib.rs", text)])).len()
    }

    #[test]
    fn a_plate_of_docs_modules_and_exports_is_fine() {
        let text = "//! A.\n#![no_std]\nmod a;\npub mod b;\npub use a::{B, C};\n\
                    #[cfg(test)]\nmod tests;\n";
        assert_eq!(found(text), 0);
    }

    #[test]
    fn an_item_in_lib_rs_is_found() {
        for item in
            ["pub fn f() {}", "struct A;", "pub trait T {}", "const A: u8 = 1;", "impl A {}"]
        {
            assert_eq!(found(&format!("//! A.\nmod a;\npub use a::{{B}};\n{item}\n")), 1, "{item}");
        }
    }
}
