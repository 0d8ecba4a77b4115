//! How large schemas and values may be (spec 4.4 bounds expressions alike). Never a clock.

/// Bytes of a schema written as JSON without spaces.
pub const SCHEMA_BYTES: usize = 256 << 10;

/// Nesting of objects and lists in a schema.
pub const SCHEMA_DEPTH: usize = 64;

/// Schemas that may apply to one and the same value, each because the one before says so by
/// `$ref`, `allOf` and the like. Together with [`VALUE_DEPTH`] it bounds the stack.
pub const CHAIN: usize = 12;

/// Bytes of a pattern's source.
pub const PATTERN_BYTES: usize = 4 << 10;

/// Bytes of a compiled pattern, and of its cache while it runs.
pub const COMPILED_PATTERN_BYTES: usize = 256 << 10;

/// Nesting of objects and lists in a value.
pub const VALUE_DEPTH: usize = 128;

/// Bytes that defaults may add to one value, all together, as JSON.
pub const DEFAULTS_BYTES: usize = 1 << 20;

/// Steps that any value may take: schemas applied to a part of it.
pub const STEPS: u64 = 20_000;

/// Steps added to [`STEPS`] for each object, list, and value in them.
pub const STEPS_PER_VALUE: u64 = 32;

/// Steps that telling why a value is wrong may take; each may hold some hundred bytes.
pub const STEPS_TO_EXPLAIN: u64 = 50_000;

/// Bytes of a [`Violation`](crate::Violation)'s message and of its path, each.
pub const TEXT_BYTES: usize = 240;
