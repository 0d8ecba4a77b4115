//! Owns the report as one HTML page that needs nothing else: style, plots and data are in it.

use std::fmt::Write as _;

use super::model::{GuaranteeReport, Report};
use super::plot::{Plot, Scale, Series, short};
use super::table::{grouped, micros, table};

const STYLE: &str = include_str!("page.css");

/// The report as a page.
///
/// # Errors
/// When the report cannot be written as JSON, which no report of this crate can cause.
pub fn html(report: &Report) -> Result<String, serde_json::Error> {
    // A `<` could end the script element that carries the data; in JSON it stands in text only.
    let data = serde_json::to_string(report)?.replace('<', "\\u003c");
    let name = escaped(&report.scenario.name);
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>loadtest: {name}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<h1>{name}</h1>\n"
    );
    head(&mut page, report);
    tiles(&mut page, report);
    page.push_str("<div class=\"plots\">\n");
    for plot in plots(report) {
        let svg = plot.svg();
        if !svg.is_empty() {
            let _ = writeln!(
                page,
                "<section class=\"card\"><h2>{}</h2>{svg}<div>{}</div></section>",
                plot.title,
                plot.legend()
            );
        }
    }
    page.push_str("</div>\n");
    if let Some(guarantee) = &report.at_least_once {
        guaranteed(&mut page, report.connect.cuts, guarantee);
    }
    faults(&mut page, report);
    let _ = writeln!(
        page,
        "<section class=\"card\"><h2>In full</h2><pre>{}</pre></section>\n\
         <script type=\"application/json\" id=\"report\">{data}</script>\n</body>\n</html>",
        escaped(&table(report))
    );
    Ok(page)
}

fn head(page: &mut String, report: &Report) {
    let machine = &report.machine;
    let _ = writeln!(
        page,
        "<p>{} against {}{}, on {} ({} CPUs, Linux {})</p>",
        if report.latency_from == "send" {
            "Flat out"
        } else {
            "Open loop"
        },
        escaped(&report.target.address),
        if report.target.own_hub {
            " (own hub)"
        } else {
            ""
        },
        escaped(&machine.cpu),
        machine.cpus,
        escaped(&machine.kernel)
    );
    let (class, text) = if report.verdict.passed {
        (
            "passed",
            "Passed: every message is accounted for".to_owned(),
        )
    } else {
        let reasons = report.verdict.reasons.join("; ");
        ("failed", format!("Failed: {}", escaped(&reasons)))
    };
    let _ = writeln!(page, "<div class=\"verdict {class}\">{text}</div>");
    let _ = writeln!(
        page,
        "<p>Limited by: {}, {}</p>",
        escaped(&report.limit.by),
        escaped(&report.limit.because)
    );
}

fn tiles(page: &mut String, report: &Report) {
    let t = &report.throughput;
    let mut tiles = vec![
        ("messages a second", grouped(t.delivered_per_second)),
        (
            "megabytes a second",
            format!("{:.1}", t.megabytes_per_second),
        ),
        ("latency p50", micros(report.latency_us.p50)),
        ("latency p99", micros(report.latency_us.p99)),
        ("latency p99.9", micros(report.latency_us.p999)),
    ];
    if let Some(hub) = &report.hub {
        tiles.push((
            "hub CPU per message",
            format!("{:.2} us", hub.cpu_us_per_message),
        ));
        let mib = hub.max_rss_bytes as f64 / (1 << 20) as f64;
        tiles.push(("hub memory, most", format!("{mib:.1} MiB")));
    }
    page.push_str("<div class=\"grid\">\n");
    for (name, value) in tiles {
        let _ = writeln!(
            page,
            "<div class=\"card\"><b>{value}</b><span>{name}</span></div>"
        );
    }
    page.push_str("</div>\n");
}

