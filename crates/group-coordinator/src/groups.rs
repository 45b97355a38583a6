//! DescribeGroups (15), ListGroups (16), DeleteGroups (42).

use std::collections::BTreeSet;

use coordinator::ReplyToken;
use protocol::Str;
use protocol::messages::delete_groups_response::DeletableGroupResult;
use protocol::messages::describe_groups_response::DescribedGroup;
use protocol::messages::list_groups_response::ListedGroup;
use types::ErrorCode;

use crate::classic::{ClassicGroup, ClassicGroupState as State};
use crate::offsets::tombstones;
use crate::records;
use crate::soft::SoftState;
use crate::state::{GroupId, GroupLog, GroupsState};
use crate::turn::Turn;

/// What kind of group all of ours are, in ListGroups.
const CLASSIC: &str = "classic";

/// What the version of a DescribeGroups request says beside its fields.
#[derive(Clone, Copy, Debug)]
pub struct DescribeFacts {
    /// A group that is not there is an error (from v6 on, KIP-1043); older clients see it `Dead`.
    pub unknown_is_error: bool,
}

/// Which groups a ListGroups request wants to see. Names count whatever their case.
#[derive(Clone, Debug, Default)]
pub struct ListFilter {
    /// Empty: all.
    states: BTreeSet<String>,
    /// Empty: all.
    types: BTreeSet<String>,
}

impl ListFilter {
    pub fn new(states: &[Str], types: &[Str]) -> ListFilter {
        let normalized = |name: &Str| name.trim().to_lowercase();
        ListFilter {
            states: states.iter().map(normalized).collect(),
            types: types.iter().map(normalized).collect(),
        }
    }

    fn shows(&self, state: State) -> bool {
        let matches = |names: &BTreeSet<String>, name: &str| {
            names.is_empty() || names.contains(&name.to_lowercase())
        };
        matches(&self.states, state.name()) && matches(&self.types, CLASSIC)
    }
}

pub(crate) fn describe(
    hard: &GroupsState,
    soft: &SoftState,
    id: &Str,
    facts: DescribeFacts,
) -> DescribedGroup {
    if let Some(group) = soft.groups.get(&**id) {
        return group.describe();
    }
    if let Some(log) = hard.group(id) {
        return DescribedGroup {
            group_id: id.clone(),
            group_state: Str::from(State::Empty.name()),
            protocol_type: Str::from(protocol_type(log)),
            ..DescribedGroup::default()
        };
    }
    let mut dead = DescribedGroup {
        group_id: id.clone(),
        group_state: Str::from("Dead"),
        ..DescribedGroup::default()
    };
    if facts.unknown_is_error {
        dead.error_code = ErrorCode::GroupIdNotFound.code();
        dead.error_message = Some(Str::from(format!("Group {} not found.", &**id)));
    }
    dead
}

pub(crate) fn list(hard: &GroupsState, soft: &SoftState, filter: &ListFilter) -> Vec<ListedGroup> {
    let resting = |(id, log): (&GroupId, &GroupLog)| {
        (!soft.groups.contains_key(id)).then(|| listed(id, protocol_type(log), State::Empty))
    };
    let live = |group: &ClassicGroup| {
        listed(&group.id, group.protocol_type.as_deref().unwrap_or(""), group.state)
    };
    let resting = filter.shows(State::Empty).then(|| hard.groups().filter_map(resting));
    let live = soft.groups.values().filter(|group| filter.shows(group.state)).map(|g| live(g));
    resting.into_iter().flatten().chain(live).collect()
}

fn listed(id: &GroupId, protocol_type: &str, state: State) -> ListedGroup {
    ListedGroup {
        group_id: Str::from(&**id),
        protocol_type: Str::from(protocol_type),
        group_state: Str::from(state.name()),
        group_type: Str::from(CLASSIC),
    }
}

fn protocol_type(log: &GroupLog) -> &str {
    log.metadata.as_ref().and_then(|metadata| metadata.protocol_type.as_deref()).unwrap_or("")
}

impl Turn<'_> {
    pub fn delete_groups(&mut self, group_ids: &[Str], token: ReplyToken) {
        // Each record alone is a step towards the same end, and there may be many.
        self.decision.atomic = false;
        let mut results = Vec::with_capacity(group_ids.len());
        for id in group_ids {
            let error = self.delete_group(id).err().unwrap_or(ErrorCode::None);
            results.push(DeletableGroupResult { group_id: id.clone(), error_code: error.code() });
        }
        self.answer(token, results);
    }

    fn delete_group(&mut self, id: &str) -> Result<(), ErrorCode> {
        if !self.knows_group(id) {
            return Err(ErrorCode::GroupIdNotFound);
        }
        if self.soft.groups.get(id).is_some_and(|group| group.state != State::Empty) {
            return Err(ErrorCode::NonEmptyGroup);
        }
        if let Some(log) = self.hard.group(id) {
            self.decision.records.extend(tombstones(id, log));
        }
        self.append(records::group_tombstone(id));
        Ok(())
    }
}
