//! Frames that cost their sender nothing.

use crate::neighbour::Neighbour;
use crate::raw::{DATA, Fate, PING, RST_STREAM, SETTINGS, flood, frame, process};
use crate::rig::{FAN_OUT, Hub, config};

const ENHANCE_YOUR_CALM: u32 = 11;

/// A hub that takes few frames without data.
fn hub() -> Hub {
    let mut config = config();
    config.limits.control_frames_per_second = 500;
    Hub::with(config, FAN_OUT)
}

async fn ends(first: Vec<u8>, more: impl FnMut(u32) -> Vec<u8>) {
    let hub = hub();
    let mut neighbour = Neighbour::of(&hub).await;
    let fate = neighbour.beside(flood(hub.grpc, first, more)).await;
    assert!(
        matches!(fate, Fate::GoAway(ENHANCE_YOUR_CALM) | Fate::Closed),
        "{fate:?}"
    );
    hub.wait_for_metric("hub_streams", &[], 2.0).await;
}

#[tokio::test]
async fn a_ping_flood_is_ended() {
    ends(Vec::new(), |n| {
        frame(PING, 0, 0, &u64::from(n).to_be_bytes())
    })
    .await;
}

#[tokio::test]
async fn a_settings_flood_is_ended() {
    ends(Vec::new(), |_| frame(SETTINGS, 0, 0, &[])).await;
}

#[tokio::test]
async fn a_flood_of_empty_data_is_ended() {
    ends(process("b", 1), |_| frame(DATA, 0, 1, &[])).await;
}

#[tokio::test]
async fn a_flood_of_single_bytes_is_ended() {
    ends(process("b", 1), |_| frame(DATA, 0, 1, &[0])).await;
}

#[tokio::test]
async fn rapid_reset_is_ended() {
    ends(Vec::new(), |n| {
        let stream = 2 * n + 1;
        let mut pair = process("b", stream);
        pair.extend(frame(RST_STREAM, 0, stream, &8u32.to_be_bytes()));
        pair
    })
    .await;
}

#[tokio::test]
async fn a_flood_of_frames_that_nobody_knows_is_ended() {
    ends(Vec::new(), |n| frame(0x40, 0, n, b"what?")).await;
}

#[tokio::test]
async fn a_flood_of_requests_for_nobody_is_ended() {
    ends(Vec::new(), |n| process("nobody", 2 * n + 1)).await;
}
