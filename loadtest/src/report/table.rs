//! Owns the table at the end of a run and the line per second during it, as plain text.

use std::fmt::Write as _;

use super::model::{GuaranteeReport, Report, Sample};
use crate::measure::Percentiles;
use crate::scenario::Pace;
use crate::verify::Fault;

/// One line for one sample, for output that is no terminal.
pub fn per_second_line(sample: &Sample) -> String {
    let latency = &sample.latency_us;
    let hub = match (sample.hub_cpu, sample.hub_rss_bytes) {
        (Some(cpu), Some(rss)) => format!(
            "  hub {:.0} % CPU {:.1} MiB",
            cpu * 100.0,
            rss as f64 / (1 << 20) as f64
        ),
        _ => String::new(),
    };
    format!(
        "{:6.1} s  {:>11} msg/s  {:>9.2} MB/s  p50 {}  p99 {}  p99.9 {}  under way {}{hub}",
        sample.at_seconds,
        grouped(sample.delivered_per_second),
        sample.megabytes_per_second,
        micros(latency.p50),
        micros(latency.p99),
        micros(latency.p999),
        grouped(sample.under_way as f64),
    )
}

/// The table that closes a run.
pub fn table(report: &Report) -> String {
    let mut text = String::new();
    row(&mut text, "scenario", &scenario(report));
    throughput(&mut text, report);
    let from = match report.latency_from.as_str() {
        "send" => "latency from send",
        _ => "latency from intended send",
    };
    row(&mut text, from, &percentiles(&report.latency_us));
    costs(&mut text, report);
    row(
        &mut text,
        "streams",
        &format!(
            "{} accepted, {}{}",
            report.connect.opened,
            percentiles(&report.connect.latency_us),
            counts(", refused", &report.connect.refused)
        ),
    );
    if report.hub_kills > 0 {
        row(
            &mut text,
            "hub killed",
            &format!("{} times", report.hub_kills),
        );
    }
    if report.connect.reopened > 0 {
        let latency = percentiles(&report.connect.reopen_latency_us);
        let (cuts, back) = (report.connect.cuts, report.connect.reopened);
        let value = format!("{cuts} cut, {back} back, {latency}");
        row(&mut text, "streams cut and back", &value);
    }
    if let Some(guarantee) = &report.at_least_once {
        guaranteed(&mut text, guarantee);
    }
    losses(&mut text, report);
    row(
        &mut text,
        "limit",
        &format!("{}: {}", report.limit.by, report.limit.because),
    );
    let verdict = if report.verdict.passed {
        "PASSED".to_owned()
    } else {
        format!("FAILED: {}", report.verdict.reasons.join("; "))
    };
    row(&mut text, "verdict", &verdict);
    if report.interrupted {
        row(&mut text, "", "(ended early on request)");
    }
    text
}

fn scenario(report: &Report) -> String {
    let flows = report.scenario.flows.iter().map(|flow| {
        let pace = match flow.pace {
            Pace::Rate(rate) => format!("{rate} msg/s each"),
            Pace::Window(window) => format!("flat out, window {window}"),
        };
        format!(
            "{} x {} {} B to {} each, {pace}",
            flow.producers, flow.kind, flow.size, flow.fan_out
        )
    });
    let flows: Vec<String> = flows.collect();
    format!("{} ({})", report.scenario.name, flows.join("; "))
}

fn throughput(text: &mut String, report: &Report) {
    let t = &report.throughput;
    let offered = t
        .offered_per_second
        .map(|rate| format!(" of {} offered", grouped(rate)))
        .unwrap_or_default();
    row(
        text,
        "delivered",
        &format!(
            "{} msg/s{offered}, {:.2} MB/s over {:.1} s",
            grouped(t.delivered_per_second),
            t.megabytes_per_second,
            t.measured_seconds
        ),
    );
    let unsent = if t.unsent > 0 {
        format!(", {} scheduled and never sent", grouped(t.unsent as f64))
    } else {
        String::new()
    };
    row(
        text,
        "in all",
        &format!(
            "{} sent, {} received{unsent}",
            grouped(t.sent as f64),
            grouped(t.delivered as f64)
        ),
    );
}

fn costs(text: &mut String, report: &Report) {
    if let Some(hub) = &report.hub {
        row(
            text,
            "hub",
            &format!(
                "{:.2} CPU s ({:.0} %), {:.2} us per message, {:.1} MiB at most",
                hub.cpu_seconds,
                hub.cpus * 100.0,
                hub.cpu_us_per_message,
                hub.max_rss_bytes as f64 / (1 << 20) as f64
            ),
        );
    }
    let generator = &report.generator;
    let lag = if generator.send_lag_us.count > 0 {
        format!(", sends late by p99 {}", micros(generator.send_lag_us.p99))
    } else {
        String::new()
    };
    row(
        text,
        "generator",
        &format!(
            "{:.2} CPU s, {:.2} us per message, busiest thread {:.0} %{lag}",
            generator.cpu_seconds,
            generator.cpu_us_per_message,
            generator.busiest_thread * 100.0
        ),
    );
}

