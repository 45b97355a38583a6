//! Groups: find, describe, delete.

use std::collections::BTreeMap;

use protocol::messages::{
    ConsumerGroupDescribeRequest, DeleteGroupsRequest, DescribeGroupsRequest, ListGroupsRequest,
    consumer_group_describe_response, describe_groups_response,
};
use protocol::{ApiKey, Str};
use types::ErrorCode;

use super::topics::unanswered;
use crate::error::ClientError;
use crate::offsets::Place;
use crate::routing::Client;
use crate::subscription::read_assignment;

/// A group as a list names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedGroup {
    pub id: String,
    pub protocol_type: String,
    /// Empty if the broker is too old to say.
    pub state: String,
    /// `classic`, `consumer`, `share`, `streams`; empty if the broker is too old to say.
    pub kind: String,
}

impl ListedGroup {
    /// Whether consumers of the usual kind are meant: Kafka's `--list` shows these only.
    pub fn is_consumer_group(&self) -> bool {
        let kind = self.kind.to_ascii_lowercase();
        match kind.as_str() {
            "" | "classic" => self.protocol_type.is_empty() || self.protocol_type == "consumer",
            other => other == "consumer",
        }
    }
}

/// A group with its members.
#[doc(alias = "ConsumerGroupDescription")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DescribedGroup {
    pub id: String,
    pub state: String,
    pub assignor: String,
    /// Whether it uses the `consumer` protocol (KIP-848).
    pub is_consumer_protocol: bool,
    pub epoch: Option<i32>,
    pub target_epoch: Option<i32>,
    pub coordinator: i32,
    pub members: Vec<DescribedMember>,
}

/// A member with what it reads.
#[doc(alias = "MemberDescription")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DescribedMember {
    pub id: String,
    pub instance_id: Option<String>,
    pub client_id: String,
    pub host: String,
    pub assignment: Vec<Place>,
    pub target: Option<Vec<Place>>,
    pub epoch: Option<i32>,
    /// Whether this member of a `consumer` group itself speaks that protocol.
    pub is_upgraded: Option<bool>,
}

impl Client {
    /// All groups of the cluster, sorted by name; every broker knows those it coordinates.
    pub fn list_groups(
        &mut self,
        states: &[String],
        kinds: &[String],
    ) -> Result<Vec<ListedGroup>, ClientError> {
        let brokers: Vec<i32> = self.cluster().brokers.keys().copied().collect();
        let mut groups: BTreeMap<String, ListedGroup> = BTreeMap::new();
        for id in brokers {
            let listed = self.with_retries(|client| {
                let answer = client.on_broker(id, |connection| {
                    let version = connection.version::<ListGroupsRequest>(i16::MAX)?;
                    // Brokers before versions 4 and 5 do not filter: they answer with everything.
                    let request = ListGroupsRequest {
                        states_filter: texts(states, version >= 4),
                        types_filter: texts(kinds, version >= 5),
                    };
                    connection.call_at(&request, version)
                })?;
                match answer.error_code {
                    0 => Ok(answer.groups),
                    code => Err(ClientError::broker("list groups", code, None)),
                }
            })?;
            for group in listed {
                let listed = ListedGroup {
                    id: group.group_id.to_string(),
                    protocol_type: group.protocol_type.to_string(),
                    state: group.group_state.to_string(),
                    kind: group.group_type.to_string(),
                };
                groups.insert(listed.id.clone(), listed);
            }
        }
        Ok(groups.into_values().collect())
    }

    /// A group with its members.
    ///
    /// # Errors
    /// `GROUP_ID_NOT_FOUND`: a broker before 4.0 describes a group that does not exist as dead,
    /// and so do we.
    pub fn describe_group(&mut self, group: &str) -> Result<DescribedGroup, ClientError> {
        self.with_retries(|client| {
            let coordinator = client.coordinator(group)?;
            let described = client.on_broker(coordinator, |connection| {
                if !connection.supports(ApiKey::ConsumerGroupDescribe) {
                    return Ok(None);
                }
                let request = ConsumerGroupDescribeRequest {
                    group_ids: vec![Str::from(group)],
                    include_authorized_operations: false,
                };
                let answer = connection.call(&request)?;
                Ok(answer.groups.into_iter().next())
            })?;
            match described {
                Some(described) if described.error_code == 0 => {
                    Ok(of_consumer_protocol(described, coordinator))
                }
                // Classic groups, and brokers without the new protocol.
                Some(described) if !is_unknown_there(described.error_code) => {
                    let message = described.error_message.as_deref();
                    let what = format!("describe group {group}");
                    Err(ClientError::broker(what, described.error_code, message))
                }
                _ => client.describe_classic_group(group, coordinator),
            }
        })
    }

