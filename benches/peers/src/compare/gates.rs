//! Owns the gates of spec 6 that this comparison can judge: best_effort, against the HTTP/2 floor
//! and against NATS core.

use serde::Serialize;

use super::figures::{Base, Figures, Measure, median};
use crate::load::Load;
use crate::program::Program;

/// Largest payload that counts as a small message.
const SMALL: usize = 640;
/// Smallest payload that counts as a large one.
const LARGE: usize = 64 << 10;

/// One gate for one load: a ratio of the hub to a base that must hold.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Gate {
    /// What is compared.
    pub measure: Measure,
    /// What with.
    pub base: Base,
    /// The bound: at least this for throughput, at most this for all else.
    pub bound: f64,
}

/// What came of a gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The median ratio holds the bound.
    Met,
    /// It does not.
    Short,
    /// The base was not measured.
    Skipped,
}

/// A gate with its figures.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Judged {
    /// Index of the load.
    pub load: usize,
    /// The gate.
    pub gate: Gate,
    /// Median, smallest and largest ratio of the rounds.
    pub ratio: Option<[f64; 3]>,
    /// What came of it.
    pub outcome: Outcome,
}

impl Gate {
    /// Whether a ratio holds the bound.
    pub fn holds(&self, ratio: f64) -> bool {
        match self.measure {
            Measure::Throughput => ratio >= self.bound,
            Measure::Cpu | Measure::P50 | Measure::P99 => ratio <= self.bound,
        }
    }
}

/// The gates of a load.
fn gates(load: &Load) -> Vec<Gate> {
    let gate = |measure, base, bound| Gate {
        measure,
        base,
        bound,
    };
    if load.rate.is_some() {
        return vec![
            gate(Measure::Cpu, Base::Floor, 1.1),
            gate(Measure::Cpu, Base::Nats, 0.35),
            gate(Measure::P50, Base::Nats, 0.5),
            gate(Measure::P99, Base::Nats, 0.35),
        ];
    }
    let small = load.size <= SMALL;
    let more_than_nats = match load.size {
        size if size <= SMALL => 1.25,
        size if size < LARGE => 1.1,
        _ => 1.2,
    };
    vec![
        gate(Measure::Throughput, Base::Floor, 0.9),
        gate(Measure::Cpu, Base::Floor, if small { 1.4 } else { 1.15 }),
        gate(Measure::Throughput, Base::Nats, more_than_nats),
        gate(Measure::Cpu, Base::Nats, if small { 0.9 } else { 0.7 }),
    ]
}

/// Judges every gate of every load.
pub fn judge_gates(loads: &[Load], figures: Figures<'_>) -> Vec<Judged> {
    let of_load = |(index, load): (usize, &Load)| {
        let judged = gates(load).into_iter().map(move |gate| {
            let pair = (Program::Hub, gate.base.program());
            judge(index, gate, figures.ratios(index, pair, gate.measure))
        });
        judged.collect::<Vec<_>>()
    };
    loads.iter().enumerate().flat_map(of_load).collect()
}

fn judge(load: usize, gate: Gate, ratios: Vec<f64>) -> Judged {
    let ends = ratios.first().copied().zip(ratios.last().copied());
    let ratio = median(ratios)
        .zip(ends)
        .map(|(middle, (least, most))| [middle, least, most]);
    let outcome = match ratio {
        None => Outcome::Skipped,
        Some([middle, ..]) if gate.holds(middle) => Outcome::Met,
        Some(_) => Outcome::Short,
    };
    Judged {
        load,
        gate,
        ratio,
        outcome,
    }
}

#[cfg(test)]
mod tests {
    use super::super::figures::tests::measurement;
    use super::*;
    use crate::load::WINDOW;

    #[test]
    fn a_hub_that_costs_half_as_much_again_is_short_on_cpu_and_throughput() {
        let all = [
            measurement(0, Program::Hub, 1.5),
            measurement(0, Program::Http2, 1.0),
        ];
        let judged = judge_gates(&Load::all(WINDOW)[..1], Figures(&all));
        let outcomes: Vec<_> = judged.iter().map(|j| j.outcome).collect();
        let skipped = Outcome::Skipped;
        assert_eq!(outcomes, [Outcome::Short, Outcome::Short, skipped, skipped]);
    }

    #[test]
    fn throughput_must_be_high_and_everything_else_low() {
        let gate = |measure| Gate {
            measure,
            base: Base::Floor,
            bound: 1.0,
        };
        assert!(gate(Measure::Throughput).holds(1.1) && !gate(Measure::Throughput).holds(0.9));
        assert!(gate(Measure::P99).holds(0.9) && !gate(Measure::P99).holds(1.1));
    }
}
