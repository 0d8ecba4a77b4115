//! The hub that the demo talks to: one of its own, or one that is already running.
//!
//! Owns the embedded Story and the life of an own hub: the same one that `hub run` starts, on
//! threads of its own, reached over loopback sockets only.

use crate::app::{self, Running, StartError};
use crate::config::Config;
use crate::story::{self, LoadOptions, Problems};
use std::net::{Ipv4Addr, SocketAddr};

static STORY: &str = include_str!("../../assets/demo/story.yaml");

/// A hub that serves the demo's Story.
pub(super) struct Host {
    pub(super) grpc: SocketAddr,
    /// Unknown for a hub that somebody else runs.
    pub(super) admin: Option<SocketAddr>,
    /// Our own one.
    running: Option<Running>,
}

/// No hub could be started.
#[derive(Debug, thiserror::Error)]
pub(super) enum HostError {
    /// The embedded Story is refused: a defect of the program.
    #[error("the demo's Story is refused: {0}")]
    Story(Problems),
    #[error("cannot start a hub: {0}")]
    Start(#[from] StartError),
}

impl Host {
    /// A hub that is already running and serves the demo's Story.
    pub(super) fn elsewhere(grpc: SocketAddr) -> Self {
        Self {
            grpc,
            admin: None,
            running: None,
        }
    }

    /// Starts one in this process, on free loopback ports. Neither the environment nor a file has
    /// a say in its configuration: a demo is the same everywhere.
    pub(super) fn start() -> Result<Self, HostError> {
        let mut config = Config::default();
        config.listen.grpc = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        config.listen.admin = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        config.events.subscribers.clear();
        let options = LoadOptions::from_config(&config);
        let story = story::load_str("story.yaml", STORY, &options).map_err(HostError::Story)?;
        let running = app::start(config, &story)?;
        Ok(Self {
            grpc: running.grpc_addr(),
            admin: Some(running.admin_addr()),
            running: Some(running),
        })
    }

    /// Drains and ends our own hub.
    pub(super) fn end(self) {
        if let Some(running) = self.running {
            running.drain();
        }
    }
}
