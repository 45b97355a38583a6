//! "Did you mean": the known name nearest to an unknown one.

/// A name further away than a third of its length is another name, not a slip.
const LENGTH_PER_SLIP: usize = 3;

/// The nearest of `known` to `unknown`, if any is near enough to be a slip of the fingers.
pub fn nearest<'a>(unknown: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let most = unknown.chars().count() / LENGTH_PER_SLIP;
    known
        .into_iter()
        .map(|name| (edit_distance(unknown, name), name))
        .filter(|(distance, _)| *distance <= most)
        .min()
        .map(|(_, name)| name)
}

/// How many characters must be inserted, removed or replaced (Levenshtein).
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(ca != *cb);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_count_single_edits() {
        for (a, b, distance) in [("", "abc", 3), ("kitten", "sitting", 3), ("same", "same", 0)] {
            assert_eq!(edit_distance(a, b), distance);
        }
    }

    #[test]
    fn a_slip_is_corrected_and_a_stranger_is_not() {
        let known = ["log.dirs", "log.dir", "num.partitions", "listeners"];
        assert_eq!(nearest("num.partition", known), Some("num.partitions"));
        assert_eq!(nearest("log.dirz", known), Some("log.dir"));
        assert_eq!(nearest("completely.else", known), None);
    }
}
