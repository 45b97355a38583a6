use protocol::messages::{
    AlterPartitionRequest, AlterPartitionResponse, FetchRequest, FetchResponse,
};
use types::BrokerId;

/// There is no answer: nobody knows whether the request was carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoAnswer;

/// What becomes of a request. Called once, by anybody, also before the asking returns.
pub type Answered<R> = Box<dyn FnOnce(Result<R, NoAnswer>) + Send>;

/// The way to other nodes: a transport, or a simulated network.
pub trait ReplicationLinks: Send + Sync {
    /// Takes a fetch to the broker that leads. A broker has one on its way at a time, which waits
    /// at the other end for `max_wait_ms`.
    fn fetch(&self, leader: BrokerId, request: FetchRequest, answered: Answered<FetchResponse>);

    /// Takes a change of in-sync sets to the active controller, once: it is repeated from here.
    fn alter_partition(
        &self,
        request: AlterPartitionRequest,
        answered: Answered<AlterPartitionResponse>,
    );
}