    fn describe_classic_group(
        &mut self,
        group: &str,
        coordinator: i32,
    ) -> Result<DescribedGroup, ClientError> {
        let what = format!("describe group {group}");
        let request = DescribeGroupsRequest {
            groups: vec![Str::from(group)],
            include_authorized_operations: false,
        };
        let answer = self.call_broker(coordinator, &request)?;
        let described = answer.groups.into_iter().next().ok_or_else(|| unanswered(&what))?;
        match described.error_code {
            0 => of_classic_protocol(described, coordinator),
            code => Err(ClientError::broker(what, code, described.error_message.as_deref())),
        }
    }

    /// Deletes a group and all that it has committed.
    pub fn delete_group(&mut self, group: &str) -> Result<(), ClientError> {
        let what = format!("delete group {group}");
        let request = DeleteGroupsRequest { groups_names: vec![Str::from(group)] };
        self.with_retries(|client| {
            let answer = client.on_coordinator(group, |connection| connection.call(&request))?;
            let result = answer.results.first().ok_or_else(|| unanswered(&what))?;
            match result.error_code {
                0 => Ok(()),
                code => Err(ClientError::broker(&what, code, None)),
            }
        })
    }
}

fn texts(texts: &[String], are_understood: bool) -> Vec<Str> {
    match are_understood {
        true => texts.iter().map(Str::from).collect(),
        false => Vec::new(),
    }
}

fn is_unknown_there(code: i16) -> bool {
    [ErrorCode::GroupIdNotFound, ErrorCode::UnsupportedVersion]
        .iter()
        .any(|known| known.code() == code)
}

fn of_classic_protocol(
    group: describe_groups_response::DescribedGroup,
    coordinator: i32,
) -> Result<DescribedGroup, ClientError> {
    let id = group.group_id.to_string();
    if &*group.group_state == "Dead" {
        let code = ErrorCode::GroupIdNotFound.code();
        return Err(ClientError::broker(format!("describe group {id}"), code, None));
    }
    let is_consumer = &*group.protocol_type == "consumer";
    let mut members = Vec::with_capacity(group.members.len());
    for member in group.members {
        members.push(DescribedMember {
            id: member.member_id.to_string(),
            instance_id: member.group_instance_id.as_ref().map(Str::to_string),
            client_id: member.client_id.to_string(),
            host: member.client_host.to_string(),
            // Other kinds of members (Connect) write their own format there.
            assignment: match is_consumer {
                true => read_assignment(&member.member_assignment)?,
                false => Vec::new(),
            },
            target: None,
            epoch: None,
            is_upgraded: None,
        });
    }
    Ok(DescribedGroup {
        id,
        state: group.group_state.to_string(),
        assignor: group.protocol_data.to_string(),
        is_consumer_protocol: false,
        epoch: None,
        target_epoch: None,
        coordinator,
        members,
    })
}

fn of_consumer_protocol(
    group: consumer_group_describe_response::DescribedGroup,
    coordinator: i32,
) -> DescribedGroup {
    let places = |assignment: &consumer_group_describe_response::Assignment| -> Vec<Place> {
        let topics = assignment.topic_partitions.iter();
        let places = topics.flat_map(|topic| {
            topic.partitions.iter().map(|partition| (topic.topic_name.to_string(), *partition))
        });
        places.collect()
    };
    let members = group.members.iter().map(|member| DescribedMember {
        id: member.member_id.to_string(),
        instance_id: member.instance_id.as_ref().map(Str::to_string),
        client_id: member.client_id.to_string(),
        host: member.client_host.to_string(),
        assignment: places(&member.assignment),
        target: Some(places(&member.target_assignment)),
        epoch: Some(member.member_epoch),
        is_upgraded: match member.member_type {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        },
    });
    DescribedGroup {
        id: group.group_id.to_string(),
        state: group.group_state.to_string(),
        assignor: group.assignor_name.to_string(),
        is_consumer_protocol: true,
        epoch: Some(group.group_epoch),
        target_epoch: Some(group.assignment_epoch),
        coordinator,
        members: members.collect(),
    }
}
