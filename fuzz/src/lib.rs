//! What is fuzzed: bytes from the network, Story files and their expressions, and the engine's operations (spec 7).
//!
//! Each target is a function of bytes that panics when something is wrong, so that any driver can
//! call it: libFuzzer (`fuzz_targets/`), or the plain one in `main.rs`.

mod decide;
mod envelope_json;
mod expressions;
mod operations;
mod seeds;
mod wire;

pub use decide::decide;
pub use envelope_json::envelope_json;
pub use expressions::{cel, template};
pub use operations::engine_operations;
pub use seeds::seeds;
pub use wire::{envelope, process_request, view};

/// A target.
pub type Target = fn(&[u8]);

/// All targets by name.
pub const TARGETS: [(&str, Target); 9] = [
    ("view", view),
    ("process_request", process_request),
    ("envelope", envelope),
    ("envelope_json", envelope_json),
    ("story", story),
    ("template", template),
    ("cel", cel),
    ("decide", decide),
    ("engine_operations", engine_operations),
];

/// A Story file: loads or is refused with a place, whatever stands in it.
pub fn story(data: &[u8]) {
    let Ok(yaml) = std::str::from_utf8(data) else {
        return;
    };
    let options = hub::story::LoadOptions::default();
    if let Err(problems) = hub::story::load_str("fuzz.yaml", yaml, &options) {
        assert!(!problems.to_string().is_empty(), "refused without a word");
    }
}
