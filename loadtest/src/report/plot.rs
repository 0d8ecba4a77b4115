//! Owns line plots as inline SVG: axes with round numbers, a legend, colours by class so that the
//! page's style sheet decides them.

use std::fmt::Write as _;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 240.0;
const LEFT: f64 = 64.0;
/// Half of the longest mark of an x axis, `p99.999`, stands in it.
const RIGHT: f64 = 24.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 34.0;

/// How values map to height.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scale {
    /// From zero, evenly.
    Linear,
    /// By orders of magnitude; values at or below zero are left out.
    Log,
}

/// One line.
#[derive(Clone, Debug)]
pub(super) struct Series {
    /// Name in the legend.
    pub(super) name: &'static str,
    /// (x, y), rising in x.
    pub(super) points: Vec<(f64, f64)>,
}

/// A plot.
#[derive(Clone, Debug)]
pub(super) struct Plot {
    /// What it shows; also its text for screen readers.
    pub(super) title: &'static str,
    /// Label of the x axis.
    pub(super) x_label: &'static str,
    /// Marks on the x axis: (x, text); empty: round numbers.
    pub(super) x_ticks: Vec<(f64, String)>,
    /// How y is scaled.
    pub(super) scale: Scale,
    /// Writes a y value.
    pub(super) y_text: fn(f64) -> String,
    /// The lines.
    pub(super) series: Vec<Series>,
}

/// A range of values on an axis.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Span {
    low: f64,
    high: f64,
}

impl Span {
    fn of(values: impl Iterator<Item = f64>) -> Option<Span> {
        values.fold(None, |span: Option<Span>, value| {
            let span = span.unwrap_or(Span {
                low: value,
                high: value,
            });
            Some(Span {
                low: span.low.min(value),
                high: span.high.max(value),
            })
        })
    }

    /// Where a value lies, 0 to 1.
    fn part(self, value: f64) -> f64 {
        if self.high > self.low {
            (value - self.low) / (self.high - self.low)
        } else {
            0.5
        }
    }
}

impl Plot {
    /// The plot as an SVG element; nothing when there is nothing to show.
    pub(super) fn svg(&self) -> String {
        let points = || self.series.iter().flat_map(|line| &line.points);
        let shown = points().filter(|(_, y)| self.scale == Scale::Linear || *y > 0.0);
        let Some(x) = Span::of(shown.clone().map(|(x, _)| *x)) else {
            return String::new();
        };
        let Some(y) = Span::of(shown.map(|(_, y)| *y)) else {
            return String::new();
        };
        let (y, y_ticks) = match self.scale {
            Scale::Linear => linear(y.high),
            Scale::Log => logarithmic(y),
        };
        let mut svg = format!(
            "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">",
            self.title
        );
        for tick in y_ticks {
            self.y_tick(&mut svg, tick, y);
        }
        for (at, text) in self.x_marks(x) {
            let at = LEFT + x.part(at) * (WIDTH - LEFT - RIGHT);
            let _ = write!(
                svg,
                "<text class=\"x\" x=\"{at:.1}\" y=\"{:.1}\">{text}</text>",
                HEIGHT - BOTTOM + 15.0
            );
        }
        let _ = write!(
            svg,
            "<text class=\"x\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            (LEFT + WIDTH - RIGHT) / 2.0,
            HEIGHT - 4.0,
            self.x_label
        );
        for (number, line) in self.series.iter().enumerate() {
            self.line(&mut svg, number, line, (x, y));
        }
        svg + "</svg>"
    }

    /// Names of the lines, in their colours.
    pub(super) fn legend(&self) -> String {
        let names =
            self.series.iter().enumerate().map(|(number, line)| {
                format!("<span class=\"key k{number}\">{}</span>", line.name)
            });
        names.collect()
    }

    fn y_tick(&self, svg: &mut String, tick: f64, y: Span) {
        let at = self.height(tick, y);
        let _ = write!(
            svg,
            "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>\
             <text class=\"y\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            WIDTH - RIGHT,
            LEFT - 6.0,
            at + 4.0,
            (self.y_text)(tick)
        );
    }

    fn x_marks(&self, x: Span) -> Vec<(f64, String)> {
        if !self.x_ticks.is_empty() {
            let inside = |at: f64| at >= x.low && at <= x.high;
            let ticks = self.x_ticks.iter().filter(|(at, _)| inside(*at));
            return ticks.cloned().collect();
        }
        let step = round_step((x.high - x.low) / 6.0);
        let first = (x.low / step).ceil() as i64;
        let last = (x.high / step).floor() as i64;
        let mark = |n: i64| {
            (
                n as f64 * step,
                format!("{}", (n as f64 * step * 1e3).round() / 1e3),
            )
        };
        (first..=last).map(mark).collect()
    }