fn guaranteed(page: &mut String, cuts: u64, guarantee: &GuaranteeReport) {
    page.push_str(
        "<section class=\"card\"><h2>At least once</h2><div class=\"scroll\"><table>\
         <tr><th>what</th><th>count</th><th>p50</th><th>p99</th><th>max</th></tr>\n",
    );
    let count = |value: u64| grouped(value as f64);
    let rows = [
        (
            "acknowledged to producers",
            count(guarantee.acknowledged),
            Some(&guarantee.ack_us),
        ),
        ("never acknowledged", count(guarantee.unacknowledged), None),
        ("receipts of consumers", count(guarantee.receipts), None),
        ("connections cut", count(cuts), None),
        (
            "redial to a consumer's first packet",
            count(guarantee.first_packet_us.count),
            Some(&guarantee.first_packet_us),
        ),
        (
            "redial to a producer's first ack",
            count(guarantee.first_ack_us.count),
            Some(&guarantee.first_ack_us),
        ),
        ("sent again by producers", count(guarantee.resent), None),
        ("redelivered", count(guarantee.redelivered), None),
        ("routed anew after a kill", count(guarantee.rerouted), None),
        (
            "producers held up, and how late that made sends",
            count(guarantee.held_up_producers),
            Some(&guarantee.held_up_us),
        ),
        (
            "seconds held up, added up",
            format!("{:.2}", guarantee.held_up_seconds),
            None,
        ),
        ("told to pause", count(guarantee.pauses), None),
    ];
    for (name, value, took) in rows {
        let took = took.filter(|took| took.count > 0);
        let [p50, p99, max] = took.map_or_else(Default::default, |took| {
            [micros(took.p50), micros(took.p99), micros(took.max)]
        });
        let _ = writeln!(
            page,
            "<tr><td>{name}</td><td>{value}</td><td>{p50}</td><td>{p99}</td><td>{max}</td></tr>"
        );
    }
    page.push_str("</table></div></section>\n");
}

fn plots(report: &Report) -> Vec<Plot> {
    let over_time = |name, read: &dyn Fn(&super::Sample) -> Option<f64>| Series {
        name,
        points: report
            .timeline
            .iter()
            .filter_map(|sample| Some((sample.at_seconds, read(sample)?)))
            .collect(),
    };
    let plot = plot_over_time;
    vec![
        plot(
            "Messages a second",
            Scale::Linear,
            short,
            vec![
                over_time("received", &|s| Some(s.delivered_per_second)),
                over_time("sent", &|s| Some(s.sent_per_second)),
            ],
        ),
        plot(
            "Latency over time",
            Scale::Log,
            micros_mark,
            vec![
                over_time("p50", &|s| Some(s.latency_us.p50)),
                over_time("p99", &|s| Some(s.latency_us.p99)),
                over_time("p99.9", &|s| Some(s.latency_us.p999)),
            ],
        ),
        distribution(report),
        plot(
            "Under way: sent and not yet received",
            Scale::Linear,
            short,
            vec![over_time("messages", &|s| Some(s.under_way as f64))],
        ),
        plot(
            "CPUs in use",
            Scale::Linear,
            |cpus| format!("{cpus:.2}"),
            vec![
                over_time("hub", &|s| s.hub_cpu),
                over_time("generator", &|s| Some(s.generator_cpu)),
            ],
        ),
        plot(
            "Hub memory",
            Scale::Linear,
            |mib| format!("{mib:.1} MiB"),
            vec![over_time("resident", &|s| {
                s.hub_rss_bytes.map(|bytes| bytes as f64 / (1 << 20) as f64)
            })],
        ),
    ]
}

fn plot_over_time(
    title: &'static str,
    scale: Scale,
    y_text: fn(f64) -> String,
    series: Vec<Series>,
) -> Plot {
    Plot {
        title,
        x_label: "seconds since traffic began",
        x_ticks: Vec::new(),
        scale,
        y_text,
        series,
    }
}

