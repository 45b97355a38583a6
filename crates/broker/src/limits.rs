//! Every bound of the broker, with its arithmetic.

use std::time::Duration;

/// The least room offered to a socket read. Small connections read whole requests with it.
pub const READ_BYTES_MIN: usize = 8 * 1024;

/// The room offered to a connection that keeps filling what it is given: five produce requests of
/// 16 KiB in one read.
pub const READ_BYTES_MAX: usize = 256 * 1024;

/// The largest read buffer that connections take turns with: what a busy one is given, and as much
/// again for the end of a request that began in the room before.
pub const SPARE_BUFFER_BYTES_MAX: usize = 2 * READ_BYTES_MAX;

/// The most that is reserved ahead for one incomplete frame: a default producer batch (1 MiB) with
/// the request around it.
pub const FRAME_RESERVE_BYTES_MAX: usize = 1024 * 1024 + 64 * 1024;

/// Requests of one connection that may be unanswered before it is read no further. Java clients
/// keep 5 in flight, librdkafka up to 1,000 by configuration but far fewer in practice.
pub const IN_FLIGHT_REQUESTS_MAX: usize = 128;

/// Bytes of answers that a client may leave untaken before no more of its requests are served. One
/// fetch may exceed it by `fetch.max.bytes`.
pub const READY_RESPONSE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Requests of one connection that are dispatched before others get their turn.
pub const REQUESTS_PER_TURN: usize = 16;

/// Whose requests have been the only ones on its thread for so long has the thread to itself: few
/// that are busy leave each other such gaps.
pub const ALONE_AFTER: Duration = Duration::from_millis(10);

/// The most partitions one fetch may wait on; more and it is answered at once.
pub const FETCH_WAIT_PARTITIONS_MAX: usize = 100_000;

/// How often a follower's fetch looks at all partitions of its session and not only at those that
/// have changed: it is how old the leader's knowledge of one that is caught up and not written to
/// may be. A look at 3,333 partitions takes some 5 ms, 0.1 % of a core for each follower.
pub const LOOK_AT_ALL_EVERY: Duration = Duration::from_secs(5);

/// A request with so much of records at most, and the buffer that it was read into, may stay in
/// memory until it is acknowledged: to copy the names that its answer needs costs more.
pub const HELD_REQUEST_BYTES_MAX: usize = 4 * 1024;

/// A fetch never waits longer, whatever the client asks: Java's default request timeout is 30 s.
pub const FETCH_WAIT_MS_MAX: i32 = 5 * 60 * 1000;

/// How often partitions are looked at for `flush.ms`: the age is kept to within it.
pub const FLUSH_CHECK_MS: i64 = 1000;

/// In one of so many of these rounds what a start goes by is written down. A log waits meanwhile
/// for as long as the file system takes to remove a file, and a producer to 64 of them with it.
pub const WRITE_DOWN_ROUNDS: u64 = 3;

/// How much of the metadata log is read at once; one batch at a time is looked at.
pub const METADATA_READ_BYTES: usize = 1024 * 1024;

/// Left on the disk of a leading voter when it takes no more: an append that was agreed and finds
/// no room ends a voter, a proposal that is refused ends nothing.
pub const METADATA_SPARE_BYTES: u64 = 16 * 1024 * 1024;

/// `quorum-state`: 31 voters of 16 endpoints each and 2048 remembered identities of 40 bytes.
pub const QUORUM_STATE_BYTES_MAX: u64 = 1024 * 1024;

/// How much of a coordinator's partition is read at once. Kafka: `offsets.load.buffer.size`, 5 MiB.
pub const COORDINATOR_LOAD_BYTES: usize = 4 * 1024 * 1024;

/// What a cleaner does before it looks at the clock again: a few tens of milliseconds of work.
pub const CLEANING_PIECE_BYTES: u64 = 4 * 1024 * 1024;

/// Cleaners of one node, whatever `log.cleaner.threads` says.
pub const CLEANERS_MAX: usize = 64;

/// How long a partition that could not be cleaned is left alone. A damaged batch does not mend, but
/// a full disk does.
pub const QUARANTINE: Duration = Duration::from_secs(15 * 60);

/// How long a fetch session must be unused before another may take its slot. Source: Kafka
/// `FetchSession` (2 minutes).
pub const FETCH_SESSION_EVICTION_IDLE: Duration = Duration::from_secs(120);

/// With more topics than this their counts are shown only as a sum: 7 lines of some 90 bytes each
/// would make a page of more than 600 KB.
pub const METRIC_TOPICS_MAX: usize = 1_000;

/// With more partitions than this none is shown by itself: 4 lines each, some 700 KB a page.
pub const METRIC_PARTITIONS_MAX: usize = 2_000;