    fn line(&self, svg: &mut String, number: usize, line: &Series, (x, y): (Span, Span)) {
        let points: Vec<String> = line
            .points
            .iter()
            .filter(|(_, value)| self.scale == Scale::Linear || *value > 0.0)
            .map(|(at, value)| {
                let across = LEFT + x.part(*at) * (WIDTH - LEFT - RIGHT);
                format!("{across:.1},{:.1}", self.height(*value, y))
            })
            .collect();
        let _ = write!(
            svg,
            "<polyline class=\"l{number}\" points=\"{}\"/>",
            points.join(" ")
        );
    }

    fn height(&self, value: f64, y: Span) -> f64 {
        let value = match self.scale {
            Scale::Linear => value,
            Scale::Log => value.log10(),
        };
        HEIGHT - BOTTOM - y.part(value) * (HEIGHT - TOP - BOTTOM)
    }
}

/// Axis from zero to a round number above `high`, with about four steps.
fn linear(high: f64) -> (Span, Vec<f64>) {
    let step = round_step(high.max(1e-9) / 4.0);
    let steps = (high / step).ceil().max(1.0);
    let ticks = (0..=steps as u32).map(|n| f64::from(n) * step).collect();
    let span = Span {
        low: 0.0,
        high: steps * step,
    };
    (span, ticks)
}

/// Axis in orders of magnitude around `span`; its values are logarithms, its ticks are not.
fn logarithmic(span: Span) -> (Span, Vec<f64>) {
    let low = span.low.log10().floor();
    let high = span.high.log10().ceil().max(low + 1.0);
    let ticks = (low as i32..=high as i32).map(|n| 10f64.powi(n)).collect();
    (Span { low, high }, ticks)
}

/// The next of 1, 2, 5 times a power of ten.
fn round_step(rough: f64) -> f64 {
    let rough = rough.max(1e-9);
    let magnitude = 10f64.powf(rough.log10().floor());
    let factors = [1.0, 2.0, 5.0, 10.0];
    let fits = factors.iter().find(|f| *f * magnitude >= rough * 0.999);
    fits.unwrap_or(&10.0) * magnitude
}

/// A large number in thousands or millions.
pub(super) fn short(value: f64) -> String {
    if value >= 1e6 {
        format!("{:.1} M", value / 1e6)
    } else if value >= 1e4 {
        format!("{:.0} k", value / 1e3)
    } else if value < 10.0 && value.fract() != 0.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.0}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plot(scale: Scale, points: Vec<(f64, f64)>) -> Plot {
        Plot {
            title: "t",
            x_label: "s",
            x_ticks: Vec::new(),
            scale,
            y_text: |value| format!("{value}"),
            series: vec![Series { name: "a", points }],
        }
    }

    #[test]
    fn steps_are_round_numbers() {
        for (rough, step) in [
            (0.3, 0.5),
            (1.0, 1.0),
            (1.1, 2.0),
            (37.0, 50.0),
            (730.0, 1000.0),
        ] {
            assert!((round_step(rough) - step).abs() < 1e-9, "{rough}");
        }
    }

    #[test]
    fn marks_of_a_small_axis_are_told_apart() {
        let (_, ticks) = linear(1.0);
        let texts: Vec<String> = ticks.into_iter().map(short).collect();
        assert_eq!(texts, ["0", "0.5", "1"]);
        assert_eq!(
            [2.0, 930.0, 25e3, 3e6].map(short),
            ["2", "930", "25 k", "3.0 M"]
        );
    }

    #[test]
    fn a_linear_axis_starts_at_zero_and_ends_above_the_largest() {
        let (span, ticks) = linear(930.0);
        assert_eq!((span.low, span.high), (0.0, 1000.0));
        assert_eq!(ticks.len(), 3);
    }

    #[test]
    fn a_logarithmic_axis_covers_whole_decades() {
        let (span, ticks) = logarithmic(Span {
            low: 60.0,
            high: 4500.0,
        });
        assert_eq!((span.low, span.high), (1.0, 4.0));
        assert_eq!(ticks, [10.0, 100.0, 1000.0, 10_000.0]);
    }

    #[test]
    fn points_lie_between_the_axes() {
        let svg = plot(Scale::Linear, vec![(0.0, 0.0), (10.0, 100.0)]).svg();
        assert!(svg.contains("points=\"64.0,206.0 616.0,12.0\""), "{svg}");
    }

    #[test]
    fn values_that_have_no_logarithm_are_left_out() {
        let svg = plot(Scale::Log, vec![(0.0, 0.0), (1.0, 10.0), (2.0, 100.0)]).svg();
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        assert_eq!(plot(Scale::Log, vec![(0.0, 0.0)]).svg(), "");
    }
}
