//! Requests that only the active controller can decide are carried to it as they came, with who
//! sent them, and its answer is carried back. Source: KIP-590, Kafka `ForwardingManager`.

use std::net::IpAddr;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use env::Env;
use protocol::messages::{DefaultPrincipalData, EnvelopeRequest};
use protocol::{ApiKey, Message, Writer};
use types::ErrorCode;

use super::to_controller::Patience;
use crate::limits::FORWARDING_PATIENCE;
use crate::network::{ConnectionInfo, ReplySlot};
use crate::node::Node;
use crate::peers::Channel;

/// Whether only the controller can answer it.
pub fn is_forwarded(key: ApiKey) -> bool {
    use ApiKey::*;
    matches!(
        key,
        CreateTopics
            | DeleteTopics
            | CreatePartitions
            | AlterConfigs
            | IncrementalAlterConfigs
            | ElectLeaders
            | AlterPartitionReassignments
            | ListPartitionReassignments
            | UnregisterBroker
            | UpdateFeatures
            | DescribeQuorum
            | AddRaftVoter
            | RemoveRaftVoter
    )
}

/// Carries `request` (header and body) to the controller and its response back into `slot`. If
/// nobody knows what became of it, the connection is cut, and the client asks again.
pub fn forward<E: Env>(
    node: &Arc<Node<E>>,
    connection: &ConnectionInfo,
    request: Bytes,
    slot: ReplySlot,
) {
    let envelope = EnvelopeRequest {
        request_data: request,
        request_principal: Some(anonymous()),
        client_host_address: match connection.peer.ip() {
            IpAddr::V4(ip) => Bytes::copy_from_slice(&ip.octets()),
            IpAddr::V6(ip) => Bytes::copy_from_slice(&ip.octets()),
        },
    };
    let patience = Patience { attempt: FORWARDING_PATIENCE, total: FORWARDING_PATIENCE };
    node.to_controller.ask(Channel::Forwarding, envelope, patience, move |answer| {
        let is_answer = |code: i16| code == ErrorCode::None.code();
        match answer {
            Ok(answer) if is_answer(answer.error_code) => match answer.response_data {
                Some(response) => slot.send(framed(response)),
                None => slot.disconnect(),
            },
            Ok(_) | Err(_) => slot.disconnect(),
        }
    });
}

fn framed(response: Bytes) -> Vec<Bytes> {
    let length = i32::try_from(response.len()).unwrap_or(i32::MAX);
    vec![Bytes::copy_from_slice(&length.to_be_bytes()), response]
}

/// Who asks: nobody is authenticated, as listeners speak plain text. Source: Kafka
/// `DefaultKafkaPrincipalBuilder.serialize`, which writes the version first.
fn anonymous() -> Bytes {
    const VERSION: i16 = 0;
    let principal = DefaultPrincipalData {
        r#type: "User".into(),
        name: "ANONYMOUS".into(),
        token_authenticated: false,
    };
    let mut writer = Writer::with_buffer(BytesMut::from(&VERSION.to_be_bytes()[..]));
    let encoded = principal.encode(&mut writer, VERSION);
    assert!(encoded.is_ok(), "a constant can be written: {encoded:?}");
    writer.finish().concat().into()
}
