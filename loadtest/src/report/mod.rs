//! Owns the result of a run: its figures, its verdict, and every form they are shown in.
//!
//! The JSON form is [`Report`] itself; its field names are documented in `loadtest/README.md` and
//! do not change.

mod build;
mod compare;
mod html;
mod limit;
mod live;
mod model;
mod plot;
mod table;

pub use compare::{Comparison, Direction, Row, compare};
pub use html::html;
pub use limit::Limit;
pub use live::{Live, LiveTitle};
pub use model::{
    Collected, ConnectReport, FaultReport, GeneratorReport, GuaranteeReport, GuaranteeSeen,
    HubReport, Measured, Observed, Report, Sample, TargetReport, Throughput, Verdict,
};
pub use table::{per_second_line, table};
