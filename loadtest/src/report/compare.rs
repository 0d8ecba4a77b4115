//! Owns setting two reports side by side: ratios, and what got worse.

use super::model::{GuaranteeReport, Report};

/// Which way is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// More is better.
    Higher,
    /// Less is better.
    Lower,
}

/// One figure of two runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Which figure.
    pub name: &'static str,
    /// Its value in the first report.
    pub before: f64,
    /// Its value in the second.
    pub after: f64,
    /// Which way is better.
    pub better: Direction,
}

impl Row {
    /// Second by first; `None` when the first is zero.
    pub fn ratio(&self) -> Option<f64> {
        (self.before != 0.0).then(|| self.after / self.before)
    }

    /// Whether the second is worse by more than `tolerance` (0.05 is 5 %).
    pub fn worse(&self, tolerance: f64) -> bool {
        match self.better {
            Direction::Higher => self.after < self.before * (1.0 - tolerance),
            Direction::Lower => self.after > self.before * (1.0 + tolerance),
        }
    }

    /// Whether the second is better by more than `tolerance`.
    pub fn improved(&self, tolerance: f64) -> bool {
        match self.better {
            Direction::Higher => self.after > self.before * (1.0 + tolerance),
            Direction::Lower => self.after < self.before * (1.0 - tolerance),
        }
    }
}

/// Two runs side by side.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The figures that both have.
    pub rows: Vec<Row>,
    /// Why the figures may not be compared: other load, other machine, a failed run.
    pub cautions: Vec<String>,
}

/// Compares two reports.
pub fn compare(before: &Report, after: &Report) -> Comparison {
    use Direction::{Higher, Lower};
    let mut rows = Vec::new();
    let mut row = |name, better, read: &dyn Fn(&Report) -> Option<f64>| {
        if let (Some(before), Some(after)) = (read(before), read(after)) {
            rows.push(Row {
                name,
                before,
                after,
                better,
            });
        }
    };
    row("delivered msg/s", Higher, &|r| {
        Some(r.throughput.delivered_per_second)
    });
    row("delivered MB/s", Higher, &|r| {
        Some(r.throughput.megabytes_per_second)
    });
    row("latency p50 us", Lower, &|r| Some(r.latency_us.p50));
    row("latency p90 us", Lower, &|r| Some(r.latency_us.p90));
    row("latency p99 us", Lower, &|r| Some(r.latency_us.p99));
    row("latency p99.9 us", Lower, &|r| Some(r.latency_us.p999));
    row("latency max us", Lower, &|r| Some(r.latency_us.max));
    row("hub CPU us per message", Lower, &|r| {
        r.hub.map(|hub| hub.cpu_us_per_message)
    });
    row("hub max memory MiB", Lower, &|r| {
        r.hub.map(|hub| hub.max_rss_bytes as f64 / (1 << 20) as f64)
    });
    row("dropped", Lower, &|r| Some(r.dropped as f64));
    row("faults", Lower, &|r| {
        Some(r.faults.values().map(|fault| fault.count).sum::<u64>() as f64)
    });
    row("connect p99 us", Lower, &|r| Some(r.connect.latency_us.p99));
    row("reconnect p99 us", Lower, &|r| {
        (r.connect.reopened > 0).then_some(r.connect.reopen_latency_us.p99)
    });
    let guarantee =
        |read: fn(&GuaranteeReport) -> f64| move |r: &Report| r.at_least_once.as_ref().map(read);
    row("ack p50 us", Lower, &guarantee(|g| g.ack_us.p50));
    row("ack p99 us", Lower, &guarantee(|g| g.ack_us.p99));
    row("resent", Lower, &guarantee(|g| g.resent as f64));
    row("redelivered", Lower, &guarantee(|g| g.redelivered as f64));
    row("held up s", Lower, &guarantee(|g| g.held_up_seconds));
    row("first packet p50 us", Lower, &|r| {
        let took = r.at_least_once.as_ref()?.first_packet_us;
        (took.count > 0).then_some(took.p50)
    });
    row("first packet p99 us", Lower, &|r| {
        let took = r.at_least_once.as_ref()?.first_packet_us;
        (took.count > 0).then_some(took.p99)
    });
    Comparison {
        rows,
        cautions: cautions(before, after),
    }
}

