use std::collections::BTreeMap;

use metadata::MetadataRecord;
use protocol::Str;
use protocol::messages::delete_topics_request::DeleteTopicsRequest;
use protocol::messages::delete_topics_response::{DeletableTopicResult, DeleteTopicsResponse};
use protocol::metadata_records::RemoveTopicRecord;
use types::{ErrorCode, Uuid};

use crate::error::outcome;
use crate::limits::RECORDS_PER_REQUEST_MAX;
use crate::{ApiError, Controller, ControllerResult};

/// How a request names a topic.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Wanted {
    Name(Str),
    Id(Uuid),
    Both(Str, Uuid),
    Neither,
}

impl Controller {
    /// Deletes topics, by name or by id, each on its own. Answers are in the order of the request;
    /// what appears more than once is answered once.
    ///
    /// Source: Kafka `ControllerApis.deleteTopics`, `ReplicationControlManager.deleteTopics`.
    pub fn delete_topics(
        &self,
        request: &DeleteTopicsRequest,
    ) -> ControllerResult<DeleteTopicsResponse> {
        let wanted: Vec<_> = wanted(request).collect();
        let mut times: BTreeMap<&Wanted, usize> = BTreeMap::new();
        for one in &wanted {
            *times.entry(one).or_default() += 1;
        }
        // Which of the ids that are to go were asked for by id.
        let mut found: Vec<(&Wanted, Result<Uuid, ApiError>)> = Vec::new();
        for one in &wanted {
            // Taken out, so that the next of its kind is passed over.
            if let Some(count) = times.remove(one) {
                found.push((one, self.find_deletable(one, count)));
            }
        }
        refuse_named_twice(&mut found);
        let mut records: Vec<MetadataRecord> = Vec::new();
        let mut responses = Vec::with_capacity(found.len());
        for (one, id) in found {
            let deleted = id.and_then(|topic_id| match records.len() {
                RECORDS_PER_REQUEST_MAX.. => Err(ApiError::too_many_records()),
                _ => {
                    records.push(RemoveTopicRecord { topic_id }.into());
                    Ok(topic_id)
                }
            });
            responses.push(self.deletion_result(one, &deleted));
        }
        let reply = DeleteTopicsResponse { responses, ..DeleteTopicsResponse::default() };
        ControllerResult::atomic(records, reply)
    }

    fn find_deletable(&self, wanted: &Wanted, times: usize) -> Result<Uuid, ApiError> {
        if !self.config.topics.delete_topic_enable {
            let message = "Topic deletion is disabled.";
            return Err(ApiError::new(ErrorCode::TopicDeletionDisabled, message));
        }
        let topics = &self.view().topics;
        match wanted {
            Wanted::Neither => {
                Err(ApiError::invalid_request("Neither topic name nor id were specified."))
            }
            Wanted::Both(..) => {
                Err(ApiError::invalid_request("You may not specify both topic name and topic id."))
            }
            Wanted::Name(_) if times > 1 => Err(ApiError::invalid_request("Duplicate topic name.")),
            Wanted::Id(_) if times > 1 => Err(ApiError::invalid_request("Duplicate topic id.")),
            Wanted::Name(name) => match topics.by_name(name) {
                Some(topic) => Ok(topic.id),
                None => Err(ApiError::unknown_topic_or_partition()),
            },
            Wanted::Id(id) => match topics.by_id(*id) {
                Some(_) => Ok(*id),
                None => Err(ApiError::unknown_topic_id()),
            },
        }
    }

    fn deletion_result(
        &self,
        wanted: &Wanted,
        deleted: &Result<Uuid, ApiError>,
    ) -> DeletableTopicResult {
        let (error_code, error_message) = outcome(deleted);
        let (name, topic_id) = match wanted {
            Wanted::Neither => (None, Uuid::ZERO),
            Wanted::Both(name, id) => (Some(name.clone()), *id),
            Wanted::Name(name) => {
                (Some(name.clone()), deleted.as_ref().map_or(Uuid::ZERO, |id| *id))
            }
            Wanted::Id(id) => {
                let topic = self.view().topics.by_id(*id).filter(|_| deleted.is_ok());
                (topic.map(|topic| (&*topic.name).into()), *id)
            }
        };
        DeletableTopicResult { name, topic_id, error_code, error_message }
    }
}

fn wanted(request: &DeleteTopicsRequest) -> impl Iterator<Item = Wanted> {
    let names = request.topic_names.iter().map(|name| Wanted::Name(name.clone()));
    let states = request.topics.iter().map(|state| match &state.name {
        Some(name) if state.topic_id.is_zero() => Wanted::Name(name.clone()),
        Some(name) => Wanted::Both(name.clone(), state.topic_id),
        None if state.topic_id.is_zero() => Wanted::Neither,
        None => Wanted::Id(state.topic_id),
    });
    names.chain(states)
}

/// A topic that is asked for by name and by id is not deleted at all: one of the two is an error
/// of the caller, and nobody can tell which.
fn refuse_named_twice(found: &mut [(&Wanted, Result<Uuid, ApiError>)]) {
    let mut times: BTreeMap<Uuid, usize> = BTreeMap::new();
    for id in found.iter().filter_map(|(_, id)| id.as_ref().ok()) {
        *times.entry(*id).or_default() += 1;
    }
    for (_, result) in found {
        let twice = result.as_ref().is_ok_and(|id| times.get(id).is_some_and(|times| *times > 1));
        if twice {
            let message = "The provided topic name maps to an ID that was already supplied.";
            *result = Err(ApiError::invalid_request(message));
        }
    }
}
