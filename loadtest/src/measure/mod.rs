//! Owns figures: latency histograms, what processes consume, and what the hub counts itself.

mod latency;
mod process;
mod scrape;

pub use latency::{Latencies, Percentiles};
pub use process::{MachineUse, ProcessUse, SystemName, thread_cpu_nanos};
pub use scrape::{HubCounters, ScrapeError, scrape};
