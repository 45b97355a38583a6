//! `meta.properties`: whose directory this is.   docs/formats/log-dir.md#metaproperties
//!
//! Version 1 (KRaft): `version=1`, `cluster.id`, `node.id`, `directory.id`. Version 0 (ZooKeeper):
//! `version=0`, `cluster.id`, `broker.id`. Read both, written as version 1.

use std::collections::BTreeMap;
use std::fmt;
use types::{BrokerId, Uuid};

/// The identity of a log directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetaProperties {
    pub cluster_id: Option<String>,
    /// `broker.id` in version 0.
    pub node_id: Option<BrokerId>,
    /// Since Kafka 3.7.
    pub directory_id: Option<Uuid>,
}

/// Why a `meta.properties` cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MalformedProperties(pub String);

impl fmt::Display for MalformedProperties {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl MetaProperties {
    pub fn decode(text: &str) -> Result<MetaProperties, MalformedProperties> {
        let properties = parse(text);
        let get = |key: &str| properties.get(key).map(String::as_str);
        let id_key = match get("version") {
            Some("1") => "node.id",
            Some("0") => "broker.id",
            version => {
                let version = version.unwrap_or("missing");
                return Err(MalformedProperties(format!("version is {version}, not 0 or 1")));
            }
        };
        let malformed = |key: &str| MalformedProperties(format!("{key} is malformed"));
        let node_id = get(id_key).map(str::parse).transpose().map_err(|_| malformed(id_key))?;
        let directory_id = get("directory.id").map(str::parse).transpose();
        Ok(MetaProperties {
            cluster_id: get("cluster.id").map(str::to_owned),
            node_id: node_id.map(BrokerId),
            directory_id: directory_id.map_err(|_| malformed("directory.id"))?,
        })
    }

    pub fn encode(&self) -> String {
        let mut text = String::from("version=1\n");
        let fields = [
            ("cluster.id", self.cluster_id.clone()),
            ("directory.id", self.directory_id.map(|id| id.to_string())),
            ("node.id", self.node_id.map(|id| id.to_string())),
        ];
        for (key, value) in fields {
            if let Some(value) = value {
                let value = value.replace('\\', "\\\\").replace('\n', "\\n");
                text.push_str(&format!("{key}={value}\n"));
            }
        }
        text
    }
}

/// As much of Java's properties format as its own writer uses here: comments, `=` or `:`, and
/// backslashes before special characters.
fn parse(text: &str) -> BTreeMap<String, String> {
    let is_content = |line: &&str| !line.is_empty() && !line.starts_with(['#', '!']);
    let entry = |line: &str| {
        let (key, value) = line.split_once(['=', ':'])?;
        Some((key.trim().to_owned(), unescape(value.trim())))
    };
    text.lines().map(str::trim).filter(is_content).filter_map(entry).collect()
}

fn unescape(value: &str) -> String {
    let mut out = String::new();
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n') => out.push('\n'),
                Some(other) => out.push(other),
                None => {}
            },
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_kafka_writes_is_read() {
        let text = "#\n#Tue Nov 24 02:00:00 UTC 2026\ncluster.id=MkU3OEVBNTcwNTJENDM2Qg\n\
                    directory.id=AAAAAAAAAAAAAAAAAAAAAQ\nnode.id=3\nversion=1\n";
        let meta = MetaProperties::decode(text).unwrap();
        assert_eq!(meta.cluster_id.as_deref(), Some("MkU3OEVBNTcwNTJENDM2Qg"));
        assert_eq!(meta.node_id, Some(BrokerId(3)));
        assert_eq!(meta.directory_id, Some(Uuid::METADATA_TOPIC));
        assert_eq!(MetaProperties::decode(&meta.encode()).unwrap(), meta);
    }

    #[test]
    fn a_zookeeper_cluster_s_file_is_read_and_written_back_as_version_1() {
        let meta = MetaProperties::decode("version=0\nbroker.id=7\ncluster.id=a\\:b\n").unwrap();
        assert_eq!((meta.node_id, meta.directory_id), (Some(BrokerId(7)), None));
        assert_eq!(meta.cluster_id.as_deref(), Some("a:b"));
        assert_eq!(meta.encode(), "version=1\ncluster.id=a:b\nnode.id=7\n");
    }

    #[test]
    fn a_torn_or_foreign_file_is_refused() {
        for text in [
            "",
            "node.id=1\n",
            "version=2\n",
            "version=1\nnode.id=x\n",
            "version=1\ndirectory.id=?\n",
        ] {
            assert!(MetaProperties::decode(text).is_err(), "{text:?}");
        }
    }
}
