use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use coordinator::ReplyToken;

use crate::state::{MemberId, MemberMetadata};

/// One assignment strategy that a member offers, with what it wants under it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Protocol {
    pub name: Arc<str>,
    /// The subscription. Opaque, but for the topic list of protocol type `consumer`.
    pub metadata: Bytes,
}

/// A client that takes part in a group.
#[doc(alias = "ClassicGroupMember")]
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Member {
    pub id: MemberId,
    /// `group.instance.id`: the member keeps its place over a restart. KIP-345.
    pub instance_id: Option<Arc<str>>,
    pub client_id: Arc<str>,
    pub client_host: Arc<str>,
    pub rebalance_timeout_ms: i32,
    pub session_timeout_ms: i32,
    /// In the order of preference. **Invariant:** names are distinct; at least one.
    pub protocols: Vec<Protocol>,
    pub assignment: Bytes,
    /// A JoinGroup that waits for the others.
    pub parked_join: Option<ReplyToken>,
    /// A SyncGroup that waits for the leader.
    pub parked_sync: Option<ReplyToken>,
    /// Has not heard its member id yet, so it cannot send heartbeats, and only its parked
    /// JoinGroup stands for it.
    pub is_new: bool,
}

impl Member {
    /// A member read back from the log: of its strategies only the chosen one is known.
    pub fn from_log(id: &MemberId, protocol: &Arc<str>, metadata: &MemberMetadata) -> Member {
        Member {
            id: id.clone(),
            instance_id: metadata.instance_id.clone(),
            client_id: metadata.client_id.clone(),
            client_host: metadata.client_host.clone(),
            rebalance_timeout_ms: metadata.rebalance_timeout_ms,
            session_timeout_ms: metadata.session_timeout_ms,
            protocols: vec![Protocol {
                name: protocol.clone(),
                metadata: metadata.subscription.clone(),
            }],
            assignment: metadata.assignment.clone(),
            parked_join: None,
            parked_sync: None,
            is_new: false,
        }
    }

    pub fn to_log(&self, protocol: Option<&str>) -> MemberMetadata {
        MemberMetadata {
            instance_id: self.instance_id.clone(),
            client_id: self.client_id.clone(),
            client_host: self.client_host.clone(),
            rebalance_timeout_ms: self.rebalance_timeout_ms,
            session_timeout_ms: self.session_timeout_ms,
            subscription: protocol.map(|name| self.subscription(name)).unwrap_or_default(),
            assignment: self.assignment.clone(),
        }
    }

    /// What the member wants under `protocol`; empty if it does not offer it.
    pub fn subscription(&self, protocol: &str) -> Bytes {
        let offered = self.protocols.iter().find(|offered| &*offered.name == protocol);
        offered.map(|offered| offered.metadata.clone()).unwrap_or_default()
    }

    /// The member's favourite among `candidates`.
    pub fn vote(&self, candidates: &BTreeSet<Arc<str>>) -> Option<Arc<str>> {
        let favourite = self.protocols.iter().find(|offered| candidates.contains(&offered.name));
        favourite.map(|offered| offered.name.clone())
    }

    /// Whether the member counts as alive without a heartbeat: its request is parked here.
    /// A new member does not, or a client that gave up would be a member for ever.
    pub fn is_excused_from_heartbeats(&self) -> bool {
        !self.is_new && (self.parked_join.is_some() || self.parked_sync.is_some())
    }

    pub fn subscription_bytes(&self) -> usize {
        self.protocols.iter().map(|protocol| protocol.metadata.len()).sum()
    }
}
