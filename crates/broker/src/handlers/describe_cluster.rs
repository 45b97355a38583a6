//! DescribeCluster (key 60), versions 0–2.
//! The brokers and the controller. v1 endpoint type (KIP-919) · v2 fenced brokers (KIP-1073).
//! Differs from Kafka: nothing known. A broker listener answers for brokers only, as Kafka's does.

use protocol::messages::DescribeClusterRequest;
use protocol::messages::describe_cluster_response::{
    DescribeClusterBroker, DescribeClusterResponse,
};
use types::ErrorCode;

use crate::authorized;
use crate::metadata_cache::MetadataCache;
use crate::network::Reply;
use crate::request::RequestContext;
use crate::settings::Settings;

const BROKERS: i8 = 1;
const CONTROLLERS: i8 = 2;

pub fn handle(
    ctx: &RequestContext,
    request: DescribeClusterRequest,
    reply: Reply<DescribeClusterResponse>,
    metadata: &MetadataCache,
    settings: &Settings,
) {
    if request.endpoint_type != BROKERS {
        return reply.send(wrong_endpoint(request.endpoint_type));
    }
    let image = metadata.image();
    let shown = image.cluster.brokers().filter(|b| request.include_fenced_brokers || !b.fenced);
    let brokers = shown.filter_map(|broker| {
        let endpoint = broker.endpoint(&ctx.connection.listener)?;
        Some(DescribeClusterBroker {
            broker_id: broker.id.0,
            host: (&*endpoint.host).into(),
            port: i32::from(endpoint.port),
            rack: broker.rack.as_deref().map(Into::into),
            is_fenced: broker.fenced,
        })
    });
    reply.send(DescribeClusterResponse {
        endpoint_type: BROKERS,
        cluster_id: settings.cluster_id.to_string().into(),
        controller_id: settings.broker_id().0,
        brokers: brokers.collect(),
        cluster_authorized_operations: authorized::on_cluster(
            request.include_cluster_authorized_operations,
        ),
        ..Default::default()
    });
}

fn wrong_endpoint(endpoint_type: i8) -> DescribeClusterResponse {
    let error = if endpoint_type == CONTROLLERS {
        ErrorCode::MismatchedEndpointType
    } else {
        ErrorCode::UnsupportedEndpointType
    };
    DescribeClusterResponse {
        error_code: error.code(),
        error_message: Some("the request asks for another kind of endpoint than this one".into()),
        ..Default::default()
    }
}
