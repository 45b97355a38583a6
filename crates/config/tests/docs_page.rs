//! `docs/configuration.md` says what the tables say.
//!
//! `UPDATE_DOCS=1 cargo test -p config` writes it anew.

use std::path::Path;

#[test]
fn the_configuration_page_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/configuration.md");
    let current = config::docs::markdown();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &current).expect("write the page");
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == current,
        "docs/configuration.md is stale; run: UPDATE_DOCS=1 cargo test -p config"
    );
}
