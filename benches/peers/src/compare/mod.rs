//! Owns the comparison: rounds in rotated order, medians and ratios, the gates of spec 6, tables.
//!
//! Ratios are taken within a round, where the machine was in the same mood, and the median of the
//! rounds' ratios is what is judged.

mod figures;
mod gates;
mod rounds;
mod tables;

pub use figures::{Base, Figures, Measure, median};
pub use gates::{Gate, Judged, Outcome, judge_gates};
pub use rounds::{Failure, Measurement, Plan, run_rounds};
pub use tables::{Document, markdown};
