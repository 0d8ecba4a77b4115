//! The table, drawn in place in a few lines of the terminal.

use super::picture::{HopPicture, Picture, millis};
use ratatui::backend::CrosstermBackend;
use ratatui::layout::{Constraint, Layout};
use ratatui::style::{Color, Style, Stylize};
use ratatui::symbols;
use ratatui::text::Line;
use ratatui::widgets::{LineGauge, Row, Table as Grid};
use ratatui::{Frame, Terminal, TerminalOptions, Viewport};
use std::io::{self, Stdout};

/// Gauge, caption, header and one line a hop, with an empty line above.
const HEIGHT: u16 = 6;

const COLUMNS: [(&str, u16); 8] = [
    ("hop", 16),
    ("frames", 7),
    ("frames/s", 9),
    ("KiB/s", 7),
    ("p50", 9),
    ("p99", 9),
    ("outstanding", 12),
    ("hub queue", 9),
];

/// The part of the terminal that belongs to the demo.
#[derive(Debug)]
pub(super) struct Table {
    terminal: Terminal<CrosstermBackend<Stdout>>,
}

impl Table {
    /// Takes the next lines of the terminal.
    pub(super) fn open() -> io::Result<Self> {
        let options = TerminalOptions {
            viewport: Viewport::Inline(HEIGHT),
        };
        let terminal = Terminal::with_options(CrosstermBackend::new(io::stdout()), options)?;
        Ok(Self { terminal })
    }

    pub(super) fn draw(&mut self, picture: &Picture) -> io::Result<()> {
        self.terminal.draw(|frame| paint(frame, picture))?;
        Ok(())
    }
}

impl Drop for Table {
    /// Leaves the last picture where it is and the cursor below it.
    fn drop(&mut self) {
        let below = self.terminal.get_frame().area().bottom();
        let _ = self
            .terminal
            .set_cursor_position((0, below.saturating_sub(1)));
        let _ = self.terminal.show_cursor();
        println!();
    }
}

fn paint(frame: &mut Frame<'_>, picture: &Picture) {
    let [_, gauge, caption, grid] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Length(3),
    ])
    .areas(frame.area());
    let (elapsed, total) = (picture.elapsed.as_secs_f64(), picture.total.as_secs_f64());
    let bar = LineGauge::default()
        .ratio(picture.done.clamp(0.0, 1.0))
        .label(format!("{elapsed:5.1} / {total:.1} s"))
        .filled_symbol(symbols::line::THICK_HORIZONTAL)
        .filled_style(Style::new().fg(Color::Green))
        .unfilled_style(Style::new().fg(Color::DarkGray));
    frame.render_widget(bar, gauge);
    frame.render_widget(Line::from(picture.caption.as_str()).italic(), caption);
    let widths = COLUMNS.map(|(_, width)| Constraint::Length(width));
    let header = COLUMNS.map(|(name, width)| aligned(name, width));
    let rows = picture.hops.iter().map(row);
    let table = Grid::new(rows, widths)
        .header(Row::new(header).bold())
        .column_spacing(1);
    frame.render_widget(table, grid);
}

fn row(hop: &HopPicture) -> Row<'static> {
    let cells = [
        hop.name.clone(),
        hop.state.arrived.to_string(),
        format!("{:.1}", hop.rate.0),
        format!("{:.1}", hop.rate.1 / 1024.0),
        millis(hop.state.p50),
        millis(hop.state.p99),
        hop.outstanding.to_string(),
        hop.queued.map_or("-".to_owned(), |n| n.to_string()),
    ];
    let widths = COLUMNS.map(|(_, width)| width);
    let cells = cells.iter().zip(widths);
    Row::new(cells.map(|(text, width)| aligned(text, width)))
}

/// Numbers to the right; the first column, the only one so wide, to the left.
fn aligned(text: &str, width: u16) -> String {
    let (_, first) = COLUMNS[0];
    let width = usize::from(width);
    if width == usize::from(first) {
        text.to_owned()
    } else {
        format!("{text:>width$}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::progress::HopState;
    use ratatui::backend::TestBackend;
    use std::time::Duration;

    #[test]
    fn the_table_shows_the_hops_with_their_numbers() {
        let hop = |name: &str, queued| HopPicture {
            name: name.to_owned(),
            state: HopState {
                arrived: 447,
                p50: Duration::from_micros(350),
                ..HopState::default()
            },
            rate: (50.0, 32_000.0),
            outstanding: 3,
            queued,
        };
        let picture = Picture {
            elapsed: Duration::from_millis(8900),
            total: Duration::from_millis(18_180),
            done: 0.5,
            caption: "segment 4: Silence stays behind.".to_owned(),
            hops: [hop("source -> vad", Some(2)), hop("vad -> recorder", None)],
        };
        let mut terminal = Terminal::new(TestBackend::new(90, HEIGHT)).unwrap();
        terminal.draw(|frame| paint(frame, &picture)).unwrap();
        let shown = terminal.backend().to_string();
        for part in [
            "8.9 / 18.2 s",
            "segment 4: Silence stays behind.",
            "frames/s",
            "source -> vad        447      50.0    31.2   0.35 ms   0.00 ms            3         2",
            "vad -> recorder      447      50.0    31.2   0.35 ms   0.00 ms            3         -",
        ] {
            assert!(shown.contains(part), "{part:?} is not in\n{shown}");
        }
    }
}
