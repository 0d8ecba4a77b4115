//! Owns medians and ratios of what was measured.

use serde::Serialize;

use super::rounds::Measurement;
use crate::program::Program;

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Messages received a second.
    Throughput,
    /// CPU of the program per message received.
    Cpu,
    /// Median latency.
    P50,
    /// 99th percentile of the latency.
    P99,
}

/// What it is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Base {
    /// The HTTP/2 relay.
    Floor,
    /// NATS core.
    Nats,
}

impl Base {
    /// The program.
    pub fn program(self) -> Program {
        match self {
            Base::Floor => Program::Http2,
            Base::Nats => Program::Nats,
        }
    }
}

impl Measure {
    fn of(self, measurement: &Measurement) -> f64 {
        match self {
            Measure::Throughput => measurement.delivered_per_second,
            Measure::Cpu => measurement.cpu_us,
            Measure::P50 => measurement.p50_us,
            Measure::P99 => measurement.p99_us,
        }
    }
}

/// All measurements, to be asked.
#[derive(Clone, Copy, Debug)]
pub struct Figures<'a>(pub &'a [Measurement]);

impl Figures<'_> {
    fn of(&self, load: usize, program: Program) -> impl Iterator<Item = &Measurement> {
        let wanted = move |m: &&Measurement| m.load == load && m.program == program;
        self.0.iter().filter(wanted)
    }

    /// Median of a program's figures under a load; `None` when it was not measured.
    pub fn median(&self, load: usize, program: Program, measure: Measure) -> Option<f64> {
        median(self.of(load, program).map(|m| measure.of(m)).collect())
    }

    /// The rounds' ratios of a program to the base, smallest first.
    pub fn ratios(
        &self,
        load: usize,
        (program, base): (Program, Program),
        measure: Measure,
    ) -> Vec<f64> {
        let mut ratios: Vec<f64> = self
            .of(load, program)
            .filter_map(|mine| {
                let theirs = self.of(load, base).find(|m| m.round == mine.round)?;
                let under = measure.of(theirs);
                (under > 0.0).then(|| measure.of(mine) / under)
            })
            .collect();
        ratios.sort_by(f64::total_cmp);
        ratios
    }

    /// Who was the limit in more than half of the rounds; `None` when nobody was.
    pub fn limit(&self, load: usize, program: Program) -> Option<&str> {
        let rounds: Vec<&str> = self.of(load, program).map(|m| m.limit.as_str()).collect();
        let often =
            |who: &&&str| rounds.iter().filter(|other| other == who).count() * 2 > rounds.len();
        rounds.iter().find(often).copied()
    }

    /// CPUs of other work, on average and at most.
    pub fn foreign(&self) -> (f64, f64) {
        let all = self.0.iter().map(|m| m.foreign_cpus);
        let most = all.clone().fold(0.0, f64::max);
        (all.sum::<f64>() / self.0.len().max(1) as f64, most)
    }
}

/// Median; `None` of nothing.
pub fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    if values.len() % 2 == 1 {
        return Some(upper);
    }
    Some((values.get(middle - 1)? + upper) / 2.0)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(crate) fn measurement(round: usize, program: Program, cpu_us: f64) -> Measurement {
        Measurement {
            load: 0,
            round,
            program,
            delivered_per_second: 1000.0 / cpu_us,
            cpu_us,
            cpus: 1.0,
            generator_cpu_us: 1.0,
            p50_us: cpu_us,
            p99_us: cpu_us * 2.0,
            limit: "hub".into(),
            foreign_cpus: 0.25,
            objections: Vec::new(),
        }
    }

    #[test]
    fn the_median_of_two_is_between_them() {
        assert_eq!(median(vec![]), None);
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0]), Some(2.5));
    }

    #[test]
    fn ratios_are_taken_within_a_round() {
        // The machine was twice as slow in the second round, for both.
        let all = [
            measurement(0, Program::Hub, 2.0),
            measurement(0, Program::Http2, 1.0),
            measurement(1, Program::Hub, 4.0),
            measurement(1, Program::Http2, 2.0),
        ];
        let pair = (Program::Hub, Program::Http2);
        assert_eq!(Figures(&all).ratios(0, pair, Measure::Cpu), [2.0, 2.0]);
        let nats = (Program::Hub, Program::Nats);
        assert!(Figures(&all).ratios(0, nats, Measure::Cpu).is_empty());
    }
}
