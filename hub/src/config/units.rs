//! Durations and sizes as people write them (spec 2.8).
