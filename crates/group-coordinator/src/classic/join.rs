//! JoinGroup (key 11): a client asks to be in the group, or to stay in it.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use coordinator::ReplyToken;
use protocol::Str;
use protocol::messages::join_group_response::JoinGroupResponseMember;
use protocol::messages::{JoinGroupRequest, JoinGroupResponse};
use types::{ErrorCode, Uuid};

use super::group::ClassicGroup;
use super::member::{Member, Protocol};
use super::state::ClassicGroupState as State;
use crate::limits;
use crate::records;
use crate::reply::{join_error, join_error_for};
use crate::shard::ClientInfo;
use crate::soft::{Deadline, Undo};
use crate::state::{GroupId, GroupMetadata, MemberId};
use crate::turn::Turn;

/// What the version of a JoinGroup request says beside its fields, and a piece of chance.
#[derive(Clone, Copy, Debug)]
pub struct JoinFacts {
    /// A dynamic member without an id gets one and must come back with it (from v4 on, KIP-394):
    /// a client that gave up waiting leaves no member behind.
    pub member_id_required: bool,
    /// The client understands `SkipAssignment` (from v9 on, KIP-814).
    pub skip_assignment: bool,
    /// A random id, for the member id if one is made.
    pub fresh_id: Uuid,
}

/// A JoinGroup request, checked.
pub(crate) struct Joining<'a> {
    pub client: &'a ClientInfo<'a>,
    pub facts: &'a JoinFacts,
    pub token: ReplyToken,
    pub member_id: &'a str,
    pub instance_id: Option<&'a str>,
    pub protocol_type: &'a str,
    pub protocols: Vec<Protocol>,
    pub session_timeout_ms: i32,
    pub rebalance_timeout_ms: i32,
}

/// The member id and error of a refused join.
pub(crate) type JoinRefused = (Str, ErrorCode);

