//! Whether this node does all that it should, and what is wrong if not.

use env::Env;

use crate::limits::DISK_NEARLY_FULL_PERCENT;
use crate::log_store::DirFacts;
use crate::node::Node;

/// What an operator should look at. Empty: nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    pub problems: Vec<Problem>,
}

/// One thing that is wrong, in the parts of every error here: what, where, what to do, a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub code: &'static str,
    /// The directory, partition or whatever is meant.
    pub object: String,
    pub what: String,
    pub todo: &'static str,
}

/// Looks at the log directories: cheap, and never waits for a client.
pub fn health<E: Env>(node: &Node<E>) -> Health {
    let dirs = node.log_store.describe();
    Health { problems: dirs.iter().flat_map(problems_of).collect() }
}

fn problems_of(dir: &DirFacts) -> Vec<Problem> {
    let problem = |code, what, todo| Problem { code, object: dir.path.clone(), what, todo };
    let mut problems = Vec::new();
    if dir.is_offline {
        problems.push(problem(
            "LOG_DIR_OFFLINE",
            "a disk error has taken the log directory out of use; its partitions are not served"
                .to_owned(),
            "look for the first error in the log, repair the disk, and restart the node",
        ));
    }
    let quarantined = dir.metrics.cleaner_quarantined.get();
    if quarantined > 0 {
        problems.push(problem(
            "PARTITIONS_UNCLEANABLE",
            format!("{quarantined} partitions are not compacted after an error; they grow"),
            "look for the cleaner's error in the log, then check with ottla log verify",
        ));
    }
    if let Some((total, free)) = dir.space.filter(|space| is_nearly_full(*space)) {
        problems.push(problem(
            "DISK_NEARLY_FULL",
            format!("{free} of {total} bytes are free"),
            "lower retention.ms or retention.bytes of large topics, delete topics, or add space",
        ));
    }
    problems
}

fn is_nearly_full((total, free): (u64, u64)) -> bool {
    free < total / 100 * DISK_NEARLY_FULL_PERCENT
}
