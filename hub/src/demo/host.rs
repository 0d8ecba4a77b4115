//! The hub that the demo talks to: one of its own, or one that is already running.
//!
//! Owns the embedded Story, what its engrams are told of the hub, and the life of an own hub: the
//! same one that `hub run` starts, on threads of its own, reached over loopback sockets only.

use crate::app::{self, Running, StartError};
use crate::binding::Binding;
use crate::config::Config;
use crate::story::{self, LoadOptions, Loaded, Problems};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};

static STORY: &str = include_str!("../../assets/demo/story.yaml");

/// What `hub binding` prints for each step of the demo's Story: the value of its engram's
/// `BUBU_TRANSPORT_BINDING`.
pub(super) type Bindings = BTreeMap<String, String>;

/// A hub that serves the demo's Story.
pub(super) struct Host {
    pub(super) bindings: Bindings,
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
    pub(super) fn elsewhere(grpc: SocketAddr) -> Result<Self, HostError> {
        Ok(Self {
            bindings: bindings(&story(&LoadOptions::default())?, grpc),
            admin: None,
            running: None,
        })
    }

    /// Starts one in this process, on free loopback ports. Neither the environment nor a file has
    /// a say in its configuration: a demo is the same everywhere.
    pub(super) fn start() -> Result<Self, HostError> {
        let mut config = Config::default();
        config.listen.grpc = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        config.listen.admin = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        config.events.subscribers.clear();
        let story = story(&LoadOptions::from_config(&config))?;
        let running = app::start(config, &story)?;
        Ok(Self {
            bindings: bindings(&story, running.grpc_addr()),
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

fn story(options: &LoadOptions) -> Result<Loaded, HostError> {
    story::load_str("story.yaml", STORY, options).map_err(HostError::Story)
}

fn bindings(story: &Loaded, grpc: SocketAddr) -> Bindings {
    let endpoint = grpc.to_string();
    let runs = story.snapshot.runs.iter();
    runs.flat_map(|run| run.story.steps.iter().map(move |step| (run, step)))
        .map(|(run, step)| (step.id.clone(), Binding::new(run, step, &endpoint).value))
        .collect()
}
