//! Replies and records as a story tells them.

use std::collections::BTreeMap;

use coordinator::CoordinatorRecord;
use group_coordinator::Reply;
use group_coordinator::records::{self, GroupRecord};
use protocol::messages::describe_groups_response::DescribedGroup;
use protocol::messages::offset_fetch_response::OffsetFetchResponseGroup;
use protocol::messages::{JoinGroupResponse, LeaveGroupResponse, SyncGroupResponse};
use types::ErrorCode;

/// Member ids by the names that the story uses.
pub type Names = BTreeMap<String, String>;

pub fn error(code: i16) -> &'static str {
    ErrorCode::from_code(code).map_or("?", ErrorCode::name)
}

/// A member id by its client's name; one that no client has heard of yet, by what it begins with.
fn name<'a>(names: &'a Names, id: &'a str) -> &'a str {
    const RANDOM_PART: usize = "-01234567-0123-0123-0123-0123456789ab".len();
    let prefix = id.len().checked_sub(RANDOM_PART).and_then(|end| id.get(..end));
    names.get(id).map_or(prefix.unwrap_or(id), |name| name)
}

pub fn reply(names: &Names, reply: &Reply) -> String {
    match reply {
        Reply::JoinGroup(join) => join_group(names, join),
        Reply::SyncGroup(sync) => sync_group(sync),
        Reply::Heartbeat(heartbeat) => format!("Heartbeat {}", error(heartbeat.error_code)),
        Reply::LeaveGroup(leave) => leave_group(names, leave),
        Reply::OffsetCommit(commit) => {
            let partitions = commit.topics.iter().flat_map(|topic| {
                topic.partitions.iter().map(move |p| {
                    format!("{}-{}={}", &*topic.name, p.partition_index, error(p.error_code))
                })
            });
            format!("OffsetCommit {}", partitions.collect::<Vec<_>>().join(" "))
        }
        Reply::OffsetDelete(delete) => {
            let partitions = delete.topics.iter().flat_map(|topic| {
                topic.partitions.iter().map(move |p| {
                    format!(" {}-{}={}", &*topic.name, p.partition_index, error(p.error_code))
                })
            });
            format!("OffsetDelete {}{}", error(delete.error_code), partitions.collect::<String>())
        }
        Reply::DeleteGroups(results) => {
            let results =
                results.iter().map(|r| format!("{}={}", &*r.group_id, error(r.error_code)));
            format!("DeleteGroups {}", results.collect::<Vec<_>>().join(" "))
        }
    }
}

fn join_group(names: &Names, join: &JoinGroupResponse) -> String {
    if join.error_code != 0 {
        let member = match &*join.member_id {
            "" => String::new(),
            id => format!(" member={}", name(names, id)),
        };
        return format!("JoinGroup {}{member}", error(join.error_code));
    }
    let mut text = format!(
        "JoinGroup gen={} protocol={} leader={}",
        join.generation_id,
        join.protocol_name.as_deref().unwrap_or("null"),
        name(names, &join.leader),
    );
    if !join.members.is_empty() {
        let members = join.members.iter().map(|member| match &member.group_instance_id {
            Some(instance) => format!("{}({})", name(names, &member.member_id), &**instance),
            None => name(names, &member.member_id).to_owned(),
        });
        text.push_str(&format!(" members={}", members.collect::<Vec<_>>().join(",")));
    }
    if join.skip_assignment {
        text.push_str(" skip-assignment");
    }
    text
}

fn sync_group(sync: &SyncGroupResponse) -> String {
    match sync.error_code {
        0 => format!("SyncGroup assignment={}", text(&sync.assignment)),
        code => format!("SyncGroup {}", error(code)),
    }
}

fn leave_group(names: &Names, leave: &LeaveGroupResponse) -> String {
    let members = leave.members.iter().map(|member| {
        let who = match (&*member.member_id, &member.group_instance_id) {
            ("", Some(instance)) => &**instance,
            (id, _) => name(names, id),
        };
        format!(" {who}={}", error(member.error_code))
    });
    format!("LeaveGroup {}{}", error(leave.error_code), members.collect::<String>())
}

