//! Every refusal of spec 2.2 with its code; the connection and its other streams stay.

use crate::client::{Connection, Process};
use crate::rig::{FAN_OUT, Hub, config};

async fn refused(connection: &mut Connection, changes: &[(&str, &str)]) -> (i32, String) {
    let mut stream: Process = connection.process_with(changes).await;
    stream.ended().await
}

#[tokio::test]
async fn each_wrong_registration_has_its_code_and_others_go_on() {
    let hub = Hub::start();
    let mut connection = Connection::open(hub.grpc).await;
    let mut a = connection.process("a").await.accepted().await;
    let mut src = connection.process("src").await.accepted().await;
    let long = "e".repeat(129);
    let cases: [(&str, &str, i32, &str); 10] = [
        ("bubu-transport-protocol", "", 9, "bubu-transport-protocol"),
        ("bubu-transport-protocol", "2.0.0", 9, "2.0.0"),
        ("storyrun-name", "", 3, "storyrun-name"),
        ("storyrun-namespace", "", 3, "storyrun-namespace"),
        ("current-step-id", "", 3, "current-step-id"),
        ("connector-generation", "", 9, "connector-generation"),
        ("connector-generation", "-4", 9, "-4"),
        ("storyrun-name", "strory", 14, "known: default/story"),
        ("current-step-id", "nobody", 14, "known: src, a, b"),
        ("hub-producer-epoch", &long, 3, "hub-producer-epoch"),
    ];
    for (key, value, code, says) in cases {
        let (got, text) = refused(&mut connection, &[(key, value)]).await;
        assert_eq!(got, code, "{key}={value}: {text}");
        assert!(text.contains(says), "{key}={value}: {text}");
    }
    src.send_packet("still here", 10);
    assert_eq!(a.label().await, "still here");
    assert_eq!(
        hub.metric("hub_registrations_total", &["code=\"FAILED_PRECONDITION\""]),
        4.0
    );
    assert_eq!(hub.metric("hub_registrations_total", &["code=\"OK\""]), 2.0);
}

#[tokio::test]
async fn a_primitive_is_nobody_to_register_as() {
    let story = FAN_OUT.replace(
        "name: b, ref: { name: b }, transport: t",
        "name: b, type: parallel",
    );
    let loaded = hub::story::load_str("s.yaml", &story, &hub::story::LoadOptions::default());
    let loaded = loaded.expect("loads");
    if !loaded.snapshot.stories[0].unsupported().is_empty() {
        // Primitives are refused at start for now: there is nobody to ask.
        assert!(hub::app::start(config(), &loaded).is_err());
        return;
    }
    let hub = Hub::with(config(), &story);
    let mut connection = Connection::open(hub.grpc).await;
    let (code, text) = refused(&mut connection, &[("current-step-id", "b")]).await;
    assert_eq!(code, 9, "{text}");
}

#[tokio::test]
async fn the_stream_cap_is_resource_exhausted() {
    let mut config = config();
    config.limits.max_streams = 1;
    let hub = Hub::with(config, FAN_OUT);
    let mut connection = Connection::open(hub.grpc).await;
    let _a = connection.process("a").await.accepted().await;
    let (code, text) = refused(&mut connection, &[("current-step-id", "b")]).await;
    assert_eq!(code, 8, "{text}");
    assert!(text.contains("limits.max_streams"), "{text}");
}

#[tokio::test]
async fn another_method_is_tonics_and_unknown_ones_are_unimplemented() {
    let hub = Hub::start();
    let channel = tonic::transport::Channel::from_shared(format!("http://{}", hub.grpc));
    let channel = channel.expect("uri").connect().await.expect("connected");
    let mut health = tonic_health::pb::health_client::HealthClient::new(channel.clone());
    let request = tonic_health::pb::HealthCheckRequest {
        service: "transport.v1.HubService".to_owned(),
    };
    let answer = health.check(request).await.expect("health").into_inner();
    assert_eq!(
        answer.status(),
        tonic_health::pb::health_check_response::ServingStatus::Serving
    );

    use transport_proto::v1::transport_connector_service_client::TransportConnectorServiceClient;
    let mut connector = TransportConnectorServiceClient::new(channel);
    let status = connector
        .hub_push(tokio_stream::empty())
        .await
        .expect_err("not served");
    assert_eq!(status.code(), tonic::Code::Unimplemented);
}

#[tokio::test]
async fn what_is_no_grpc_request_is_an_invalid_argument() {
    let hub = Hub::start();
    let mut connection = Connection::open(hub.grpc).await;
    let address = "http://hub/transport.v1.HubService/Process";
    let text = http::Request::post(address).header("content-type", "text/plain");
    let get = http::Request::get(address).header("content-type", "application/grpc");
    for request in [text, get, http::Request::post(address)] {
        let request = request.body(()).expect("request");
        let answered = connection.request(request).await;
        let (code, text) = answered.expect("connection is ready").ended().await;
        assert_eq!(code, 3, "{text}");
        assert!(text.contains("application/grpc"), "{text}");
    }
}