fn guaranteed(text: &mut String, guarantee: &GuaranteeReport) {
    let count = |value: u64| grouped(value as f64);
    let heard = format!(
        "{} of {}, {}",
        count(guarantee.acknowledged),
        count(guarantee.acknowledged + guarantee.unacknowledged),
        percentiles(&guarantee.ack_us)
    );
    row(text, "acknowledged", &heard);
    let again = format!(
        "{} resent, {} redelivered, {} routed anew, {} receipts",
        count(guarantee.resent),
        count(guarantee.redelivered),
        count(guarantee.rerouted),
        count(guarantee.receipts)
    );
    row(text, "again", &again);
    for (name, took) in [
        ("redial to first packet", &guarantee.first_packet_us),
        ("redial to first ack", &guarantee.first_ack_us),
    ] {
        if took.count > 0 {
            row(text, name, &percentiles(took));
        }
    }
    if guarantee.held_up_producers == 0 {
        return;
    }
    let late = &guarantee.held_up_us;
    let late = if late.count > 0 {
        format!("sends late by {}", percentiles(late))
    } else {
        "windows full or nothing taken".to_owned()
    };
    let held = format!(
        "{} producers for {:.2} s in all, told to pause {} times; {late}",
        guarantee.held_up_producers, guarantee.held_up_seconds, guarantee.pauses
    );
    row(text, "held up", &held);
}

fn losses(text: &mut String, report: &Report) {
    if report.dropped > 0 {
        let none = Default::default();
        let reasons = report.hub_drops.as_ref().unwrap_or(&none);
        let dropped = grouped(report.dropped as f64);
        row(
            text,
            "dropped by policy",
            &format!("{dropped}{}", counts(":", reasons)),
        );
    }
    if report.lost_with_connection > 0 {
        row(
            text,
            "lost with cut streams",
            &grouped(report.lost_with_connection as f64),
        );
    }
    if report.foreign > 0 {
        row(text, "of an earlier run", &grouped(report.foreign as f64));
    }
    let guaranteed = report.at_least_once.is_some();
    let faults: Vec<String> = Fault::ALL
        .into_iter()
        .filter(|fault| guaranteed || !fault.is_of_guarantee())
        .map(|fault| {
            let name = fault.name();
            let count = report.faults.get(name).map_or(0, |fault| fault.count);
            format!("{name} {count}")
        })
        .collect();
    row(text, "faults", &faults.join(", "));
    for (name, fault) in &report.faults {
        let Some(first) = &fault.first else { continue };
        let sequence = first
            .sequence
            .map(|n| format!(" message {n}"))
            .unwrap_or_default();
        let at = first
            .at_seconds
            .map(|s| format!(" at {s:.3} s"))
            .unwrap_or_default();
        let from = if first.from.is_empty() {
            "?"
        } else {
            &first.from
        };
        row(
            text,
            &format!("  first {name}"),
            &format!("{from} -> {}{sequence}{at}: {}", first.to, first.detail),
        );
    }
}

fn row(text: &mut String, name: &str, value: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{name:<28}{value}");
}

fn counts(label: &str, by: &std::collections::BTreeMap<String, u64>) -> String {
    if by.is_empty() {
        return String::new();
    }
    let parts: Vec<String> = by
        .iter()
        .map(|(name, count)| format!("{name} {}", grouped(*count as f64)))
        .collect();
    format!("{label} {}", parts.join(", "))
}

fn percentiles(p: &Percentiles) -> String {
    if p.count == 0 {
        return "no messages".to_owned();
    }
    format!(
        "p50 {}  p90 {}  p99 {}  p99.9 {}  max {}",
        micros(p.p50),
        micros(p.p90),
        micros(p.p99),
        micros(p.p999),
        micros(p.max)
    )
}

/// Microseconds in the unit that reads best.
pub(super) fn micros(us: f64) -> String {
    if us >= 1_000_000.0 {
        format!("{:.2} s", us / 1e6)
    } else if us >= 1_000.0 {
        format!("{:.2} ms", us / 1e3)
    } else {
        format!("{us:.0} us")
    }
}

/// A whole number with its thousands apart.
pub(super) fn grouped(value: f64) -> String {
    let digits = format!("{:.0}", value.max(0.0));
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(grouped(1_234_567.4), "1,234,567");
        assert_eq!(grouped(999.0), "999");
        assert_eq!(micros(122.4), "122 us");
        assert_eq!(micros(1_500.0), "1.50 ms");
    }

    #[test]
    fn a_guaranteed_run_says_what_came_again_and_who_was_held_up() {
        let mut report = Report::default();
        assert!(!table(&report).contains("unacknowledged"));
        report.at_least_once = Some(GuaranteeReport {
            acknowledged: 7,
            unacknowledged: 2,
            resent: 3,
            redelivered: 4,
            held_up_producers: 1,
            held_up_seconds: 1.5,
            ..GuaranteeReport::default()
        });
        let text = table(&report);
        for part in [
            "7 of 9",
            "3 resent, 4 redelivered",
            "1 producers for 1.50 s",
            "unacknowledged 0",
        ] {
            assert!(text.contains(part), "{part} in\n{text}");
        }
    }

    #[test]
    fn a_failed_run_says_failed_and_why() {
        let mut report = Report::default();
        report.verdict.reasons.push("3 lost".into());
        assert!(table(&report).contains("FAILED: 3 lost"));
        report.verdict.passed = true;
        assert!(table(&report).contains("PASSED"));
    }
}
