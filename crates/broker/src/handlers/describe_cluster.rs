//! DescribeCluster (key 60), versions 0–2.
//! The brokers and the controller. v1 endpoint type (KIP-919) · v2 fenced brokers (KIP-1073).
//! Differs from Kafka: a voter that has not registered yet is shown as the quorum knows it. A
//! listener for brokers answers for brokers only, one for controllers for those, as Kafka's do.

use std::collections::BTreeMap;

use consensus::QuorumStatus;
use env::Env;
use metadata::{Endpoint, MetadataImage};
use protocol::messages::DescribeClusterRequest;
use protocol::messages::describe_cluster_response::{
    DescribeClusterBroker, DescribeClusterResponse,
};
use types::ErrorCode;

use super::metadata_api::asked_as_controller;
use crate::authorized;
use crate::controller_host::ControllerHost;
use crate::metadata_cache::MetadataCache;
use crate::network::Reply;
use crate::request::{Door, RequestContext};
use crate::settings::Settings;
use crate::voter_endpoints;

const BROKERS: i8 = 1;
const CONTROLLERS: i8 = 2;

pub fn handle<E: Env>(
    ctx: &RequestContext,
    request: DescribeClusterRequest,
    reply: Reply<DescribeClusterResponse>,
    controller: &ControllerHost<E>,
    metadata: &MetadataCache,
    settings: &Settings,
) {
    let endpoint_type = match ctx.door {
        Door::Clients => BROKERS,
        Door::Controllers => CONTROLLERS,
    };
    if request.endpoint_type != endpoint_type {
        return reply.send(wrong_endpoint(request.endpoint_type));
    }
    let listener = &*ctx.connection.listener;
    let image = metadata.image();
    let (controller_id, brokers) = match ctx.door {
        Door::Clients => {
            let brokers = brokers(&image, listener, request.include_fenced_brokers);
            let in_service = brokers.iter().filter(|broker| !broker.is_fenced);
            let ids = in_service.map(|broker| broker.broker_id);
            (asked_as_controller(settings.broker_id(), false, ids), brokers)
        }
        Door::Controllers => {
            let Some(quorum) = controller.quorum() else { return reply.disconnect() };
            let leader = quorum.leader.map_or(-1, |leader| leader.0);
            (leader, controllers(&quorum, &image, listener, settings))
        }
    };
    reply.send(DescribeClusterResponse {
        endpoint_type,
        cluster_id: settings.cluster_id.to_string().into(),
        controller_id,
        brokers,
        cluster_authorized_operations: authorized::on_cluster(
            request.include_cluster_authorized_operations,
        ),
        ..Default::default()
    });
}

fn brokers(
    image: &MetadataImage,
    listener: &str,
    shows_fenced: bool,
) -> Vec<DescribeClusterBroker> {
    let shown = image.cluster.brokers().filter(|broker| shows_fenced || !broker.fenced);
    let brokers = shown.filter_map(|broker| {
        let endpoint = broker.endpoint(listener)?;
        Some(DescribeClusterBroker {
            rack: broker.rack.as_deref().map(Into::into),
            is_fenced: broker.fenced,
            ..node(broker.id.0, endpoint)
        })
    });
    brokers.collect()
}

/// The controllers that can be reached as this one was, in id order.
fn controllers(
    quorum: &QuorumStatus,
    image: &MetadataImage,
    listener: &str,
    settings: &Settings,
) -> Vec<DescribeClusterBroker> {
    let at = |id: i32, endpoints: &[Endpoint]| {
        let endpoint = endpoints.iter().find(|endpoint| &*endpoint.name == listener)?;
        Some(node(id, endpoint))
    };
    let voters = quorum.voters.iter();
    let voters = voters.map(|voter| (voter.id.0, voter_endpoints::of(voter, image, settings)));
    let registered = image.cluster.controllers().map(|known| (known.id, known.endpoints.clone()));
    let known: BTreeMap<i32, Vec<Endpoint>> = voters.chain(registered).collect();
    known.iter().filter_map(|(id, endpoints)| at(*id, endpoints)).collect()
}

fn node(broker_id: i32, endpoint: &Endpoint) -> DescribeClusterBroker {
    DescribeClusterBroker {
        broker_id,
        host: (&*endpoint.host).into(),
        port: i32::from(endpoint.port),
        ..Default::default()
    }
}

fn wrong_endpoint(endpoint_type: i8) -> DescribeClusterResponse {
    let error = if [BROKERS, CONTROLLERS].contains(&endpoint_type) {
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
