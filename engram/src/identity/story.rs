//! The run that an engram serves.

use crate::start::{Environment, Tunables};

/// Names of the run and the step; empty where they are not known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoryInfo {
    /// `BUBU_STORY_NAME`.
    pub story_name: String,
    /// `BUBU_STORYRUN_ID`.
    pub story_run_id: String,
    /// `BUBU_STEP_NAME`.
    pub step_name: String,
    /// `BUBU_STEPRUN_NAME`.
    pub step_run_id: String,
    /// `BUBU_STEPRUN_NAMESPACE`.
    pub step_run_namespace: String,
}

impl StoryInfo {
    /// As the environment tells.
    #[must_use]
    pub fn of(environment: &Environment) -> Self {
        let get = |name: &str| environment.get(name).unwrap_or_default().to_owned();
        Self {
            story_name: get("BUBU_STORY_NAME"),
            story_run_id: get("BUBU_STORYRUN_ID"),
            step_name: get("BUBU_STEP_NAME"),
            step_run_id: get("BUBU_STEPRUN_NAME"),
            step_run_namespace: get("BUBU_STEPRUN_NAMESPACE"),
        }
    }
}

/// A key needs a run and a step: the environment does not name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("idempotency unavailable: missing storyrun or steprun identity")]
pub struct IdempotencyUnavailable;

/// A key that is the same each time this step of this run is tried.
///
/// # Errors
/// Where run or step has no name.
pub fn idempotency_key(story: &StoryInfo) -> Result<String, IdempotencyUnavailable> {
    let run = story.story_run_id.trim();
    let step = story.step_run_id.trim();
    if run.is_empty() || step.is_empty() {
        return Err(IdempotencyUnavailable);
    }
    Ok(match story.step_run_namespace.trim() {
        "" => format!("storyrun/{run}/steprun/{step}"),
        namespace => format!("ns/{namespace}/storyrun/{run}/steprun/{step}"),
    })
}

/// What an engram knows of where it runs.
#[derive(Clone, Debug, Default)]
pub struct ExecutionContext {
    /// Names of the run and the step.
    pub story: StoryInfo,
    /// What was configured about the connection.
    pub tunables: Tunables,
    /// The environment that both were read from.
    pub environment: Environment,
}

impl ExecutionContext {
    /// As the environment tells.
    #[must_use]
    pub fn of(environment: Environment) -> Self {
        Self {
            story: StoryInfo::of(&environment),
            tunables: Tunables::of(&environment),
            environment,
        }
    }

    /// See [`idempotency_key`].
    ///
    /// # Errors
    /// Where run or step has no name.
    pub fn idempotency_key(&self) -> Result<String, IdempotencyUnavailable> {
        idempotency_key(&self.story)
    }
}
