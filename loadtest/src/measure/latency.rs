//! Owns latency histograms: half a microsecond fine, up to ten minutes, three digits throughout.

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// Values below this many nanoseconds are not told apart.
const FINEST_NANOS: u64 = 1_000;
/// Anything longer counts as this.
const LONGEST_NANOS: u64 = 600_000_000_000;

/// Latencies of deliveries and lateness of sends, in nanoseconds.
#[derive(Clone, Debug)]
pub struct Latencies {
    /// From the intended send time to arrival.
    pub delivery: Histogram<u64>,
    /// The same before measuring began; shown while it lasts, in no figure.
    pub warmup: Histogram<u64>,
    /// From the intended send time to the hand-over to the connection, where the generator itself
    /// was late.
    pub send_lag: Histogram<u64>,
    /// The same, where the other side took nothing or told the producer to wait.
    pub held_up: Histogram<u64>,
    /// From the intended send time to the moment at which the producer heard that it is settled.
    pub settled: Histogram<u64>,
}

impl Default for Latencies {
    fn default() -> Latencies {
        // Constants: 1 us to 10 min with three digits are valid bounds.
        let histogram = Histogram::new_with_bounds(FINEST_NANOS, LONGEST_NANOS, 3)
            .expect("constant bounds are valid");
        Latencies {
            delivery: histogram.clone(),
            warmup: histogram.clone(),
            send_lag: histogram.clone(),
            held_up: histogram.clone(),
            settled: histogram,
        }
    }
}

impl Latencies {
    /// Adds another's values.
    pub fn add(&mut self, other: &Latencies) {
        // All histograms of this type have the same bounds, so adding cannot fail.
        let _ = self.delivery.add(&other.delivery);
        let _ = self.warmup.add(&other.warmup);
        let _ = self.send_lag.add(&other.send_lag);
        let _ = self.held_up.add(&other.held_up);
        let _ = self.settled.add(&other.settled);
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.delivery.clear();
        self.warmup.clear();
        self.send_lag.clear();
        self.held_up.clear();
        self.settled.clear();
    }

    /// Whether nothing was recorded.
    pub fn is_empty(&self) -> bool {
        let all = [
            &self.delivery,
            &self.warmup,
            &self.send_lag,
            &self.held_up,
            &self.settled,
        ];
        all.into_iter().all(Histogram::is_empty)
    }
}

/// Percentiles of one histogram, in microseconds. All zero when nothing was recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Percentiles {
    /// How many values.
    pub count: u64,
    /// Arithmetic mean.
    pub mean: f64,
    /// Median.
    pub p50: f64,
    /// 90 of 100 are at most this.
    pub p90: f64,
    /// 99 of 100 are at most this.
    pub p99: f64,
    /// 999 of 1000 are at most this.
    pub p999: f64,
    /// The largest.
    pub max: f64,
}

impl Percentiles {
    /// Reads them off a histogram of nanoseconds.
    pub fn of(histogram: &Histogram<u64>) -> Percentiles {
        if histogram.is_empty() {
            return Percentiles::default();
        }
        let at = |quantile| tenths(histogram.value_at_quantile(quantile) as f64);
        Percentiles {
            count: histogram.len(),
            mean: tenths(histogram.mean()),
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p999: at(0.999),
            max: tenths(histogram.max() as f64),
        }
    }
}

/// Nanoseconds as microseconds with one decimal.
fn tenths(nanos: f64) -> f64 {
    (nanos / 100.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_in_microseconds() {
        let mut latencies = Latencies::default();
        for us in 1..=1000u64 {
            latencies.delivery.saturating_record(us * 1_000);
        }
        let read = Percentiles::of(&latencies.delivery);
        assert!((read.p50 - 500.0).abs() < 2.0, "{read:?}");
        assert!((read.p99 - 990.0).abs() < 2.0, "{read:?}");
        assert!((read.max - 1000.0).abs() < 2.0, "{read:?}");
    }

    #[test]
    fn a_value_beyond_the_longest_counts_as_the_longest() {
        let mut latencies = Latencies::default();
        latencies.delivery.saturating_record(u64::MAX);
        assert!(Percentiles::of(&latencies.delivery).max >= 600_000_000.0);
    }
}
