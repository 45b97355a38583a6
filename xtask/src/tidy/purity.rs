use super::finding::Finding;
use super::rooms::{self, Colour};
use super::source::{Source, closing};
use super::tree::{File, Tree};

/// A thing that a white or grey crate does not say, and what to say instead.
struct Banned {
    word: &'static str,
    why: &'static str,
    fix: &'static str,
    /// Grey crates may say it.
    white_only: bool,
}

const ARGUMENT: &str = "take `now: MonoTime` (or `WallTime`) as an argument";
const PORT: &str = "go through `env::Disk`";
const NO_THREADS: &str = "who runs a machine is decided in `server`; a hidden thread hides order";

const BANNED: &[Banned] = &[
    ban("Instant::now", "a clock read here cannot be replayed", ARGUMENT),
    ban("SystemTime", "a clock read here cannot be replayed", ARGUMENT),
    ban("std::time::Instant", "a clock read here cannot be replayed", ARGUMENT),
    ban("std::fs", "files are a port", PORT),
    ban("TcpStream", "sockets live in `server` and `client`", "hand bytes in and out"),
    ban("TcpListener", "sockets live in `server` and `client`", "hand bytes in and out"),
    ban("UdpSocket", "sockets live in `server` and `client`", "hand bytes in and out"),
    ban("ToSocketAddrs", "names are resolved in `server` and `client`", "take a `SocketAddr`"),
    ban("std::process", "processes belong to binaries", "return an error"),
    ban("std::env", "settings arrive as typed structs", "take the value as an argument"),
    ban("std::thread", NO_THREADS, "offer `handle_*` and `poll_*` and let the shell drive"),
    ban("thread::spawn", NO_THREADS, "offer `handle_*` and `poll_*` and let the shell drive"),
    ban("thread::sleep", "a machine that sleeps cannot be replayed", "return `poll_timeout()`"),
    ban("tokio", "the runtime lives in `server`", "offer `handle_*` and `poll_*`"),
    ban("spawn_blocking", NO_THREADS, "let the shell decide where blocking work runs"),
    ban("println!", "output belongs to binaries", "return the text, or log through the shell"),
    ban("eprintln!", "output belongs to binaries", "return the text, or log through the shell"),
    ban("HashMap::new", "its order differs in every run", "use BTreeMap, or a fixed hasher"),
    ban("HashMap::with_capacity", "its order differs in every run", "use a fixed hasher"),
    ban("HashMap::from", "its order differs in every run", "use BTreeMap, or a fixed hasher"),
    ban("HashSet::new", "its order differs in every run", "use BTreeSet, or a fixed hasher"),
    ban("HashSet::with_capacity", "its order differs in every run", "use a fixed hasher"),
    ban("HashSet::from", "its order differs in every run", "use BTreeSet, or a fixed hasher"),
    ban("RandomState", "its order differs in every run", "use a fixed hasher"),
    ban_white("async fn", "a brain does not wait", "offer `handle_*` and `poll_*`"),
    ban_white("async move", "a brain does not wait", "offer `handle_*` and `poll_*`"),
    ban_white(".await", "a brain does not wait", "offer `handle_*` and `poll_*`"),
    ban_white("Arc<Mutex<", "one writer owns the state", "take `&mut self`"),
    ban_white("Arc<RwLock<", "one writer owns the state", "take `&mut self`"),
];

const fn ban(word: &'static str, why: &'static str, fix: &'static str) -> Banned {
    Banned { word, why, fix, white_only: false }
}

const fn ban_white(word: &'static str, why: &'static str, fix: &'static str) -> Banned {
    Banned { word, why, fix, white_only: true }
}

/// White and grey crates reach time, chance, disks and threads only as arguments and ports.
pub fn check(tree: &Tree) -> Vec<Finding> {
    tree.rust().flat_map(|(file, source)| check_file(file, source)).collect()
}

fn check_file(file: &File, source: &Source) -> Vec<Finding> {
    let colour = rooms::colour_of(file.crate_name());
    if colour == Colour::Black || file.is_test() {
        return Vec::new();
    }
    let mut findings = Vec::new();
    let mut report = |at: usize, said: &str, banned: &Banned| {
        if !source.is_test(at) {
            let kind = if colour == Colour::White { "white" } else { "grey" };
            let what = format!("`{said}` in a {kind} crate");
            findings.push(Finding::new(
                &file.path,
                source.line_of(at),
                what,
                banned.why,
                banned.fix,
            ));
        }
    };
    let imports = imports(&source.code);
    for banned in BANNED.iter().filter(|banned| colour == Colour::White || !banned.white_only) {
        for at in source.code_words(banned.word) {
            report(at, banned.word, banned);
        }
        for (at, path) in imports.iter().filter(|(_, path)| starts_with(path, banned.word)) {
            if !source.code[*at..].starts_with(banned.word) {
                report(*at, path, banned);
            }
        }
    }
    for at in random_maps(source) {
        let banned = ban("", "without a hasher its order differs in every run", "use BTreeMap/Set");
        report(at, "HashMap/HashSet with RandomState", &banned);
    }
    findings.sort();
    findings.dedup_by(|a, b| a.line == b.line && a.why == b.why);
    findings
}

