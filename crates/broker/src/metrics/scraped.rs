//! Numbers that are looked up when somebody asks.

use metrics::Family;

const PARTITION: &[&str] = &["topic", "partition"];
const DIR: &[&str] = &["logDirectory"];

macro_rules! gauges {
    ($($name:ident = $family:literal, $labels:expr, $help:literal;)+) => {
        $(pub(super) const $name: Family = Family::gauge($family, $labels, $help);)+

        /// All of them, in order.
        pub(super) const SCRAPED: &[Family] = &[$($name),+];
    };
}

gauges! {
    LOG_SIZE = "kafka_log_log_size", PARTITION, "Bytes of a partition's segments on this broker.";
    LOG_START = "kafka_log_log_logstartoffset", PARTITION, "The first offset that can be read.";
    LOG_END = "kafka_log_log_logendoffset", PARTITION, "The offset that the next record gets.";
    LOG_SEGMENTS = "kafka_log_log_numlogsegments", PARTITION, "Segments of a partition.";
    DIR_OFFLINE = "kafka_log_logmanager_logdirectoryoffline", DIR,
        "1 if an error has taken the log directory out of use, 0 if not.";
    DIRS_OFFLINE = "kafka_log_logmanager_offlinelogdirectorycount", &[],
        "Log directories that an error has taken out of use.";
    DIR_BYTES = "ottla_log_dir_total_bytes", DIR, "Size of the file system below a log directory.";
    DIR_FREE = "ottla_log_dir_free_bytes", DIR, "Bytes free on that file system.";
    PARTITIONS = "kafka_server_replicamanager_partitioncount", &[],
        "Partitions with a replica on this broker.";
    LEADERS = "kafka_server_replicamanager_leadercount", &[], "Partitions that this broker leads.";
    UNDER_REPLICATED = "kafka_server_replicamanager_underreplicatedpartitions", &[],
        "Partitions led here of which some replica is not in sync.";
    UNDER_MIN_ISR = "kafka_server_replicamanager_underminisrpartitioncount", &[],
        "Partitions led here with fewer replicas in sync than min.insync.replicas.";
    OFFLINE_REPLICAS = "kafka_server_replicamanager_offlinereplicacount", &[],
        "Replicas on this broker whose log directory is out of use.";
    LEADER_RATE = "kafka_server_leaderreplication_byte_rate", &[],
        "Bytes a second sent to throttled replicas; counted while a rate is set.";
    FOLLOWER_RATE = "kafka_server_followerreplication_byte_rate", &[],
        "Bytes a second fetched by throttled replicas; counted while a rate is set.";
    DIRS_RATE = "kafka_server_alterlogdirsreplication_byte_rate", &[],
        "Bytes a second copied to other log directories.";
    ACTIVE_CONTROLLERS = "kafka_controller_kafkacontroller_activecontrollercount", &[],
        "1 on the node that is the active controller, 0 elsewhere.";
    TOPICS = "kafka_controller_kafkacontroller_globaltopiccount", &[], "Topics of the cluster.";
    ALL_PARTITIONS = "kafka_controller_kafkacontroller_globalpartitioncount", &[],
        "Partitions of the cluster.";
    OFFLINE_PARTITIONS = "kafka_controller_kafkacontroller_offlinepartitionscount", &[],
        "Partitions of the cluster without a leader.";
    SERIES_LEFT_OUT = "ottla_metrics_left_out", &["kind"],
        "Topics and partitions that are too many to be shown one by one.";
    BUILD = "ottla_build_info", &["version"], "1; which version runs is in the label.";
}
