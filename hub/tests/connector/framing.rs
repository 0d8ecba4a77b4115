//! Bytes that are no gRPC messages: the session ends, on both streams alike, by a code after which an
//! engram connects again (spec 3, "Ending").
//!
//! On Process the same ends with INVALID_ARGUMENT (spec 2.3), which would make an engram's process
//! exit.

use tonic::Code;

use crate::client::Connection;
use crate::engram::{Engram, message};
use crate::raw::Raw;
use crate::rig::{Hub, framed};

#[derive(Clone, Copy, Debug, PartialEq)]
enum On {
    Data,
    Control,
}

/// How Data and Control end once `bytes` were said on one of them, with `more` request metadata.
async fn ended(on: On, more: &[(&str, &str)], bytes: &[u8], has_ended: bool) -> (i32, i32) {
    let hub = Hub::start();
    let mut raw = Raw::connect_with(&hub, "src", more).await;
    match on {
        On::Data => raw.say(bytes),
        On::Control => raw.say_on_control(bytes),
    }
    if has_ended {
        match on {
            On::Data => raw.end_data(),
            On::Control => raw.end_control(),
        }
    }
    raw.ended().await
}

/// Asserts that both streams end by `code`, whichever the bytes come on.
async fn assert_ends(more: &[(&str, &str)], bytes: &[u8], has_ended: bool, code: Code) {
    let code = code as i32;
    for on in [On::Data, On::Control] {
        let codes = ended(on, more, bytes, has_ended).await;
        assert_eq!(codes, (code, code), "{bytes:?} on {on:?}");
    }
}

#[tokio::test]
async fn a_flag_that_is_none_is_internal() {
    for flag in [2, 0x80, b'G'] {
        assert_ends(&[], &[flag, 0, 0, 0, 0], false, Code::Internal).await;
    }
}

#[tokio::test]
async fn half_a_message_at_the_end_is_internal() {
    let whole = framed(b"\x08\x08");
    for len in 1..whole.len() {
        assert_ends(&[], &whole[..len], true, Code::Internal).await;
    }
}

#[tokio::test]
async fn a_compressed_message_that_names_no_encoding_is_internal() {
    let compressed = [1, 0, 0, 0, 1, 0];
    assert_ends(&[], &compressed, false, Code::Internal).await;
    let identity = [("grpc-encoding", "identity")];
    assert_ends(&identity, &compressed, false, Code::Internal).await;
}

#[tokio::test]
async fn a_compressed_message_of_an_encoding_that_is_not_served_never_can_be() {
    let gzip = [("grpc-encoding", "gzip")];
    assert_ends(&gzip, &[1, 0, 0, 0, 1, 0], false, Code::Unimplemented).await;
}

#[tokio::test]
async fn an_encoding_that_is_named_and_not_used_ends_nothing() {
    let hub = Hub::start();
    let mut a = Engram::connect(&hub, "a").await;
    let gzip = [("grpc-encoding", "gzip")];
    let mut raw = Raw::connect_with(&hub, "src", &gzip).await;
    raw.say_message(message("plain", 1));
    assert_eq!(a.data.label().await, "plain");
}

#[tokio::test]
async fn a_length_over_the_limit_is_resource_exhausted_before_anything_of_it_comes() {
    let over = ((10_u32 << 20) + 1).to_be_bytes();
    let [a, b, c, d] = over;
    assert_ends(&[], &[0, a, b, c, d], false, Code::ResourceExhausted).await;
    assert_ends(
        &[],
        &[0, 255, 255, 255, 255],
        false,
        Code::ResourceExhausted,
    )
    .await;
}

#[tokio::test]
async fn nothing_at_the_end_is_the_end() {
    assert_eq!(ended(On::Data, &[], &[], true).await, (0, 0));
}

#[tokio::test]
async fn on_process_garbage_is_the_clients_fault() {
    let gzip = [("current-step-id", "src"), ("grpc-encoding", "gzip")];
    let plain = [("current-step-id", "src")];
    type Metadata<'a> = &'a [(&'a str, &'a str)];
    let cases: [(Metadata<'_>, &[u8], bool, Code); 6] = [
        (&plain, &[2, 0, 0, 0, 0], false, Code::InvalidArgument),
        (&plain, &[0, 0, 0], true, Code::InvalidArgument),
        (&plain, &[0, 0, 0, 0, 2, 8], true, Code::InvalidArgument),
        (&plain, &[1, 0, 0, 0, 0], false, Code::Internal),
        (&gzip, &[1, 0, 0, 0, 0], false, Code::Unimplemented),
        (&plain, &[0, 255, 0, 0, 0], false, Code::ResourceExhausted),
    ];
    for (metadata, bytes, has_ended, code) in cases {
        let hub = Hub::start();
        let mut connection = Connection::open(hub.grpc).await;
        let mut src = connection.process_with(metadata).await.accepted().await;
        src.send
            .send_data(bytes.to_vec().into(), has_ended)
            .unwrap();
        assert_eq!(src.ended().await.0, code as i32, "{bytes:?}");
    }
}
