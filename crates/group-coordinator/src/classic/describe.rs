//! What DescribeGroups and ListGroups show of a group.

use protocol::Str;
use protocol::messages::describe_groups_response::{DescribedGroup, DescribedGroupMember};

use super::group::ClassicGroup;
use super::member::Member;
use super::state::ClassicGroupState as State;

impl ClassicGroup {
    /// Subscriptions are shown of a stable group only: before that the strategy is open.
    pub fn describe(&self) -> DescribedGroup {
        let protocol = match self.state {
            State::Stable => self.protocol.as_deref(),
            _ => None,
        };
        DescribedGroup {
            group_id: Str::from(&*self.id),
            group_state: Str::from(self.state.name()),
            protocol_type: Str::from(self.protocol_type.as_deref().unwrap_or("")),
            protocol_data: Str::from(protocol.unwrap_or("")),
            members: self.members().map(|member| describe_member(member, protocol)).collect(),
            ..DescribedGroup::default()
        }
    }
}

fn describe_member(member: &Member, protocol: Option<&str>) -> DescribedGroupMember {
    DescribedGroupMember {
        member_id: Str::from(&*member.id),
        group_instance_id: member.instance_id.as_deref().map(Str::from),
        client_id: Str::from(&*member.client_id),
        client_host: Str::from(&*member.client_host),
        member_metadata: protocol.map(|name| member.subscription(name)).unwrap_or_default(),
        member_assignment: member.assignment.clone(),
    }
}
