//! DescribeGroups (key 15), versions 0–6.
//! State, protocol and members of groups. v4 instance ids · v6 GROUP_ID_NOT_FOUND instead of Dead.
//! Differs from Kafka: nothing known.

use env::Env;
use group_coordinator::{DescribeFacts, refusal};
use protocol::Str;
use protocol::messages::DescribeGroupsRequest;
use protocol::messages::describe_groups_response::{DescribeGroupsResponse, DescribedGroup};

use crate::authorized;
use crate::coordinators::GroupHost;
use crate::network::Reply;
use crate::request::RequestContext;

const UNKNOWN_IS_ERROR_SINCE: i16 = 6;

pub fn handle<E: Env>(
    ctx: &RequestContext,
    request: DescribeGroupsRequest,
    reply: Reply<DescribeGroupsResponse>,
    groups: &GroupHost<E>,
) {
    let facts = DescribeFacts { unknown_is_error: ctx.version >= UNKNOWN_IS_ERROR_SINCE };
    let describe = |id: &Str| -> Vec<DescribedGroup> {
        let ids = std::slice::from_ref(id);
        groups
            .read(id, |shard| shard.describe_groups(ids, facts))
            .unwrap_or_else(|error| refusal::describe_groups(ids, error))
    };
    let mut described: Vec<_> = request.groups.iter().flat_map(describe).collect();
    for group in described.iter_mut().filter(|group| group.error_code == 0) {
        group.authorized_operations = authorized::on_group(request.include_authorized_operations);
    }
    reply.send(DescribeGroupsResponse { groups: described, ..Default::default() });
}
