//! Asks where a group stands without being in it, each time of whoever is said to coordinate it.

use protocol::messages::offset_fetch_request::{
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopics,
};
use protocol::messages::offset_fetch_response::OffsetFetchResponse;
use types::Uuid;

use super::{Actor, Io};
use crate::wire::Answer;
use history::Event;

pub struct Onlooker {
    group: String,
    topic_id: Uuid,
    partitions: i32,
    /// How much had happened when it asked.
    asked: usize,
}

impl Onlooker {
    pub fn new(group: &str, topic_id: Uuid, partitions: i32) -> Onlooker {
        Onlooker { group: group.to_owned(), topic_id, partitions, asked: 0 }
    }
}

impl Actor for Onlooker {
    fn connected(&mut self, io: &mut Io<'_>) {
        self.asked = io.history.events().len();
        let topic = OffsetFetchRequestTopics {
            topic_id: self.topic_id,
            partition_indexes: (0..self.partitions).collect(),
            ..Default::default()
        };
        let group = OffsetFetchRequestGroup {
            group_id: self.group.as_str().into(),
            topics: Some(vec![topic]),
            member_epoch: -1,
            ..Default::default()
        };
        io.send(&OffsetFetchRequest { groups: vec![group], ..Default::default() });
    }

    fn answered(&mut self, answer: Answer, io: &mut Io<'_>) {
        let response: OffsetFetchResponse = answer.to();
        let groups = response.groups.iter().filter(|group| group.error_code == 0);
        let partitions = groups.flat_map(|group| &group.topics).flat_map(|topic| &topic.partitions);
        for partition in partitions.filter(|partition| partition.error_code == 0) {
            io.history.note(Event::Resumed {
                group: self.group.clone(),
                partition: partition.partition_index,
                offset: partition.committed_offset,
                asked: self.asked,
            });
        }
        // It asks anybody for the way again, also one that knows less than others.
        io.hang_up();
    }

    fn woken(&mut self, _io: &mut Io<'_>) {}

    fn stop(&mut self) {}

    fn is_done(&self) -> bool {
        true
    }
}
