//! DeleteGroups (key 42), versions 0–2.
//! Deletes empty groups with their offsets.
//! Differs from Kafka: nothing known.

use std::sync::{Arc, Mutex, PoisonError};

use env::Env;
use group_coordinator::{Reply as GroupReply, refusal};
use protocol::messages::DeleteGroupsRequest;
use protocol::messages::delete_groups_response::{DeletableGroupResult, DeleteGroupsResponse};
use types::ErrorCode;

use crate::coordinators::GroupHost;
use crate::network::Reply;
use crate::request::RequestContext;

pub fn handle<E: Env>(
    _ctx: &RequestContext,
    request: DeleteGroupsRequest,
    reply: Reply<DeleteGroupsResponse>,
    groups: &GroupHost<E>,
) {
    let pending = Arc::new(Pending {
        state: Mutex::new(State {
            results: vec![None; request.groups_names.len()],
            reply: Some(reply),
        }),
    });
    for (position, id) in request.groups_names.iter().enumerate() {
        let ids = vec![id.clone()];
        let (asked, pending) = (ids.clone(), Arc::clone(&pending));
        groups.ask(
            id,
            |shard, now, token| shard.delete_groups(now, &asked, token),
            Box::new(move |answer| {
                let results = match answer {
                    Ok(GroupReply::DeleteGroups(results)) => results,
                    Ok(_) => refusal::delete_groups(&ids, ErrorCode::UnknownServerError),
                    Err(error) => refusal::delete_groups(&ids, error),
                };
                pending.settle(position, results);
            }),
        );
    }
    pending.send_if_complete();
}

/// A request whose groups are answered one by one, perhaps by several coordinators.
struct Pending {
    state: Mutex<State>,
}

struct State {
    results: Vec<Option<DeletableGroupResult>>,
    reply: Option<Reply<DeleteGroupsResponse>>,
}

impl Pending {
    fn settle(&self, position: usize, mut results: Vec<DeletableGroupResult>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.results[position] = Some(results.pop().unwrap_or_default());
        drop(state);
        self.send_if_complete();
    }

    fn send_if_complete(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.results.iter().any(Option::is_none) {
            return;
        }
        let results = state.results.iter_mut().filter_map(Option::take).collect();
        let reply = state.reply.take();
        drop(state);
        if let Some(reply) = reply {
            reply.send(DeleteGroupsResponse { results, ..Default::default() });
        }
    }
}
