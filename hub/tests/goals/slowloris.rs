//! slowloris: sockets that say little or nothing.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::Connection;
use crate::probe::{most_descriptors, resident};
use crate::process::Hub;
use crate::raw::{PREFACE, fate, greeted, process};
use crate::rig::FAN_OUT;
use crate::{Extent, Outcome, on_runtime};

/// As many as are wanted, if descriptors allow.
const IDLE: usize = 10_000;
/// Descriptors that either side needs for other things.
const OTHERS: usize = 200;

pub fn slowloris(_: Extent) -> Outcome {
    let hub = Hub::serve(FAN_OUT, &[]);
    let pid = hub.process.pid();
    on_runtime(async {
        let silent = async {
            let began = Instant::now();
            let mut socket = TcpStream::connect(hub.grpc).await.expect("connects");
            let _ = socket.read(&mut [0]).await;
            began.elapsed()
        };
        let preface = dripped(&hub, Vec::new(), PREFACE.to_vec());
        let request = dripped(&hub, Vec::from([0]), process("b", 1));
        let (silent, preface, request) = tokio::join!(silent, preface, request);

        let before = resident(pid);
        let mut idle = Vec::new();
        let many = IDLE.min(most_descriptors().saturating_sub(OTHERS));
        for _ in 0..many {
            idle.push(Connection::open(hub.grpc).await);
        }
        // All of them are served once one more is.
        drop(
            Connection::open(hub.grpc)
                .await
                .process("a")
                .await
                .accepted()
                .await,
        );
        let each = resident(pid).saturating_sub(before) / many as u64;
        let began = Instant::now();
        let ended = tokio::task::spawn_blocking(move || hub.terminate()).await;
        let drained = began.elapsed();
        let clean = ended.is_ok_and(|ended| ended.code == Some(0));
        drop(idle);
        let passed = silent <= Duration::from_secs(6)
            && preface <= Duration::from_secs(6)
            && request <= Duration::from_secs(15)
            && each <= 16 * 1024
            && clean
            && drained <= Duration::from_secs(5);
        let said = format!(
            "no preface: closed after {:.1} s; preface at a byte a second: {:.1} s; headers at a \
             byte a second: {:.1} s; {many} idle connections: {each} bytes each, drain with them \
             {:.2} s",
            silent.as_secs_f64(),
            preface.as_secs_f64(),
            request.as_secs_f64(),
            drained.as_secs_f64()
        );
        Outcome::of(passed, said).ran(format!("{many} idle"))
    })
}

/// Says `bytes` at one a second, greeted first if `greet` has anything; how long until it is closed.
async fn dripped(hub: &Hub, greet: Vec<u8>, bytes: Vec<u8>) -> Duration {
    let began = Instant::now();
    let socket = if greet.is_empty() {
        TcpStream::connect(hub.grpc).await
    } else {
        greeted(hub.grpc).await
    };
    let (read, mut write) = socket.expect("connects").into_split();
    let drip = async {
        let mut clock = tokio::time::interval(Duration::from_secs(1));
        for byte in bytes {
            clock.tick().await;
            if write.write_all(&[byte]).await.is_err() {
                break;
            }
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        _ = fate(read) => {}
        () = drip => {}
    }
    began.elapsed()
}
