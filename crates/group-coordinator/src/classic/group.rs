use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use coordinator::ReplyToken;
use types::{ErrorCode, WallTime};

use super::member::{Member, Protocol};
use super::state::ClassicGroupState;
use super::subscription::{CONSUMER_PROTOCOL_TYPE, subscribed_topics};
use crate::state::{GroupId, GroupMetadata, MemberId};

/// The delay before the first rebalance of an empty group, so that members who start together need
/// one rebalance instead of one each.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct InitialDelay {
    /// The delay that runs now.
    pub delay_ms: i32,
    /// What is left of the rebalance timeout for further ones.
    pub remaining_ms: i32,
    /// Somebody joined while it ran: worth another one.
    pub new_member_added: bool,
}

/// A classic group in memory: the round that goes on, and who waits in it.
///
/// Soft state. The log hears of it when a round ends (`to_log`); what it says is in
/// [`GroupMetadata`].
///
/// **Invariant:** `Empty` has no members, `CompletingRebalance` and `Stable` have some; the leader
/// is a member; the counters agree with `members`. See [`check`](Self::check).
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ClassicGroup {
    pub id: GroupId,
    pub state: ClassicGroupState,
    pub since: Option<WallTime>,
    pub generation: i32,
    pub protocol_type: Option<Arc<str>>,
    pub protocol: Option<Arc<str>>,
    pub leader: Option<MemberId>,
    members: BTreeMap<MemberId, Member>,
    static_members: BTreeMap<Arc<str>, MemberId>,
    /// Ids that were handed out and have not come back. The round waits for them.
    pub pending_members: BTreeSet<MemberId>,
    /// Members of this generation that have not sent their SyncGroup.
    pub pending_sync: BTreeSet<MemberId>,
    /// How many members offer a strategy.
    offered: BTreeMap<Arc<str>, usize>,
    parked_joins: usize,
    subscription_bytes: usize,
    /// `None` if unknown: not a consumer group, no strategy chosen yet, or unreadable bytes.
    pub subscribed_topics: Option<BTreeSet<Arc<str>>>,
    /// While the round began from `Empty`.
    pub initial_delay: Option<InitialDelay>,
}

impl ClassicGroup {
    /// A group that nobody has heard of.
    pub fn new(id: GroupId, since: WallTime) -> ClassicGroup {
        ClassicGroup {
            since: Some(since),
            ..ClassicGroup::from_log(&id, &GroupMetadata::default())
        }
    }

    /// The group that the log describes: `Stable` with its members, or `Empty`.
    ///
    /// Source: Kafka `GroupMetadataManager.replay(GroupMetadataKey, GroupMetadataValue)`.
    pub fn from_log(id: &GroupId, log: &GroupMetadata) -> ClassicGroup {
        let mut group = ClassicGroup {
            id: id.clone(),
            state: ClassicGroupState::Empty,
            since: log.since,
            generation: log.generation,
            protocol_type: log.protocol_type.clone(),
            protocol: log.protocol.clone(),
            leader: log.leader.clone(),
            members: BTreeMap::new(),
            static_members: BTreeMap::new(),
            pending_members: BTreeSet::new(),
            pending_sync: BTreeSet::new(),
            offered: BTreeMap::new(),
            parked_joins: 0,
            subscription_bytes: 0,
            subscribed_topics: None,
            initial_delay: None,
        };
        let protocol = log.protocol.clone().unwrap_or_default();
        for (id, member) in &log.members {
            group.state = ClassicGroupState::Stable;
            group.insert(Member::from_log(id, &protocol, member));
        }
        if group.leader.as_deref().is_some_and(|leader| !group.has_member(leader)) {
            group.leader = group.members.keys().next().cloned();
        }
        group.subscribed_topics = group.compute_subscribed_topics();
        group
    }

    /// What the log is told when a round ends.
    pub fn to_log(&self) -> GroupMetadata {
        let protocol = self.protocol.as_deref();
        let member = |member: &Member| (member.id.clone(), member.to_log(protocol));
        GroupMetadata {
            protocol_type: self.protocol_type.clone(),
            generation: self.generation,
            protocol: self.protocol.clone(),
            leader: self.leader.clone(),
            since: self.since,
            members: self.members.values().map(member).collect(),
        }
    }

    /// Nothing in memory that the log does not have.
    pub fn is_idle(&self) -> bool {
        self.state == ClassicGroupState::Empty
            && self.members.is_empty()
            && self.pending_members.is_empty()
    }

    pub fn members(&self) -> impl ExactSizeIterator<Item = &Member> {
        self.members.values()
    }

    pub fn size(&self) -> usize {
        self.members.len()
    }

    pub fn subscription_bytes(&self) -> usize {
        self.subscription_bytes
    }

    pub fn member(&self, id: &str) -> Option<&Member> {
        self.members.get(id)
    }

    pub fn has_member(&self, id: &str) -> bool {
        self.members.contains_key(id)
    }

    pub fn is_leader(&self, id: &str) -> bool {
        self.leader.as_deref() == Some(id)
    }

