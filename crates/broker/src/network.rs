//! From bytes to requests and from responses to bytes, without a socket in sight.

mod company;
mod connection;
mod frames;
mod reply;
mod responses;

pub use company::Company;
pub use connection::{Connection, ConnectionInfo, Disconnect};
pub(crate) use frames::FrameReader;
pub use reply::Reply;
pub use responses::{ReplySlot, ResponseQueue};
