//! ListGroups (key 16), versions 0–5.
//! The groups that this broker coordinates. v4 state filter · v5 type filter.
//! Differs from Kafka: nothing known.

use env::Env;
use group_coordinator::ListFilter;
use protocol::messages::{ListGroupsRequest, ListGroupsResponse};

use crate::coordinators::GroupHost;
use crate::network::Reply;
use crate::request::RequestContext;

pub fn handle<E: Env>(
    _ctx: &RequestContext,
    request: ListGroupsRequest,
    reply: Reply<ListGroupsResponse>,
    groups: &GroupHost<E>,
) {
    let filter = ListFilter::new(&request.states_filter, &request.types_filter);
    let listed = groups.read_all(|shard| shard.list_groups(&filter));
    reply.send(ListGroupsResponse {
        error_code: listed.as_ref().err().map_or(0, |error| error.code()),
        groups: listed.unwrap_or_default(),
        ..Default::default()
    });
}