fn starts_with(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// Every path that a `use` brings in, groups unfolded, with the offset of its last segment.
fn imports(code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for start in super::source::words(code, "use ") {
        let Some(length) = code[start..].find(';') else { continue };
        unfold(code, start + 4, start + length, "", &mut found);
    }
    found
}

fn unfold(code: &str, start: usize, end: usize, prefix: &str, found: &mut Vec<(usize, String)>) {
    let mut at = start;
    while at < end {
        let rest = &code[at..end];
        let stop = rest.find([',', '{']).map_or(end, |stop| at + stop);
        let segment = code[at..stop].trim();
        let name = segment.split(" as ").next().unwrap_or_default();
        if code.as_bytes().get(stop) == Some(&b'{') && stop < end {
            let close = closing(code, stop).unwrap_or(end).min(end);
            unfold(code, stop + 1, close - 1, &format!("{prefix}{name}"), found);
            at = close + 1;
        } else {
            if !name.is_empty() {
                let shift = code[at..stop].len() - code[at..stop].trim_start().len();
                found.push((at + shift, format!("{prefix}{name}")));
            }
            at = stop + 1;
        }
    }
}

/// Where `HashMap<K, V>` or `HashSet<T>` is written without a hasher.
fn random_maps(source: &Source) -> Vec<usize> {
    let mut found = Vec::new();
    for (word, hasher_at) in [("HashMap<", 2), ("HashSet<", 1)] {
        for at in source.code_words(word) {
            let open = at + word.len() - 1;
            let Some(end) = closing(&source.code, open) else { continue };
            if arguments(&source.code[open + 1..end - 1]) <= hasher_at {
                found.push(at);
            }
        }
    }
    found
}

fn arguments(inside: &str) -> usize {
    let mut depth = 0usize;
    let mut count = 1;
    for byte in inside.trim().trim_end_matches(',').bytes() {
        match byte {
            b'<' | b'(' | b'[' => depth += 1,
            b'>' | b')' | b']' => depth = depth.saturating_sub(1),
            b',' if depth == 0 => count += 1,
            _ => {}
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, code: &str) -> usize {
        check(&Tree::sample(&[(path, code)])).len()
    }

    #[test]
    fn every_banned_word_is_found_in_a_white_crate() {
        for banned in BANNED {
            let code = format!("fn f() {{ {} }}\n", banned.word);
            assert!(found("crates/controller/src/x.rs", &code) > 0, "{}", banned.word);
        }
    }

    #[test]
    fn a_grey_crate_may_wait_but_not_read_the_clock() {
        assert_eq!(found("crates/storage/src/x.rs", "async fn f() {}"), 0);
        assert_eq!(found("crates/storage/src/x.rs", "fn f() { Instant::now(); }"), 1);
    }

    #[test]
    fn a_black_crate_and_tests_may_do_anything() {
        assert_eq!(found("crates/server/src/x.rs", "fn f() { Instant::now(); }"), 0);
        assert_eq!(found("crates/types/tests/x.rs", "use std::fs;"), 0);
        assert_eq!(found("crates/types/src/x.rs", "#[cfg(test)]\nmod tests { use std::fs; }"), 0);
    }

    #[test]
    fn a_grouped_import_is_unfolded() {
        assert_eq!(found("crates/types/src/x.rs", "use std::{io, fs::{self, File}};"), 1);
        assert_eq!(found("crates/types/src/x.rs", "use std::time::{Duration, Instant};"), 1);
        assert_eq!(found("crates/types/src/x.rs", "use std::{io, fmt};\nuse env::Disk;"), 0);
    }

    #[test]
    fn a_map_without_a_fixed_hasher_is_found() {
        let path = "crates/metadata/src/x.rs";
        assert_eq!(found(path, "struct A { b: HashMap<(u8, u8), Vec<u8>> }"), 1);
        assert_eq!(found(path, "struct A { b: HashSet<u8> }"), 1);
        assert_eq!(found(path, "struct A { b: HashMap<u8, Vec<u8>, Fixed> }"), 0);
    }

    #[test]
    fn words_in_strings_and_comments_do_not_count() {
        assert_eq!(found("crates/types/src/x.rs", "// std::fs\nconst A: &str = \"tokio\";"), 0);
    }
}