impl Turn<'_> {
    pub fn join_group(
        &mut self,
        client: &ClientInfo<'_>,
        facts: &JoinFacts,
        request: &JoinGroupRequest,
        token: ReplyToken,
    ) {
        let joining = match self.check_join(client, facts, request, token) {
            Ok(joining) => joining,
            Err(error) => return self.answer(token, join_error_for(&request.member_id, error)),
        };
        let id: GroupId = Arc::from(&*request.group_id);
        let known = self.take_group(&id);
        let is_new = known.is_none();
        // A member that names itself has been here before: if its group is gone, so is its place.
        if is_new && !joining.member_id.is_empty() {
            let error = join_error_for(joining.member_id, ErrorCode::UnknownMemberId);
            return self.answer(token, error);
        }
        let mut group =
            known.unwrap_or_else(|| Box::new(ClassicGroup::new(id.clone(), self.now.wall)));
        let refused = self.join(&mut group, &joining).err();
        if is_new && refused.is_none() {
            // The group must outlive us before anyone is told that it exists.
            let empty = GroupMetadata { since: Some(self.now.wall), ..GroupMetadata::default() };
            self.append(records::group(&id, &empty));
            self.soft.undo = Some(Undo::NewGroup(id));
        }
        if let Some((member_id, error)) = refused {
            self.answer(token, JoinGroupResponse { member_id, ..join_error(error) });
            if is_new {
                return;
            }
        }
        self.keep(group);
    }

    fn check_join<'r>(
        &self,
        client: &'r ClientInfo<'r>,
        facts: &'r JoinFacts,
        request: &'r JoinGroupRequest,
        token: ReplyToken,
    ) -> Result<Joining<'r>, ErrorCode> {
        let name_fits = |name: &str| name.len() <= limits::NAME_BYTES_MAX;
        if request.group_id.is_empty() || !name_fits(&request.group_id) {
            return Err(ErrorCode::InvalidGroupId);
        }
        let session = request.session_timeout_ms;
        if session < self.config.session_timeout_ms_min
            || session > self.config.session_timeout_ms_max
        {
            return Err(ErrorCode::InvalidSessionTimeout);
        }
        let names_fit = name_fits(&request.member_id)
            && request.group_instance_id.as_deref().is_none_or(name_fits)
            && name_fits(&request.protocol_type)
            && name_fits(client.client_id)
            && name_fits(client.host)
            && request.protocols.iter().all(|protocol| name_fits(&protocol.name));
        if !names_fit || request.protocols.len() > limits::PROTOCOLS_PER_MEMBER_MAX {
            return Err(ErrorCode::InvalidRequest);
        }
        let protocols = distinct_protocols(request);
        let bytes: usize = protocols.iter().map(|protocol| protocol.metadata.len()).sum();
        if bytes > limits::SUBSCRIPTION_BYTES_PER_MEMBER_MAX {
            return Err(ErrorCode::InvalidRequest);
        }
        let rebalance_timeout_ms = match request.rebalance_timeout_ms {
            // Version 0 has one timeout for both.
            timeout if timeout < 0 => session,
            timeout => timeout,
        };
        Ok(Joining {
            client,
            facts,
            token,
            member_id: &request.member_id,
            instance_id: request.group_instance_id.as_deref(),
            protocol_type: &request.protocol_type,
            protocols,
            session_timeout_ms: session,
            rebalance_timeout_ms,
        })
    }

    fn join(&mut self, group: &mut ClassicGroup, joining: &Joining<'_>) -> Result<(), JoinRefused> {
        if !self.has_room_for(group, joining.member_id) {
            self.expel(group, joining.member_id);
            return Err((Str::from(""), ErrorCode::GroupMaxSizeReached));
        }
        if !group.supports(joining.protocol_type, &joining.protocols) {
            return Err((Str::from(joining.member_id), ErrorCode::InconsistentGroupProtocol));
        }
        if joining.member_id.is_empty() {
            self.join_new_member(group, joining)
        } else {
            self.join_existing_member(group, joining)
        }
    }

    /// Whether `group.max.size` leaves a place.
    ///
    /// While a round gathers, places go to those who are there: the size may be above a limit that
    /// was lowered, and the last to rejoin go. Source: Kafka `acceptJoiningMember`.
    fn has_room_for(&self, group: &ClassicGroup, member_id: &str) -> bool {
        let size_max = self.config.group_size_max;
        match group.state {
            State::Empty => true,
            State::PreparingRebalance => {
                group.member(member_id).is_some_and(|member| member.parked_join.is_some())
                    || group.parked_joins() < size_max
            }
            State::CompletingRebalance | State::Stable => {
                group.has_member(member_id) || group.size() < size_max
            }
        }
    }

    /// Takes a member out of a group that is too large. The round may have waited for it only.
    fn expel(&mut self, group: &mut ClassicGroup, member_id: &str) {
        let known = group.has_member(member_id) || group.pending_members.contains(member_id);
        if known {
            self.remove_member(group, &Arc::from(member_id));
            self.try_complete_join(group);
        }
    }

    fn join_new_member(
        &mut self,
        group: &mut ClassicGroup,
        joining: &Joining<'_>,
    ) -> Result<(), JoinRefused> {
        let member_id = joining.new_member_id();
        if let Some(instance_id) = joining.instance_id {
            match group.static_member(instance_id).cloned() {
                Some(old) => {
                    self.replace_static_member(group, joining, &old, member_id);
                    Ok(())
                }
                None => self.add_member(group, joining, member_id),
            }
        } else if joining.facts.member_id_required {
            if group.pending_members.len() >= limits::PENDING_MEMBERS_PER_GROUP_MAX {
                return Err((Str::from(""), ErrorCode::GroupMaxSizeReached));
            }
            group.pending_members.insert(member_id.clone());
            self.schedule(
                Deadline::Session(group.id.clone(), member_id.clone()),
                joining.session_timeout_ms,
            );
            let answer = join_error_for(&member_id, ErrorCode::MemberIdRequired);
            self.answer(joining.token, answer);
            Ok(())
        } else {
            self.add_member(group, joining, member_id)
        }
    }

    fn join_existing_member(
        &mut self,
        group: &mut ClassicGroup,
        joining: &Joining<'_>,
    ) -> Result<(), JoinRefused> {
        let id = joining.member_id;
        let refuse = |error| Err((Str::from(id), error));
        if group.pending_members.contains(id) {
            // The id was made for a dynamic member. (Kafka: UNKNOWN_SERVER_ERROR.)
            if joining.instance_id.is_some() {
                return refuse(ErrorCode::UnknownMemberId);
            }
            return self.add_member(group, joining, Arc::from(id));
        }
        group.check_member(id, joining.instance_id).or_else(refuse)?;
        let is_same = group.member(id).is_some_and(|member| member.protocols == joining.protocols);
        match group.state {
            // It did not hear the answer to its JoinGroup, or asks again for no reason.
            State::CompletingRebalance if is_same => {
                let with_members = group.is_leader(id);
                self.answer(joining.token, joined(group, id, with_members));
                Ok(())
            }
            // A follower has nothing to tell. A leader may know of a change that its subscription
            // does not show, such as new partitions, so it always starts a round.
            State::Stable if is_same && !group.is_leader(id) => {
                self.answer(joining.token, joined(group, id, false));
                Ok(())
            }
            State::PreparingRebalance | State::CompletingRebalance | State::Stable => {
                self.update_member(group, joining)
            }
            State::Empty => refuse(ErrorCode::UnknownMemberId),
        }
    }

    /// The member rejoins with what it wants now; a round begins, or comes closer to its end.
    fn update_member(
        &mut self,
        group: &mut ClassicGroup,
        joining: &Joining<'_>,
    ) -> Result<(), JoinRefused> {
        let id = joining.member_id;
        let before = group.member(id).map_or(0, Member::subscription_bytes);
        self.check_subscription_bytes(group, joining, before)?;
        group.update(id, |member| joining.update(member));
        self.park_join(group, id, joining.token);
        self.rebalance_or_complete_join(group);
        Ok(())
    }

    fn add_member(
        &mut self,
        group: &mut ClassicGroup,
        joining: &Joining<'_>,
        member_id: MemberId,
    ) -> Result<(), JoinRefused> {
        if group.size() >= limits::MEMBERS_PER_GROUP_MAX {
            return Err((Str::from(""), ErrorCode::GroupMaxSizeReached));
        }
        self.check_subscription_bytes(group, joining, 0)?;
        if group.size() == 0 {
            group.protocol_type = Some(Arc::from(joining.protocol_type));
        }
        let member = Member {
            id: member_id.clone(),
            instance_id: joining.instance_id.map(Arc::from),
            client_id: Arc::from(joining.client.client_id),
            client_host: Arc::from(joining.client.host),
            rebalance_timeout_ms: joining.rebalance_timeout_ms,
            session_timeout_ms: joining.session_timeout_ms,
            protocols: joining.protocols.clone(),
            assignment: Bytes::new(),
            parked_join: Some(joining.token),
            parked_sync: None,
            is_new: true,
        };
        if let Some(delay) = &mut group.initial_delay {
            delay.new_member_added = true;
        }
        group.insert(member);
        // It cannot send heartbeats, and while its request is parked we cannot see it go.
        let timeout_ms = self.config.new_member_join_timeout_ms;
        self.renew_session_of(group, &member_id, timeout_ms);
        self.rebalance_or_complete_join(group);
        Ok(())
    }

    fn check_subscription_bytes(
        &self,
        group: &ClassicGroup,
        joining: &Joining<'_>,
        before: usize,
    ) -> Result<(), JoinRefused> {
        let bytes: usize = joining.protocols.iter().map(|protocol| protocol.metadata.len()).sum();
        let after = group.subscription_bytes().saturating_sub(before).saturating_add(bytes);
        if after > limits::SUBSCRIPTION_BYTES_PER_GROUP_MAX {
            return Err((Str::from(joining.member_id), ErrorCode::GroupMaxSizeReached));
        }
        Ok(())
    }

    /// Parks a JoinGroup. A newer one of the same member answers the older: its connection waits
    /// for that answer before it can carry another.
    pub fn park_join(&mut self, group: &mut ClassicGroup, id: &str, token: ReplyToken) {
        let displaced = group.park_join(id, token);
        self.answer_if_parked(displaced, join_error_for(id, ErrorCode::RebalanceInProgress));
    }
}

