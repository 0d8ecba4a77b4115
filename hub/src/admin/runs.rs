//! `/api/v1/runs`: the runs, their steps and the accounts of their edges (spec 11).
//!
//! Owns the JSON; every answer is made from one look at the data plane, so that the accounts of its
//! edges balance.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use engine::{DropReason, EdgeSnapshot, SessionSnapshot};
use serde::Serialize;

use super::Admin;
use super::problem::{problem, stopped};
use crate::binding::Values;
use crate::plane::Seen;

/// How many runs an error names.
const NAMES_SHOWN: usize = 8;

/// The body of `GET /api/v1/runs`.
#[derive(Serialize)]
struct Runs {
    runs: Vec<Run>,
}

#[derive(Serialize)]
struct Run {
    namespace: Arc<str>,
    name: Arc<str>,
    story: Arc<str>,
    steps: Vec<Step>,
    edges: Vec<Edge>,
}

#[derive(Serialize)]
struct Step {
    id: Arc<str>,
    connected: bool,
    /// The highest one seen.
    generation: Option<i32>,
    /// Of the `stream_id` that its packets come under.
    epoch: Arc<str>,
    peer: Option<Arc<str>>,
    /// What its engram connects with: the value of `BUBU_TRANSPORT_BINDING`.
    binding: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Edge {
    from: Arc<str>,
    to: Arc<str>,
    policy: &'static str,
    accepted: u64,
    delivered: u64,
    /// Only the reasons that have occurred.
    dropped: BTreeMap<&'static str, u64>,
    queued: u64,
    queued_bytes: u64,
    in_flight: u64,
    /// Whether the producer is held up, by this edge or by another one of its.
    paused: bool,
    /// The step that it waits for.
    culprit: Option<Arc<str>>,
}

impl Edge {
    /// Adds the account of another way between the same steps.
    fn add(&mut self, other: Edge) {
        self.accepted += other.accepted;
        self.delivered += other.delivered;
        for (reason, count) in other.dropped {
            *self.dropped.entry(reason).or_default() += count;
        }
        self.queued += other.queued;
        self.queued_bytes += other.queued_bytes;
        self.in_flight += other.in_flight;
        self.paused |= other.paused;
        self.culprit = self.culprit.take().or(other.culprit);
    }
}

pub(super) async fn list(State(admin): State<Arc<Admin>>) -> Response {
    match admin.plane.look().await {
        Some(seen) => {
            let runs = runs(&seen, &admin.bindings);
            Json(Runs { runs }).into_response()
        }
        None => stopped(),
    }
}

pub(super) async fn one(
    State(admin): State<Arc<Admin>>,
    path: Result<Path<(String, String)>, PathRejection>,
) -> Response {
    let Path((namespace, name)) = match path {
        Ok(path) => path,
        Err(error) => return problem(StatusCode::BAD_REQUEST, &error.body_text()),
    };
    let Some(seen) = admin.plane.look().await else {
        return stopped();
    };
    let mut runs = runs(&seen, &admin.bindings);
    let is_it = |run: &Run| *run.namespace == *namespace && *run.name == *name;
    match runs.iter().position(is_it) {
        Some(at) => Json(runs.swap_remove(at)).into_response(),
        None => {
            let detail = format!(
                "run {namespace}/{name} is not known here; known: {}",
                names(&runs)
            );
            problem(StatusCode::NOT_FOUND, &detail)
        }
    }
}

fn names(runs: &[Run]) -> String {
    let named = runs.iter().take(NAMES_SHOWN);
    let mut names: Vec<_> = named
        .map(|run| format!("{}/{}", run.namespace, run.name))
        .collect();
    if runs.is_empty() {
        names.push("none".to_owned());
    } else if runs.len() > NAMES_SHOWN {
        names.push("...".to_owned());
    }
    names.join(", ")
}

/// All runs, by namespace and name.
fn runs(seen: &Seen, bindings: &Values) -> Vec<Run> {
    let mut runs: BTreeMap<(Arc<str>, Arc<str>), Run> = BTreeMap::new();
    for (session, peer) in seen.figures.sessions.iter().zip(&seen.peers) {
        let key = (session.namespace.clone(), session.run.clone());
        let run = runs.entry(key).or_insert_with(|| Run {
            namespace: session.namespace.clone(),
            name: session.run.clone(),
            story: session.story.clone(),
            steps: Vec::new(),
            edges: Vec::new(),
        });
        let binding = bindings.of(&session.namespace, &session.run, &session.step);
        run.steps.push(Step {
            binding: binding.map(str::to_owned),
            ..step(session, peer.clone(), &seen.figures.epoch)
        });
    }
    for edge in &seen.figures.edges {
        let key = (edge.namespace.clone(), edge.run.clone());
        if let Some(run) = runs.get_mut(&key) {
            let edge = self::edge(edge);
            // Several ways through primitives may lead from one step to another; they stand side
            // by side.
            let is_same = |known: &&mut Edge| known.from == edge.from && known.to == edge.to;
            match run.edges.last_mut().filter(is_same) {
                Some(known) => known.add(edge),
                None => run.edges.push(edge),
            }
        }
    }
    runs.into_values().collect()
}

fn step(session: &SessionSnapshot, peer: Option<Arc<str>>, epoch: &Arc<str>) -> Step {
    Step {
        id: session.step.clone(),
        connected: session.owner.is_some(),
        generation: session.generation.map(|generation| generation.get()),
        epoch: epoch.clone(),
        peer,
        binding: None,
    }
}

fn edge(edge: &EdgeSnapshot) -> Edge {
    let dropped = DropReason::ALL.into_iter().map(|reason| {
        let count = edge.counts.dropped(reason);
        (reason.as_str(), count)
    });
    Edge {
        from: edge.from.clone(),
        to: edge.to.clone(),
        policy: if edge.at_least_once {
            "at_least_once"
        } else {
            "best_effort"
        },
        accepted: edge.counts.accepted,
        delivered: edge.counts.delivered,
        dropped: dropped.filter(|(_, count)| *count > 0).collect(),
        queued: edge.queued,
        queued_bytes: edge.queued_bytes,
        in_flight: edge.in_flight,
        paused: edge.culprit.is_some(),
        culprit: edge.culprit.clone(),
    }
}
