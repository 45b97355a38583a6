use std::collections::BTreeSet;
use std::sync::Arc;

/// The protocol type whose subscriptions we read: their topics keep offsets from expiring.
pub(crate) const CONSUMER_PROTOCOL_TYPE: &str = "consumer";

/// The topics of a consumer's subscription; `None` if the bytes are not one.
///
/// Only the part that every version has is read: version, topics, user data. What newer versions
/// append (owned partitions, generation, rack) is the assignor's business and passes untouched.
///
/// Source: Kafka `ConsumerProtocol.deserializeConsumerProtocolSubscription`, version 0.
pub(crate) fn subscribed_topics(subscription: &[u8]) -> Option<BTreeSet<Arc<str>>> {
    let mut bytes = Cursor { rest: subscription };
    let version = bytes.int16()?;
    if version < 0 {
        return None;
    }
    let count = bytes.int32()?;
    let mut topics = BTreeSet::new();
    for _ in 0..count.max(0) {
        let length = usize::try_from(bytes.int16()?).ok()?;
        topics.insert(Arc::from(std::str::from_utf8(bytes.take(length)?).ok()?));
    }
    let user_data = bytes.int32()?;
    if let Ok(length) = usize::try_from(user_data) {
        bytes.take(length)?;
    }
    Some(topics)
}

struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }

    fn int16(&mut self) -> Option<i16> {
        Some(i16::from_be_bytes(self.take(2)?.try_into().ok()?))
    }

    fn int32(&mut self) -> Option<i32> {
        Some(i32::from_be_bytes(self.take(4)?.try_into().ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encode(version: i16, topics: &[&str], tail: &[u8]) -> Vec<u8> {
        let mut bytes = version.to_be_bytes().to_vec();
        bytes.extend((topics.len() as i32).to_be_bytes());
        for topic in topics {
            bytes.extend((topic.len() as i16).to_be_bytes());
            bytes.extend(topic.as_bytes());
        }
        bytes.extend((-1i32).to_be_bytes());
        bytes.extend(tail);
        bytes
    }

    #[test]
    fn topics_are_read_from_every_version_and_the_rest_is_ignored() {
        for (version, tail) in [(0, &b""[..]), (1, b"\0\0\0\0"), (3, b"owned, generation, rack")] {
            let topics = subscribed_topics(&encode(version, &["orders", "clicks"], tail));
            let expected: BTreeSet<Arc<str>> = ["clicks".into(), "orders".into()].into();
            assert_eq!(topics, Some(expected), "version {version}");
        }
    }

    #[test]
    fn bytes_that_are_not_a_subscription_are_not_read_as_no_topics() {
        let whole = encode(0, &["orders"], b"");
        for cut in 0..whole.len() {
            assert_eq!(subscribed_topics(&whole[..cut]), None, "cut at {cut}");
        }
        let huge = [&0i16.to_be_bytes()[..], &i32::MAX.to_be_bytes()].concat();
        assert_eq!(subscribed_topics(&huge), None);
        assert_eq!(subscribed_topics(&encode(-1, &[], b"")), None);
    }
}
