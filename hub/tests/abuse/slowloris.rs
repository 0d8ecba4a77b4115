//! Peers that take their time.

use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::neighbour::Neighbour;
use crate::raw::{Fate, PREFACE, fate, greeted, process};
use crate::rig::{FAN_OUT, Hub, config};

/// A hub that soon loses its patience with what has begun.
fn hub() -> Hub {
    let mut config = config();
    config.heartbeat.interval = Duration::from_millis(100);
    config.heartbeat.timeout = Duration::from_millis(300);
    Hub::with(config, FAN_OUT)
}

#[tokio::test]
async fn a_preface_that_stops_half_way_is_closed() {
    let hub = hub();
    let mut neighbour = Neighbour::of(&hub).await;
    let abuse = async {
        let mut socket = TcpStream::connect(hub.grpc).await?;
        socket.write_all(&PREFACE[..10]).await?;
        Ok(fate(socket).await)
    };
    assert_eq!(neighbour.beside(abuse).await, Fate::Closed);
}

#[tokio::test]
async fn a_client_that_says_its_preface_and_nothing_more_is_closed() {
    let hub = hub();
    let mut neighbour = Neighbour::of(&hub).await;
    let abuse = async {
        let mut socket = TcpStream::connect(hub.grpc).await?;
        socket.write_all(PREFACE).await?;
        Ok(fate(socket).await)
    };
    assert_eq!(neighbour.beside(abuse).await, Fate::GoAway(0), "told why");
}

#[tokio::test]
async fn a_request_that_comes_byte_by_byte_and_not_to_an_end_is_closed() {
    let hub = hub();
    let mut neighbour = Neighbour::of(&hub).await;
    let abuse = async {
        let (read, mut write) = greeted(hub.grpc).await?.into_split();
        let request = process("b", 1);
        let drip = async {
            let mut slowly = tokio::time::interval(Duration::from_millis(20));
            for byte in &request[..request.len() - 1] {
                slowly.tick().await;
                if write.write_all(&[*byte]).await.is_err() {
                    break;
                }
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            fate = fate(read) => Ok(fate),
            () = drip => unreachable!("it waits for the end"),
        }
    };
    let fate = neighbour.beside(abuse).await;
    assert!(matches!(fate, Fate::GoAway(0) | Fate::Closed), "{fate:?}");
}
