//! Counts of registrations, by gRPC code and by startup capabilities.

use std::sync::atomic::{AtomicU64, Ordering};

use crossbeam::utils::CachePadded;
use tonic::Code;

use crate::ingress::StartupCapabilities;

/// One counter per gRPC code (0 to 16).
const CODES: usize = 17;

/// How registrations went since the start. Written by the data plane, read by telemetry.
#[derive(Debug, Default)]
pub(crate) struct Registrations {
    by_code: [CachePadded<AtomicU64>; CODES],
    by_startup: [CachePadded<AtomicU64>; 4],
}

impl Registrations {
    pub(crate) fn note(&self, code: Code) {
        if let Some(counter) = self.by_code.get(code as usize) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn note_startup(&self, startup: StartupCapabilities) {
        self.by_startup[startup as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Each code with its count, those that never occurred left out, OK always there.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (Code, u64)> + '_ {
        let counts = self.by_code.iter().enumerate();
        counts
            .map(|(code, n)| (Code::from_i32(code as i32), n.load(Ordering::Relaxed)))
            .filter(|&(code, n)| n > 0 || code == Code::Ok)
    }

    /// Each word for startup capabilities with its count.
    pub(crate) fn startup_counts(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        let words = ["required", "none", "missing", "invalid"];
        words
            .into_iter()
            .zip(&self.by_startup)
            .map(|(w, n)| (w, n.load(Ordering::Relaxed)))
    }
}