impl Joining<'_> {
    fn new_member_id(&self) -> MemberId {
        let prefix = self.instance_id.unwrap_or(self.client.client_id);
        let end = prefix.floor_char_boundary(limits::MEMBER_ID_PREFIX_BYTES_MAX);
        let prefix = prefix.get(..end).unwrap_or("");
        Arc::from(format!("{prefix}-{}", java_uuid(self.facts.fresh_id)))
    }

    /// The member wants what the request says.
    pub fn update(&self, member: &mut Member) {
        member.protocols.clone_from(&self.protocols);
        member.rebalance_timeout_ms = self.rebalance_timeout_ms;
        member.session_timeout_ms = self.session_timeout_ms;
    }
}

/// The answer to a member of the present generation.
pub(crate) fn joined(
    group: &ClassicGroup,
    member_id: &str,
    with_members: bool,
) -> JoinGroupResponse {
    JoinGroupResponse {
        error_code: ErrorCode::None.code(),
        generation_id: group.generation,
        protocol_type: group.protocol_type.as_deref().map(Str::from),
        protocol_name: Some(Str::from(group.protocol.as_deref().unwrap_or(""))),
        leader: Str::from(group.leader.as_deref().unwrap_or("")),
        skip_assignment: false,
        member_id: Str::from(member_id),
        members: if with_members { members_for_leader(group) } else { Vec::new() },
        ..JoinGroupResponse::default()
    }
}

fn members_for_leader(group: &ClassicGroup) -> Vec<JoinGroupResponseMember> {
    let protocol = group.protocol.as_deref().unwrap_or("");
    let member = |member: &Member| JoinGroupResponseMember {
        member_id: Str::from(&*member.id),
        group_instance_id: member.instance_id.as_deref().map(Str::from),
        metadata: member.subscription(protocol),
    };
    group.members().map(member).collect()
}

/// A strategy that is named twice would count as two members that offer it.
fn distinct_protocols(request: &JoinGroupRequest) -> Vec<Protocol> {
    let mut seen = BTreeSet::new();
    let offered = request.protocols.iter().filter(|protocol| seen.insert(&*protocol.name));
    // Copied: a subscription outlives the frame that it came in.
    offered
        .map(|protocol| Protocol {
            name: Arc::from(&*protocol.name),
            metadata: Bytes::copy_from_slice(&protocol.metadata),
        })
        .collect()
}

/// The spelling of Java's `UUID.toString`, which member ids end in.
fn java_uuid(id: Uuid) -> String {
    let hex: String = id.0.iter().map(|byte| format!("{byte:02x}")).collect();
    let groups = [0..8, 8..12, 12..16, 16..20, 20..32];
    groups.map(|group| hex.get(group).unwrap_or_default().to_owned()).join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn member_ids_end_like_kafkas() {
        let id = Uuid::from_random([0xab; 16]);
        assert_eq!(java_uuid(id), "abababab-abab-4bab-abab-abababababab");
    }
}
