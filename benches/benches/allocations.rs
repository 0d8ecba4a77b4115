//! Allocations of one evaluation (targets: spec 4.4), counted by an allocator that only this program
//! has. Ends with 1 where a predicate over metadata allocates.

use std::process::ExitCode;

use allocation_counter::measure;
use benches::expressions::{
    BLOCK, LANGUAGE_IS_GERMAN, LANGUAGE_IS_GERMAN_IN_CEL, ONE_PATH, Sample, block, condition,
    written,
};
use bytes::BytesMut;
use expr::{Dialect, Surroundings};

/// Evaluations that are counted together: what is kept from one to the next would show.
const TIMES: u64 = 1000;

fn main() -> ExitCode {
    let sample = Sample::default();
    let surroundings = Surroundings::default();
    let mut allocates = false;
    for (name, source, dialect, is_bound) in [
        ("one path over metadata", ONE_PATH, Dialect::Template, true),
        (
            "predicate over metadata",
            LANGUAGE_IS_GERMAN,
            Dialect::Template,
            true,
        ),
        (
            "CEL predicate over metadata",
            LANGUAGE_IS_GERMAN_IN_CEL,
            Dialect::Cel,
            false,
        ),
    ] {
        let condition = condition(source, dialect);
        let count = told(name, || {
            std::hint::black_box(sample.ask(&condition, &surroundings));
        });
        allocates |= is_bound && count > 0;
    }
    let block = block(&written(&BLOCK), Dialect::Template);
    let mut out = BytesMut::with_capacity(4096);
    told("runtime block of three fields, to bytes", || {
        sample.evaluate(&block, &surroundings, &mut out);
    });
    ExitCode::from(u8::from(allocates))
}

/// Counts the allocations of one evaluation, and tells them.
fn told(name: &str, mut evaluate: impl FnMut()) -> u64 {
    evaluate();
    let found = measure(|| (0..TIMES).for_each(|_| evaluate()));
    let (count, bytes) = (found.count_total, found.bytes_total);
    println!(
        "expressions/{name}: {:.3} allocations, {} B an evaluation",
        count as f64 / TIMES as f64,
        bytes / TIMES
    );
    count
}