/// With less of its file system free than this a log directory is reported as nearly full: time
/// enough to act before anything is refused.
pub const DISK_NEARLY_FULL_PERCENT: u64 = 10;

/// How often the log may learn that a disk has no room.
pub const FULL_DISK_CHECK: Duration = Duration::from_secs(1);

/// A disk that was full is said to have room once nothing was refused for so long: at its edge that
/// makes twelve lines a minute at most.
pub const ROOM_STAYS: Duration = Duration::from_secs(10);

/// How long a partition for which the disk had no room waits for the next attempt to make it.
pub const UNMADE_RETRY: Duration = Duration::from_secs(5);

/// Retention looks at so many partitions before others have their turn on its lane: some
/// milliseconds, unless much is to go.
pub const RETENTION_PARTITIONS_AT_ONCE: usize = 64;

/// A wall clock that has moved by so much more or less than time has passed was set by somebody.
/// Time services step by seconds; an hour is what retention may err by.
pub const CLOCK_JUMP_MS_MAX: u64 = 60 * 60 * 1000;

/// A clock that was set is believed once it has stayed so for a day: long enough for somebody to
/// notice, short beside a retention of days.
pub const CLOCK_BELIEVED_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// What a move to another log directory copies at once; the last piece is copied while appends
/// wait: about 2 ms on a disk of 500 MiB/s, and a sync.
pub const MOVE_PIECE_BYTES: usize = 1024 * 1024;

/// How long a move waits for room in its new directory before it tries again.
pub const MOVE_RETRY: Duration = Duration::from_secs(5);

/// Between a fetch from a leader that failed and the next one to it: a leader that is gone is heard
/// of through the metadata, and does not wait for this.
pub const FETCHER_BACKOFF: Duration = Duration::from_millis(200);

/// How often leaders are asked whether their in-sync sets should change, while a follower fetches
/// that is in none: one that has caught up is in the set within this and a round trip. With ten
/// thousand partitions that is some 1 % of a core.
pub const ISR_CHECK_INTERVAL: Duration = Duration::from_millis(250);

/// How often they are asked at least, to see who has become too slow; an eighth of
/// `replica.lag.time.max.ms` if that is less. Kafka: half of that, 15 s.
pub const ISR_CHECK_IDLE_MAX: Duration = Duration::from_secs(2);

/// Requests to one node over one connection that may wait for their answers. A broker forwards
/// what its clients ask of the controller; more at once are refused.
pub const PEER_REQUESTS_MAX: usize = 1_000;

/// How long a fetch of the metadata log waits at the controller for something to be committed. It
/// is also how often a broker learns that its controller is alive. Kafka: 500 ms
/// (`KafkaRaftClient.MAX_FETCH_WAIT_MS`).
pub const METADATA_FETCH_WAIT: Duration = Duration::from_millis(500);

/// How long a broker that does not fetch the metadata log is still described as an observer of it.
/// Source: Kafka `LeaderState.OBSERVER_SESSION_TIMEOUT_MS`.
pub const OBSERVER_SESSION: Duration = Duration::from_secs(300);

/// Observers that a controller remembers, a hundred bytes each: more than there are brokers.
pub const OBSERVERS_MAX: usize = 10_000;

/// Record bytes in one batch of a metadata snapshot.
pub const SNAPSHOT_BATCH_BYTES: usize = 1024 * 1024;

/// The first batch of a metadata snapshot: 31 voters with 16 endpoints each, of 100 bytes.
pub const SNAPSHOT_HEADER_BYTES_MAX: usize = 64 * 1024;

/// The longest metadata snapshot that is read: a million partitions are some 110 MiB.
pub const SNAPSHOT_BYTES_MAX: u64 = 1024 * 1024 * 1024;

/// Metadata snapshots that are kept: the newest, and the one before it for who is reading that.
pub const SNAPSHOTS_KEPT: usize = 2;

/// What one fetch of the metadata log brings. Kafka: 8 MiB
/// (`KafkaRaftClient.MAX_FETCH_SIZE_BYTES`).
pub const METADATA_FETCH_BYTES: i32 = 8 * 1024 * 1024;

/// The longest pause between two attempts to reach a controller: an election takes about as long.
pub const CONTROLLER_RETRY_MAX: Duration = Duration::from_millis(250);

/// How much longer than it asked to wait a replica's fetch may take. A leader that is frozen keeps
/// its followers waiting no longer; `replica.lag.time.max.ms` (30 s) is never reached by it alone.
pub const REPLICA_FETCH_PATIENCE: Duration = Duration::from_secs(5);

/// How long clients are told of no leader where a follower has lost its connection to one. A leader
/// whose process has ended is replaced in less; one that is merely out of reach of this broker is
/// named again then, for the controller has not found it gone.
pub const LEADER_LOST_FOR_MAX: Duration = Duration::from_secs(1);

