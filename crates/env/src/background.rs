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

    /// From within a job: looks for `until` to come true, at most for about as long as it takes to
    /// put a thread to sleep and wake it. Says whether it did. A world without threads looks once.
    fn linger(&self, until: &dyn Fn() -> bool) -> bool {
        until()
    }
}
