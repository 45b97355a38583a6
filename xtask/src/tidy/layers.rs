use super::finding::Finding;
use super::rooms::{self, Colour};
use super::tree::{File, Tree};

/// External crates that are doors to the world. Only black crates may have them.
const WORLD: [&str; 14] = [
    "tokio",
    "rustix",
    "libc",
    "nix",
    "mio",
    "rand",
    "getrandom",
    "socket2",
    "io-uring",
    "clap",
    "mimalloc",
    "hyper",
    "ctrlc",
    "signal-hook",
];
/// Crates that serve tests and must not reach the product.
const TEST_ONLY: [&str; 3] = ["kafka-protocol", "proptest", "fuzz-rounds"];
/// Crates that are themselves for tests.
const FOR_TESTS: [&str; 1] = ["fuzz-rounds"];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    Product,
    Tests,
    Other,
}

/// Dependencies follow the one list in [`rooms::ROOMS`].
pub fn check(tree: &Tree) -> Vec<Finding> {
    let manifests = tree
        .files
        .iter()
        .filter(|file| file.path.ends_with("/Cargo.toml") && file.path.split('/').count() <= 3);
    manifests.filter(|file| file.crate_name().is_some()).flat_map(check_manifest).collect()
}

fn check_manifest(file: &File) -> Vec<Finding> {
    let name = file.crate_name().unwrap_or_default();
    let Some(room) = rooms::find(name) else {
        let fix = "add it to xtask/src/tidy/rooms.rs with the crates it may use";
        return vec![Finding::new(
            &file.path,
            1,
            format!("crate `{name}` is not in the layer list"),
            "a crate without a place in the house can lean on anything",
            fix,
        )];
    };
    let mut findings = Vec::new();
    for (line, section, dependency) in dependencies(&file.text) {
        let mut report = |what: String, why, fix: &str| {
            findings.push(Finding::new(&file.path, line, what, why, fix));
        };
        let product = section == Section::Product;
        let is_room = rooms::find(dependency).is_some();
        if is_room && product && !room.uses.contains(&dependency) {
            report(
                format!("`{name}` may not use `{dependency}`"),
                "arrows point down only",
                "move the code, or pass the value in; a new arrow needs an ADR and rooms.rs",
            );
        }
        if product && room.colour != Colour::Black && WORLD.contains(&dependency) {
            report(
                format!("`{name}` may not use `{dependency}`"),
                "it is a door to the world and this crate is not black",
                "take what you need as an argument or through a port of `env`",
            );
        }
        if product && TEST_ONLY.contains(&dependency) && !FOR_TESTS.contains(&name) {
            report(
                format!("`{dependency}` in the product"),
                "it serves tests only",
                "move it to [dev-dependencies]",
            );
        }
    }
    findings
}

/// (line, section, name) of each dependency of a manifest.
fn dependencies(manifest: &str) -> Vec<(usize, Section, &str)> {
    let mut section = Section::Other;
    let mut found = Vec::new();
    for (at, line) in manifest.lines().enumerate() {
        let line = line.trim();
        if let Some(header) = line.strip_prefix('[') {
            let header = header.trim_end_matches(']');
            let (kind, name) = split_header(header);
            section = kind;
            if let (true, Some(name)) = (section != Section::Other, name) {
                found.push((at + 1, section, name));
                section = Section::Other;
            }
        } else if section != Section::Other && !line.is_empty() && !line.starts_with('#') {
            let end = line.find([' ', '.', '=']).unwrap_or(line.len());
            found.push((at + 1, section, line[..end].trim_matches('"')));
        }
    }
    found
}

/// `target.'…'.dev-dependencies.name` → (Tests, Some(name)).
fn split_header(header: &str) -> (Section, Option<&str>) {
    for (word, section) in [
        ("dev-dependencies", Section::Tests),
        ("build-dependencies", Section::Product),
        ("dependencies", Section::Product),
    ] {
        let Some(at) = header.rfind(word) else { continue };
        let rest = &header[at + word.len()..];
        if header.starts_with("workspace") {
            return (Section::Other, None);
        }
        return (section, rest.strip_prefix('.'));
    }
    (Section::Other, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whats(path: &str, manifest: &str) -> Vec<String> {
        check(&Tree::sample(&[(path, manifest)])).into_iter().map(|found| found.what).collect()
    }

    #[test]
    fn an_arrow_that_is_not_in_the_list_is_found() {
        let manifest = "[dependencies]\ntypes.workspace = true\nprotocol = { path = \"x\" }\n";
        let found = whats("crates/storage/Cargo.toml", manifest);
        assert_eq!(found, ["`storage` may not use `protocol`"]);
    }

    #[test]
    fn a_dotted_or_targeted_section_is_seen_too() {
        let manifest = "[target.'cfg(unix)'.dependencies]\nbroker.workspace = true\n\
                        [dependencies.controller]\npath = \"x\"\n";
        let found = whats("crates/records/Cargo.toml", manifest);
        assert_eq!(found.len(), 2, "{found:?}");
    }

    #[test]
    fn an_unlisted_crate_is_found() {
        let found = whats("crates/common/Cargo.toml", "[package]\n");
        assert_eq!(found, ["crate `common` is not in the layer list"]);
    }

    #[test]
    fn a_door_to_the_world_in_a_white_crate_is_found() {
        let manifest = "[dependencies]\ntokio.workspace = true\n";
        assert_eq!(whats("crates/controller/Cargo.toml", manifest).len(), 1);
        assert_eq!(whats("crates/server/Cargo.toml", manifest).len(), 0);
    }

    #[test]
    fn an_oracle_in_the_product_is_found() {
        let product = "[dependencies]\nkafka-protocol.workspace = true\n";
        let tests = "[dev-dependencies]\nkafka-protocol.workspace = true\n";
        assert_eq!(
            whats("crates/protocol/Cargo.toml", product),
            ["`kafka-protocol` in the product"]
        );
        assert_eq!(whats("crates/protocol/Cargo.toml", tests).len(), 0);
    }
}
