//! `needs` to edges.
