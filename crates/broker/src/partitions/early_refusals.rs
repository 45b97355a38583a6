//! Batches that were refused before there was a partition to ask.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use protocol::Str;
use protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use records::BatchHeader;
use types::{ErrorCode, MonoTime, Uuid};

use super::owner::AppendRefused;
use super::refused_runs::{RefusedRuns, Run};
use crate::limits::{EARLY_REFUSALS_FOR, EARLY_REFUSALS_MAX};

/// What [`RefusedRuns`] is to a partition, for those that this broker does not lead, or does not
/// know of, when the first batch comes, and does when the next one comes.
///
/// **Invariant:** what is remembered is as young as requests can be that are on their way together,
/// so that mostly it is nothing.
#[derive(Default)]
pub struct EarlyRefusals {
    some: AtomicBool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    places: BTreeMap<PlaceKey, Place>,
    /// When to look for what is to be forgotten.
    look_at: MonoTime,
}

/// As the client names it: by the topic's id, or else by its name.
type PlaceKey = (Uuid, Str, i32);

struct Place {
    runs: RefusedRuns,
    until: MonoTime,
}

impl EarlyRefusals {
    /// Refuses also a batch whose partition was found, if it is behind one whose partition was not.
    ///
    /// # Errors
    /// What `found` says, or what the batch before was told.
    #[inline]
    pub fn settle<T>(
        &self,
        topic: &TopicProduceData,
        data: &PartitionProduceData,
        found: Result<T, ErrorCode>,
        now: MonoTime,
    ) -> Result<T, ErrorCode> {
        let nothing_to_do = match &found {
            Ok(_) => !self.some.load(Ordering::Acquire),
            Err(error) => !passes(*error),
        };
        if nothing_to_do {
            return found;
        }
        let header = data.records.as_deref().map(BatchHeader::parse).and_then(Result::ok);
        let Some(run) = header.as_ref().and_then(Run::of) else { return found };
        let name = if topic.topic_id == Uuid::ZERO { topic.name.clone() } else { Str::default() };
        let key = (topic.topic_id, name, data.index);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.forget(now);
        let places = &mut state.places;
        let told = match found {
            Ok(partition) => {
                let place = places.get_mut(&key).filter(|place| place.until > now);
                let before = place.and_then(|place| place.runs.refusal_behind(run));
                before.map_or(Ok(partition), |why| Err(why.error_code()))
            }
            Err(error) => {
                if places.len() < EARLY_REFUSALS_MAX || places.contains_key(&key) {
                    let (runs, until) = (RefusedRuns::default(), now.plus(EARLY_REFUSALS_FOR));
                    let place = places.entry(key).or_insert(Place { runs, until });
                    place.until = until;
                    place.runs.refuse(Some(run), AppendRefused::Gone(error));
                }
                Err(error)
            }
        };
        self.some.store(!places.is_empty(), Ordering::Release);
        told
    }
}

impl State {
    /// Now and then, for it takes all places in hand.
    fn forget(&mut self, now: MonoTime) {
        if now >= self.look_at {
            self.places.retain(|_, place| place.until > now);
            self.look_at = now.plus(EARLY_REFUSALS_FOR / 10);
        }
    }
}

/// Whether the partition may be here, and led from here, a moment later.
fn passes(error: ErrorCode) -> bool {
    matches!(
        error,
        ErrorCode::NotLeaderOrFollower
            | ErrorCode::UnknownTopicOrPartition
            | ErrorCode::UnknownTopicId
            | ErrorCode::KafkaStorageError
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use records::BatchBuilder;
    use types::{ProducerEpoch, ProducerId, Sequence};

    use super::*;

    const NOT_HERE: Result<(), ErrorCode> = Err(ErrorCode::NotLeaderOrFollower);

    struct Client {
        refusals: EarlyRefusals,
        now: MonoTime,
    }

    impl Client {
        fn new() -> Client {
            Client { refusals: EarlyRefusals::default(), now: MonoTime(0) }
        }

        /// Sends one record with this sequence to the partition of this number.
        fn send(
            &self,
            partition: i32,
            sequence: i32,
            found: Result<(), ErrorCode>,
        ) -> Result<(), ErrorCode> {
            let (id, epoch) = (ProducerId(3), ProducerEpoch(0));
            let mut batch = BatchBuilder::new().producer(id, epoch, Sequence(sequence));
            batch.push(records::NewRecord::default());
            let records = Some(batch.build().into_bytes());
            let data = PartitionProduceData { index: partition, records };
            let topic = TopicProduceData { name: "t".into(), ..Default::default() };
            self.refusals.settle(&topic, &data, found, self.now)
        }
    }

    #[test]
    fn a_batch_behind_one_that_came_before_its_partition_hears_the_same_and_both_are_taken_later() {
        let client = Client::new();
        assert_eq!(client.send(0, 0, NOT_HERE), NOT_HERE);
        assert_eq!(client.send(1, 1, Ok(())), Ok(()), "another partition");
        assert_eq!(client.send(0, 1, Ok(())), NOT_HERE);
        assert_eq!(client.send(0, 2, Ok(())), NOT_HERE);
        let again = [0, 1, 2].map(|sequence| client.send(0, sequence, Ok(())));
        assert_eq!(again, [Ok(()); 3]);
    }

    #[test]
    fn what_cannot_be_on_its_way_any_more_is_forgotten() {
        let mut client = Client::new();
        assert_eq!(client.send(0, 0, NOT_HERE), NOT_HERE);
        client.now = MonoTime(0).plus(EARLY_REFUSALS_FOR - Duration::from_millis(1));
        assert_eq!(client.send(1, 0, Ok(())), Ok(()));
        assert!(client.refusals.some.load(Ordering::Acquire));
        client.now = MonoTime(0).plus(EARLY_REFUSALS_FOR);
        assert_eq!(client.send(0, 1, Ok(())), Ok(()));
        client.now = client.now.plus(EARLY_REFUSALS_FOR);
        assert_eq!(client.send(0, 2, Ok(())), Ok(()));
        assert!(!client.refusals.some.load(Ordering::Acquire));
    }

    #[test]
    fn no_more_places_are_remembered_than_the_limit_says() {
        let client = Client::new();
        for partition in 0..=EARLY_REFUSALS_MAX as i32 {
            assert_eq!(client.send(partition, 0, NOT_HERE), NOT_HERE);
        }
        assert_eq!(client.send(EARLY_REFUSALS_MAX as i32, 1, Ok(())), Ok(()));
        assert_eq!(client.send(0, 1, Ok(())), NOT_HERE);
    }

    #[test]
    fn a_refusal_for_good_is_not_remembered() {
        let client = Client::new();
        let for_good = Err(ErrorCode::InvalidTopicException);
        assert_eq!(client.send(0, 0, for_good), for_good);
        assert_eq!(client.send(0, 1, Ok(())), Ok(()));
    }
}
