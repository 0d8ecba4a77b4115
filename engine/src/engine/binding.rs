//! Which step a binding names (spec 3, "Identity").

use std::sync::Arc;

use super::Engine;

/// What a binding stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// Namespace of the run.
    pub namespace: Arc<str>,
    /// The run.
    pub run: Arc<str>,
    /// The step.
    pub step: Arc<str>,
}

/// Why a binding names no step. Each may go away: with another Story, or when one of two runs ends.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unbound {
    /// UNAVAILABLE: no run and step are named so.
    #[error("binding {binding} names no step that is known here (yet); known: {known}")]
    Unknown {
        /// As it was asked for.
        binding: String,
        /// Some that are known, for people.
        known: String,
    },
    /// UNAVAILABLE: two runs and steps are.
    #[error("binding {binding} is ambiguous: step {first} or step {second}; rename one of them")]
    Ambiguous {
        /// As it was asked for.
        binding: String,
        /// One of them.
        first: String,
        /// Another one.
        second: String,
    },
}

impl Engine {
    /// The step that a binding named `<run>-<step>` stands for, in `namespace` or, where the name
    /// comes without one, in any. Resolved from the runs themselves, so that every start of the hub
    /// says the same.
    ///
    /// # Errors
    /// [`Unbound`].
    pub fn binding(&self, namespace: Option<&str>, name: &str) -> Result<Bound, Unbound> {
        let mut found: Option<Bound> = None;
        for ((run_namespace, run_name), id) in &self.by_name {
            if namespace.is_some_and(|wanted| *wanted != **run_namespace) {
                continue;
            }
            let rest = name.strip_prefix(&**run_name);
            let Some(rest) = rest.and_then(|rest| rest.strip_prefix('-')) else {
                continue;
            };
            let live = self.runs.get(id.0 as usize);
            let steps = live.map(|live| &live.plan.steps[..]).unwrap_or_default();
            let Some(step) = steps.iter().find(|step| *step.id == *rest) else {
                continue;
            };
            let bound = Bound {
                namespace: run_namespace.clone(),
                run: run_name.clone(),
                step: step.id.clone(),
            };
            if let Some(first) = found.replace(bound) {
                let second = found.as_ref().map(Bound::place).unwrap_or_default();
                return Err(Unbound::Ambiguous {
                    binding: place(namespace, name),
                    first: first.place(),
                    second,
                });
            }
        }
        found.ok_or_else(|| Unbound::Unknown {
            binding: place(namespace, name),
            known: super::connect::listed(self.bindings()),
        })
    }

    /// The names of all bindings.
    fn bindings(&self) -> impl Iterator<Item = String> + '_ {
        self.by_name.iter().flat_map(|((namespace, run), id)| {
            let live = self.runs.get(id.0 as usize);
            let steps = live.map(|live| &live.plan.steps[..]).unwrap_or_default();
            let engrams = steps
                .iter()
                .filter(|s| s.kind == crate::route::StepKind::Engram);
            engrams.map(move |step| format!("{namespace}/{run}-{}", step.id))
        })
    }
}

impl Bound {
    fn place(&self) -> String {
        format!("{} of run {}/{}", self.step, self.namespace, self.run)
    }
}

fn place(namespace: Option<&str>, name: &str) -> String {
    match namespace {
        Some(namespace) => format!("{namespace}/{name}"),
        None => name.to_owned(),
    }
}