/// An answer that a leader owes for so long to a follower here, beyond what a fetch may wait for
/// records, is taken for a sign that the leader is lost.
pub const LEADER_ANSWERS_WITHIN: Duration = Duration::from_millis(300);

/// How long a message to another voter may be on its way before it counts as lost. Voters miss a
/// leader after less.
pub const QUORUM_MESSAGE_PATIENCE: Duration = Duration::from_secs(1);

/// Messages of other voters that wait for the disk here. Each voter has a few hundred on their way
/// at most; what finds no room is lost, as on a network.
pub const VOTER_INBOX_MAX: usize = 1_024;

/// The same in bytes: some of the largest messages of each of the other voters.
pub const VOTER_INBOX_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Decisions that wait for their turn at the controller of a quorum. Each waits for the disks of
/// a majority, so that more would wait for longer than those who ask do.
pub const DECISIONS_WAITING_MAX: usize = 10_000;

/// How long a change of in-sync sets may be on its way. It is made again if it is still wanted.
pub const ALTER_PARTITION_PATIENCE: Duration = Duration::from_secs(3);

/// How long a voter tries to tell the quorum where it listens; it tries again after that, and under
/// the next leader.
pub const UPDATE_VOTER_PATIENCE: Duration = Duration::from_secs(10);

/// How long what a client asks of the controller may be on its way. Java clients wait 30 s.
pub const FORWARDING_PATIENCE: Duration = Duration::from_secs(30);

/// How long a broker that wants to stop waits for others to take over. Kafka waits five minutes;
/// supervisors of processes kill after 10 to 90 s.
pub const LEAVING_PATIENCE: Duration = Duration::from_secs(30);

/// Clients that wait for a producer id while another block is on its way; more are told to come
/// back. They retry by themselves.
pub const PRODUCER_IDS_WAITING_MAX: usize = 10_000;

/// Producers of which a partition remembers that it has just refused a batch: 64 bytes each, and
/// only where batches are refused.
pub const REFUSED_RUNS_MAX: usize = 256;

/// Partitions of which a broker remembers that it has just refused a batch because they were not to
/// be found.
pub const EARLY_REFUSALS_MAX: usize = 1_000;

/// How long. What is behind the refused batch has left the client before it heard of the refusal.
pub const EARLY_REFUSALS_FOR: Duration = Duration::from_secs(10);

/// How long clients hear of a broker that was fenced for its silence.
pub const SILENT_NAMED_FOR: Duration = Duration::from_secs(1);

/// Who asks later than this after a leader was lost has asked before.
pub const LEADER_JUST_LOST: Duration = Duration::from_millis(30);

/// How long it then waits for the successor: of a silent leader there is one after a session, of
/// which most has passed before its silence is noticed.
pub const NEXT_LEADER_WAIT_MAX: Duration = Duration::from_secs(1);

/// A client that has been connected for so long knows who leads; if it asks again it may have lost
/// a leader.
pub const METADATA_ASKED_ANEW_AFTER: Duration = Duration::from_secs(1);

/// How long it waits for its answer then: a process that is killed ends its connections one by one,
/// that to this broker perhaps last.
pub const LOST_LEADER_NOTICED_IN: Duration = Duration::from_millis(10);

/// For so long after it has come to lead something a leader looks out for its followers, which may
/// hear of it later.
pub const FOLLOWERS_EXPECTED_FOR: Duration = Duration::from_millis(200);

/// How long a fetch of a follower waits meanwhile.
pub const FOLLOWERS_EXPECTED_WAIT_MAX: Duration = Duration::from_millis(10);

/// For so long after an election a producer's next batch but one is no broken sequence: the
/// `request.timeout.ms` of clients by default.
pub const GAP_AFTER_ELECTION_MS: u64 = 30_000;

/// How often the log tells of a broken sequence in a partition: a client that goes wrong does so
/// with every batch.
pub const BROKEN_SEQUENCE_WARNING_MS: u64 = 60_000;

/// The largest answer that is taken from another node: a fetch of
/// `replica.fetch.response.max.bytes` (10 MiB) may exceed it by one batch, and
/// `socket.request.max.bytes` (100 MiB) lets in no larger one.
pub const PEER_RESPONSE_BYTES_MAX: usize = 128 * 1024 * 1024;

/// How many reads wait for the disk at a time.
pub const COLD_READ_LANES: usize = 4;

/// How long a broker without a lease holds an answer back that another may know better: a
/// controller is replaced within a second and a half. What follows on the connection, heartbeats
/// among it, waits as well.
pub const LEASE_WAIT_MAX: Duration = Duration::from_secs(3);

/// How often it looks whether the lease is back.
pub const LEASE_LOOK: Duration = Duration::from_millis(20);
