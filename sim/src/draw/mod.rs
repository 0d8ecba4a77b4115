//! One seed, one world: topology, settings, habits and faults, drawn before anything happens.
//!
//! Owns the [`Script`] of a world. Never looks at what happens in it.

mod faults;
mod habits;
mod settings;
mod topology;

pub use faults::Fault;
pub use habits::{ConsumerHabits, ProducerHabits, Style};
pub use settings::{Lane, StepSettings};

use crate::oracle::{Pace, Promise, Rules, Step, StepRules};
use crate::random::Random;
use crate::time::Nanos;

/// Namespace of every world.
pub const NAMESPACE: &str = "ns";
/// Run of every world.
pub const RUN: &str = "r";

/// Everything that a seed decides beforehand.
#[derive(Clone, Debug)]
pub struct Script {
    /// Steps, with who plays them.
    pub steps: Vec<StepScript>,
    /// Edges by step index.
    pub edges: Vec<(usize, usize)>,
    /// `concurrency: cancelPrevious`.
    pub cancel_previous: bool,
    /// What goes wrong, and when.
    pub faults: Vec<(Nanos, Fault)>,
    /// When things stop going wrong.
    pub calm_at: Nanos,
    /// Whether the hub hears a superseded connection for a while.
    pub late_on_superseded: bool,
    /// Some chunk set may never become whole.
    pub abandons_sets: bool,
    /// How long the state of a step outlives its last connection.
    pub state_ttl: Nanos,
    /// Most bytes that may wait in all queues together.
    pub queue_bytes: usize,
    /// Most bytes that the hub hands to a socket at once.
    pub budget: usize,
}

/// One step of a world.
#[derive(Clone, Debug)]
pub struct StepScript {
    /// Its id.
    pub name: String,
    /// What its Story says.
    pub settings: StepSettings,
    /// How it produces, if it does.
    pub producer: Option<ProducerHabits>,
    /// How it consumes, if it does.
    pub consumer: Option<ConsumerHabits>,
}

impl Script {
    /// The script of `seed`.
    pub fn draw(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let shape = topology::draw(&mut random);
        let interrupts = random.chance(40);
        let mut steps = draw_steps(&mut random, &shape, interrupts);
        let sinks = steps
            .iter()
            .enumerate()
            .filter(|(_, s)| s.producer.is_none());
        let sinks: Vec<usize> = sinks.map(|(step, _)| step).collect();
        let away = random.chance(12).then(|| Fault::Away {
            client: random.pick(&sinks),
            span: Nanos::millis(random.between(3_500, 7_000)),
        });
        let whole = !interrupts && away.is_none() && random.chance(40);
        let chunked = steps
            .iter()
            .any(|s| s.producer.as_ref().is_some_and(|p| p.chunked > 0));
        let gaps = habits::settle(&mut steps, whole);
        let calm_at = Nanos::millis(random.between(800, 4_000));
        let calm_at = if random.chance(10) {
            calm_at.after(Nanos::secs(35))
        } else {
            calm_at
        };
        let state_ttl = if away.is_some() {
            Nanos::secs(3)
        } else {
            Nanos::secs(600)
        };
        let calm_at = if away.is_some() {
            calm_at.after(Nanos::secs(8))
        } else {
            calm_at
        };
        let mut faults = faults::draw(&mut random, steps.len(), calm_at, interrupts);
        faults.extend(away.map(|away| (Nanos(random.between(1_000_000, 900_000_000)), away)));
        faults.retain(|(_, fault)| {
            gaps || !matches!(
                fault,
                Fault::Restart { .. } | Fault::Handoff { fresh: true, .. }
            )
        });
        Self {
            steps,
            edges: shape.edges,
            cancel_previous: interrupts && random.chance(30),
            faults,
            calm_at,
            state_ttl,
            queue_bytes: if random.chance(8) { 8_000 } else { 1 << 28 },
            abandons_sets: gaps && chunked,
            late_on_superseded: random.chance(50),
            budget: random.pick(&[1, 300, 2_000, 65_536]),
        }
    }

    /// The same, as the oracle understands it.
    pub fn rules(&self) -> Rules {
        let steps = self.steps.iter().map(|s| StepRules {
            name: s.name.clone(),
            promise: s.settings.promise,
            max_messages: s.settings.max_messages,
            laned_messages: s.settings.lanes.iter().map(|l| l.1).sum(),
            pace: s.settings.pace,
            grant: s.settings.grant_messages,
            max_in_flight: s.settings.max_in_flight,
        });
        Rules {
            namespace: NAMESPACE.to_owned(),
            run: RUN.to_owned(),
            steps: steps.collect(),
            edges: self
                .edges
                .iter()
                .map(|&(a, b)| (Step(a), Step(b)))
                .collect(),
            state_ttl: self.state_ttl,
            cancel_previous: self.cancel_previous,
        }
    }

    /// The script for people: one line per step.
    pub fn describe(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for step in &self.steps {
            lines.push(format!("step {}: {:?}", step.name, step.settings));
            lines.extend(step.producer.iter().map(|p| format!("  produces: {p:?}")));
            lines.extend(step.consumer.iter().map(|c| format!("  consumes: {c:?}")));
        }
        lines.push(format!(
            "edges {:?}, cancelPrevious {}, calm at {}, queues hold {} bytes, state lives {}",
            self.edges, self.cancel_previous, self.calm_at, self.queue_bytes, self.state_ttl
        ));
        lines
    }
}

/// Settings and habits of every step.
fn draw_steps(random: &mut Random, shape: &topology::Shape, interrupts: bool) -> Vec<StepScript> {
    let mut steps = Vec::new();
    for (step, name) in shape.names.iter().enumerate() {
        let produces = shape.edges.iter().any(|e| e.0 == step);
        let consumes = shape.edges.iter().any(|e| e.1 == step);
        let settings = StepSettings::draw(random);
        let producer = produces.then(|| ProducerHabits::draw(random, interrupts, !consumes));
        let consumer = consumes.then(|| ConsumerHabits::draw(random, &settings));
        steps.push(StepScript {
            name: name.clone(),
            settings,
            producer,
            consumer,
        });
    }
    steps
}

/// Whether packets to a step with these settings are kept.
pub(crate) fn keeps(settings: &StepSettings) -> bool {
    settings.promise != Promise::BestEffort
}

/// Whether a step with these settings counts credits.
pub(crate) fn counts_credits(settings: &StepSettings) -> bool {
    settings.pace == Pace::Credits
}
