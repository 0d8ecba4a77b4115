//! Owns saying who held the figures down: the hub, the generator, the machine, or the load itself.

use serde::{Deserialize, Serialize};

use super::model::{Collected, Measured};
use crate::measure::{MachineUse, Percentiles};

/// A thread or process that works this part of its time has none left.
const BUSY: f64 = 0.90;
/// The machine's CPUs together work this part of their time: nobody could have more.
const MACHINE_BUSY: f64 = 0.97;
/// Sending this late, in microseconds, is the generator's own doing.
const LATE_US: f64 = 5_000.0;
/// Part of the offered load that must have been delivered to call it met.
const MET: f64 = 0.99;

/// What stood in the way of better figures.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    /// `hub`, `generator`, `machine`, `window`, `consumer` (slow on purpose), or `none` when the
    /// offered load was carried.
    pub by: String,
    /// Why that is said.
    pub because: String,
}

impl Limit {
    fn new(by: &str, because: String) -> Limit {
        Limit {
            by: by.to_owned(),
            because,
        }
    }
}

/// What the judgement goes by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Evidence<'a> {
    pub(super) measured: &'a Measured,
    pub(super) collected: &'a Collected,
    /// How late sends were though the hub took everything.
    pub(super) send_lag: &'a Percentiles,
    /// The machine at both ends of the measured window.
    pub(super) machine: Option<(MachineUse, MachineUse)>,
    /// Missing messages that the hub counted as dropped.
    pub(super) dropped: u64,
    /// The run was ended early on request.
    pub(super) interrupted: bool,
}

/// Judges who was the limit of a run.
pub(super) fn limit(evidence: &Evidence<'_>) -> Limit {
    let (measured, collected) = (evidence.measured, evidence.collected);
    let worked = machine_worked(evidence.machine);
    if let Some(offered) = collected.offered_per_second {
        let carried = measured.delivered as f64 / measured.seconds.max(1e-9);
        let late = evidence.send_lag.p99 >= LATE_US;
        let held = collected.guarantee.as_ref();
        let held = held.map_or(0.0, |seen| seen.held_up_seconds);
        let waited = held.max(collected.blocked_seconds) >= measured.seconds * 0.01;
        if late && !waited {
            return late_by_itself(evidence.send_lag, measured.busiest_thread, worked);
        }
        let carried = carried >= offered * MET;
        // What was due in the moment of an early end was nobody's to send.
        if carried && (collected.unsent == 0 || evidence.interrupted) {
            return Limit::new("none", "the offered rate was carried".to_owned());
        }
        if waited && held > 0.0 && collected.scenario.slow.is_some() {
            let because = format!(
                "producers were held up for {held:.1} s in all by those who are slow on purpose"
            );
            return Limit::new("consumer", because);
        }
        if evidence.dropped > 0 && collected.unsent == 0 {
            let because = format!(
                "it dropped {} messages by policy that consumers did not take in time",
                evidence.dropped
            );
            return Limit::new("hub", because);
        }
    }
    busiest(measured, worked, collected.offered_per_second.is_some())
}

/// Sends were late and the hub did not cause it.
fn late_by_itself(lag: &Percentiles, busiest: f64, machine: Option<f64>) -> Limit {
    let late = format!(
        "1 of 100 messages was sent {:.1} ms late or later though the hub took everything",
        lag.p99 / 1000.0
    );
    if busiest < BUSY && machine.is_some_and(|worked| worked >= MACHINE_BUSY) {
        let because = format!("{late}, because all CPUs were busy, with other programs too");
        return Limit::new("machine", because);
    }
    Limit::new("generator", format!("{late}: give it more --threads"))
}

/// Part of their time that all CPUs worked.
fn machine_worked(machine: Option<(MachineUse, MachineUse)>) -> Option<f64> {
    let (from, to) = machine?;
    let busy = to.busy_seconds - from.busy_seconds;
    Some(busy / (busy + to.idle_seconds - from.idle_seconds).max(1e-9))
}

