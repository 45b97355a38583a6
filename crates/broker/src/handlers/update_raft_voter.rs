//! UpdateRaftVoter (key 82), version 0.
//! A voter says where it listens now (KIP-853). Answered before it is committed, as by Kafka.
//! Differs from Kafka: nothing known.

use std::sync::Arc;

use consensus::VoterChange;
use env::Env;
use protocol::messages::update_raft_voter_response::CurrentLeader;
use protocol::messages::{UpdateRaftVoterRequest, UpdateRaftVoterResponse};
use types::ErrorCode;

use crate::controller_host::{AnswerWhen, ControllerHost};
use crate::metadata_log::KRAFT_VERSIONS;
use crate::network::Reply;
use crate::raft_voters;
use crate::request::RequestContext;
use crate::settings::Settings;
use crate::voter_endpoints;

pub fn handle<E: Env>(
    _ctx: &RequestContext,
    request: UpdateRaftVoterRequest,
    reply: Reply<UpdateRaftVoterResponse>,
    controller: &Arc<ControllerHost<E>>,
    settings: &Settings,
) {
    let current_leader = leader_of(controller, settings);
    let response = move |error: ErrorCode| UpdateRaftVoterResponse {
        error_code: error.code(),
        current_leader: current_leader.clone(),
        ..Default::default()
    };
    if raft_voters::is_foreign(request.cluster_id.as_deref(), settings) {
        return reply.send(response(ErrorCode::InconsistentClusterId));
    }
    let epoch = controller.quorum().map_or(-1, |quorum| quorum.leader_epoch.0);
    if request.current_leader_epoch < epoch {
        return reply.send(response(ErrorCode::FencedLeaderEpoch));
    }
    if request.current_leader_epoch > epoch {
        return reply.send(response(ErrorCode::UnknownLeaderEpoch));
    }
    if !controller.is_active() {
        return reply.send(response(ErrorCode::NotLeaderOrFollower));
    }
    let listeners = request.listeners.iter();
    let listeners = listeners.map(|at| (at.name.to_string(), at.host.to_string(), at.port));
    let key = raft_voters::key(request.voter_id, request.voter_directory_id);
    let voter = key.and_then(|key| raft_voters::voter(key, listeners, &settings.config));
    let versions = &request.kraft_version_feature;
    let follows = (versions.min_supported_version..=versions.max_supported_version)
        .contains(&KRAFT_VERSIONS.1);
    let Some(voter) = voter.filter(|_| follows) else {
        return reply.send(response(ErrorCode::InvalidRequest));
    };
    controller.change_voters(VoterChange::Update(voter), AnswerWhen::Appended, move |outcome| {
        reply.send(response(outcome.map_or_else(raft_voters::error_of, |()| ErrorCode::None)));
    });
}

fn leader_of<E: Env>(controller: &ControllerHost<E>, settings: &Settings) -> CurrentLeader {
    let Some(quorum) = controller.quorum() else { return CurrentLeader::default() };
    let leader_epoch = quorum.leader_epoch.0;
    let Some(leader) = quorum.leader else {
        return CurrentLeader { leader_epoch, ..CurrentLeader::default() };
    };
    let at = voter_endpoints::address_of(leader, Some(&quorum), settings);
    CurrentLeader {
        leader_id: leader.0,
        leader_epoch,
        host: at.as_ref().map_or("", |at| &*at.host).into(),
        port: at.map_or(0, |at| i32::from(at.port)),
    }
}