/// Bytes that are text in the stories.
pub fn text(bytes: &[u8]) -> String {
    match bytes {
        [] => "-".to_owned(),
        bytes => String::from_utf8_lossy(bytes).into_owned(),
    }
}

pub fn record(names: &Names, record: &CoordinatorRecord) -> String {
    let version = record.value.as_ref().and_then(|value| value.get(1)).copied().unwrap_or(0);
    match records::decode(record).expect("own records are readable") {
        GroupRecord::Offset { group, topic, partition, value: None } => {
            format!("log offset {group} {topic}-{partition} deleted")
        }
        GroupRecord::Offset { group, topic, partition, value: Some(value) } => {
            let epoch = match value.leader_epoch.0 {
                -1 => String::new(),
                epoch => format!(" epoch={epoch}"),
            };
            let note = match &*value.metadata {
                "" => String::new(),
                note => format!(" note={note}"),
            };
            format!(
                "log offset {group} {topic}-{partition}={}{epoch}{note} v{version}",
                value.offset
            )
        }
        GroupRecord::Metadata { group, value: None } => format!("log group {group} deleted"),
        GroupRecord::Metadata { group, value: Some(value) } => {
            let mut text = format!("log group {group} gen={}", value.generation);
            match &value.protocol_type {
                Some(protocol_type) => text.push_str(&format!(" type={protocol_type}")),
                None => text.push_str(" type=-"),
            }
            if let (Some(protocol), Some(leader)) = (&value.protocol, &value.leader) {
                text.push_str(&format!(" protocol={protocol} leader={}", name(names, leader)));
            }
            let members = value.members.iter().map(|(id, member)| {
                format!("{}:{}", name(names, id), self::text(&member.assignment))
            });
            let members = members.collect::<Vec<_>>().join(" ");
            if members.is_empty() {
                text.push_str(" Empty");
            } else {
                text.push_str(&format!(" {members}"));
            }
            text
        }
    }
}

pub fn described(names: &Names, group: &DescribedGroup) -> String {
    let mut text = format!("{} {}", &*group.group_id, &*group.group_state);
    if group.error_code != 0 {
        text.push_str(&format!(" {}", error(group.error_code)));
        let message = group.error_message.iter().map(|message| format!(" \"{}\"", &**message));
        text.extend(message);
    }
    if !group.protocol_type.is_empty() {
        text.push_str(&format!(" type={}", &*group.protocol_type));
    }
    if !group.protocol_data.is_empty() {
        text.push_str(&format!(" protocol={}", &*group.protocol_data));
    }
    for member in &group.members {
        let instance = member.group_instance_id.as_deref();
        let instance = instance.map(|id| format!("({id})")).unwrap_or_default();
        let subscribed = if member.member_metadata.is_empty() { "" } else { "+subscription" };
        text.push_str(&format!(
            " {}{instance}@{}:{}{subscribed}",
            name(names, &member.member_id),
            &*member.client_host,
            self::text(&member.member_assignment),
        ));
    }
    text
}

pub fn fetched(group: &OffsetFetchResponseGroup) -> String {
    let partitions = group.topics.iter().flat_map(|topic| {
        topic.partitions.iter().map(move |p| {
            let error = match p.error_code {
                0 => String::new(),
                code => format!(" {}", error(code)),
            };
            let epoch = match p.committed_leader_epoch {
                -1 => String::new(),
                epoch => format!(" epoch={epoch}"),
            };
            let note = match p.metadata.as_deref() {
                None | Some("") => String::new(),
                Some(note) => format!(" note={note}"),
            };
            let at = format!("{}-{}", &*topic.name, p.partition_index);
            format!("{at}={}{epoch}{note}{error}", p.committed_offset)
        })
    });
    let partitions = partitions.collect::<Vec<_>>();
    let partitions =
        if partitions.is_empty() { "no offsets".to_owned() } else { partitions.join(", ") };
    match group.error_code {
        0 => partitions,
        code => format!("{partitions} {}", error(code)),
    }
}
