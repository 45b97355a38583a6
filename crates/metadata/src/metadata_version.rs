use std::fmt;

/// The finalized level of the feature `metadata.version`: which record versions may be written.
///
/// Source: Kafka `MetadataVersion`; KIP-778.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MetadataVersion(pub i16);

/// (release, level within the release, whether the level changed what metadata can say), from
/// level 1 on. Going below a level that changed it would lose metadata.
const LEVELS: [(&str, u8, bool); 29] = [
    ("3.0", 1, true),
    ("3.1", 0, false),
    ("3.2", 0, true),
    ("3.3", 0, false),
    ("3.3", 1, true),
    ("3.3", 2, true),
    ("3.3", 3, true),
    ("3.4", 0, true),
    ("3.5", 0, false),
    ("3.5", 1, false),
    ("3.5", 2, true),
    ("3.6", 0, false),
    ("3.6", 1, true),
    ("3.6", 2, true),
    ("3.7", 0, true),
    ("3.7", 1, false),
    ("3.7", 2, true),
    ("3.7", 3, false),
    ("3.7", 4, false),
    ("3.8", 0, false),
    ("3.9", 0, false),
    ("4.0", 0, false),
    ("4.0", 1, true),
    ("4.0", 2, false),
    ("4.0", 3, false),
    ("4.1", 0, false),
    ("4.1", 1, false),
    ("4.2", 0, false),
    ("4.2", 1, false),
];

impl MetadataVersion {
    /// 3.3-IV3, the oldest that Kafka 4 reads: broker registrations can say "shutting down".
    pub const MIN: MetadataVersion = MetadataVersion(7);
    /// 3.6-IV1: several batches can be one change (KIP-868).
    pub const TRANSACTIONS: MetadataVersion = MetadataVersion(13);
    /// 3.7-IV0: controllers register (KIP-919).
    pub const CONTROLLER_REGISTRATIONS: MetadataVersion = MetadataVersion(15);
    /// 3.7-IV2: partitions name their log directories (KIP-858).
    pub const DIRECTORIES: MetadataVersion = MetadataVersion(17);
    /// 4.0-IV1: partitions have eligible leader replicas (KIP-966).
    pub const ELIGIBLE_LEADERS: MetadataVersion = MetadataVersion(23);
    /// 4.2-IV1.
    pub const LATEST: MetadataVersion = MetadataVersion(29);

    pub fn from_level(level: i16) -> Option<MetadataVersion> {
        let version = MetadataVersion(level);
        (Self::MIN..=Self::LATEST).contains(&version).then_some(version)
    }

    /// The level whose name is `text`: `4.2-IV1`, or `4.2` for the last level of a release.
    pub fn from_name(text: &str) -> Option<MetadataVersion> {
        let exact = (1..=Self::LATEST.0).find(|level| MetadataVersion(*level).to_string() == text);
        let last_of_release = || {
            let at = LEVELS.iter().rposition(|(release, ..)| *release == text)?;
            i16::try_from(at + 1).ok()
        };
        Self::from_level(exact.or_else(last_of_release)?)
    }

    /// Whether metadata written at one of the two levels may not be sayable at the other.
    #[doc(alias = "checkIfMetadataChanged")]
    pub fn metadata_differs(self, other: MetadataVersion) -> bool {
        let (low, high) = (self.min(other), self.max(other));
        let above_low = usize::try_from(low.0).unwrap_or(0);
        let to_high = usize::try_from(high.0).unwrap_or(0).min(LEVELS.len());
        LEVELS.get(above_low..to_high).is_some_and(|levels| levels.iter().any(|level| level.2))
    }
}

/// `4.2-IV1`, as Kafka's tools spell it.
impl fmt::Display for MetadataVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = usize::try_from(self.0).ok().and_then(|level| level.checked_sub(1));
        match at.and_then(|at| LEVELS.get(at)) {
            Some((release, level, _)) => write!(f, "{release}-IV{level}"),
            None => write!(f, "level {}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_have_kafkas_names() {
        assert_eq!(MetadataVersion::LATEST.to_string(), "4.2-IV1");
        assert_eq!(MetadataVersion::MIN.to_string(), "3.3-IV3");
        assert_eq!(MetadataVersion::TRANSACTIONS.to_string(), "3.6-IV1");
        assert_eq!(MetadataVersion::CONTROLLER_REGISTRATIONS.to_string(), "3.7-IV0");
        assert_eq!(MetadataVersion::DIRECTORIES.to_string(), "3.7-IV2");
        assert_eq!(MetadataVersion::ELIGIBLE_LEADERS.to_string(), "4.0-IV1");
        assert_eq!(MetadataVersion::from_name("4.2"), Some(MetadataVersion::LATEST));
        assert_eq!(MetadataVersion::from_name("3.9-IV0"), Some(MetadataVersion(21)));
        assert_eq!(MetadataVersion::from_name("3.0-IV1"), None, "older than we read");
        assert_eq!(MetadataVersion::from_level(30), None);
        assert_eq!(MetadataVersion::from_level(-1), None);
    }

    #[test]
    fn only_levels_that_changed_metadata_bar_the_way_down() {
        let differs = |a, b| MetadataVersion(a).metadata_differs(MetadataVersion(b));
        assert!(!differs(29, 23), "4.0-IV1 itself stays");
        assert!(differs(29, 22));
        assert!(differs(22, 29));
        assert!(!differs(21, 17));
        assert!(differs(17, 16));
        assert!(!differs(29, 29));
    }
}