fn busiest(measured: &Measured, worked: Option<f64>, open_loop: bool) -> Limit {
    let hub = measured
        .hub_cpu_seconds
        .map(|cpu| cpu / measured.seconds.max(1e-9));
    let generator = measured.busiest_thread;
    let percent = |part: f64| format!("{:.0} %", part * 100.0);
    if hub.is_some_and(|hub| hub >= BUSY) {
        let because = format!(
            "its CPU was busy {} of the time",
            percent(hub.unwrap_or_default())
        );
        return Limit::new("hub", because);
    }
    if generator >= BUSY {
        let because = format!(
            "its busiest thread worked {} of the time: give it more --threads",
            percent(generator)
        );
        return Limit::new("generator", because);
    }
    if worked.is_some_and(|worked| worked >= MACHINE_BUSY) {
        let because = "all CPUs were busy, with other programs too".to_owned();
        return Limit::new("machine", because);
    }
    match hub {
        None => Limit::new(
            "hub",
            "the generator had time left; the hub's CPU is not known (--hub-pid)".to_owned(),
        ),
        // There is no window in open loop.
        Some(hub) if open_loop => Limit::new(
            "none",
            format!(
                "hub {} and generator {} busy: neither held the rate down",
                percent(hub),
                percent(generator)
            ),
        ),
        Some(hub) => Limit::new(
            "window",
            format!(
                "hub {} and generator {} busy: a larger --window may carry more",
                percent(hub),
                percent(generator)
            ),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::GuaranteeSeen;
    use crate::scenario::Slow;

    fn measured(delivered: u64, hub: f64, generator: f64) -> Measured {
        Measured {
            seconds: 10.0,
            delivered,
            hub_cpu_seconds: Some(hub * 10.0),
            busiest_thread: generator,
            ..Measured::default()
        }
    }

    fn by(measured: &Measured, collected: &Collected, late_us: f64) -> String {
        judged(measured, collected, late_us, 0, None)
    }

    fn judged(
        measured: &Measured,
        collected: &Collected,
        late_us: f64,
        dropped: u64,
        idle: Option<f64>,
    ) -> String {
        let send_lag = Percentiles {
            p99: late_us,
            ..Percentiles::default()
        };
        let machine = idle.map(|idle_seconds| {
            let after = MachineUse {
                busy_seconds: 20.0,
                idle_seconds,
            };
            (MachineUse::default(), after)
        });
        let evidence = Evidence {
            measured,
            collected,
            send_lag: &send_lag,
            machine,
            dropped,
            interrupted: false,
        };
        limit(&evidence).by
    }

    fn offered(rate: f64, blocked: f64) -> Collected {
        Collected {
            offered_per_second: Some(rate),
            blocked_seconds: blocked,
            ..Collected::default()
        }
    }

    #[test]
    fn an_offered_rate_that_was_carried_has_no_limit() {
        assert_eq!(
            by(&measured(1000, 0.95, 0.1), &offered(100.0, 0.0), 50.0),
            "none"
        );
    }

    #[test]
    fn open_loop_no_window_is_the_limit_and_an_early_end_is_none() {
        let run = measured(1000, 0.1, 0.1);
        let mut collected = offered(100.0, 0.0);
        collected.unsent = 2;
        assert_eq!(by(&run, &collected, 50.0), "none");
        let evidence = Evidence {
            measured: &run,
            collected: &collected,
            send_lag: &Percentiles::default(),
            machine: None,
            dropped: 0,
            interrupted: true,
        };
        assert_eq!(limit(&evidence).because, "the offered rate was carried");
    }

    #[test]
    fn a_late_generator_blames_itself_unless_the_hub_made_it_wait() {
        let run = measured(900, 0.95, 0.5);
        assert_eq!(by(&run, &offered(100.0, 0.0), 9_000.0), "generator");
        assert_eq!(by(&run, &offered(100.0, 3.0), 9_000.0), "hub");
    }

    #[test]
    fn a_late_generator_on_a_machine_that_others_fill_is_the_machines_fault() {
        let run = measured(1000, 0.1, 0.1);
        let offered = offered(100.0, 0.0);
        assert_eq!(judged(&run, &offered, 9_000.0, 0, Some(0.1)), "machine");
        assert_eq!(judged(&run, &offered, 9_000.0, 0, Some(15.0)), "generator");
    }

    #[test]
    fn what_the_hub_drops_it_did_not_carry() {
        let run = measured(500, 0.2, 0.2);
        assert_eq!(judged(&run, &offered(100.0, 0.0), 10.0, 500, None), "hub");
    }

    #[test]
    fn a_consumer_that_is_slow_on_purpose_is_the_limit_where_it_holds_producers_up() {
        let mut collected = offered(100.0, 0.0);
        collected.scenario.slow = Some(Slow {
            rate: 1.0,
            consumers: 1,
        });
        collected.guarantee = Some(GuaranteeSeen {
            held_up_seconds: 8.0,
            ..GuaranteeSeen::default()
        });
        let run = measured(10, 0.1, 0.1);
        assert_eq!(by(&run, &collected, 9_000.0), "consumer");
    }

    #[test]
    fn flat_out_the_busier_side_is_the_limit() {
        let flat_out = Collected::default();
        assert_eq!(by(&measured(1, 0.99, 0.99), &flat_out, 0.0), "hub");
        assert_eq!(by(&measured(1, 0.6, 0.95), &flat_out, 0.0), "generator");
        assert_eq!(by(&measured(1, 0.5, 0.5), &flat_out, 0.0), "window");
    }
}
