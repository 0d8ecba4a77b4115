//! Owns how a comparison is shown: one Markdown document, which reads well as plain text too.

use std::fmt::Write as _;

use super::figures::{Figures, Measure};
use super::gates::{Judged, Outcome};
use crate::load::{Load, Timing};
use crate::program::Program;

/// Everything that is shown.
#[derive(Clone, Copy, Debug)]
pub struct Document<'a> {
    /// What the figures come from: (name, value).
    pub facts: &'a [(String, String)],
    /// How often each program met each load.
    pub rounds: usize,
    /// How long, each time.
    pub timing: Timing,
    /// Messages under way per producer, at most.
    pub window: usize,
    /// Bytes of a DATA frame that the HTTP/2 client sends, at most.
    pub frame_bytes: usize,
    /// Which programs.
    pub compared: &'a [Program],
    /// The loads.
    pub loads: &'a [Load],
    /// What was measured.
    pub figures: Figures<'a>,
    /// The gates.
    pub judged: &'a [Judged],
}

/// The document as Markdown.
pub fn markdown(document: &Document<'_>) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = head(document, &mut text);
    let _ = writeln!(text, "\n## Thousand deliveries a second\n");
    let _ = writeln!(
        text,
        "Marked `g`: the load generator was the limit, so the program could carry more; `w`: the \
         window was.\n"
    );
    table(document, &mut text, |load, program| {
        let per_second = document
            .figures
            .median(load, program, Measure::Throughput)?;
        let mark = match document.figures.limit(load, program) {
            Some("generator") => " g",
            Some("window") => " w",
            _ => "",
        };
        Some(format!("{}{mark}", short(per_second / 1000.0)))
    });
    let _ = writeln!(text, "\n## CPU microseconds of the program per delivery\n");
    table(document, &mut text, |load, program| {
        let cpu = document.figures.median(load, program, Measure::Cpu)?;
        Some(short(cpu))
    });
    let _ = writeln!(text, "\n## Latency, p50 / p99 in microseconds\n");
    table(document, &mut text, |load, program| {
        let of = |measure| document.figures.median(load, program, measure);
        let (p50, p99) = of(Measure::P50).zip(of(Measure::P99))?;
        Some(format!("{p50:.0} / {p99:.0}"))
    });
    gates(document, &mut text);
    objections(document, &mut text);
    text
}

fn head(document: &Document<'_>, text: &mut String) -> std::fmt::Result {
    let milliseconds = |span: std::time::Duration| format!("{} ms", span.as_millis());
    let (average, most) = document.figures.foreign();
    writeln!(text, "# The hub beside its peers\n")?;
    writeln!(
        text,
        "One interleaved run: every program meets every load once a round, in rotated order, in a \
         process of its own, driven by the same load generator with the same payloads and windows. \
         Figures are medians over the rounds; a ratio is taken within a round, and its median is \
         judged. Only ratios from one run mean anything.\n"
    )?;
    for (name, value) in document.facts {
        writeln!(text, "* {name}: {value}")?;
    }
    writeln!(
        text,
        "* Rounds: {}, each {} after {} of warm-up",
        document.rounds,
        milliseconds(document.timing.measured),
        milliseconds(document.timing.warmup)
    )?;
    writeln!(
        text,
        "* CPUs that other work took meanwhile: {average:.2} on average, {most:.2} at most"
    )?;
    writeln!(
        text,
        "* Under way per producer, at most: {} messages and 4 MiB; DATA frames of the HTTP/2 client: \
         at most {} KiB; `5,000/s` is an open loop, its latency counts from the intended send time",
        document.window,
        document.frame_bytes >> 10
    )
}

/// One row per load, one column per program.
fn table(
    document: &Document<'_>,
    text: &mut String,
    cell: impl Fn(usize, Program) -> Option<String>,
) {
    let mut rows = vec![vec!["load".to_owned()]];
    rows[0].extend(document.compared.iter().map(|p| p.name().to_owned()));
    for (index, load) in document.loads.iter().enumerate() {
        let mut row = vec![load.name.to_owned()];
        let cells = document.compared.iter();
        row.extend(cells.map(|p| cell(index, *p).unwrap_or_else(|| "-".to_owned())));
        rows.push(row);
    }
    put(&rows, text);
}

