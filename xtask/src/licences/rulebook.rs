/// The part of `deny.toml` that we judge ourselves.
#[derive(Debug, Default)]
pub struct Rulebook {
    pub licences: Vec<String>,
    pub banned: Vec<String>,
    /// `name` or `name@version` that may be there beside another version.
    repeated: Vec<String>,
}

impl Rulebook {
    pub fn parse(toml: &str) -> Result<Rulebook, String> {
        let licences = strings(list(toml, "licenses", "allow"));
        if licences.is_empty() {
            return Err("deny.toml: [licenses] allow is missing or empty".to_owned());
        }
        let crates = |key| crate_names(list(toml, "bans", key));
        Ok(Rulebook { licences, banned: crates("deny"), repeated: crates("skip") })
    }

    pub fn may_repeat(&self, name: &str, version: &str) -> bool {
        self.repeated.iter().any(|skipped| match skipped.split_once('@') {
            Some((skipped, prefix)) => {
                let rest = version.strip_prefix(prefix);
                skipped == name && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            }
            None => skipped == name,
        })
    }
}

/// The text between the brackets of `key = […]` in a section.
fn list(toml: &str, section: &str, key: &str) -> String {
    let without_comments = toml.lines().map(|line| line.split(" #").next().unwrap_or(line));
    let mut inside = false;
    let mut found = String::new();
    let mut collecting = false;
    for line in without_comments.filter(|line| !line.trim_start().starts_with('#')) {
        let mut part = line.trim();
        if !collecting {
            if part.starts_with('[') {
                inside = part.trim_matches(['[', ']']) == section;
            }
            let value = part.strip_prefix(key).and_then(|rest| rest.trim_start().strip_prefix('='));
            let Some(value) = value.filter(|_| inside) else { continue };
            part = value.trim().trim_start_matches('[');
            collecting = true;
        }
        found.push_str(part.trim_end_matches(']'));
        if part.ends_with(']') {
            return found;
        }
    }
    found
}

fn strings(list: String) -> Vec<String> {
    list.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

fn crate_names(list: String) -> Vec<String> {
    list.split("crate = \"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_over_many_lines_with_comments_are_read() {
        let toml = "# x\n[licenses]\nallow = [\n  \"MIT\", # why\n  \"Zlib\",\n]\n[bans]\n\
                    skip = [{ crate = \"a@1\", reason = \"b\" }]\n";
        let rules = Rulebook::parse(toml).expect("a rulebook");
        assert_eq!(rules.licences, ["MIT", "Zlib"]);
        assert!(rules.may_repeat("a", "1.2.0"));
        assert!(!rules.may_repeat("a", "10.0.0"));
        assert!(!rules.may_repeat("b", "1.0.0"));
    }

    #[test]
    fn a_rulebook_that_allows_nothing_is_an_error() {
        assert!(Rulebook::parse("[bans]\n").is_err());
    }
}
