//! Histograms as Prometheus text, straight from the engine's buckets.
//!
//! The `metrics` crate takes histograms sample by sample; the engine has counted them already, and
//! handing over millions of samples at each scrape would cost more than routing the packets did.

use std::fmt::Write;

use engine::latency::{BOUNDS_NANOS, Latency};

use super::names;

/// Appends the histogram `name` in seconds, with one series for each set of labels.
pub(super) fn render<'a>(
    out: &mut String,
    name: &str,
    series: impl Iterator<Item = (String, &'a Latency)>,
) {
    let help = names::HISTOGRAMS.iter().find(|(n, _)| *n == name);
    let help = help.map_or("", |(_, help)| help);
    // Writing to a String never fails.
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} histogram");
    for (labels, latency) in series {
        let bounds = BOUNDS_NANOS
            .iter()
            .map(|&nanos| (nanos as f64 / 1e9).to_string());
        let bounds = bounds.chain(["+Inf".to_owned()]);
        let (mut count, mut nanos) = (0u64, 0u64);
        for (bucket, le) in latency.buckets().iter().zip(bounds) {
            count += bucket.count;
            nanos = nanos.saturating_add(bucket.sum_nanos);
            let _ = writeln!(out, "{name}_bucket{{{labels},le=\"{le}\"}} {count}");
        }
        let _ = writeln!(out, "{name}_sum{{{labels}}} {}", nanos as f64 / 1e9);
        let _ = writeln!(out, "{name}_count{{{labels}}} {count}");
    }
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn buckets_are_cumulative_and_end_with_all_samples() {
        let mut latency = Latency::default();
        for micros in [10, 60, 60, 30_000_000] {
            latency.record(Duration::from_micros(micros), 1);
        }
        let labels = "story=\"s\"".to_owned();
        let mut text = String::new();
        render(
            &mut text,
            names::FORWARD_SECONDS,
            [(labels, &latency)].into_iter(),
        );
        let value = |line: &str| {
            let line = text.lines().find(|l| l.contains(line));
            line.and_then(|l| l.rsplit_once(' '))
                .map(|(_, v)| v.to_owned())
        };
        assert_eq!(value("le=\"0.00005\"").as_deref(), Some("1"));
        assert_eq!(value("le=\"0.0001\"").as_deref(), Some("3"));
        assert_eq!(value("le=\"10\"").as_deref(), Some("3"));
        assert_eq!(value("le=\"+Inf\"").as_deref(), Some("4"));
        assert_eq!(value("_count").as_deref(), Some("4"));
        assert_eq!(value("_sum").as_deref(), Some("30.00013"));
        assert!(text.starts_with("# HELP hub_forward_seconds "));
        assert!(text.contains("# TYPE hub_forward_seconds histogram\n"));
    }
}
