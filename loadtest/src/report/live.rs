//! Owns the live view of a run: a few lines on a terminal, drawn over again at every sample.
//!
//! Leaves the terminal's mode alone, so that Ctrl-C ends the run like anywhere else.

use std::io::{self, Stderr, Write as _};

use ratatui::backend::CrosstermBackend;
use ratatui::layout::{Constraint, Layout};
use ratatui::style::{Color, Modifier, Style, Stylize};
use ratatui::text::{Line, Span};
use ratatui::widgets::{LineGauge, Paragraph, Sparkline};
use ratatui::{Frame, Terminal, TerminalOptions, Viewport};

use super::model::Sample;
use super::table::{grouped, micros};

const LINES: u16 = 8;

/// What the view says beside the samples.
#[derive(Clone, Debug)]
pub struct LiveTitle {
    /// Name of the scenario.
    pub scenario: String,
    /// Where the load goes.
    pub target: String,
    /// How long the run takes, warm-up included, in seconds.
    pub seconds: f64,
}

/// A live view on standard error.
#[derive(Debug)]
pub struct Live {
    terminal: Terminal<CrosstermBackend<Stderr>>,
    title: LiveTitle,
    /// Messages received a second, newest last.
    rates: Vec<u64>,
}

impl Live {
    /// Takes a few lines of the terminal.
    ///
    /// # Errors
    /// When standard error is no terminal that can be drawn on.
    pub fn new(title: LiveTitle) -> io::Result<Live> {
        let options = TerminalOptions {
            viewport: Viewport::Inline(LINES),
        };
        let terminal = Terminal::with_options(CrosstermBackend::new(io::stderr()), options)?;
        Ok(Live {
            terminal,
            title,
            rates: Vec::new(),
        })
    }

    /// Draws a sample.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn show(&mut self, sample: &Sample) -> io::Result<()> {
        self.rates.push(sample.delivered_per_second as u64);
        let (title, rates) = (&self.title, &self.rates);
        self.terminal
            .draw(|frame| draw(frame, title, sample, rates))
            .map(|_| ())
    }

    /// Gives the lines back, so that what is printed next stands in their place.
    pub fn finish(mut self) {
        // A terminal that is gone needs no cleaning.
        let _ = self.terminal.clear();
        let _ = self.terminal.show_cursor();
        let _ = write!(io::stderr(), "\r");
    }
}

fn draw(frame: &mut Frame<'_>, title: &LiveTitle, sample: &Sample, rates: &[u64]) {
    let rows = Layout::vertical([Constraint::Length(1); LINES as usize]).split(frame.area());
    let row = |n: usize| rows.get(n).copied().unwrap_or_default();
    let heading = Line::from(vec![
        Span::from(format!("{} ", title.scenario)).bold(),
        Span::from(format!("to {}", title.target)).dim(),
    ]);
    frame.render_widget(heading, row(0));
    let done = (sample.at_seconds / title.seconds.max(0.001)).clamp(0.0, 1.0);
    let gauge = LineGauge::default()
        .ratio(done)
        .label(format!(
            "{:.0} of {:.0} s",
            sample.at_seconds, title.seconds
        ))
        .filled_style(Style::new().fg(Color::Cyan));
    frame.render_widget(gauge, row(1));
    let width = usize::from(row(2).width);
    let newest = rates.get(rates.len().saturating_sub(width)..);
    let spark = Sparkline::default()
        .data(newest.unwrap_or_default())
        .style(Style::new().fg(Color::Cyan));
    frame.render_widget(spark, row(2));
    for (n, (name, value)) in figures(sample).into_iter().enumerate() {
        let line = Line::from(vec![Span::from(format!("{name:<12}")).dim(), value]);
        frame.render_widget(Paragraph::new(line), row(n + 3));
    }
}

fn figures(sample: &Sample) -> [(&'static str, Span<'static>); 5] {
    let latency = &sample.latency_us;
    let hub = match (sample.hub_cpu, sample.hub_rss_bytes) {
        (Some(cpu), Some(rss)) => format!(
            "{:.0} % CPU, {:.1} MiB",
            cpu * 100.0,
            rss as f64 / (1 << 20) as f64
        ),
        _ => "not known (--hub-pid)".to_owned(),
    };
    let faults = Span::from(grouped(sample.faults as f64));
    let faults = if sample.faults > 0 {
        faults.style(Style::new().fg(Color::Red).add_modifier(Modifier::BOLD))
    } else {
        faults
    };
    [
        (
            "received",
            format!(
                "{} msg/s, {:.1} MB/s",
                grouped(sample.delivered_per_second),
                sample.megabytes_per_second
            )
            .into(),
        ),
        (
            "latency",
            format!(
                "p50 {}  p99 {}  p99.9 {}",
                micros(latency.p50),
                micros(latency.p99),
                micros(latency.p999)
            )
            .into(),
        ),
        (
            "queue",
            format!("{} under way", grouped(sample.under_way as f64)).into(),
        ),
        ("hub", hub.into()),
        ("faults", faults),
    ]
}

#[cfg(test)]
mod tests {
    use ratatui::backend::TestBackend;

    use super::*;

    #[test]
    fn the_view_shows_rate_latency_queue_hub_and_faults() {
        let mut sample = Sample {
            at_seconds: 5.0,
            delivered_per_second: 12_345.0,
            under_way: 17,
            faults: 3,
            hub_cpu: Some(0.42),
            hub_rss_bytes: Some(9 << 20),
            ..Sample::default()
        };
        sample.latency_us.p99 = 204.0;
        let title = LiveTitle {
            scenario: "voice".into(),
            target: "127.0.0.1:9000".into(),
            seconds: 30.0,
        };
        let mut terminal = Terminal::new(TestBackend::new(70, LINES)).unwrap();
        terminal
            .draw(|frame| draw(frame, &title, &sample, &[1, 2, 3]))
            .unwrap();
        let text = terminal.backend().to_string();
        for part in [
            "voice to 127.0.0.1:9000",
            "5 of 30 s",
            "12,345 msg/s",
            "p99 204 us",
            "17 under way",
            "42 % CPU, 9.0 MiB",
            "faults      3",
        ] {
            assert!(text.contains(part), "{part} in\n{text}");
        }
    }

    #[test]
    fn a_terminal_that_is_too_small_is_no_fault() {
        let title = LiveTitle {
            scenario: String::new(),
            target: String::new(),
            seconds: 0.0,
        };
        let mut terminal = Terminal::new(TestBackend::new(3, 2)).unwrap();
        terminal
            .draw(|frame| draw(frame, &title, &Sample::default(), &[]))
            .unwrap();
    }
}