    /// The member that holds a `group.instance.id` now.
    pub fn static_member(&self, instance_id: &str) -> Option<&MemberId> {
        self.static_members.get(instance_id)
    }

    pub fn parked_joins(&self) -> usize {
        self.parked_joins
    }

    pub fn all_have_joined(&self) -> bool {
        self.members.len() == self.parked_joins && self.pending_members.is_empty()
    }

    /// The longest that any member may take to rejoin.
    pub fn rebalance_timeout_ms(&self) -> i32 {
        self.members.values().map(|member| member.rebalance_timeout_ms).max().unwrap_or(0).max(0)
    }

    pub fn uses_consumer_protocol(&self) -> bool {
        self.protocol_type.as_deref() == Some(CONSUMER_PROTOCOL_TYPE)
    }

    /// Whether members read `topic`, as far as we know: a consumer group whose subscriptions we
    /// cannot read may read anything, a group that stores offsets only reads nothing.
    pub fn is_subscribed_to(&self, topic: &str) -> bool {
        match &self.subscribed_topics {
            Some(topics) => topics.contains(topic),
            None => self.uses_consumer_protocol(),
        }
    }

    /// Whether a request comes from a member of this group and nobody took its place.
    ///
    /// # Errors
    /// `FENCED_INSTANCE_ID`: another member holds the `group.instance.id` now.
    /// `UNKNOWN_MEMBER_ID`: no such member, or no such instance.
    pub fn check_member(&self, id: &str, instance_id: Option<&str>) -> Result<(), ErrorCode> {
        if let Some(instance_id) = instance_id {
            match self.static_members.get(instance_id) {
                None => return Err(ErrorCode::UnknownMemberId),
                Some(holder) if **holder != *id => return Err(ErrorCode::FencedInstanceId),
                Some(_) => {}
            }
        }
        if self.has_member(id) { Ok(()) } else { Err(ErrorCode::UnknownMemberId) }
    }

    /// Whether a member with these strategies could take part: one of them must suit all.
    pub fn supports(&self, protocol_type: &str, protocols: &[Protocol]) -> bool {
        if self.state == ClassicGroupState::Empty {
            return !protocol_type.is_empty() && !protocols.is_empty();
        }
        let offered_by_all = |protocol: &Protocol| {
            self.offered.get(&protocol.name).copied().unwrap_or(0) == self.members.len()
        };
        self.protocol_type.as_deref() == Some(protocol_type) && protocols.iter().any(offered_by_all)
    }

    /// Adds a member that is not there. The first one becomes the leader.
    pub fn insert(&mut self, member: Member) {
        if let Some(instance_id) = &member.instance_id {
            self.static_members.insert(instance_id.clone(), member.id.clone());
        }
        if self.leader.is_none() {
            self.leader = Some(member.id.clone());
        }
        self.pending_members.remove(&member.id);
        self.count(&member);
        let replaced = self.members.insert(member.id.clone(), member);
        debug_assert!(replaced.is_none(), "a member joined twice");
    }

    /// Takes a member out and gives the lead to another one if it was the leader. Its parked
    /// requests are the caller's to answer.
    pub fn remove(&mut self, id: &str) -> Option<Member> {
        let removed = self.take(id);
        if self.is_leader(id) {
            self.leader = self.members.keys().next().cloned();
        }
        self.pending_members.remove(id);
        self.pending_sync.remove(id);
        removed
    }

    /// Changes a member in place; the counters follow.
    pub fn update<T>(&mut self, id: &str, change: impl FnOnce(&mut Member) -> T) -> Option<T> {
        let mut member = self.members.remove(id)?;
        self.uncount(&member);
        let result = change(&mut member);
        self.count(&member);
        self.members.insert(member.id.clone(), member);
        Some(result)
    }

    /// Puts `member` in the place of the static member `old`, which it may lead.
    pub fn replace(&mut self, old: &str, member: Member) {
        self.take(old);
        self.pending_sync.remove(old);
        if self.is_leader(old) {
            self.leader = Some(member.id.clone());
        }
        self.insert(member);
    }

    fn take(&mut self, id: &str) -> Option<Member> {
        let member = self.members.remove(id)?;
        self.uncount(&member);
        if let Some(instance_id) = &member.instance_id
            && self.static_member(instance_id) == Some(&member.id)
        {
            self.static_members.remove(instance_id);
        }
        Some(member)
    }

    /// Parks a JoinGroup; the one it displaces is the caller's to answer.
    pub fn park_join(&mut self, id: &str, token: ReplyToken) -> Option<ReplyToken> {
        self.update(id, |member| member.parked_join.replace(token)).flatten()
    }

    pub fn take_parked_join(&mut self, id: &str) -> Option<ReplyToken> {
        self.update(id, |member| member.parked_join.take()).flatten()
    }

    /// Members that have not parked a JoinGroup in this round.
    pub fn not_yet_rejoined(&self) -> impl Iterator<Item = &Member> {
        self.members.values().filter(|member| member.parked_join.is_none())
    }