fn cautions(before: &Report, after: &Report) -> Vec<String> {
    let mut cautions = Vec::new();
    if before.scenario != after.scenario {
        cautions.push("the two ran different scenarios".to_owned());
    }
    if before.machine != after.machine {
        cautions.push("the two ran on different machines".to_owned());
    }
    for (name, report) in [("first", before), ("second", after)] {
        if !report.verdict.passed {
            let reasons = report.verdict.reasons.join("; ");
            cautions.push(format!("the {name} run failed: {reasons}"));
        }
        if report.limit.by == "generator" || report.limit.by == "machine" {
            cautions.push(format!(
                "the {name} run was limited by the {}, not by the hub",
                report.limit.by
            ));
        }
        if report.interrupted {
            cautions.push(format!("the {name} run was ended early"));
        }
    }
    cautions
}

impl Comparison {
    /// The comparison as text; `tolerance` is what does not count as a change (0.05 is 5 %).
    pub fn text(&self, tolerance: f64) -> String {
        let mut lines = vec![format!(
            "{:<26}{:>14}{:>14}{:>9}",
            "", "first", "second", "ratio"
        )];
        for row in &self.rows {
            let ratio = row
                .ratio()
                .map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}x"));
            let mark = if row.worse(tolerance) {
                "  worse"
            } else if row.improved(tolerance) {
                "  better"
            } else {
                ""
            };
            lines.push(format!(
                "{:<26}{:>14.2}{:>14.2}{ratio:>9}{mark}",
                row.name, row.before, row.after
            ));
        }
        for caution in &self.cautions {
            lines.push(format!("caution: {caution}"));
        }
        lines.join("\n") + "\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(rate: f64, p99: f64) -> Report {
        let mut report = Report::default();
        report.throughput.delivered_per_second = rate;
        report.latency_us.p99 = p99;
        report.verdict.passed = true;
        report
    }

    fn marks(before: &Report, after: &Report) -> Vec<&'static str> {
        let comparison = compare(before, after);
        let worse = comparison.rows.iter().filter(|row| row.worse(0.05));
        worse.map(|row| row.name).collect()
    }

    #[test]
    fn less_throughput_and_more_latency_are_worse() {
        assert_eq!(
            marks(&report(100.0, 10.0), &report(90.0, 11.0)),
            ["delivered msg/s", "latency p99 us"]
        );
    }

    #[test]
    fn more_throughput_and_less_latency_are_not_worse() {
        assert!(marks(&report(100.0, 10.0), &report(120.0, 9.0)).is_empty());
    }

    #[test]
    fn a_change_within_the_tolerance_is_none() {
        assert!(marks(&report(100.0, 10.0), &report(96.0, 10.4)).is_empty());
    }

    #[test]
    fn faults_where_there_were_none_are_worse_though_there_is_no_ratio() {
        let mut after = report(100.0, 10.0);
        let lost = after.faults.entry("lost".into()).or_default();
        lost.count = 1;
        let comparison = compare(&report(100.0, 10.0), &after);
        let row = comparison.rows.iter().find(|r| r.name == "faults").unwrap();
        assert!(row.worse(0.05) && row.ratio().is_none());
    }

    #[test]
    fn guaranteed_runs_are_compared_by_what_the_guarantee_cost() {
        let run = |redelivered| {
            let mut report = report(100.0, 10.0);
            report.at_least_once = Some(GuaranteeReport {
                redelivered,
                ..GuaranteeReport::default()
            });
            report
        };
        assert_eq!(marks(&run(10), &run(20)), ["redelivered"]);
        let comparison = compare(&run(10), &report(100.0, 10.0));
        assert!(comparison.rows.iter().all(|row| row.name != "redelivered"));
    }

    #[test]
    fn other_load_and_failed_runs_are_said() {
        let mut after = report(100.0, 10.0);
        after.scenario.name = "other".into();
        after.verdict.passed = false;
        let text = compare(&report(100.0, 10.0), &after).text(0.05);
        assert!(text.contains("different scenarios") && text.contains("second run failed"));
    }
}
