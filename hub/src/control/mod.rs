//! What the gRPC port serves beside the data path: health and reflection, by tonic.

use tonic::service::Routes;
use tonic_health::ServingStatus;
use tonic_health::server::{HealthReporter, health_reporter};

/// Name of the data path's service in health answers.
const HUB_SERVICE: &str = "transport.v1.HubService";
/// The same for engrams that connect directly.
const CONNECTOR_SERVICE: &str = "transport.v1.TransportConnectorService";

/// Says whether this hub takes streams (grpc.health.v1).
#[derive(Clone)]
pub(crate) struct Health(HealthReporter);

impl Health {
    pub(crate) async fn set_serving(&self, serving: bool) {
        let status = if serving {
            ServingStatus::Serving
        } else {
            ServingStatus::NotServing
        };
        self.0.set_service_status("", status).await;
        self.0.set_service_status(HUB_SERVICE, status).await;
        self.0.set_service_status(CONNECTOR_SERVICE, status).await;
    }
}

/// The tonic services, and the handle that tells them about health.
///
/// # Errors
/// When the embedded descriptor set cannot be read (a broken build).
pub(crate) fn routes() -> Result<(Routes, Health), tonic_reflection::server::Error> {
    let (reporter, health) = health_reporter();
    let reflection = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(transport_proto::v1::FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    let routes = Routes::new(health)
        .add_service(reflection().build_v1()?)
        // Many clients still ask in the older version.
        .add_service(reflection().build_v1alpha()?);
    Ok((routes, Health(reporter)))
}