    /// Makes sure that the leader is a member that takes part in the round; whether there is one.
    pub fn elect_leader_among_joined(&mut self) -> bool {
        let Some(leader) = self.leader.as_deref() else { return false };
        if self.members.get(leader).is_some_and(|leader| leader.parked_join.is_some()) {
            return true;
        }
        let joined = self.members.values().find(|member| member.parked_join.is_some());
        match joined {
            Some(member) => {
                self.leader = Some(member.id.clone());
                true
            }
            None => false,
        }
    }

    /// The strategy with the most votes among those that all members offer. The leader's order
    /// breaks ties (Kafka leaves them to chance).
    pub fn select_protocol(&self) -> Option<Arc<str>> {
        let candidates: BTreeSet<Arc<str>> = self
            .offered
            .iter()
            .filter(|(_, members)| **members == self.members.len())
            .map(|(name, _)| name.clone())
            .collect();
        let mut votes: BTreeMap<Arc<str>, usize> = BTreeMap::new();
        for favourite in self.members.values().filter_map(|member| member.vote(&candidates)) {
            *votes.entry(favourite).or_default() += 1;
        }
        let most = votes.values().copied().max()?;
        let leader = self.leader.as_ref().and_then(|leader| self.members.get(leader));
        let preferred = leader.into_iter().flat_map(|leader| &leader.protocols);
        let winner = |name: &Arc<str>| votes.get(name) == Some(&most);
        preferred
            .map(|protocol| &protocol.name)
            .chain(votes.keys())
            .find(|name| winner(name))
            .cloned()
    }

    /// Moves on to the next generation: `CompletingRebalance` with its strategy, or `Empty`.
    pub fn begin_next_generation(&mut self, now: WallTime) {
        self.generation = self.generation.checked_add(1).unwrap_or(0);
        self.protocol = self.select_protocol();
        self.subscribed_topics = self.compute_subscribed_topics();
        self.initial_delay = None;
        self.enter(
            if self.members.is_empty() {
                ClassicGroupState::Empty
            } else {
                ClassicGroupState::CompletingRebalance
            },
            now,
        );
    }

    pub fn enter(&mut self, state: ClassicGroupState, now: WallTime) {
        self.state = state;
        self.since = Some(now);
    }

    fn compute_subscribed_topics(&self) -> Option<BTreeSet<Arc<str>>> {
        if !self.uses_consumer_protocol() {
            return None;
        }
        if self.members.is_empty() {
            return Some(BTreeSet::new());
        }
        let protocol = self.protocol.as_deref()?;
        let mut topics = BTreeSet::new();
        for member in self.members.values() {
            topics.extend(subscribed_topics(&member.subscription(protocol))?);
        }
        Some(topics)
    }

    fn count(&mut self, member: &Member) {
        for protocol in &member.protocols {
            *self.offered.entry(protocol.name.clone()).or_default() += 1;
        }
        self.parked_joins += usize::from(member.parked_join.is_some());
        self.subscription_bytes += member.subscription_bytes();
    }

    fn uncount(&mut self, member: &Member) {
        for protocol in &member.protocols {
            if let Some(count) = self.offered.get_mut(&protocol.name) {
                *count -= 1;
                if *count == 0 {
                    self.offered.remove(&protocol.name);
                }
            }
        }
        self.parked_joins -= usize::from(member.parked_join.is_some());
        self.subscription_bytes -= member.subscription_bytes();
    }

    /// Asserts what the type promises; the tests call it after every event.
    ///
    /// # Panics
    /// If an invariant is broken.
    pub fn check(&self) {
        let parked = self.members.values().filter(|m| m.parked_join.is_some()).count();
        assert_eq!(self.parked_joins, parked, "parked joins of {}", self.id);
        let bytes: usize = self.members.values().map(Member::subscription_bytes).sum();
        assert_eq!(self.subscription_bytes, bytes, "subscription bytes of {}", self.id);
        for (instance, holder) in &self.static_members {
            let held = self.members.get(holder).and_then(|member| member.instance_id.as_ref());
            assert_eq!(held, Some(instance), "instance of {holder}");
        }
        for (name, count) in &self.offered {
            let offers = |m: &&Member| m.protocols.iter().any(|p| p.name == *name);
            assert_eq!(*count, self.members.values().filter(offers).count(), "offers of {name}");
        }
        assert!(self.pending_sync.iter().all(|id| self.members.contains_key(id)));
        assert!(self.pending_members.iter().all(|id| !self.members.contains_key(id)));
        match self.state {
            ClassicGroupState::Empty => assert_eq!(self.size(), 0, "members of {}", self.id),
            // Members may leave while the round waits for an id that was handed out.
            ClassicGroupState::PreparingRebalance => {}
            _ => assert!(self.size() > 0, "{} is {} without members", self.id, self.state),
        }
        if let Some(leader) = &self.leader {
            assert!(self.members.contains_key(leader), "the leader of {} is a member", self.id);
        }
    }
}