/// Latency by quantile, with every further nine as wide as the one before.
fn distribution(report: &Report) -> Plot {
    let nines = |quantile: f64| -(1.0 - quantile).log10();
    let marks = [
        (0.0, "0"),
        (0.5, "p50"),
        (0.9, "p90"),
        (0.99, "p99"),
        (0.999, "p99.9"),
        (0.9999, "p99.99"),
        (0.99999, "p99.999"),
    ];
    let points = report.latency_curve.iter();
    Plot {
        title: "Latency distribution",
        x_label: "part of the messages that took at most so long",
        x_ticks: marks
            .iter()
            .map(|(quantile, text)| (nines(*quantile), (*text).to_owned()))
            .collect(),
        scale: Scale::Log,
        y_text: micros_mark,
        series: vec![Series {
            name: "latency",
            points: points.map(|(q, us)| (nines(*q), *us)).collect(),
        }],
    }
}

fn faults(page: &mut String, report: &Report) {
    page.push_str(
        "<section class=\"card\"><h2>Faults</h2><div class=\"scroll\"><table>\
         <tr><th>fault</th><th>messages</th><th>first</th></tr>\n",
    );
    for (name, fault) in &report.faults {
        let first = fault.first.as_ref().map_or_else(String::new, |first| {
            let number = first
                .sequence
                .map_or_else(String::new, |n| format!(", message {n}"));
            format!("{} to {}{number}: {}", first.from, first.to, first.detail)
        });
        let _ = writeln!(
            page,
            "<tr><td>{name}</td><td>{}</td><td>{}</td></tr>",
            fault.count,
            escaped(&first)
        );
    }
    let _ = writeln!(
        page,
        "<tr><td>dropped by policy</td><td>{}</td><td>counted by the hub; allowed</td></tr>\n\
         </table></div></section>",
        report.dropped
    );
}

/// A whole number of the unit that reads best, as it stands at an axis.
fn micros_mark(us: f64) -> String {
    if us >= 1e6 {
        format!("{:.0} s", us / 1e6)
    } else if us >= 1e3 {
        format!("{:.0} ms", us / 1e3)
    } else {
        format!("{us:.0} us")
    }
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            plain => safe.push(plain),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Sample;

    fn report() -> Report {
        let sample = |at_seconds: f64| Sample {
            at_seconds,
            delivered_per_second: 1000.0,
            ..Sample::default()
        };
        Report {
            timeline: vec![sample(1.0), sample(2.0)],
            latency_curve: vec![(0.0, 50.0), (0.9, 80.0), (0.99, 200.0)],
            ..Report::default()
        }
    }

    #[test]
    fn the_page_fetches_nothing_from_anywhere() {
        let page = html(&report()).unwrap();
        for outside in ["http://", "https://", "src=", "href=", "@import", "url("] {
            assert!(!page.contains(outside), "{outside}");
        }
        assert!(page.contains("<svg") && page.contains("Latency distribution"));
    }

    #[test]
    fn what_a_hub_says_cannot_break_out_of_the_page() {
        let mut report = report();
        report.verdict.reasons = vec!["</script><script>alert(1)</script>".into()];
        let page = html(&report).unwrap();
        assert!(!page.contains("<script>alert"), "{page}");
        assert_eq!(page.matches("</script>").count(), 1);
    }

    #[test]
    fn a_guaranteed_run_has_a_table_of_its_own() {
        let mut report = report();
        assert!(!html(&report).unwrap().contains("At least once"));
        report.at_least_once = Some(GuaranteeReport {
            redelivered: 1234,
            ..GuaranteeReport::default()
        });
        let page = html(&report).unwrap();
        assert!(
            page.contains("<td>redelivered</td><td>1,234</td>"),
            "{page}"
        );
    }

    #[test]
    fn the_data_in_the_page_is_the_report() {
        let page = html(&report()).unwrap();
        let (_, rest) = page.split_once("id=\"report\">").unwrap();
        let (data, _) = rest.split_once("</script>").unwrap();
        let read: Report = serde_json::from_str(data).unwrap();
        assert_eq!(read, report());
    }
}
