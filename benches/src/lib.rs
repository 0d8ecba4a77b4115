//! Criterion benches of the data path, stage by stage, and the records of what larger measurements
//! gave. What is measured how stands in `benches/README.md`.
