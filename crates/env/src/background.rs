use std::time::Duration;

/// A piece of work that may block.
pub type Job = Box<dyn FnOnce() + Send>;

/// Where work that blocks is done, beside those who serve.
pub trait Background: Send + Sync + 'static {
    type Lane: Lane;

    /// A queue of its own. `name` is for people: a thread is called so.
    fn lane(&self, name: &str) -> Self::Lane;
}

/// A queue of jobs. Clones share it.
///
/// **Invariant:** the jobs of one lane run one after another, in the order given; those of
/// different lanes side by side. A job of a process that is gone never runs.
pub trait Lane: Clone + Send + Sync + 'static {
    /// Returns at once; must be callable from within a job.
    fn run(&self, job: Job);

    /// Does a job that usually takes so long before it returns, instead of handing it over, if this
    /// world thinks that shorter. Says whether it did. Whoever asks sees to it that the lane has
    /// nothing to do that the job must not overtake.
    fn run_here(&self, _usually: Duration, _job: Job) -> bool {
        false
    }

    /// From within a job: looks for `until` to come true, at most for about as long as it takes to
    /// put a thread to sleep and wake it. Says whether it did. A world without threads looks once.
    fn linger(&self, until: &dyn Fn() -> bool) -> bool {
        until()
    }
}
