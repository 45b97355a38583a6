//! Bounds of one group. A group that needs more is refused, never half served.

/// Members of a group, whatever `group.max.size` allows (Kafka's default is no limit).
///
/// A group is written as one record and a member takes at least 100 bytes in it, so 20,000 of them
/// already pass the default `max.message.bytes` (1 MiB) twice over.
pub const MEMBERS_PER_GROUP_MAX: usize = 20_000;

/// Members that were given an id and have not come back with it: one session timeout's worth.
/// As many as there may be members, since each of them may become one.
pub const PENDING_MEMBERS_PER_GROUP_MAX: usize = MEMBERS_PER_GROUP_MAX;

/// Requests of one group that wait for an answer: a member parks one JoinGroup or one SyncGroup
/// at a time, and a newer one answers the older.
pub const PARKED_PER_GROUP_MAX: usize = 2 * MEMBERS_PER_GROUP_MAX;

/// Assignment strategies that a member may offer. Clients ship fewer than ten.
pub const PROTOCOLS_PER_MEMBER_MAX: usize = 64;

/// Subscription bytes that a member may hold over all its strategies.
/// Kafka Streams, the largest user, stays below 100 KiB.
pub const SUBSCRIPTION_BYTES_PER_MEMBER_MAX: usize = 1 << 20;

/// Subscription bytes of all members of a group. They are held while the group lives, and the
/// leader's JoinGroup response carries them all.
pub const SUBSCRIPTION_BYTES_PER_GROUP_MAX: usize = 64 << 20;

/// A name in a record or a response: its length is an `int16` on disk.
pub const NAME_BYTES_MAX: usize = i16::MAX as usize;

/// The part of a generated member id that is taken from the client id. With the id behind it the
/// whole must stay below [`NAME_BYTES_MAX`].
pub const MEMBER_ID_PREFIX_BYTES_MAX: usize = 1024;

/// Tombstones that one expiration turn may write before it lets other events pass.
pub const TOMBSTONES_PER_TURN_MAX: usize = 1_000;

/// Groups that one expiration turn looks at before it lets other events pass.
pub const GROUPS_PER_EXPIRATION_TURN_MAX: usize = 1_000;

const _: () = assert!(PARKED_PER_GROUP_MAX >= MEMBERS_PER_GROUP_MAX);
const _: () = assert!(SUBSCRIPTION_BYTES_PER_MEMBER_MAX <= SUBSCRIPTION_BYTES_PER_GROUP_MAX);
const _: () = assert!(MEMBER_ID_PREFIX_BYTES_MAX + 64 < NAME_BYTES_MAX);
