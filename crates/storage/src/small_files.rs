//! `partition.metadata` and `.kafka_cleanshutdown`.   docs/formats/log-dir.md

use types::Uuid;

/// `partition.metadata`: whose partition a directory holds, whatever its topic is called today.
pub fn encode_partition_metadata(topic_id: Uuid) -> String {
    format!("version: 0\ntopic_id: {topic_id}")
}

/// `None` if the text is empty, torn or of another version: a crash may leave it so.
pub fn decode_partition_metadata(text: &str) -> Option<Uuid> {
    let mut lines = text.lines();
    let version = lines.next()?.strip_prefix("version:")?.trim();
    let topic_id: Uuid = lines.next()?.strip_prefix("topic_id:")?.trim().parse().ok()?;
    (version == "0" && !topic_id.is_zero()).then_some(topic_id)
}

/// `.kafka_cleanshutdown`, with the broker epoch that KIP-966 asks for.
pub fn encode_clean_shutdown(broker_epoch: i64) -> String {
    format!("{{\"version\":0,\"brokerEpoch\":{broker_epoch}}}")
}

/// The broker epoch, if the file has one: before Kafka 3.7 it was empty.
pub fn decode_clean_shutdown(text: &str) -> Option<i64> {
    let (_, after) = text.split_once("\"brokerEpoch\"")?;
    let value = after.trim_start().strip_prefix(':')?.trim_start();
    let end = value.find(|c: char| c != '-' && !c.is_ascii_digit())?;
    value[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partition_metadata_reads_as_kafka_writes_it() {
        let text = "version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAAQ";
        assert_eq!(decode_partition_metadata(text), Some(Uuid::METADATA_TOPIC));
        assert_eq!(decode_partition_metadata(&format!("{text}\n")), Some(Uuid::METADATA_TOPIC));
        assert_eq!(encode_partition_metadata(Uuid::METADATA_TOPIC), text);
        for cut in 0..text.len() {
            assert_eq!(decode_partition_metadata(&text[..cut]), None, "cut at {cut}");
        }
    }

    #[test]
    fn the_clean_shutdown_marker_may_be_empty() {
        assert_eq!(decode_clean_shutdown(&encode_clean_shutdown(42)), Some(42));
        assert_eq!(decode_clean_shutdown("{ \"brokerEpoch\" : -1 , \"version\":0}"), Some(-1));
        for text in ["", "{}", "{\"brokerEpoch\":", "{\"brokerEpoch\":x}"] {
            assert_eq!(decode_clean_shutdown(text), None, "{text:?}");
        }
    }
}
