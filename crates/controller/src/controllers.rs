use metadata::MetadataVersion;
use protocol::messages::controller_registration_request::ControllerRegistrationRequest;
use protocol::messages::controller_registration_response::ControllerRegistrationResponse;
use protocol::metadata_records::RegisterControllerRecord;
use protocol::metadata_records::register_controller_record::{
    ControllerEndpoint, ControllerFeature,
};
use types::ErrorCode;

use crate::{Controller, ControllerResult};

impl Controller {
    /// Notes where a controller is reached and what it can work with. Saying it again changes
    /// nothing.
    ///
    /// # Errors
    /// In the answer: `UNSUPPORTED_VERSION` below `metadata.version` 3.7-IV0.
    ///
    /// Source: Kafka `ClusterControlManager.registerController`, KIP-919.
    pub fn register_controller(
        &self,
        request: &ControllerRegistrationRequest,
    ) -> ControllerResult<ControllerRegistrationResponse> {
        let level = self.view().features.metadata_version();
        if level < MetadataVersion::CONTROLLER_REGISTRATIONS {
            let message = "The current MetadataVersion is too old to support controller \
                           registrations.";
            return ControllerResult::reply_only(ControllerRegistrationResponse {
                error_code: ErrorCode::UnsupportedVersion.code(),
                error_message: Some(message.into()),
                ..ControllerRegistrationResponse::default()
            });
        }
        let reply = ControllerRegistrationResponse { error_message: None, ..Default::default() };
        let record = registration(request);
        let known = self.view().cluster.controllers().any(|known| known.to_record() == record);
        match known {
            true => ControllerResult::reply_only(reply),
            false => ControllerResult::atomic(vec![record.into()], reply),
        }
    }
}

fn registration(request: &ControllerRegistrationRequest) -> RegisterControllerRecord {
    let endpoints = request.listeners.iter().map(|listener| ControllerEndpoint {
        name: listener.name.clone(),
        host: listener.host.clone(),
        port: listener.port,
        security_protocol: listener.security_protocol,
    });
    let features = request.features.iter().map(|feature| ControllerFeature {
        name: feature.name.clone(),
        min_supported_version: feature.min_supported_version,
        max_supported_version: feature.max_supported_version,
    });
    let mut features: Vec<_> = features.collect();
    // As the image keeps them.
    features.sort_by(|a, b| a.name.cmp(&b.name));
    RegisterControllerRecord {
        controller_id: request.controller_id,
        incarnation_id: request.incarnation_id,
        zk_migration_ready: false,
        end_points: endpoints.collect(),
        features,
    }
}
