//! Creates topics that nobody uses, and deletes some of them again.

use protocol::ApiKey;
use protocol::messages::create_topics_request::{CreatableTopic, CreateTopicsRequest};
use protocol::messages::delete_topics_request::{DeleteTopicState, DeleteTopicsRequest};
use protocol::messages::{CreateTopicsResponse, DeleteTopicsResponse};

use super::{Actor, Io};
use crate::wire::Answer;
use history::Event;

const REST_MS: u64 = 500;

pub struct Topics {
    replicas: i16,
    made: u64,
    /// The topic that a request in flight is about.
    open: Option<String>,
    stopped: bool,
}

impl Topics {
    /// Topics of so many replicas.
    pub fn new(replicas: i16) -> Topics {
        Topics { replicas, made: 0, open: None, stopped: false }
    }

    fn create(&mut self, io: &mut Io<'_>) {
        self.made += 1;
        let name = format!("idle-{}", self.made);
        io.send(&CreateTopicsRequest {
            topics: vec![CreatableTopic {
                name: name.as_str().into(),
                num_partitions: 1,
                replication_factor: self.replicas,
                ..Default::default()
            }],
            timeout_ms: 30_000,
            ..Default::default()
        });
        self.open = Some(name);
    }

    fn created(&mut self, response: &CreateTopicsResponse, io: &mut Io<'_>) {
        let Some(name) = self.open.take() else { return };
        if response.topics.iter().all(|topic| topic.error_code == 0) {
            io.history.note(Event::TopicCreated { name: name.clone() });
            if io.rng.one_in(2) {
                return self.delete(name, io);
            }
        }
        io.wake_after_ms(io.rng.below(REST_MS));
    }

    fn delete(&mut self, name: String, io: &mut Io<'_>) {
        io.history.note(Event::TopicDeletionSent { name: name.clone() });
        io.send(&DeleteTopicsRequest {
            topics: vec![DeleteTopicState {
                name: Some(name.as_str().into()),
                ..Default::default()
            }],
            timeout_ms: 30_000,
            ..Default::default()
        });
        self.open = Some(name);
    }

    fn deleted(&mut self, response: &DeleteTopicsResponse, io: &mut Io<'_>) {
        let Some(name) = self.open.take() else { return };
        if response.responses.iter().all(|topic| topic.error_code == 0) {
            io.history.note(Event::TopicDeleted { name });
        }
        io.wake_after_ms(io.rng.below(REST_MS));
    }
}

impl Actor for Topics {
    fn connected(&mut self, io: &mut Io<'_>) {
        // What was in flight has an open fate.
        self.open = None;
        io.wake_after_ms(io.rng.below(REST_MS));
    }

    fn answered(&mut self, answer: Answer, io: &mut Io<'_>) {
        match answer.key {
            ApiKey::CreateTopics => self.created(&answer.to(), io),
            _ => self.deleted(&answer.to(), io),
        }
    }

    fn woken(&mut self, io: &mut Io<'_>) {
        if !self.stopped && self.open.is_none() {
            self.create(io);
        }
    }

    fn stop(&mut self) {
        self.stopped = true;
    }

    fn is_done(&self) -> bool {
        self.open.is_none()
    }
}
