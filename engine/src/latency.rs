//! A histogram with fixed bounds for the time from socket to socket (spec 9: 50 us to 20 ms).
//!
//! Plain counters, so that recording costs a few instructions on the data path. Never allocates.

use std::time::Duration;

/// Upper bounds of the buckets, in nanoseconds; what is slower falls into one more bucket.
pub const BOUNDS_NANOS: [u64; 15] = [
    50_000,
    100_000,
    200_000,
    300_000,
    500_000,
    750_000,
    1_000_000,
    2_000_000,
    3_000_000,
    5_000_000,
    10_000_000,
    20_000_000,
    100_000_000,
    1_000_000_000,
    10_000_000_000,
];

/// One bucket: how many samples it took and their sum in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bucket {
    /// Samples.
    pub count: u64,
    /// Sum of the samples in nanoseconds.
    pub sum_nanos: u64,
}

/// Counts of samples by bucket. They never decrease.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Latency {
    buckets: [Bucket; BOUNDS_NANOS.len() + 1],
}

impl Latency {
    /// Records `count` samples of the same time.
    pub fn record(&mut self, elapsed: Duration, count: u64) {
        let nanos = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX);
        let at = BOUNDS_NANOS
            .iter()
            .position(|&b| nanos <= b)
            .unwrap_or(BOUNDS_NANOS.len());
        let bucket = &mut self.buckets[at];
        bucket.count += count;
        bucket.sum_nanos = bucket.sum_nanos.saturating_add(nanos.saturating_mul(count));
    }

    /// The buckets, in the order of [`BOUNDS_NANOS`], the last one without an upper bound.
    pub fn buckets(&self) -> &[Bucket] {
        &self.buckets
    }

    /// Adds the samples of another histogram.
    pub fn add(&mut self, other: &Latency) {
        for (mine, theirs) in self.buckets.iter_mut().zip(other.buckets) {
            mine.count += theirs.count;
            mine.sum_nanos = mine.sum_nanos.saturating_add(theirs.sum_nanos);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_falls_into_the_first_bucket_that_holds_it() {
        let mut latency = Latency::default();
        latency.record(Duration::from_micros(50), 2);
        latency.record(Duration::from_nanos(50_001), 1);
        latency.record(Duration::from_secs(60), 1);
        assert_eq!(
            latency.buckets()[0],
            Bucket {
                count: 2,
                sum_nanos: 100_000
            }
        );
        assert_eq!(latency.buckets()[1].count, 1);
        assert_eq!(
            latency.buckets()[BOUNDS_NANOS.len()].sum_nanos,
            60_000_000_000
        );
    }
}
