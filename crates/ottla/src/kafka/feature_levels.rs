//! Which feature levels belong to which release, as Kafka's tools tell it. Source: Kafka `Feature`,
//! KIP-1022.

use std::fmt::Write;

use metadata::{METADATA_VERSION_FEATURE, MetadataVersion};

/// A feature besides `metadata.version`.
struct Feature {
    name: &'static str,
    /// The level that is finalized by default from a metadata version on.
    default: (i16, MetadataVersion),
    level_max: i16,
}

/// In the order in which Kafka's tools list them.
const FEATURES: &[Feature] = &[
    feature("kraft.version", 1, 21),
    feature("transaction.version", 2, 24),
    feature("group.version", 1, 22),
    feature("eligible.leader.replicas.version", 1, 26),
    feature("share.version", 1, 28),
    feature("streams.version", 1, 29),
];

const fn feature(name: &'static str, level: i16, since: i16) -> Feature {
    Feature { name, default: (level, MetadataVersion(since)), level_max: level }
}

/// The metadata version of a release, or of an exact name.
pub fn release(text: &str) -> Result<MetadataVersion, String> {
    MetadataVersion::from_name(text).ok_or_else(|| {
        let all = (MetadataVersion::MIN.0..=MetadataVersion::LATEST.0).map(MetadataVersion);
        let all: Vec<String> = all.map(|version| version.to_string()).collect();
        let all = all.join(", ");
        format!("Unknown metadata.version '{text}'. Supported metadata.version are: {all}")
    })
}

/// The levels of a release, `metadata.version` first.
pub fn levels_of(version: MetadataVersion) -> Vec<(&'static str, i16)> {
    let others = FEATURES.iter().map(|feature| {
        let (level, since) = feature.default;
        (feature.name, if version >= since { level } else { 0 })
    });
    std::iter::once((METADATA_VERSION_FEATURE, version.0)).chain(others).collect()
}

/// `version-mapping`: the levels of `--release-version`, or of the latest release.
pub fn mapping(release_version: Option<&str>) -> Result<String, String> {
    let latest = MetadataVersion::LATEST.to_string();
    let named = release_version.unwrap_or(&latest);
    let mut text = String::new();
    for (name, level) in levels_of(release(named)?) {
        let release =
            if name == METADATA_VERSION_FEATURE { format!(" ({named})") } else { String::new() };
        let _ = writeln!(text, "{name}={level}{release}");
    }
    Ok(text)
}

/// `feature-dependencies`: what the levels in `wanted` (`feature=level`) need.
pub fn dependencies<'a>(wanted: impl Iterator<Item = &'a str>) -> Result<String, String> {
    let mut text = String::new();
    for wish in wanted {
        let (name, level) = name_and_level(wish)?;
        if name == METADATA_VERSION_FEATURE {
            let version = MetadataVersion::from_level(level)
                .ok_or_else(|| format!("Unknown metadata.version {level}"))?;
            let _ = writeln!(text, "{name}={level} ({version}) has no dependencies.");
            continue;
        }
        let known = FEATURES.iter().find(|feature| feature.name == name);
        let known = known.ok_or_else(|| format!("Unknown feature: {name}"))?;
        if !(0..=known.level_max).contains(&level) {
            return Err(format!("No feature:{name} with feature level {level}"));
        }
        // The only one that needs another.
        if name == "eligible.leader.replicas.version" && level > 0 {
            let needed = MetadataVersion::ELIGIBLE_LEADERS;
            let _ = writeln!(text, "{name}={level} requires:");
            let _ = writeln!(text, "    {METADATA_VERSION_FEATURE}={} ({needed})", needed.0);
        } else {
            let _ = writeln!(text, "{name}={level} has no dependencies.");
        }
    }
    Ok(text)
}

/// Reads `feature=level`.
pub fn name_and_level(text: &str) -> Result<(&str, i16), String> {
    let told = |why: String| format!("Can't parse feature=level string {text}: {why}");
    let (name, level) =
        text.split_once('=').ok_or_else(|| told("equals sign not found.".to_owned()))?;
    let (name, level) = (name.trim(), level.trim());
    match level.parse() {
        Ok(level) => Ok((name, level)),
        Err(_) => Err(told(format!("unable to parse {level} as a short."))),
    }
}

/// A level as people know it: metadata versions by their name.
#[doc(alias = "levelToString")]
pub fn shown(feature: &str, level: i16) -> String {
    match MetadataVersion::from_level(level) {
        Some(version) if feature == METADATA_VERSION_FEATURE => version.to_string(),
        None if feature == METADATA_VERSION_FEATURE => format!("UNKNOWN {level}"),
        _ => level.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_has_kafkas_levels() {
        let expected = "metadata.version=25 (4.0-IV3)\nkraft.version=1\ntransaction.version=2\n\
                        group.version=1\neligible.leader.replicas.version=0\nshare.version=0\n\
                        streams.version=0\n";
        assert_eq!(mapping(Some("4.0-IV3")), Ok(expected.to_owned()));
        assert!(mapping(None).unwrap().starts_with("metadata.version=29 (4.2-IV1)\n"));
        let told = mapping(Some("9")).unwrap_err();
        let begin =
            "Unknown metadata.version '9'. Supported metadata.version are: 3.3-IV3, 3.4-IV0";
        assert!(told.starts_with(begin), "{told}");
    }

    #[test]
    fn dependencies_are_told_in_kafkas_words() {
        let told = |wanted: &[&str]| dependencies(wanted.iter().copied());
        assert_eq!(
            told(&["eligible.leader.replicas.version=1", "metadata.version=20"]),
            Ok("eligible.leader.replicas.version=1 requires:\n    metadata.version=23 (4.0-IV1)\n\
                metadata.version=20 (3.8-IV0) has no dependencies.\n"
                .to_owned())
        );
        assert_eq!(told(&["x=1"]), Err("Unknown feature: x".to_owned()));
        assert_eq!(
            told(&["group.version=9"]),
            Err("No feature:group.version with feature level 9".to_owned())
        );
        assert_eq!(
            told(&["metadata.version"]),
            Err("Can't parse feature=level string metadata.version: equals sign not found."
                .to_owned())
        );
        assert_eq!(
            told(&["metadata.version=x"]),
            Err("Can't parse feature=level string metadata.version=x: unable to parse x as a \
                 short."
                .to_owned())
        );
    }
}