fn gates(document: &Document<'_>, text: &mut String) {
    let met = document.judged.iter().filter(|j| j.outcome == Outcome::Met);
    let _ = writeln!(
        text,
        "\n## Gates (spec 6): {} of {} met\n",
        met.count(),
        document.judged.len()
    );
    let head = ["load", "what", "ratio", "rounds", "gate", ""];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for judged in document.judged {
        let what = match judged.gate.measure {
            Measure::Throughput => "throughput",
            Measure::Cpu => "CPU",
            Measure::P50 => "p50",
            Measure::P99 => "p99",
        };
        let sign = match judged.gate.measure {
            Measure::Throughput => ">=",
            _ => "<=",
        };
        let outcome = match judged.outcome {
            Outcome::Met => "met",
            Outcome::Short => "SHORT",
            Outcome::Skipped => "skipped",
        };
        let (ratio, rounds) = match judged.ratio {
            Some([middle, least, most]) => {
                (format!("{middle:.2}"), format!("{least:.2} to {most:.2}"))
            }
            None => ("-".to_owned(), "-".to_owned()),
        };
        rows.push(vec![
            document.loads[judged.load].name.to_owned(),
            format!("{what} / {}", judged.gate.base.program().name()),
            ratio,
            rounds,
            format!("{sign} {:.2}", judged.gate.bound),
            outcome.to_owned(),
        ]);
    }
    put(&rows, text);
}

/// Measurements in which something did not arrive as it was sent.
fn objections(document: &Document<'_>, text: &mut String) {
    let bad = document
        .figures
        .0
        .iter()
        .filter(|m| !m.objections.is_empty());
    for (number, measurement) in bad.enumerate() {
        if number == 0 {
            let _ = writeln!(text, "\n## Not sound\n");
        }
        let _ = writeln!(
            text,
            "* {}, {}, round {}: {}",
            measurement.program.name(),
            document.loads[measurement.load].name,
            measurement.round + 1,
            measurement.objections.join("; ")
        );
    }
}

/// Three significant digits or so.
fn short(value: f64) -> String {
    match value {
        v if v >= 100.0 => format!("{v:.0}"),
        v if v >= 10.0 => format!("{v:.1}"),
        v => format!("{v:.2}"),
    }
}

/// Writes a Markdown table whose columns are as wide as they need to be; the first row is the head.
fn put(rows: &[Vec<String>], text: &mut String) {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|column| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            cells.map(String::len).max().unwrap_or(0).max(3)
        })
        .collect();
    for (number, row) in rows.iter().enumerate() {
        for (cell, width) in row.iter().zip(&widths) {
            let _ = write!(text, "| {cell:width$} ");
        }
        text.push_str("|\n");
        if number == 0 {
            for width in &widths {
                let _ = write!(text, "| {} ", "-".repeat(*width));
            }
            text.push_str("|\n");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::figures::tests::measurement;
    use super::super::judge_gates;
    use super::*;
    use crate::load::WINDOW;

    fn shown(cpu_us: f64) -> String {
        let mut all = vec![
            measurement(0, Program::Hub, cpu_us),
            measurement(0, Program::Http2, 1.0),
        ];
        all[1].objections = vec!["7 lost".into()];
        let loads = &Load::all(WINDOW)[..1];
        let figures = Figures(&all);
        markdown(&Document {
            facts: &[("Machine".into(), "a fast one".into())],
            rounds: 1,
            timing: Timing {
                warmup: Duration::from_millis(5),
                measured: Duration::from_secs(2),
            },
            window: 16,
            frame_bytes: 16 << 10,
            compared: &[Program::Http2, Program::Hub],
            loads,
            figures,
            judged: &judge_gates(loads, figures),
        })
    }

    #[test]
    fn a_gate_that_does_not_hold_is_said_so() {
        assert!(shown(1.5).contains("| CPU / HTTP/2 relay"));
        assert_eq!(shown(1.5).matches("SHORT").count(), 2);
        assert_eq!(shown(1.05).matches("SHORT").count(), 0);
    }

    #[test]
    fn where_the_figures_come_from_stands_at_the_top() {
        let text = shown(1.0);
        assert!(text.contains("* Machine: a fast one"), "{text}");
        assert!(text.contains("0.25 on average"), "{text}");
    }

    #[test]
    fn what_was_lost_is_named() {
        assert!(shown(1.0).contains("HTTP/2 relay, 1-1 80 B, round 1: 7 lost"));
    }
}
