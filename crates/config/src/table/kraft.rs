//! Which node this is, and how nodes agree.

use crate::property::{
    Property, Rule, boolean, int, int_unset, list, list_unset, long, text_unset,
};

const NAMED_VOTERS: &str = "a controller is added by `ottla cluster quorum add`, or Kafka's tool";

#[rustfmt::skip]
pub(super) const ROWS: &[Property] = &[
    list_unset("process.roles").rule(Rule::EachOf(&["broker", "controller"])).high()
        .doc("What this node does: `broker`, `controller` or both; unset means both."),
    int_unset("node.id").at_least(0).high()
        .doc("The number of this node, unique in the cluster; unset means `broker.id`, or 1."),
    int("broker.id", "-1").high()
        .doc("The older name of `node.id`; if both are set they must be equal."),
    list_unset("controller.listener.names").high()
        .doc("The listeners that controllers use; clients are never told of them."),
    list("controller.quorum.voters", "").high()
        .doc("The voters of a static quorum as `id@host:port`."),
    list("controller.quorum.bootstrap.servers", "").high()
        .doc("Where a node finds the quorum when its voters are stored in the metadata log; a \
              controller that is told of others here votes once it is added."),
    int("controller.quorum.election.timeout.ms", "1000").at_least(0).high()
        .doc("The longest that a candidate waits for a majority before it tries again: 46 % of \
              this and a random pause."),
    int("controller.quorum.fetch.timeout.ms", "2000").at_least(0).high()
        .doc("The longest that a voter goes without a word from the leader before it stands for \
              election: 23 % of this and a random pause, by default 460 to 840 ms. Leaders speak \
              twenty times in it; one that hears no majority for a fifth of it leads no more."),
    int("controller.quorum.election.backoff.max.ms", "1000").at_least(0).high()
        .doc("Keeps voters from standing against each other: their random pauses are shorter than \
              two fifths of this."),
    int("controller.quorum.append.linger.ms", "25").at_least(0)
        .accepted("metadata is committed at once, in one sync for all that waits")
        .doc("How long the leader gathers metadata records before it writes them."),
    int("controller.quorum.request.timeout.ms", "2000").at_least(0)
        .doc("How long a voter waits for another voter's answer."),
    int("controller.quorum.retry.backoff.ms", "20").at_least(0).low()
        .doc("The pause before a failed request to a voter is repeated."),
    boolean("controller.quorum.auto.join.enable", "false").low()
        .accepted(NAMED_VOTERS)
        .doc("Whether a new controller adds itself to the voters."),
    int("broker.heartbeat.interval.ms", "200").at_least(1)
        .doc("How often a broker tells the controller that it lives (Kafka: 2000)."),
    int("broker.session.timeout.ms", "1200").at_least(1)
        .doc("How long a silent broker keeps its leaderships (Kafka: 9000). A broker whose \
              connection ends without a goodbye keeps them for 250 ms."),
    int("initial.broker.registration.timeout.ms", "60000")
        .doc("How long a starting broker tries to register before it gives up."),
    text_unset("metadata.log.dir").high()
        .doc("Where the metadata log lives; unset means the first of `log.dirs`."),
    int("metadata.log.segment.bytes", "1073741824").at_least(8_388_608).high()
        .doc("The size at which a new segment of the metadata log begins."),
    long("metadata.log.segment.ms", "604800000").high()
        .doc("The age at which a new segment of the metadata log begins."),
    long("metadata.max.retention.bytes", "104857600").high()
        .doc("What the metadata log and its snapshots take before the log is trimmed to the newest \
              snapshot but one; a negative number turns size off."),
    long("metadata.max.retention.ms", "604800000").high()
        .doc("The age at which records go that are in the newest snapshot but one; a negative \
              number turns time off. It is looked at whenever a snapshot is written."),
    long("metadata.log.max.record.bytes.between.snapshots", "20971520").at_least(1).high()
        .doc("How many bytes of records the metadata log takes before a snapshot is written."),
    long("metadata.log.max.snapshot.interval.ms", "3600000").at_least(0).high()
        .doc("The longest time between two snapshots while records arrive; 0 turns time off."),
    int("metadata.max.idle.interval.ms", "500").at_least(0).low()
        .accepted("an idle metadata log stays idle: no empty records are written")
        .doc("How often the active controller writes an empty record when nothing happens."),
    long("server.max.startup.time.ms", "9223372036854775807").at_least(0)
        .accepted("starting has no steps that wait for others")
        .doc("How long starting may take before the node gives up."),
    boolean("unstable.api.versions.enable", "false").high()
        .accepted("only finished API versions are offered")
        .doc("Whether unfinished versions of APIs are offered to clients."),
    boolean("unstable.feature.versions.enable", "false").high()
        .accepted("only finished features are offered")
        .doc("Whether unfinished feature levels may be used."),
    list("config.providers", "").low()
        .refused("values would stay unresolved `${…}` references; write the values themselves")
        .doc("Plug-ins that resolve `${provider:path:key}` in values."),
    list_unset("early.start.listeners").high()
        .accepted("all listeners open together, once requests can be authorized")
        .doc("Listeners that open before the authorizer has loaded."),
    boolean("broker.id.generation.enable", "true")
        .accepted("ids come from `node.id`")
        .doc("Whether a broker without id is given one (ZooKeeper mode)."),
    int("reserved.broker.max.id", "1000").at_least(0)
        .accepted("ids come from `node.id`")
        .doc("The largest id that people may choose; generated ones are larger (ZooKeeper mode)."),
];
