//! Producer ids and transactions.

use crate::property::{Property, boolean, int, short};

const NOT_YET: &str = "transactions are not served yet";

#[rustfmt::skip]
pub(super) const ROWS: &[Property] = &[
    int("producer.id.expiration.ms", "86400000").at_least(1).low().cluster_wide()
        .doc("How long a partition remembers a producer that sends nothing."),
    int("producer.id.expiration.check.interval.ms", "600000").at_least(1).low()
        .doc("How often forgotten producers are looked for."),
    int("transactional.id.expiration.ms", "604800000").at_least(1).high()
        .accepted(NOT_YET)
        .doc("How long a transactional id is remembered after its last use."),
    int("transaction.max.timeout.ms", "900000").at_least(1).high()
        .accepted(NOT_YET)
        .doc("The longest transaction a producer may ask for."),
    short("transaction.state.log.replication.factor", "3").at_least(1).high()
        .accepted(NOT_YET)
        .doc("Replicas of `__transaction_state`."),
    int("transaction.state.log.min.isr", "2").at_least(1).high()
        .accepted(NOT_YET)
        .doc("`min.insync.replicas` of `__transaction_state`."),
    int("transaction.state.log.num.partitions", "50").at_least(1).high()
        .accepted(NOT_YET)
        .doc("Partitions of `__transaction_state`; must not change once it exists."),
    int("transaction.state.log.segment.bytes", "104857600").at_least(1).high()
        .accepted(NOT_YET)
        .doc("The segment size of `__transaction_state`."),
    int("transaction.state.log.load.buffer.size", "5242880").at_least(1).high()
        .accepted(NOT_YET)
        .doc("How many bytes are read at once when a transaction coordinator loads."),
    int("transaction.abort.timed.out.transaction.cleanup.interval.ms", "10000").at_least(1).low()
        .accepted(NOT_YET)
        .doc("How often transactions that ran out of time are aborted."),
    int("transaction.remove.expired.transaction.cleanup.interval.ms", "3600000").at_least(1).low()
        .accepted(NOT_YET)
        .doc("How often expired transactional ids are removed."),
    boolean("transaction.partition.verification.enable", "true").low().cluster_wide()
        .accepted(NOT_YET)
        .doc("Whether a write in a transaction is checked against the coordinator."),
    boolean("transaction.two.phase.commit.enable", "false").low()
        .accepted(NOT_YET)
        .doc("Whether transactions may wait for an outside coordinator without a timeout."),
    int("add.partitions.to.txn.retry.backoff.ms", "20").at_least(1).high()
        .accepted(NOT_YET)
        .doc("The pause before the check of a transaction's partition is repeated."),
    int("add.partitions.to.txn.retry.backoff.max.ms", "100").at_least(0).high()
        .accepted(NOT_YET)
        .doc("The longest such pause."),
];
